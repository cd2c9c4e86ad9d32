"""The Sources page, run as Streamlit runs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contracts.source_places import settle
from tests.guarded_bucket import REFUSALS, guarded_bucket
from tests.pages.pipelines import button, metrics, page, said, timetable, trams, when_idle
from workbench import plugins
from workbench.config import Config, parsed
from workbench.sections import Evaluate, Schedule
from workbench.ui.pipelines import pipeline_files
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.pipelines.scheduler import Scheduler, cron_line, is_due
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.md").write_text(f"Tram {number} leaves at nine.")
        settle(folder / f"{number}.md")
    return folder


@pytest.fixture
def file(here: Workspace, shelf: Path) -> PipelineFile:
    return pipeline_files.saved(here, trams([shelf]))


def read_again(here: Workspace) -> PipelineFile:
    return pipeline_files.files(here)[0][0]


@pytest.mark.usefixtures("here")
def test_without_a_pipeline_the_page_offers_ways_to_begin() -> None:
    app = page("sources")
    assert not app.exception
    assert "No pipeline yet" in said(app)
    assert "Make it" in [b.label for b in app.button]


def test_a_config_becomes_a_pipeline_and_gets_a_folder_as_its_source(here: Workspace, shelf: Path) -> None:
    app = page("sources")
    next(t for t in app.text_input if t.label == "Name of the pipeline").set_value("trams")
    app = button(app, "Make it")
    app = button(app, "Add a source")
    app = button(app, "Add it")
    assert "Still to be filled in: Path" in said(app)
    next(t for t in app.text_input if t.label == "Path").set_value(str(shelf))
    next(t for t in app.text_input if t.label == "Include").set_value("*.md, *.txt")
    button(app, "Add it")
    (source,) = read_again(here).config.sources
    assert source.model_dump()["path"] == str(shelf)
    assert source.model_dump()["include"] == ("*.md", "*.txt")


def test_a_source_is_tried_before_it_is_trusted(here: Workspace, file: PipelineFile, shelf: Path) -> None:
    app = when_idle(button(page("sources"), "Try it"))
    assert "It can be reached: 4 items" in said(app)
    assert app.dataframe[0].value["Item"].tolist() == ["0.md", "1.md", "2.md", "3.md"]
    assert [t.value for t in app.text] == [f"Tram {n} leaves at nine." for n in range(3)]
    assert not file.pipeline(here).ledger.items("trams")

    pipeline_files.saved(here, trams([shelf / "nowhere"]))
    app = when_idle(button(page("sources"), "Try it"))
    assert "There is no folder" in said(app)


def test_the_variables_that_a_pipeline_uses_are_told_before_it_runs(
    here: Workspace, file: PipelineFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "environment" not in said(page("sources"))
    monkeypatch.setenv("WB_TEST_TWO", "a value that is not shown")
    settings = {"bucket": "notices", "profile": "${env:WB_TEST_ONE}", "region": "${env:WB_TEST_TWO}"}
    again = plugins.build("sources", "s3", {**settings, "prefix": "${env:WB_TEST_ONE}/"})
    pipeline_files.saved(here, replace(file.config, sources=(again,)))
    told = said(page("sources"))
    assert "variables of this computer's environment when it runs: WB_TEST_ONE, WB_TEST_TWO." in told
    assert "a value that is not shown" not in told


@pytest.mark.parametrize("refusal", REFUSALS)
def test_keys_that_a_bucket_refuses_are_told_with_what_to_do(
    here: Workspace, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    with guarded_bucket(monkeypatch) as bucket:
        settings = {"bucket": "library", "endpoint_url": bucket.url}
        pipeline_files.saved(here, replace(trams([]), sources=(plugins.build("sources", "s3", settings),)))
        wrong = bucket.wrong_keys(refusal)
        wrong.put(monkeypatch)
        app = when_idle(button(page("sources"), "Try it"))
        tried = said(app)
        app = when_idle(button(app, "See what a sync would do"))
        planned = said(app)
        app = when_idle(button(app, "Sync now"))
        app = page("runs")
        ran = said(app)
    place = f"s3://{bucket.url.removeprefix('http://')}/library/"
    for shown in (tried, planned, ran):
        assert place in shown.replace("\u200b", "")
        assert f"({refusal}): {REFUSALS[refusal]}" in shown
        assert wrong.secret not in shown
        assert wrong.id not in shown


def test_plan_sync_change_and_sync_again(here: Workspace, file: PipelineFile, shelf: Path) -> None:
    app = when_idle(button(page("sources"), "See what a sync would do"))
    assert metrics(app) == {"Add": "4", "Change": "0", "Keep": "0", "Remove": "0"}
    assert not file.pipeline(here).ledger.items("trams"), "a plan changed something"
    app = when_idle(button(app, "Sync now"))
    assert "4 added; 4 chunks embedded" in said(app)
    assert len(file.pipeline(here).ledger.items("trams")) == 4

    (shelf / "0.md").write_text("Tram 0 leaves at ten, not at nine.")
    settle(shelf / "0.md")
    (shelf / "3.md").unlink()
    app = when_idle(button(app, "See what a sync would do"))
    assert metrics(app) == {"Add": "0", "Change": "1", "Keep": "2", "Remove": "1"}
    app = when_idle(button(app, "Sync now"))
    assert "1 changed, 2 unchanged, 1 removed" in said(app)
    app = when_idle(button(app, "See what a sync would do"))
    assert "Nothing to do" in said(app)


def test_while_a_source_cannot_be_asked_the_index_is_not_said_to_hold_everything(
    here: Workspace, file: PipelineFile, shelf: Path
) -> None:
    list(file.pipeline(here).sync())
    shelf.rename(shelf.parent / "away")
    app = when_idle(button(page("sources"), "See what a sync would do"))
    assert "Nothing to do for now: not every source said all that it holds" in said(app).replace("*", "")
    assert "could not be listed, so nothing of it is changed" in said(app)


def test_files_that_are_no_pipelines_are_told_and_harm_no_other(here: Workspace, file: PipelineFile) -> None:
    (file.path.parent / "broken.yaml").write_text("version: 1\nname: broken\n\tchunker: x\n")
    (file.path.parent / "latin.yaml").write_bytes(b"name: \xff")
    shown = said(page("sources"))
    assert "2 files that are no pipelines lie in" in shown
    assert "broken.yaml**: line 3: this is not YAML" in shown
    assert "latin.yaml**: this is not a text file in UTF-8" in shown
    assert "See what a sync would do" in [b.label for b in page("sources").button]


def test_a_source_is_taken_out_only_after_it_is_confirmed(here: Workspace, file: PipelineFile) -> None:
    app = button(page("sources"), "")
    assert len(read_again(here).config.sources) == 1
    button(app, "Take it out")
    assert read_again(here).config.sources == ()


def test_many_deletions_happen_only_after_they_are_confirmed(
    here: Workspace, file: PipelineFile, shelf: Path
) -> None:
    list(file.pipeline(here).sync())
    for number in range(3):
        (shelf / f"{number}.md").unlink()
    app = when_idle(button(page("sources"), "See what a sync would do"))
    assert "3 of 4 documents" in said(app)
    app = button(app, "Sync, and remove them too")
    assert len(file.pipeline(here).ledger.items("trams")) == 4
    when_idle(button(app, "Sync and remove"))
    assert len(file.pipeline(here).ledger.items("trams")) == 1


def test_what_is_missing_beside_a_row_without_an_id_is_removed_only_after_it_is_confirmed(
    here: Workspace, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    rows = ["id,text", *(f"{number},Tram {number} leaves." for number in range(4))]
    table.write_text("\n".join(rows))
    file = pipeline_files.saved(here, timetable(table))
    list(file.pipeline(here).sync())
    table.write_text("\n".join([*rows[:-1], ",Tram 9 leaves."]))
    app = when_idle(button(page("sources"), "See what a sync would do"))
    assert (
        "3 items, and 1 that could not be listed, so what is missing is removed only if you say so. table.csv, row 5 has nothing in the column 'id'"
        in said(app)
    )
    assert "1 of 4 documents of Table (CSV)" in said(app)
    assert "is missing, and 1 that could not be listed may be the same" in said(app)
    app = button(app, "Sync, and remove them too")
    when_idle(button(app, "Sync and remove"))
    assert len(file.pipeline(here).ledger.items("trams")) == 3


def test_a_plan_says_what_the_published_release_takes_beside(
    here: Workspace, file: PipelineFile, shelf: Path
) -> None:
    list(file.pipeline(here).sync())
    file.pipeline(here).publish()
    pipeline_files.saved(here, trams([shelf], dimension=512))
    app = when_idle(button(page("sources"), "See what a sync would do"))
    assert "The published release, which has another table, holds what the sources hold." in said(
        app
    ).replace("*", "")
    (shelf / "0.md").write_text("Tram 0 leaves at ten, not at nine.")
    settle(shelf / "0.md")
    app = when_idle(button(app, "See what a sync would do"))
    assert (
        "The published release, which has another table, is brought up to date first: 1 change. At most about 1 chunk of"
    ) in said(app).replace("*", "")
    app = when_idle(button(app, "Sync now"))
    assert "in the published release 1 written" in said(app)
    shelf.rename(shelf.parent / "away")
    app = when_idle(button(app, "See what a sync would do"))
    assert "The published release, which has another table, stays as it is for now." in said(app).replace(
        "*", ""
    )


def test_a_plan_for_another_config_is_not_offered(here: Workspace, file: PipelineFile, shelf: Path) -> None:
    app = when_idle(button(page("sources"), "See what a sync would do"))
    other = shelf.parent / "other"
    other.mkdir()
    pipeline_files.saved(here, trams([shelf, other]))
    app.run()
    assert "ask again" in said(app)
    assert "Sync now" not in [b.label for b in app.button]


def test_the_yaml_can_be_changed_and_what_is_wrong_with_it_is_said(
    here: Workspace, file: PipelineFile
) -> None:
    app = page("sources")
    area = next(a for a in app.text_area if a.label == "YAML")
    area.set_value(area.value.replace("dimension: 1024", "dimension: 2"))
    app = button(app, "Check and keep")
    assert "dimension" in said(app)
    assert read_again(here).config == file.config
    area = next(a for a in app.text_area if a.label == "YAML")
    area.set_value(area.value.replace("dimension: 2", "dimension: 16"))
    button(app, "Check and keep")
    assert read_again(here).config.embedder.model_dump()["dimension"] == 16


def test_the_sample_library_is_taken_with_paths_that_lead_to_its_files(here: Workspace) -> None:
    app = page("sources")
    app.segmented_control[0].set_value("The sample library").run()
    button(app, "Take the sample library")
    found = read_again(here).config
    assert found.name == "library"
    assert (Path(found.sources[0].model_dump()["path"]) / "rule-book.pdf").is_file()
    assert found.evaluate is not None
    assert Path(found.evaluate.questions).is_file()


def test_relative_paths_of_a_file_start_at_the_folder_that_is_named(shelf: Path) -> None:
    text = (
        "version: 1\nname: a\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n"
        "sources: [{name: pdf_folder, path: shelf}]\nevaluate: {questions: asked.csv}\n"
    )
    found = pipeline_files.placed(parsed(text), shelf.parent)
    assert found.sources[0].model_dump()["path"] == str(shelf)
    assert found.evaluate == Evaluate(questions=str(shelf.parent / "asked.csv"))


def test_two_names_that_give_one_file_name_are_two_files(here: Workspace, file: PipelineFile) -> None:
    names = ["a b", "a-b"]
    for name in names:
        pipeline_files.saved(here, Config(name, file.config.chunker, file.config.embedder))
    assert [found.name for found in pipeline_files.files(here)[0]] == [*names, "trams"]


def test_a_schedule_starts_what_is_due_and_nothing_twice(here: Workspace, shelf: Path) -> None:
    now = datetime.now(UTC)
    hourly = Config(
        "hourly",
        trams([]).chunker,
        trams([]).embedder,
        sources=trams([shelf]).sources,
        schedule=Schedule(every_minutes=60),
    )
    pipeline_files.saved(here, trams([shelf]))
    pipeline_files.saved(here, hourly)
    started: list[str] = []
    scheduler = Scheduler(here, lambda _, found, now: started.append(found.name))
    for minutes in (0, 1, 59, 60, 61):
        scheduler.look(now + timedelta(minutes=minutes))
    assert started == ["hourly", "hourly"]


def test_a_run_by_somebody_else_counts_for_the_schedule(here: Workspace, file: PipelineFile) -> None:
    list(file.pipeline(here).sync())
    (run,) = file.pipeline(here).ledger.runs.recent("trams")
    start = datetime.fromisoformat(run.started_at_utc)
    assert not is_due(run, None, 60, start + timedelta(minutes=59))
    assert is_due(run, None, 60, start + timedelta(minutes=60))
    # The clock was set back: a start that lies ahead holds nothing up.
    assert is_due(run, None, 60, start - timedelta(days=3650))


def test_the_line_for_cron_says_as_nearly_as_cron_can_when(here: Workspace, file: PipelineFile) -> None:
    starts = {n: cron_line(here, file, n).split(" cd ")[0] for n in (15, 60, 180, 1440, 4320)}
    assert starts == {
        15: "*/15 * * * *",
        60: "0 */1 * * *",
        180: "0 */3 * * *",
        1440: "0 3 */1 * *",
        4320: "0 3 */3 * *",
    }
