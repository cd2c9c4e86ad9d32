"""The Sweep page, run as Streamlit runs it, on three small documents and a grid without a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.evaluation.significance import Interval
from workbench.records import Judgment
from workbench.sweep import Place, Standing, Sweep, parsed, standing, written
from workbench.sweep.standing import Agreement
from workbench.ui.session.jobs import jobs
from workbench.ui.sweep import grid_form
from workbench.ui.sweep.results import as_csv
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
TEXTS = {
    "tram.txt": "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night.",
    "battery.txt": "The battery is cooled at forty degrees. A bus with a hot battery is taken out of service.",
}
ANSWERS = {
    "Is half of the fare refunded?": ("tram.txt", "Half of the fare is refunded after thirty minutes."),
    "What happens to a hot battery?": ("battery.txt", "A bus with a hot battery is taken out of service."),
}
GRID = """\
# Sizes of a baseline.
version: 1
name: small
base:
  chunker: {name: fixed_size, size_tokens: 8}
  embedder: {name: hashing}
factors:
  size_tokens: [8, 12, 30]
  overlap_tokens: [0, 8]
"""


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
    empty.question_sets.save(the_set(empty))
    return empty


@pytest.fixture
def grid(here: Workspace) -> Sweep:
    sweep = parsed(GRID)
    here.sweeps.save(sweep)
    return sweep


def the_set(here: Workspace) -> QuestionSet:
    ids = {row.name: row.id for row in here.documents()}
    judged = []
    for question, (name, text) in ANSWERS.items():
        start = TEXTS[name].index(text)
        judged.append((Judgment(question, ids[name], start, start + len(text), 1), text))
    return question_set("two", [Question(text, text) for text in ANSWERS], judged)


def page() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/sweep.py").run()


def opened(name: str = "small") -> AppTest:
    app = page()
    app.selectbox(key="grid-kept-0").set_value(name).run()
    assert not app.exception
    return app


def clicked(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click().run()
    while jobs().active():
        app.run()
    return app.run()


def taken(app: AppTest) -> str:
    return str(next(box.value for box in app.selectbox if box.label == "Configuration"))


def words(app: AppTest) -> str:
    groups = (app.markdown, app.caption, app.info, app.success, app.error, app.warning)
    return "\n".join(str(element.value) for group in groups for element in group).replace("\\", "")


@pytest.mark.usefixtures("empty")
def test_without_documents_the_page_sends_to_them() -> None:
    app = page()
    assert not app.exception
    assert "No documents yet" in words(app)


def test_without_questions_the_page_sends_to_them(here: Workspace) -> None:
    here.question_sets.delete("two")
    app = page()
    assert not app.exception
    assert "No questions yet" in words(app)


@pytest.mark.usefixtures("here")
def test_a_newcomer_sees_a_grid_of_24_and_nothing_is_begun() -> None:
    app = page()
    assert not app.exception
    assert "24 configurations: 24 to screen and up to 5 to confirm" in words(app)
    assert not app.dataframe
    assert not jobs().listing()


def test_a_run_fills_the_tables_with_the_librarys_figures(here: Workspace, grid: Sweep) -> None:
    app = opened()
    assert "5 configurations (1 impossible left out): 5 to confirm" in words(app)
    assert "overlap_tokens (8) must be below size_tokens (8)" in words(app)
    app = clicked(app, "Run the sweep")
    assert not app.exception
    expected = here.sweeps.standing(
        here.sweeps.plan(grid, the_set(here)).expansion.configs, the_set(here), grid.measure
    )
    (board,) = [frame.value for frame in app.dataframe]
    assert list(board["Configuration"]) == [place.config for place in expected.confirmed]
    for row, place in zip(board.to_dict("records"), expected.confirmed, strict=True):
        low, high = 100 * place.figure.low, 100 * place.figure.high
        assert row["recall@5"] == f"{100 * place.figure.value:.1f} [{low:.1f}, {high:.1f}]"
        assert row["Tokens shown"] == round(place.tokens_shown)
        assert row["Chunks"] == place.chunk_count
    assert expected.verdict.sentence in words(app)
    assert "everything is measured already" in words(app)
    assert not any(b.label == "Run the sweep" for b in app.button)
    assert taken(app) == expected.verdict.recommended


@pytest.mark.usefixtures("grid")
def test_results_are_there_when_the_page_is_entered_again(here: Workspace) -> None:
    first = clicked(opened(), "Run the sweep")
    again = opened()
    assert again.dataframe[0].value.equals(first.dataframe[0].value)
    here.add("late.txt", b"One more document.")
    assert "5 to confirm" in words(opened())


def test_an_untouched_grid_is_downloaded_to_the_byte_and_a_touched_one_with_the_change(
    grid: Sweep,
) -> None:
    app = opened()
    assert written(app.session_state[grid_form.CURRENT]) == written(grid)
    app.text_input(key="grid-size_tokens-1").set_value("12, 30, 60").run()
    assert "6 configurations: 6 to confirm" in words(app)
    changed = app.session_state[grid_form.CURRENT]
    assert changed.factors.size_tokens == (12, 30, 60)
    assert parsed(written(changed)).factors == changed.factors


@pytest.mark.usefixtures("grid")
def test_what_cannot_be_is_said_and_the_form_stays() -> None:
    app = opened()
    app.text_input(key="grid-size_tokens-1").set_value("12, big").run()
    assert not app.exception
    assert "'big' is not a whole number" in words(app)
    assert app.text_input(key="grid-size_tokens-1").value == "12, big"
    app.text_input(key="grid-size_tokens-1").set_value("3").run()
    assert "No configuration of this grid can work" in words(app)
    app.multiselect(key="grid-chunkers-1").set_value([]).run()
    assert "hoose at least one chunker" in words(app)


@pytest.mark.usefixtures("here")
def test_a_file_is_imported_or_every_problem_named_with_its_line() -> None:
    app = page()
    app.file_uploader[0].upload("wrong.yaml", GRID.replace("8, 12", "8, x").encode(), "application/yaml")
    app.run()
    assert not app.exception
    assert "line 8, factors.size_tokens[2]" in words(app)
    app.file_uploader[0].upload("right.yaml", GRID.encode(), "application/yaml")
    app.run()
    assert "5 configurations" in words(app)
    assert "line 8" not in words(app)
    assert written(app.session_state[grid_form.CURRENT]) == written(parsed(GRID))


def test_a_budget_stops_and_says_what_is_left_and_the_button_goes_on(here: Workspace, grid: Sweep) -> None:
    app = opened()
    app.number_input(key="grid-configurations-1").set_value(2).run()
    configs = here.sweeps.plan(grid, the_set(here)).expansion.configs
    for count, left in ((2, 3), (4, 1)):
        app = clicked(app, "Run the sweep")
        assert f"The budget of 2 configurations is spent: {left} configuration" in words(app)
        assert len(app.dataframe[0].value) == count
        # What is offered follows the verdict, which knows more after each run.
        found = here.sweeps.standing(configs, the_set(here), grid.measure)
        assert taken(app) == found.verdict.recommended


@pytest.mark.usefixtures("grid")
def test_the_time_is_estimated_when_asked_for() -> None:
    app = opened()
    assert "about" not in words(app).split("5 to confirm")[1][:12]
    app = clicked(app, "Estimate the time")
    assert "5 to confirm; about" in words(app)


def test_no_cell_of_the_csv_is_a_formula() -> None:
    empty = standing({}, {}, "recall@5")
    place = Place("=cmd()", Interval(0.5, 0.4, 0.6), 5.0, 3, 2)
    text = as_csv(Standing("recall@5", (place,), (), Agreement(None, 0), empty.verdict)).decode()
    assert text.splitlines()[0] == "table,rank,config,measure,value,low,high,tokens_shown,chunks,questions"
    assert text.splitlines()[1].startswith("screened,1,'=cmd(),recall@5,0.5,")
