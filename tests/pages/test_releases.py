"""The Releases page, run as Streamlit runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.documents import one_line_pages, without_last_page
from tests.pages.pipelines import ask, button, fill, labels, metrics, page, said, trams, when_idle
from workbench.evaluation.formats import imported
from workbench.sections import Release
from workbench.sync import Pipeline
from workbench.ui.pipelines import pipeline_files
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

COUNT = 12
POOR = 8
"""Dimensions too few to tell the documents apart."""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    fill(tmp_path / "shelf", COUNT)
    return tmp_path / "shelf"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return ask(tmp_path / "asked.csv", COUNT)


def synced(here: Workspace, shelf: Path, questions: Path, dimension: int = 1024) -> PipelineFile:
    file = pipeline_files.saved(here, trams([shelf], questions, dimension))
    list(file.pipeline(here).sync())
    return file


@pytest.mark.usefixtures("here")
def test_without_a_pipeline_the_page_sends_to_the_sources() -> None:
    assert "No pipeline yet" in said(page("releases"))


def test_a_pipeline_of_the_command_line_is_shown_and_can_be_rolled_back(
    here: Workspace, shelf: Path, questions: Path
) -> None:
    elsewhere = Pipeline(here, trams([shelf], questions), shelf)
    list(elsewhere.sync())
    assert "Nothing is published yet" in said(page("releases"))
    elsewhere.publish()
    worse = Pipeline(here, trams([shelf], questions, POOR), shelf)
    list(worse.sync())
    worse.publish(force=True)
    app = page("releases")
    assert "run from elsewhere" in said(app)
    assert metrics(app)["Release"] == "2"
    assert not {"Publish", "Clean up"} & set(labels(app))
    button(button(app, "Roll back"), "Roll back now")
    assert metrics(page("releases"))["Release"] == "1"
    assert "command line: trams" in said(page("sources"))


def test_documents_that_are_in_only_in_part_are_counted_beside_the_release(
    here: Workspace, shelf: Path, questions: Path
) -> None:
    (shelf / "half.pdf").write_bytes(without_last_page(one_line_pages("The depot is old.", "It is red.")))
    synced(here, shelf, questions).pipeline(here).publish()
    assert "When it was published it had 1 document only in part." in said(page("releases"))
    app = when_idle(button(page("releases"), "Only measure"))
    assert "1 document is in the table only in part" in said(app)
    assert "The gate is open." in said(app)


def test_what_is_not_synced_cannot_be_published(here: Workspace, shelf: Path) -> None:
    pipeline_files.saved(here, trams([shelf]))
    app = page("releases")
    assert "Nothing is published yet" in said(app)
    assert "no table yet: sync it first" in said(app)
    assert "Publish" not in labels(app)


def test_publish_then_a_worse_model_is_refused_then_forced_then_rolled_back(
    here: Workspace, shelf: Path, questions: Path
) -> None:
    good = synced(here, shelf, questions)
    releases = good.pipeline(here).ledger.releases
    app = when_idle(button(page("releases"), "Publish"))
    first = releases.published("trams")
    assert first is not None
    assert metrics(app)["recall@1"] == "1.000"
    assert "This is what is published" in said(app)
    assert "Roll back" not in labels(app), "there is nothing to go back to"

    synced(here, shelf, questions, POOR)
    app = when_idle(button(page("releases"), "Publish"))
    assert "refused by the gate" in said(app)
    assert "below the minimum of 0.9" in said(app)
    assert releases.published("trams") == first, "a refusal changed what is published"

    app = button(app, "Publish anyway")
    force = next(b for b in app.button if b.label == "Publish against the gate")
    assert force.disabled
    # The dialog is drawn by the run in which its button is pressed.
    app.checkbox[0].check()
    app = button(app, "Publish anyway")
    app = when_idle(button(app, "Publish against the gate"))
    second = releases.published("trams")
    assert second is not None
    assert second.forced
    assert second.table_name != first.table_name

    app = button(app, "Roll back")
    app = button(app, "Roll back now")
    assert releases.published("trams") == first
    assert [switch.action for switch in releases.switches("trams")] == ["roll_back", "publish", "publish"]
    assert f"answered from release {second.id} now" not in said(app), "that is no longer so"


def test_measuring_changes_nothing(here: Workspace, shelf: Path, questions: Path) -> None:
    file = synced(here, shelf, questions)
    app = when_idle(button(page("releases"), "Only measure"))
    assert "The gate is open" in said(app)
    assert metrics(app)["recall@1"] == "1.000"
    assert file.pipeline(here).ledger.releases.published("trams") is None


def test_only_tables_that_nobody_can_go_back_to_are_cleaned(
    here: Workspace, shelf: Path, questions: Path
) -> None:
    for dimension in (1024, 512, 2048):
        file = pipeline_files.saved(here, replace(trams([shelf], None, dimension), release=Release(keep=1)))
        pipeline = file.pipeline(here)
        list(pipeline.sync())
        pipeline.publish()
    app = page("releases")
    assert sorted(app.dataframe[-1].value["Use"]) == ["can be cleaned", "can be cleaned", "published"]
    app = button(app, "Clean up")
    assert len(pipeline.tables()) == 3
    app = button(app, "Delete them")
    assert [table.is_published for table in pipeline.tables()] == [True]
    assert "2 tables deleted" in said(app)


def figures(app: AppTest) -> dict[str, str]:
    """Return the recall that was measured, by release."""
    table = next(frame.value for frame in app.dataframe if "recall@1" in frame.value)
    return dict(zip(table["Table"], table["recall@1"], strict=True))


def test_without_a_gate_the_page_says_that_nothing_was_measured_and_what_is_there(
    here: Workspace, shelf: Path
) -> None:
    file = pipeline_files.saved(here, trams([shelf]))
    list(file.pipeline(here).sync())
    app = when_idle(button(page("releases"), "Publish"))
    assert {"Documents": "12", "Chunks": "12", "Release": "1"}.items() <= metrics(app).items()
    assert "recall@5" not in metrics(app)
    assert "Nothing was measured when it was published: there was no gate." in said(app)


def test_a_release_without_a_gate_is_measured_with_a_file_of_questions_beside_its_candidate(
    here: Workspace, shelf: Path, questions: Path
) -> None:
    file = pipeline_files.saved(here, trams([shelf]))
    pipeline = file.pipeline(here)
    list(pipeline.sync())
    pipeline.publish()
    app = page("releases")
    app = button(app, "Measure")
    assert "Choose a file with judged questions first" in said(app)
    app.file_uploader[0].upload("asked.csv", questions.read_bytes(), "text/csv").run()
    app = when_idle(button(app, "Measure"))
    assert figures(app) == {"release 1": "1.000 [1.000, 1.000]"}
    assert f"asked.csv: {COUNT} questions, with 95 % intervals." in said(app)

    # Another model, and one document fewer: compared is what both can answer.
    (shelf / "0.md").unlink()
    list(pipeline_files.saved(here, trams([shelf], None, POOR)).pipeline(here).sync())
    app = page("releases")
    assert "changed since: measure again" in said(app)
    app.file_uploader[0].upload("asked.csv", questions.read_bytes(), "text/csv").run()
    app = when_idle(button(app, "Measure"))
    found = figures(app)
    assert list(found) == ["release 1", "candidate"]
    assert found["candidate"] < found["release 1"]
    assert f"{COUNT - 1} questions that both can answer" in said(app)
    assert "1 judgment has no place" in said(app)
    assert pipeline.ledger.releases.published("trams").id == 1  # type: ignore[union-attr]


def test_a_question_set_of_the_workspace_finds_its_answers_in_the_documents_of_the_pipeline(
    here: Workspace, shelf: Path, questions: Path
) -> None:
    for path in sorted(shelf.iterdir()):
        here.add(path.name, path.read_bytes())
    documents = [here.document(row.id) for row in here.documents()]
    here.question_sets.save(imported(questions.read_bytes(), "asked.csv", documents, "trams").question_set)
    file = pipeline_files.saved(here, trams([shelf]))
    list(file.pipeline(here).sync())
    app = when_idle(button(page("releases"), "Measure"))
    assert figures(app) == {"candidate": "1.000 [1.000, 1.000]"}
    assert f"trams: {COUNT} questions, with 95 % intervals." in said(app)


def test_questions_without_an_answer_in_the_documents_are_no_figures(
    here: Workspace, shelf: Path, tmp_path: Path
) -> None:
    list(pipeline_files.saved(here, trams([shelf])).pipeline(here).sync())
    app = page("releases")
    nothing = 'question,references,corpus_id\nWhy?,"[{""content"": ""nowhere""}]",x\n'
    app.file_uploader[0].upload("odd.csv", nothing.encode(), "text/csv").run()
    app = when_idle(button(app, "Measure"))
    assert "No question of odd.csv has an answer in these documents" in said(app)
