"""The Evaluate page, run as Streamlit runs it, on two small tables and three questions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench import sentences
from workbench.__main__ import main
from workbench.config import Config, parsed, written
from workbench.evaluation import leaderboard
from workbench.evaluation.formats import exported
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.evaluation.report import html
from workbench.evaluation.verdict import verdict
from workbench.experiment import Options
from workbench.records import Judgment
from workbench.ui.evaluate import report_download, runs
from workbench.ui.evaluate.per_question import FIRST, SECOND, SHOW
from workbench.ui.evaluate.runs import EVERYWHERE, MEASURE, SET, TABLES, Choice
from workbench.ui.questions.question_sets import CHOSEN
from workbench.ui.session.jobs import jobs
from workbench.ui.session.workspace import workspace
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
TEXTS = {
    "tram.txt": "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night.",
    "battery.txt": "The battery is cooled at forty degrees. A bus with a hot battery is taken out of service.",
    "cameras.txt": "Cameras record <b>no</b> sound. Pictures are kept for three days & then overwritten.",
}
ANSWERS = {
    "is half of the fare refunded?": ("tram.txt", "Half of the fare is refunded after thirty minutes."),
    "what happens to a *hot* battery?": ("battery.txt", "A bus with a hot battery is taken out of service."),
    "do cameras record sound?": ("cameras.txt", "Cameras record <b>no</b> sound."),
}
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""


def config(name: str, size: int) -> Config:
    return parsed(CONFIG.format(name=name, size=size))


CONFIGS = {"Small": config("Small", 9), "Large": config("Large", 60)}


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


@pytest.fixture
def here(empty: Workspace) -> Workspace:
    for name, text in TEXTS.items():
        empty.add(name, text.encode())
    for found in CONFIGS.values():
        empty.tables.build(found)
    empty.question_sets.save(the_set(empty))
    return empty


def the_set(here: Workspace) -> QuestionSet:
    ids = {row.name: row.id for row in here.documents()}
    judged = []
    for question, (name, text) in ANSWERS.items():
        start = TEXTS[name].index(text)
        judged.append((Judgment(question, ids[name], start, start + len(text), 1), text))
    return question_set("three", [Question(text, text) for text in ANSWERS], judged)


def page(**address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/evaluate.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def measured(app: AppTest) -> AppTest:
    next(b for b in app.button if b.label == "Measure").click().run()
    while jobs().active():
        app.run()
    return app.run()


def questions_of(app: AppTest) -> pd.DataFrame:
    """Return the list of questions: the first after the leaderboard and the tests that names them."""
    return next(frame.value for frame in app.dataframe if "Question" in frame.value)


def words(app: AppTest) -> str:
    groups = (app.markdown, app.caption, app.info, app.success, app.error, app.warning)
    return "\n".join(str(element.value) for group in groups for element in group)


@pytest.mark.usefixtures("empty")
def test_without_tables_the_page_sends_to_them() -> None:
    app = page()
    assert not app.exception
    assert "No tables to compare yet" in words(app)


def test_without_questions_the_page_sends_to_them(here: Workspace) -> None:
    here.question_sets.delete("three")
    app = page()
    assert not app.exception
    assert "No questions yet" in words(app)


def test_questions_without_an_answer_are_not_counted_as_asked(here: Workspace) -> None:
    three = the_set(here)
    here.question_sets.save(replace(three, questions=(*three.questions, Question("q9", "who knows?"))))
    assert "3 questions will be asked in 2 tables. 1 without an answer is left out." in words(page())


def test_tables_that_are_out_of_date_are_named_before_they_are_measured(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Out of date" not in words(page())
    monkeypatch.setattr(sentences, "VERSION", 99)
    here.tables.build(CONFIGS["Large"])
    assert "Out of date: Small: 3 of 3 documents would be cut or embedded differently now" in words(page())


def test_the_question_set_of_one_page_is_the_one_of_the_next(here: Workspace) -> None:
    here.question_sets.save(replace(the_set(here), name="another"))
    app = page()
    assert app.selectbox(key=SET).value == "another"
    app.switch_page("../../pages/questions.py").run()
    app.selectbox(key=CHOSEN).set_value("three").run()
    # As the navigation does: no parameter of one page is taken to the next.
    app.query_params.clear()
    app.switch_page("../../pages/evaluate.py").run()
    assert app.selectbox(key=SET).value == "three"


def test_the_verdict_comes_first_and_every_figure_is_the_librarys(here: Workspace) -> None:
    app = page()
    assert "3 questions will be asked in 2 tables" in words(app)
    app = measured(app)
    assert not app.exception
    scores = [here.evaluations.outcome(found, the_set(here)).scores for found in CONFIGS.values()]
    expected = verdict(scores)
    assert "not distinguishable (n = 3)" in expected.sentence
    assert "not distinguishable" in app.info[0].value
    board, costs = ({row["Table"]: row for row in f.value.to_dict("records")} for f in app.dataframe[:2])
    for row in leaderboard.rows(scores):
        if row.measure in ("recall@5", "hit@5"):
            shown = f"{100 * row.value:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]"
            assert board[row.config][row.measure] == shown
        if row.measure == "tokens_shown@5":
            assert costs[row.config]["Tokens shown"] == round(row.value)


@pytest.mark.usefixtures("here")
def test_a_second_look_needs_no_measuring_and_another_measure_neither() -> None:
    measured(page())
    app = page(measure="ndcg@5")
    assert not app.exception
    assert not any(b.label == "Measure" for b in app.button)
    assert "ndcg" in app.info[0].value
    assert app.selectbox(key=MEASURE).value == "ndcg@5"


def test_what_has_changed_is_measured_again(here: Workspace) -> None:
    measured(page())
    here.add("late.txt", b"One more document about the fare.")
    app = page()
    assert any(b.label == "Measure" for b in app.button)
    app = measured(app)
    assert "1 document is not in its table" in words(app)


def test_question_by_question_counts_what_the_figures_say(here: Workspace) -> None:
    app = measured(page(measure="recall@1"))
    app.selectbox(key=FIRST).set_value("Small").run()
    assert app.selectbox(key=SECOND).value == "Large"
    a, b = (
        here.evaluations.outcome(found, the_set(here)).scores.of("recall@1") for found in CONFIGS.values()
    )
    listed = questions_of(app)
    assert sorted(listed["Small"]) == sorted(100 * a)
    assert sorted(listed["Large"]) == sorted(100 * b)
    texts = list(ANSWERS)
    assert any(a != b)
    for name, wanted in (("Won", a > b), ("Tied", a == b), ("Lost", a < b)):
        app.session_state[SHOW] = name
        app.run()
        expected = sorted(text for text, fits in zip(texts, wanted, strict=True) if fits)
        assert (sorted(questions_of(app)["Question"]) if expected else []) == expected


def test_a_ticked_question_shows_its_answer_the_hits_and_why_it_was_lost(here: Workspace) -> None:
    app = measured(page(measure="recall@1"))
    question = list(questions_of(app)["Question"]).index("do cameras record sound?")
    first, second = (app.selectbox(key=key).value for key in (FIRST, SECOND))
    key = f"verdict questions {first} {second}"
    app.session_state[key] = {"selection": {"rows": [question], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    assert "do cameras record sound" in words(app)
    shown = [e.proto.body for e in app.get("html") if '<div class="hit-text"' in e.proto.body]
    assert "Cameras record &lt;b&gt;no&lt;/b&gt; sound." in shown[0]
    # For each table the answer in its surroundings and one hit, since the measure looks at one.
    assert len(shown) == 5
    place = list(ANSWERS).index("do cameras record sound?")
    hit = [
        here.evaluations.outcome(found, the_set(here)).scores.of("hit@1")[place] for found in CONFIGS.values()
    ]
    assert len(app.warning) == hit.count(0.0)


def test_answers_that_a_table_cuts_are_listed_with_their_pieces(here: Workspace) -> None:
    app = measured(page())
    expected = {}
    for label, found in CONFIGS.items():
        chunks = here.tables.table(found).chunks()
        for judgment in the_set(here).judgments:
            near = [c for c in chunks if c.document_id == judgment.document_id]
            parts = [c for c in near if c.start < judgment.end and c.end > judgment.start]
            if not any(c.start <= judgment.start and c.end >= judgment.end for c in parts):
                expected[label, judgment.question_id] = len(parts)
    assert expected
    listed = app.dataframe[-1].value
    shown = {
        (label, row["Question"]): row[label]
        for row in listed.to_dict("records")
        for label in CONFIGS
        if label in row and pd.notna(row[label])
    }
    assert shown == expected
    assert any(f"{sum(label == 'Small' for label, _ in expected)} by Small" in e.label for e in app.expander)


@pytest.mark.usefixtures("here")
def test_one_table_alone_is_no_comparison() -> None:
    app = measured(page(tables=["Small"]))
    assert not app.exception
    assert "One configuration alone is no comparison" in words(app)


def test_a_set_without_answers_says_what_to_do(here: Workspace) -> None:
    here.question_sets.save(question_set("blank", [Question("q", "Why?")]))
    app = page(set="blank")
    assert app.selectbox(key=SET).value == "blank"
    app = measured(app)
    assert not app.exception
    assert "mark answers first" in words(app)
    assert not app.dataframe


def test_the_switch_for_every_occurrence_is_a_measurement_of_its_own_and_part_of_the_link(
    here: Workspace,
) -> None:
    here.add("copy.txt", ANSWERS["is half of the fare refunded?"][1].encode())
    for found in CONFIGS.values():
        here.tables.build(found)
    app = measured(page())
    assert app.toggle(key=EVERYWHERE).value is True
    app.toggle(key=EVERYWHERE).set_value(False).run()
    assert not app.dataframe  # not measured this way yet
    app = measured(app)
    assert not app.exception
    assert app.query_params["everywhere"] == "no"
    for credited in (True, False):
        shown = page(everywhere="yes" if credited else "no", measure="recall@1")
        options = Options(credit_everywhere=credited)
        means = {
            label: here.evaluations.outcome(found, the_set(here), options).scores.mean("recall@1")
            for label, found in CONFIGS.items()
        }
        board = shown.dataframe[0].value.set_index("Table")["recall@1"]
        assert {label: text.split()[0] for label, text in board.items()} == {
            label: f"{100 * mean:.1f}" for label, mean in means.items()
        }


def test_the_leaderboard_shows_what_each_table_costs(here: Workspace) -> None:
    app = measured(page())
    board = app.dataframe[1].value.set_index("Table")
    for label, found in CONFIGS.items():
        chunks = here.tables.table(found).chunks()
        hits = [here.tables.search(found, question, 5).hits for question in ANSWERS]
        tokens = sum(hit.chunk.token_count for five in hits for hit in five) / len(ANSWERS)
        assert board["Chunks"][label] == len(chunks)
        assert board["Tokens shown"][label] == round(tokens)
        assert board["Size"][label].endswith(("kB", "MB"))
        assert board["Time to embed"][label] in ("below 0.1 s", "0.1 s", "0.2 s")
        assert board["Search"][label] > 0
    assert "Money" not in board


def test_the_command_line_repeats_the_pages_figures_to_the_last_digit(
    here: Workspace, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    choice = Choice(CONFIGS, the_set(here), "recall@5")
    shown = runs.measured(choice)
    folder = tmp_path_factory.mktemp("elsewhere")
    documents = [here.document(row.id) for row in here.documents()]
    (folder / "questions.csv").write_bytes(exported(choice.questions, documents, "csv"))
    for name, found in CONFIGS.items():
        (folder / f"{name}.yaml").write_text(written(found))
    # Nothing may come from the cache.
    shutil.rmtree(here.folder / "evaluations")
    place = ["--workspace", str(here.folder)]
    configs = [str(folder / f"{name}.yaml") for name in CONFIGS]
    capsys.readouterr()
    words = ["--questions", str(folder / "questions.csv"), "--json"]
    assert main(["evaluate", *configs, *words, *place]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ours = [asdict(row) for row in shown.rows if row.metric != "seconds"]
    assert ours == [row for row in printed if row["metric"] != "seconds"]
    assert len(ours) > 50


@pytest.mark.usefixtures("here")
def test_without_a_chosen_table_the_page_asks_for_one() -> None:
    app = page()
    app.multiselect(key=TABLES).set_value([]).run()
    assert not app.exception
    assert "at least one table" in words(app)


@pytest.mark.usefixtures("here")
def test_an_address_that_makes_no_sense_is_replaced_by_the_defaults() -> None:
    app = page(set="gone", tables=["gone"], measure="taste")
    assert not app.exception
    assert app.selectbox(key=SET).value == "three"
    assert app.selectbox(key=MEASURE).value == "recall@5"
    assert sorted(app.multiselect(key=TABLES).value) == ["Large", "Small"]


def test_the_report_is_one_file_with_verdict_and_worst_questions_and_no_markup_of_documents(
    here: Workspace,
) -> None:
    choice = Choice(CONFIGS, the_set(here), "recall@1")
    found = runs.measured(choice)
    decided = runs.verdict_of(choice, found)
    text = html(report_download.report(choice, found, decided))
    assert "Verdict" in text
    assert "<b>no</b>" not in text
    assert all(name in text for name in CONFIGS)
    assert "What it costs" in text
    for label, found_config in CONFIGS.items():
        (line,) = (
            line for line in text.split("<tr>") if line.startswith(f"<th>{label}</th>") and "kB" in line
        )
        assert f"<td>{here.tables.table(found_config).row_count():,}</td>" in line
        assert f"<td>{found.of(label).mean('tokens_shown@1'):,.0f}</td>" in line
    figures = json.loads(leaderboard.as_json(found.rows, report_download.about(choice, decided)))
    assert figures["question_set_hash"] == choice.questions.hash
    assert len(figures["figures"]) == len(found.rows)
    assert leaderboard.as_csv(found.rows).startswith(b"config,metric,k,value,low,high,questions")


def test_money_is_shown_where_a_model_has_a_price_and_nowhere_else(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown() -> tuple[str, bool]:
        choice = Choice(CONFIGS, the_set(here), "recall@5")
        found = runs.measured(choice)
        report = report_download.report(choice, found, runs.verdict_of(choice, found))
        assert [row.metric for row in found.rows if row.config == "Small"].count("embedding_usd") == (
            found.costs["Small"].usd is not None
        )
        return html(report), "Money" in page().dataframe[1].value

    measured(page())
    text, on_page = shown()
    assert ("money" in text, on_page) == (False, False)
    model = workspace().model(CONFIGS["Small"].embedder)
    monkeypatch.setattr(type(model), "price_usd_per_million_tokens", 0.5)
    text, on_page = shown()
    assert ("$0.5 a million tokens" in text, on_page) == (True, True)
