"""The Search page, run as Streamlit runs it, on two small tables."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench import sentences
from workbench.config import parsed
from workbench.evaluation.formats.cells import written
from workbench.evaluation.questions import Question, question_set
from workbench.records import Judgment
from workbench.ui.search import downloads, results
from workbench.ui.search import relevance_feedback as judging
from workbench.ui.search.controls import QUESTION, TABLES, K
from workbench.ui.session import state
from workbench.ui.session.jobs import jobs
from workbench.ui.widgets.table_builds import BUILD
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
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
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/search.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> list[str]:
    return [
        element.proto.body for element in app.get("html") if '<div class="hit-text"' in element.proto.body
    ]


def test_tables_that_are_out_of_date_are_named_above_what_they_find(
    two_tables: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not page(q="hot battery", tables="Small").warning
    monkeypatch.setattr(sentences, "VERSION", 99)
    app = page(q="hot battery", tables="Small")
    assert texts(app)
    (warning,) = app.warning
    assert warning.value.startswith(
        "Out of date: Small: 3 of 3 documents would be cut or embedded differently now"
    )


@pytest.mark.usefixtures("here")
def test_without_tables_the_page_says_what_to_do_next() -> None:
    app = page()
    assert not app.exception
    assert "No tables to search yet" in app.markdown[1].value
    assert not app.text_input


def test_questions_to_begin_with_are_ones_that_the_documents_answer(two_tables: Workspace) -> None:
    app = page()
    assert not any(button.label.endswith("?") for button in app.button)
    assert any("in your own words" in caption.value for caption in app.caption)
    judged = [(Judgment("q", two_tables.documents()[0].id, 0, 8, 1), "The tram")]
    two_tables.question_sets.save(question_set("own", [Question("q", "When is a taxi paid?")], judged))
    app = page()
    next(button for button in app.button if button.label == "When is a taxi paid?").click().run()
    assert app.text_input(QUESTION).value == "When is a taxi paid?"
    assert texts(app)


def test_a_table_that_is_being_built_is_said_to_be_and_is_not_chosen_first(here: Workspace) -> None:
    here.add("tram.txt", TEXTS["tram.txt"].encode())
    here.tables.build(parsed(CONFIG.format(name="Done", size=9)))
    unfinished = parsed(CONFIG.format(name="Unfinished", size=60))
    here.tables.build(unfinished, [])
    gate = threading.Event()
    job = jobs().start("Build", BUILD, lambda job: gate.wait(60), key=f"{BUILD} {unfinished.table_name}")
    try:
        assert page().multiselect(key=TABLES).value == ["Done"]
        app = page(q="tram", tables="Unfinished")
        assert "being built" in app.info[0].value
    finally:
        gate.set()
        job.cancel()
    while jobs().active():
        gate.wait(0.01)
    app = page(q="tram", tables="Unfinished")
    assert "build it again" in app.info[0].value


def test_a_search_is_narrowed_by_the_metadata_of_documents(here: Workspace) -> None:
    for name, author in (("one.pdf", "Ada <b>"), ("two.pdf", "Eve = 1")):
        with pymupdf.open() as paper:
            paper.new_page().insert_text((72, 72), f"The tram of {name} was late.")
            paper.set_metadata({"author": author})
            here.add(name, paper.tobytes())
    here.tables.build(parsed(CONFIG.format(name="Small", size=9)))
    app = page(q="tram")
    assert len(texts(app)) == 2
    box = next(one for one in app.multiselect if one.label == "Metadata")
    assert box.options == ["author=Ada <b>", "author=Eve = 1"]
    box.set_value(["author=Eve = 1"])
    next(button for button in app.button if button.label == "Apply").click()
    app.run()
    assert not app.exception
    assert app.query_params["metadata"] == "author=Eve = 1"
    assert [text for text in texts(app) if "two.pdf" in text] == texts(app) != []
    # The link alone does the same; what is no pair is left out.
    fresh = page(q="tram", metadata=["author=Eve = 1", "nonsense"])
    assert texts(fresh) == texts(app)
    assert fresh.query_params["metadata"] == "author=Eve = 1"
    # Asked today without the filter of that time: what it left out is told as such.
    assert here.search_history.searches()[0].settings["filter"]["metadata"] == [["author", "Eve = 1"]]
    next(button for button in app.button if button.label == "Then and now").click()
    assert not app.run().exception


@pytest.mark.usefixtures("two_tables")
def test_the_pages_of_a_filter_may_be_given_in_any_order_and_the_last_one_left_open() -> None:
    def filtered(app: AppTest, first: int, last: int | None) -> AppTest:
        next(box for box in app.number_input if box.label == "From page").set_value(first)
        next(box for box in app.number_input if box.label == "To page").set_value(last)
        next(button for button in app.button if button.label == "Apply").click().run()
        assert not app.exception
        return app

    app = page(q="tram", tables="Small")
    assert next(box for box in app.number_input if box.label == "To page").value is None
    app = filtered(app, 2, None)
    assert app.query_params["from"] == "2"
    assert "to" not in app.query_params
    app = filtered(app, 3, 2)
    assert (app.query_params["from"], app.query_params["to"]) == ("2", "3")


def test_a_page_that_draws_itself_again_searches_again_only_when_something_changed(
    two_tables: Workspace,
) -> None:
    app = page(q="tram", tables="Small")
    table = parsed(CONFIG.format(name="Small", size=9)).table_name

    def searched() -> int:
        return len(app.session_state[state.SEARCH_TIMES][table])

    assert searched() == 1
    app.run()
    assert searched() == 1
    app.number_input[0].set_value(7).run()
    assert searched() == 2
    two_tables.add("more.txt", b"Another tram came.")
    two_tables.tables.build(parsed(CONFIG.format(name="Small", size=9)))
    app.run()
    assert searched() == 3
    assert any("Another tram" in text for text in texts(app))


def test_a_config_that_searches_by_meaning_in_its_own_manner_has_a_column_of_its_own(here: Workspace) -> None:
    for name, text in TEXTS.items():
        here.add(name, text.encode())
    here.tables.build(
        parsed(CONFIG.format(name="Own", size=9) + "retriever: {name: nearest, diversity: 0.5}\n")
    )
    app = page(q="tram", retrievers=["config", "nearest"])
    headings = [one.value for one in app.markdown if one.value.startswith("**Own")]
    assert [text.split("**")[1] for text in headings] == ["Own · As the config says", "Own · Meaning"]


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
    app.switch_page("../../pages/documents.py").run()
    app.query_params.clear()
    app.switch_page("../../pages/search.py").run()
    assert app.text_input(QUESTION).value == "hot battery?"
    assert app.multiselect(TABLES).value == ["Small"]
    assert "hot battery?" in app.query_params["q"]


@pytest.mark.usefixtures("two_tables")
def test_a_link_from_another_page_decides_about_the_table_and_keeps_the_question() -> None:
    app = page(q="fare", tables=["Small"])
    app.switch_page("../../pages/documents.py").run()
    app.query_params.clear()
    app.query_params["tables"] = "Large"
    app.switch_page("../../pages/search.py").run()
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
    show = next(button for button in app.button if button.label == "Look closer")
    show.click().run()
    assert not app.exception
    assert not app.error
    assert [e for e in app.get("bidi_component") if "page_viewer" in e.proto.component_name]


@pytest.mark.usefixtures("two_tables")
def test_a_text_without_pages_has_none_to_show() -> None:
    app = page(q="fare", tables=["Small"])
    next(button for button in app.button if button.label == "Look closer").click().run()
    assert not app.exception
    assert not [e for e in app.get("bidi_component") if "page_viewer" in e.proto.component_name]
    assert not any("page 1" in element.value for element in app.markdown)


# ── ways to search, filters ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("two_tables")
def test_each_table_is_searched_in_each_way_in_a_column_of_its_own() -> None:
    app = page(q="hot battery cooled", tables=["Small"], retrievers=["config", "keyword", "fused"])
    assert not app.exception
    heads = [
        element.value
        for element in app.markdown
        if " hits in " in element.value or " hit in " in element.value
    ]
    assert [head.split("**")[1] for head in heads] == [
        "Small · Meaning",
        "Small · Keywords",
        "Small · Both together",
    ]
    assert any("<u>battery</u>" in text for text in texts(app))
    assert any("in all" in element.value for element in app.markdown)


@pytest.mark.usefixtures("two_tables")
def test_the_same_way_twice_is_one_column() -> None:
    app = page(q="hot battery", tables=["Small"], retrievers=["config", "nearest"])
    assert sum(" hits in " in element.value for element in app.markdown) == 1


@pytest.mark.usefixtures("two_tables")
def test_a_filter_by_document_and_page_is_in_the_address_and_can_be_taken_back() -> None:
    app = page(q="hot battery", tables=["Small"], documents=["cameras.txt"])
    assert not app.exception
    assert texts(app)
    assert all("cameras" in e.value for e in app.markdown if re.match(r"\*\*\d+\*\* · ", e.value))
    assert "cameras.txt" in app.query_params["documents"]
    next(button for button in app.button if button.label == "No filter").click().run()
    assert "documents" not in app.query_params
    assert any("battery" in e.value for e in app.markdown if re.match(r"\*\*\d+\*\* · ", e.value))
    none = page(q="hot battery", tables=["Small"], **{"from": "7"})
    assert "loosen the filter" in none.info[0].value


# ── rank flow, judging, history, downloads ───────────────────────────────────────────────────────────────────────


def flows(app: AppTest) -> list[dict[str, object]]:
    return [
        json.loads(e.proto.json) if e.proto.json else {}
        for e in app.get("bidi_component")
        if "rank_flow" in e.proto.component_name
    ]


@pytest.mark.usefixtures("two_tables")
def test_two_columns_have_a_rank_flow_between_them_and_one_has_none() -> None:
    assert len(flows(page(q="hot battery", tables=["Small", "Large"]))) == 1
    assert not flows(page(q="hot battery", tables=["Small"]))


def test_a_judged_hit_is_kept_in_the_set_and_its_button_is_filled(two_tables: Workspace) -> None:
    app = page(q="is half of the fare refunded?", tables=["Large"])
    app.toggle(judging.ON).set_value(True).run()
    next(button for button in app.button if button.label == "Answers it").click().run()
    assert not app.exception
    kept = two_tables.question_sets.get(judging.OWN_SET)
    assert [question.text for question in kept.questions] == ["is half of the fare refunded?"]
    assert [judgment.grade for judgment in kept.judgments] == [2]
    assert kept.texts == ("Half of the fare is refunded after thirty minutes.",)
    next(button for button in app.button if button.label == "Not").click().run()
    assert [judgment.grade for judgment in two_tables.question_sets.get(judging.OWN_SET).judgments] == [0]


def test_questions_are_kept_and_can_be_asked_again_with_their_settings(two_tables: Workspace) -> None:
    app = page(q="hot battery", tables=["Small"], k="2", documents=["battery.txt"])
    app.text_input(QUESTION).set_value("fare").run()
    assert [past.question for past in two_tables.search_history.searches()] == ["fare", "hot battery"]
    app.text_input(QUESTION).set_value("").run()
    app.number_input(K).set_value(7).run()
    next(button for button in app.button if button.key == "past Ask again 1").click().run()
    assert not app.exception
    assert app.text_input(QUESTION).value == "hot battery"
    assert app.number_input(K).value == 2
    assert "battery.txt" in app.query_params["documents"]
    assert len(two_tables.search_history.searches()) == 3


def test_an_earlier_search_is_compared_with_today(two_tables: Workspace) -> None:
    app = page(q="hot battery", tables=["Small"]).run()
    next(button for button in app.button if button.label == "Then and now").click().run()
    assert any("the same 5 hits in the same order" in caption.value for caption in app.caption)
    two_tables.add("more.txt", b"A hot battery is a hot battery is a hot battery.")
    two_tables.tables.build(parsed(CONFIG.format(name="Small", size=9)))
    app.run()
    assert not app.exception
    assert len(flows(app)) == 1
    next(button for button in app.button if button.label == "Close").click().run()
    assert not flows(app)


def test_an_earlier_question_becomes_one_of_a_set(two_tables: Workspace) -> None:
    app = page(q="hot battery", tables=["Small"]).run()
    next(button for button in app.button if button.label == "Make a judged question").click().run()
    kept = two_tables.question_sets.get(judging.OWN_SET)
    assert [question.text for question in kept.questions] == ["hot battery"]
    next(button for button in app.button if button.label == "Forget all of them").click().run()
    assert two_tables.search_history.searches() == []


def test_hits_are_saved_with_cells_that_no_spreadsheet_runs(two_tables: Workspace) -> None:
    two_tables.add("=formula.txt", b"=HYPERLINK(1) is a formula of formulas")
    two_tables.tables.build(parsed(CONFIG.format(name="Small", size=9)))
    app = page(q="formula of formulas", tables=["Small"], retrievers=["keyword"])
    assert not app.exception
    found = results.answers(
        [results.Column("Small", parsed(CONFIG.format(name="Small", size=9)))], "formula", 3
    )
    documents = {row.id: row for row in two_tables.documents()}
    rows = downloads.hit_rows("=1+1", found, documents)
    assert rows[0]["text"].startswith("=HYPERLINK")
    csv = written(("question", "text"), [[rows[0]["question"], rows[0]["text"]]]).decode()
    assert "'=1+1" in csv
    assert "'=HYPERLINK" in csv
