"""The Releases page, run as Streamlit runs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st

from tests.pages.pipelines import ask, button, fill, labels, metrics, page, said, trams, when_idle
from workbench.sections import Release
from workbench.ui import source_files
from workbench.ui.source_files import PipelineFile
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

COUNT = 12
POOR = 8
"""Dimensions too few to tell the documents apart."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    folder = tmp_path / "workspace"
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(folder))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(folder)
    st.cache_resource.clear()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    fill(tmp_path / "shelf", COUNT)
    return tmp_path / "shelf"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return ask(tmp_path / "asked.csv", COUNT)


def synced(here: Workspace, shelf: Path, questions: Path, dimension: int = 1024) -> PipelineFile:
    file = source_files.saved(here, trams([shelf], questions, dimension))
    list(file.pipeline(here).sync())
    return file


@pytest.mark.usefixtures("here")
def test_without_a_pipeline_the_page_sends_to_the_sources() -> None:
    assert "No pipeline yet" in said(page("releases"))


def test_what_is_not_synced_cannot_be_published(here: Workspace, shelf: Path) -> None:
    source_files.saved(here, trams([shelf]))
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
        file = source_files.saved(here, replace(trams([shelf], None, dimension), release=Release(keep=1)))
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
