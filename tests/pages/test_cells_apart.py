"""Figures in neighbouring cells of a table stand apart on every page that shows a hit or an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.parsers.made_pdfs import drawn, pdf
from workbench.config import parsed
from workbench.evaluation.drafts import Draft
from workbench.evaluation.formats import exported
from workbench.evaluation.questions import Question, question_set
from workbench.evaluation.report import html
from workbench.records import Judgment
from workbench.table_cells import CELL_GAP, escaped_cells
from workbench.ui.evaluate import report_download, runs
from workbench.ui.evaluate.runs import Choice
from workbench.ui.session.jobs import jobs
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
ROWS = [("Item", "Journeys", "Share"), ("Trams", "118", "27 %"), ("Buses", "2046", "61 %")]
FIGURES = "118\t27 %"
ASKED = "Trams journeys share"
SMALL = parsed(
    "version: 1\nname: Small\nchunker: {name: fixed_size, size_tokens: 12}\nembedder: {name: hashing}\n"
)


@pytest.fixture
def table(here: Workspace) -> Workspace:
    """A workspace with a table of figures in a PDF, searchable, and a question that it answers."""
    page = b"".join(
        drawn(cell, left, 700 - 16 * row)
        for row, cells in enumerate(ROWS)
        for left, cell in zip((60, 200, 300), cells, strict=True)
    )
    here.add("figures.pdf", pdf(page + drawn("The figures are those of the year.", 60, 600)))
    (row,) = here.documents()
    text = here.document(row.id).text
    assert FIGURES in text
    start, end = text.index("Trams"), text.index("Buses")
    here.question_sets.save(
        question_set(
            "figures",
            [Question("q", ASKED)],
            [(Judgment("q", row.id, start, end - 1, 1), text[start : end - 1])],
        )
    )
    here.tables.build(SMALL)
    return here


def page(name: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    if name:
        app.run().switch_page(f"../../pages/{name}.py")
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


@pytest.mark.usefixtures("table")
def test_cells_stand_apart_in_hits_and_in_the_dialog_of_one() -> None:
    app = page("search", q=ASKED)
    before = texts(app).count(escaped_cells(FIGURES))
    assert before
    next(button for button in app.button if button.label == "Look closer").click().run()
    assert not app.exception
    assert texts(app).count(escaped_cells(FIGURES)) > before
    assert any(f"118{CELL_GAP}27 %" in code.value for code in app.code)


@pytest.mark.usefixtures("table")
def test_cells_stand_apart_in_the_demo() -> None:
    assert escaped_cells(FIGURES) in texts(page("", demo="Small", q=ASKED))


@pytest.mark.usefixtures("table")
def test_cells_stand_apart_in_the_cards_below_a_map() -> None:
    assert escaped_cells(FIGURES) in texts(page("map", table="Small", q=ASKED))


@pytest.mark.usefixtures("table")
def test_cells_stand_apart_in_the_answers_of_a_question() -> None:
    app = page("questions", set="figures")
    app.session_state["judged-list-figures"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    assert escaped_cells(FIGURES) in texts(app)


def test_cells_stand_apart_in_a_draft_whose_answer_still_finds_its_place(table: Workspace) -> None:
    (row,) = table.documents()
    start = table.document(row.id).text.index(FIGURES)
    draft = Draft("What share do trams have?", row.id, start, start + len(FIGURES), FIGURES)
    table.question_drafts.add("figures", [draft])
    app = page("questions", set="figures", view="draft")
    answer = next(box for box in app.text_area if box.label.startswith("Its answer"))
    assert answer.value == f"118{CELL_GAP}27 %"
    next(button for button in app.button if button.label == "Accept").click().run()
    assert not app.exception
    kept = table.question_sets.get("figures")
    assert (kept.judgments[-1].start, kept.texts[-1]) == (start, FIGURES)


@pytest.mark.usefixtures("table")
def test_cells_stand_apart_in_what_the_model_reads_of_a_chunk() -> None:
    app = page("chunks")
    while jobs().active():
        app.run()
    assert escaped_cells(FIGURES) in texts(app.run())


@pytest.mark.usefixtures("table")
def test_cells_stand_apart_in_an_evaluated_question() -> None:
    app = page("evaluate")
    next(b for b in app.button if b.label == "Measure").click().run()
    while jobs().active():
        app.run()
    app.run()
    app.session_state["verdict questions Small Small"] = {
        "selection": {"rows": [0], "columns": [], "cells": []}
    }
    app.run()
    assert not app.exception
    assert escaped_cells(FIGURES) in texts(app)


def test_cells_stand_apart_in_the_report_of_an_evaluation(table: Workspace) -> None:
    asked = table.question_sets.get("figures")
    (judgment,), (answer,) = asked.judgments, asked.texts
    # The report tells of answers that were lost: another sentence is nearer to this question.
    lost = question_set("figures", [Question("q", "The figures of the year")], [(judgment, answer)])
    choice = Choice({"Small": SMALL}, lost, "recall@1")
    found = runs.measured(choice)
    text = html(report_download.report(choice, found, runs.verdict_of(choice, found)))
    assert escaped_cells(FIGURES) in text
    # For programs the text stays as it is.
    documents = [table.document(row.id) for row in table.documents()]
    assert FIGURES.encode() in exported(choice.questions, documents, "csv")
