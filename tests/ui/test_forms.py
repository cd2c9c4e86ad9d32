"""Forms are drawn from the settings of any plug-in, and never refuse by themselves."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field
from streamlit.testing.v1 import AppTest

from workbench import plugins
from workbench.contracts import Plugin
from workbench.ui.widgets import settings_form
from workbench.ui.widgets.labels import config_name, field_label

FORMABLE = [
    (family, name)
    for family in ("parsers", "chunkers", "embedders", "retrievers")
    for name in plugins.names(family)
]


class Everything(Plugin):
    size_tokens: int = Field(200, gt=0, le=8192, description="largest chunk")
    overlap_tokens: int = Field(0, ge=0, lt=100, description="shared")
    drift: float = Field(0.5, gt=0, le=1, description="how far")
    mode: Literal["one_way", "other"] = Field("one_way", description="which")
    tidy: bool = Field(True, description="whether")
    language: str = Field("english", description="of the text")
    marks: tuple[str, ...] = Field(("\n\n", " "), strict=False, description="where to split")
    dimension: int | None = Field(None, gt=0, description="shorter vectors")


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plugins.plugin_class
    monkeypatch.setattr(
        plugins,
        "plugin_class",
        lambda family, name: Everything if name == "everything" else known(family, name),
    )


def drawn(family: str, name: str, values: dict[str, Any] | None = None) -> AppTest:
    def script(family, name, values):  # type: ignore[no-untyped-def]
        import streamlit as st
        from pydantic import ValidationError

        from workbench import plugins
        from workbench.ui.widgets import labels, settings_form

        found = settings_form.settings_form(family, name, "k", values)
        st.session_state["found"] = found
        try:
            plugins.plugin_class(family, name)(**found)
        except ValidationError as error:
            st.error(labels.refusal(family, name, error))
        else:
            st.write("it works")

    return AppTest.from_function(script, args=(family, name, values)).run()


def test_exclusive_bounds_of_whole_numbers_move_by_one() -> None:
    fields = Everything.model_fields
    assert settings_form.bounds(fields["size_tokens"]) == (1, 8192)
    assert settings_form.bounds(fields["overlap_tokens"]) == (0, 99)
    assert settings_form.bounds(fields["drift"]) == (0, 1)
    assert settings_form.bounds(fields["dimension"]) == (1, None)


def test_labels_name_the_unit() -> None:
    assert (
        field_label("overlap_sentences", Everything.model_fields["overlap_tokens"]) == "Overlap (sentences)"
    )


@pytest.mark.usefixtures("everything")
def test_every_kind_of_setting_has_a_widget_that_starts_at_its_default() -> None:
    app = drawn("chunkers", "everything")
    assert not app.exception
    assert app.session_state["found"] == Everything().model_dump()
    assert [w.label for w in app.number_input] == ["Size (tokens)", "Overlap (tokens)", "Drift", "Dimension"]
    assert app.selectbox[0].options == ["one way", "other"]
    assert app.toggle[0].help == "whether"


@pytest.mark.usefixtures("everything")
def test_a_value_of_the_wrong_kind_is_replaced_by_the_default() -> None:
    odd = {
        "size_tokens": "many",
        "mode": "third",
        "tidy": 3,
        "drift": 1,
        "dimension": 10**40,
        "language": ["x"],
        "marks": {},
    }
    app = drawn("chunkers", "everything", odd)
    assert not app.exception
    assert app.session_state["found"] == {**Everything().model_dump(), "drift": 1.0, "marks": "{}"}


@pytest.mark.usefixtures("everything")
def test_a_list_of_texts_is_typed_as_a_list() -> None:
    app = drawn("chunkers", "everything")
    assert app.text_input[1].value == '["\\n\\n", " "]'
    app.text_input[1].set_value('["x"]').run()
    assert app.session_state["found"]["marks"] == ("x",)
    app.text_input[1].set_value('["x').run()
    assert app.error[0].value.startswith("Marks")


@pytest.mark.parametrize(("family", "name"), FORMABLE, ids=lambda value: str(value))
def test_every_plugin_can_be_drawn_and_built_from_its_form(family: str, name: str) -> None:
    app = drawn(family, name)
    assert not app.exception
    assert app.markdown[0].value == "it works"


@pytest.mark.parametrize("value", [0, -5])
def test_a_number_that_cannot_work_is_refused_with_the_plugins_sentence(value: int) -> None:
    app = drawn("chunkers", "fixed_size")
    app.number_input[0].set_value(value).run()
    assert not app.exception
    assert len(app.error) == 1
    assert str(value) in app.error[0].value


def test_slider_and_box_show_one_number() -> None:
    def script() -> None:
        import streamlit as st

        from workbench.ui.widgets import settings_form

        st.session_state["found"] = settings_form.size_slider(
            "chunkers", "fixed_size", "size_tokens", "k", 200
        )

    app = AppTest.from_function(script).run()
    assert (app.slider[0].value, app.number_input[0].value) == (200, 200)
    app.slider[0].set_value(app.slider[0].max).run()
    assert app.session_state["found"] == app.number_input[0].value == app.slider[0].max
    app.number_input[0].set_value(100_000).run()
    assert app.session_state["found"] == 100_000
    assert app.slider[0].value == app.slider[0].max
    app.number_input[0].set_value(-3).run()
    assert app.session_state["found"] == -3
    assert app.slider[0].value == app.slider[0].min


@pytest.mark.usefixtures("everything")
def test_a_name_made_from_settings_says_what_differs_from_the_defaults() -> None:
    settings = {**Everything().model_dump(), "overlap_tokens": 32, "tidy": False, "language": "grün/*"}
    assert (
        config_name("chunkers", "everything", settings) == "Everything 200 overlap 32 no tidy language gr n"
    )
