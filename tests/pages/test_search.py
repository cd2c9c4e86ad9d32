"""The Search page, run as Streamlit runs it, on two small tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.config import parsed
from workbench.ui.search_view import QUESTION, TABLES, K
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "app.py"
TEXTS = {
    "tram.txt": "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night.",
    "battery.txt": "The battery is cooled at forty degrees. A bus with a hot battery is taken out of service.",
    "cameras.txt": "Cameras record <b>no</b> sound. Pictures are kept for three days & then overwritten.",
}
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


@pytest.fixture
def two_tables(here: Workspace) -> Workspace:
    for name, text in TEXTS.items():
        here.add(name, text.encode())
    here.tables.build(parsed(CONFIG.format(name="Small", size=9)))
    here.tables.build(parsed(CONFIG.format(name="Large", size=60)))
    return here


def page(**address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).switch_page("pages/search.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> list[str]:
    return [
        element.proto.body for element in app.get("html") if '<div class="hit-text"' in element.proto.body
    ]


@pytest.mark.usefixtures("here")
def test_without_tables_the_page_says_what_to_do_next() -> None:
    app = page()
    assert not app.exception
    assert "No tables to search yet" in app.markdown[1].value
    assert not app.text_input


@pytest.mark.usefixtures("two_tables")
def test_without_a_question_there_are_some_to_begin_with() -> None:
    app = page()
    assert not app.exception
    label = app.button[0].label
    app.button[0].click().run()
    assert app.text_input(QUESTION).value == label
    assert texts(app)


@pytest.mark.usefixtures("two_tables")
def test_two_tables_answer_side_by_side_with_the_best_sentence_marked_and_passages_linked() -> None:
    app = page()
    app.text_input(QUESTION).set_value("is half of the fare refunded?").run()
    assert not app.exception
    assert len(app.columns) >= 2
    marks = [found for text in texts(app) for found in re.findall("<mark>(.*?)</mark>", text)]
    assert "Half of the fare is refunded after thirty minutes." in marks
    heads = [element.value for element in app.markdown]
    assert any("tram\\.txt" in head for head in heads)
    assert any(re.search(r"\d hits in \d+ ms", head) for head in heads)
    assert any("blue-badge[A]" in head for head in heads)
    assert any(caption.value.startswith("score ") for caption in app.caption)


@pytest.mark.usefixtures("two_tables")
def test_the_address_reproduces_the_screen_in_a_fresh_session() -> None:
    app = page()
    app.text_input(QUESTION).set_value("hot battery? ü & 50 %").run()
    app.multiselect(TABLES).set_value(["Small"]).run()
    app.number_input(K).set_value(2).run()
    address = {name: app.query_params[name] for name in app.query_params}
    other = page(**address)
    assert other.text_input(QUESTION).value == "hot battery? ü & 50 %"
    assert other.multiselect(TABLES).value == ["Small"]
    assert other.number_input(K).value == 2
    assert texts(other) == texts(app)
    assert len(texts(other)) == 2


@pytest.mark.usefixtures("two_tables")
def test_leaving_the_page_and_returning_without_an_address_keeps_it() -> None:
    app = page()
    app.text_input(QUESTION).set_value("hot battery?").run()
    app.multiselect(TABLES).set_value(["Small"]).run()
    app.switch_page("pages/documents.py").run()
    app.query_params.clear()
    app.switch_page("pages/search.py").run()
    assert app.text_input(QUESTION).value == "hot battery?"
    assert app.multiselect(TABLES).value == ["Small"]
    assert "hot battery?" in app.query_params["q"]


@pytest.mark.usefixtures("two_tables")
def test_a_link_from_another_page_decides_about_the_table_and_keeps_the_question() -> None:
    app = page(q="fare", tables=["Small"])
    app.switch_page("pages/documents.py").run()
    app.query_params.clear()
    app.query_params["tables"] = "Large"
    app.switch_page("pages/search.py").run()
    assert app.multiselect(TABLES).value == ["Large"]
    assert app.text_input(QUESTION).value == "fare"


@pytest.mark.usefixtures("two_tables")
def test_an_address_that_makes_no_sense_is_replaced_by_the_defaults() -> None:
    app = page(q="fare", tables=["gone"], k="many")
    assert not app.exception
    assert sorted(app.multiselect(TABLES).value) == ["Large", "Small"]
    assert app.number_input(K).value == 5
    assert page(k="-3").number_input(K).value == 5


@pytest.mark.parametrize(
    "question",
    [
        "O'Brien",
        "x' OR 1=1",
        "x'; DROP TABLE documents; --",
        "🚋🔋",
        "{}[]()*_`$",
        "a\x00b",
        "ß" * 5_000,
        "?",
    ],
    ids=lambda question: ascii(question)[:20],
)
@pytest.mark.usefixtures("two_tables")
def test_an_odd_question_gets_hits(question: str) -> None:
    app = page()
    app.text_input(QUESTION).set_value(question).run()
    assert not app.exception
    assert not app.error
    assert texts(app)


@pytest.mark.usefixtures("two_tables")
def test_a_question_of_100_kb_gets_one_message_and_stays_out_of_the_address() -> None:
    app = page()
    app.text_input(QUESTION).set_value("long " * 20_000).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "is the limit" in app.error[0].value
    assert "q" not in app.query_params


@pytest.mark.usefixtures("two_tables")
def test_blanks_are_no_question() -> None:
    app = page()
    app.text_input(QUESTION).set_value("  \t ").run()
    assert not app.exception
    assert not app.error
    assert not texts(app)


@pytest.mark.usefixtures("two_tables")
def test_without_a_chosen_table_the_page_asks_for_one() -> None:
    app = page(q="fare")
    app.multiselect(TABLES).set_value([]).run()
    assert "at least one table" in app.info[0].value


def test_a_table_that_was_deleted_meanwhile_leaves_the_others(two_tables: Workspace) -> None:
    app = page(q="fare")
    row = next(row for row in two_tables.tables.rows() if row.config_name == "Large")
    two_tables.tables.drop(row.name)
    app.run()
    assert not app.exception
    assert app.multiselect(TABLES).value == ["Small"]
    assert texts(app)


@pytest.mark.usefixtures("two_tables")
def test_markup_in_a_document_is_shown_as_text() -> None:
    app = page(q="cameras record no sound")
    assert any("&lt;b&gt;no&lt;/b&gt;" in text for text in texts(app))


def test_the_page_of_a_hit_is_shown_on_demand_with_the_hit_on_it(here: Workspace) -> None:
    with pymupdf.open() as file:
        file.new_page().insert_text((72, 72), "The tram was late.")
        file.new_page().insert_text((72, 72), "Half of the fare is refunded.")
        here.add("fares.pdf", file.tobytes())
    here.tables.build(parsed(CONFIG.format(name="Small", size=8)))
    app = page(q="half of the fare is refunded")
    assert any("pages 1–2" in element.value for element in app.markdown)
    show = next(button for button in app.button if button.label == "Show on page")
    show.click().run()
    assert not app.exception
    assert not app.error
    assert [e for e in app.get("bidi_component") if "page_viewer" in e.proto.component_name]


@pytest.mark.usefixtures("two_tables")
def test_a_text_without_pages_has_none_to_show() -> None:
    app = page(q="fare", tables=["Small"])
    assert not [button for button in app.button if button.label == "Show on page"]
    assert not any("page 1" in element.value for element in app.markdown)
