"""The Runs page, run as Streamlit runs it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contracts.source_places import settle
from tests.pages.pipelines import button, fill, metrics, page, said, timetable, trams, when_idle
from workbench.ingest.entries import Attempt, Failure, Figures, Run, Timing
from workbench.sync.events import Finished
from workbench.ui.pipelines import pipeline_files
from workbench.ui.pipelines.labels import (
    attempt_csv,
    attempt_lines,
    causes,
    failure_rate,
    log_csv,
    log_lines,
    milliseconds_a_document,
    run_row,
)
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.pipelines.sync_jobs import Course
from workbench.workspace import Workspace

RUN = Run(
    7, "trams", "t", "done", "", "2030-01-01T00:00:00+00:00", "2030-01-01T00:00:09+00:00", Figures(added=3)
)
FAILURE = Failure(
    "s",
    "a.pdf",
    "a.pdf",
    "1",
    "r",
    "parse",
    "damaged",
    "a.pdf is damaged at page 2",
    False,
    1,
    "",
    "",
    None,
    1,
)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    fill(tmp_path / "shelf", 4)
    return tmp_path / "shelf"


@pytest.fixture
def file(here: Workspace, shelf: Path) -> PipelineFile:
    return pipeline_files.saved(here, trams([shelf]))


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_without_runs_the_page_sends_to_the_sources() -> None:
    assert "No runs yet" in said(page("runs"))


@pytest.mark.slow
def test_the_history_has_the_figures_of_every_run(here: Workspace, file: PipelineFile, shelf: Path) -> None:
    pipeline = file.pipeline(here)
    list(pipeline.sync())
    (shelf / "0.md").write_text("Tram 0 leaves at ten.")
    settle(shelf / "0.md")
    (shelf / "1.md").unlink()
    list(pipeline.sync())
    app = page("runs")
    rows = app.dataframe[0].value.to_dict("records")
    shown = [[row[name] for name in ("Added", "Changed", "Unchanged", "Removed", "Embedded")] for row in rows]
    assert shown == [[0, 1, 2, 1, 1], [4, 0, 0, 0, 4]]
    assert metrics(app)["Runs"] == "2"
    assert metrics(app)["Last run"] == "done"
    attempts = app.dataframe[2].value
    assert attempts[["Document", "What"]].to_numpy().tolist() == [["0.md", "change"]]


@pytest.mark.slow
def test_a_failed_document_is_shown_by_its_cause_and_tried_again(
    here: Workspace, file: PipelineFile, shelf: Path
) -> None:
    broken = [shelf / "broken.pdf", shelf / "torn.pdf"]
    for path in broken:
        path.write_bytes(b"this is no PDF")
        settle(path)
    list(file.pipeline(here).sync())
    app = page("runs")
    assert "2 documents, stage parse" in said(app)
    assert any("2 documents could not be brought in" in s.value for s in app.subheader)
    broken[1].unlink()
    app = when_idle(button(app, "Try again"))
    ledger = file.pipeline(here).ledger
    (failure,) = ledger.failures("trams").values()
    assert (failure.name, failure.run_id) == ("broken.pdf", ledger.runs.recent("trams")[0].id)
    assert len(ledger.runs.recent("trams")) == 2


@pytest.mark.slow
def test_rows_that_cannot_be_listed_stand_among_the_failures(here: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,text\n1,Tram 1 leaves.\n,Tram 2 leaves.\n,Tram 3 leaves.\n")
    file = pipeline_files.saved(here, timetable(table))
    list(file.pipeline(here).sync())
    app = page("runs")
    assert any("2 documents could not be brought in" in s.value for s in app.subheader)
    assert "It cannot be listed" in said(app)
    assert "2 documents, stage list the sources" in said(app)
    assert "… has nothing in the column 'id'" in said(app)
    assert "Every sync looks at it again" in said(app)
    assert app.dataframe[1].value["Not listed"].tolist() == [2]
    table.write_text("id,text\n1,Tram 1 leaves.\n2,Tram 2 leaves.\n3,Tram 3 leaves.\n")
    app = when_idle(button(app, "Try again"))
    assert not [s.value for s in app.subheader if "could not be brought in" in s.value]


@pytest.mark.slow
def test_runs_of_a_config_that_the_app_does_not_know_are_shown_too(
    here: Workspace, file: PipelineFile
) -> None:
    list(file.pipeline(here).sync())
    pipeline_files.forgotten(here, file)
    assert metrics(page("runs"))["Runs"] == "1"


def test_failures_alike_but_for_the_name_are_one_cause() -> None:
    other = replace(FAILURE, item_id="x/b.pdf", name="x/b.pdf", message="b.pdf is damaged at page 2")
    third = replace(other, item_id="c.pdf", name="c.pdf", message="c.pdf is damaged at page 3")
    found = causes([third, FAILURE, other])
    assert [(cause.message, len(cause.failures)) for cause in found] == [
        ("… is damaged at page 2", 2),
        ("… is damaged at page 3", 1),
    ]


def test_what_is_gone_has_a_column_of_its_own_and_was_tried() -> None:
    run = replace(RUN, figures=Figures(added=2, failed=1, gone=1, release_gone=1))
    assert failure_rate(run) == pytest.approx(0.25)
    assert (run_row(run)["Gone"], run_row(run)["Published: gone"]) == (1, 1)


def test_a_sync_says_what_was_gone_when_it_is_over() -> None:
    course = Course("trams")
    figures = Figures(added=37, failed=2, gone=1, removed=1, release_gone=1)
    course.note(Finished(7, "some_failed", "", 1.0, figures))
    assert course.summary == (
        "37 added, 1 removed, 2 failed, 1 gone; in the published release 1 gone; 0 chunks embedded, 0 embeddings saved"
    )


def test_the_failure_rate_is_of_the_documents_that_were_tried() -> None:
    figures = Figures(added=2, changed=1, rebuilt=0, unchanged=1, kept=100, waiting=5, failed=1)
    assert failure_rate(replace(RUN, figures=figures)) == pytest.approx(0.2)
    assert failure_rate(replace(RUN, figures=Figures(kept=100))) is None


def test_the_time_for_one_document_is_the_mean_of_those_that_passed_the_stage() -> None:
    timings = [Timing("read", 1.5, 3), Timing("cut", 0.0, 0)]
    assert milliseconds_a_document(timings, "read") == 500
    assert milliseconds_a_document(timings, "cut") is None
    assert milliseconds_a_document(timings, "embed") is None


def test_the_log_as_files_says_the_same_and_holds_no_formula() -> None:
    run = replace(RUN, message='=HYPERLINK("x")')
    timings = {7: [Timing("read", 1.25, 3)]}
    (row,) = csv.DictReader(io.StringIO(log_csv([run], timings).decode()))
    assert (row["run"], row["added"], row["read_s"], row["embed_s"]) == ("7", "3", "1.25", "")
    assert row["message"] == '\'=HYPERLINK("x")'
    (line,) = log_lines([run], timings).splitlines()
    found = json.loads(line)
    assert (found["id"], found["figures"]["added"], found["seconds"]) == (7, 3, {"read": 1.25})
    assert found["message"] == '=HYPERLINK("x")'


def test_what_a_run_did_to_documents_as_files_holds_no_formula() -> None:
    attempt = Attempt("folder:x", "+cmd.md", "add", "written", 3)
    (row,) = csv.DictReader(io.StringIO(attempt_csv([attempt]).decode()))
    assert (row["item_id"], row["chunks"]) == ("'+cmd.md", "3")
    assert json.loads(attempt_lines([attempt]))["item_id"] == "+cmd.md"
