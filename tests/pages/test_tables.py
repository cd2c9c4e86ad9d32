"""The Tables page, run as Streamlit runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench import plugins, sentences
from workbench.config import Config
from workbench.ui.session.jobs import jobs
from workbench.ui.tables.build_form import CHOSEN, SOME
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
CONFIG = Config(
    "tiny",
    plugins.build("chunkers", "nltk_sentences", {"size_tokens": 30}),
    plugins.build("embedders", "hashing"),
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


@pytest.fixture
def filled(here: Workspace) -> Workspace:
    for number in range(3):
        here.add(f"{number}.txt", f"Tram {number} leaves at nine.".encode())
    here.save_config(CONFIG)
    return here


def page() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/tables.py").run()


def when_idle(app: AppTest) -> AppTest:
    while jobs().active():
        app.run()
    return app.run()


def button(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label == label).click().run()


@pytest.mark.usefixtures("here")
def test_without_documents_the_page_sends_to_them() -> None:
    app = page()
    assert not app.exception
    assert any("No documents yet" in m.value for m in app.markdown)


def test_estimate_then_build_then_nothing_is_left_to_do(filled: Workspace) -> None:
    app = page()
    app.multiselect(key=CHOSEN).set_value(["tiny"]).run()
    app = when_idle(button(app, "See what it takes"))
    assert not app.exception
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["Config"], row["Documents"], row["Chunks to write"]) == ("tiny", "3 of 3 to do", 3)
    app = when_idle(button(app, "Build 1 table"))
    assert not app.exception
    assert any("3 chunks written" in s.value for s in app.success)
    assert filled.tables.table(CONFIG).row_count() == 3
    app = when_idle(button(app, "See what it takes"))
    assert any("built already" in s.value for s in app.success)


def test_the_estimate_says_how_many_chunks_the_model_does_not_read_to_the_end(here: Workspace) -> None:
    here.add("long.txt", b"one two three four five six seven eight. A b c.")
    config = Config(
        "short sighted",
        plugins.build("chunkers", "nltk_sentences", {"size_tokens": 10}),
        plugins.build("embedders", "hashing", {"max_tokens": 5}),
    )
    here.save_config(config)
    app = page()
    app.multiselect(key=CHOSEN).set_value(["short sighted"]).run()
    app = when_idle(button(app, "See what it takes"))
    assert not app.exception
    said = app.warning[0].value.replace("\\", "")
    assert said.startswith("short sighted: 1 of 2 chunks (50%) is longer than the 5 tokens")


def test_a_table_that_lacks_documents_can_be_completed(filled: Workspace) -> None:
    filled.tables.build(CONFIG)
    filled.add("late.txt", b"One more tram.")
    app = page()
    assert any("1 to do" in m.value for m in app.markdown)
    app = when_idle(app.button(key=f"continue-{CONFIG.table_name}").click().run())
    assert filled.tables.table(CONFIG).row_count() == 4
    assert not any("to do" in m.value for m in app.markdown)


def test_a_table_that_is_out_of_date_says_so_and_can_be_built_again(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.tables.build(CONFIG)
    monkeypatch.setattr(sentences, "VERSION", 99)
    app = page()
    assert any("3 to do, out of date" in m.value for m in app.markdown)
    app = when_idle(app.button(key=f"continue-{CONFIG.table_name}").click().run())
    assert not any("to do" in m.value for m in app.markdown)


def test_a_link_chooses_its_configs_and_the_address_follows_the_choice(filled: Workspace) -> None:
    other = Config("other", CONFIG.chunker, plugins.build("embedders", "hashing", {"dimension": 32}))
    filled.save_config(other)
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/tables.py")
    app.query_params["config"] = ["tiny", "other", "gone"]
    app.run()
    assert app.multiselect(key=CHOSEN).value == ["tiny", "other"]
    app.multiselect(key=CHOSEN).set_value(["other"]).run()
    assert app.query_params["config"] == "other"


def test_the_choice_of_documents_is_kept_when_the_page_is_left(filled: Workspace) -> None:
    first, second, _ = filled.documents()
    app = page()
    app.multiselect(key=SOME).set_value([first.id, second.id]).run()
    app.switch_page("../../pages/documents.py").run()
    filled.delete([second.id])
    app.switch_page("../../pages/tables.py").run()
    assert not app.exception
    assert app.multiselect(key=SOME).value == [first.id]


def test_deleting_a_table_asks_first(filled: Workspace) -> None:
    filled.tables.build(CONFIG)
    app = page().button(key=f"delete-{CONFIG.table_name}")
    opened = app.click().run()
    assert filled.tables.rows()
    button(opened, "Delete")
    assert filled.tables.rows() == []


def test_a_name_from_a_config_never_becomes_markup(here: Workspace) -> None:
    here.add("a.txt", b"Text.")
    here.tables.build(Config("a_b_ +c", CONFIG.chunker, CONFIG.embedder))
    app = page()
    assert not app.exception
    assert any("a\\_b\\_ \\+c" in m.value for m in app.markdown)


def test_a_damaged_table_is_called_that_and_built_again_from_here(filled: Workspace) -> None:
    filled.tables.build(CONFIG)
    next((filled.folder / "tables").glob("*.lance/data/*")).unlink()
    app = page()
    assert not app.exception
    assert any("0 of 3 :small[:orange[damaged]]" in m.value for m in app.markdown)
    app = when_idle(button(app, "Build again"))
    assert not app.exception
    assert any("3 of 3" in m.value for m in app.markdown)
    assert "Build again" not in [b.label for b in app.button]
