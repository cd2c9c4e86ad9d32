"""A pipeline in a real browser, from an exported config to the way back from a bad release."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SLOW_MS, go, settled, until
from workbench import plugins
from workbench.config import Config
from workbench.records import Hit
from workbench.ui.pipelines import pipeline_files
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
NAME = "handbook"
LONG = 2_000
"""Documents of 60 kB: they keep a sync busy for many seconds."""
QUESTION = "How fast may a tram go in the depot yard?"


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    """A workspace with one saved config, whose model answers in no time."""
    workspace = Workspace(tmp_path / "workspace")
    workspace.save_config(
        Config(
            NAME,
            plugins.build("chunkers", "nltk_sentences", {"size_tokens": 150}),
            plugins.build("embedders", "hashing", {"dimension": 2048}),
        )
    )
    return workspace


@pytest.fixture
def library(here: Workspace) -> Path:
    """A folder with the sample documents, where a pipeline's relative paths start."""
    folder = pipeline_files.folder(here) / "library"
    folder.mkdir(parents=True)
    for path in SAMPLES.iterdir():
        if path.suffix in (".pdf", ".md", ".html", ".txt"):
            shutil.copy(path, folder)
    return folder


def press(page: Page, label: str) -> None:
    settled(page)
    page.get_by_test_id("stMain").get_by_role("button", name=label, exact=True).click()


def typed(page: Page, label: str, text: str) -> None:
    settled(page)
    box = page.get_by_role("textbox", name=label, exact=True)
    box.wait_for()
    settled(page)
    box.fill(text)
    box.press("Tab")


def opened(page: Page, summary: str) -> Locator:
    """Open a folded part of the page and return it."""
    settled(page)
    part = page.get_by_test_id("stExpander").filter(has=page.locator("summary", has_text=summary))
    part.locator("summary").click()
    return part


def synced(page: Page, *said: str) -> None:
    """See the plan, carry it out, and wait for what came of it."""
    press(page, "See what a sync would do")
    press(page, "Sync now")
    for text in said:
        page.get_by_text(text).first.wait_for(timeout=SLOW_MS)
    settled(page)


def answers(here: Workspace) -> list[tuple[int, float, str]]:
    """Return the hits of what is published now."""

    def row(hit: Hit) -> tuple[int, float, str]:
        return hit.rank, hit.score, hit.chunk.text

    (file,), _ = pipeline_files.files(here)
    return [row(hit) for hit in file.pipeline(here).answer(QUESTION).hits]


def test_from_an_exported_config_to_the_way_back_from_a_bad_release(
    serve: Callable[..., str],
    here: Workspace,
    library: Path,
    tmp_path: Path,
    new_page: Callable[..., Page],
    pictures: Path,
) -> None:
    page = new_page(1440, 1400)
    page.goto(serve(WORKBENCH_WORKSPACE=str(here.folder)))
    go(page, "Export")
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    exported = tmp_path / download.value.suggested_filename
    download.value.save_as(exported)
    page.get_by_role("link", name="Make it a pipeline").click()
    page.get_by_text("No pipeline yet").wait_for()
    settled(page)
    page.get_by_role("radio", name="From a YAML file").click()
    page.locator("input[type=file]").set_input_files(exported)
    page.get_by_text(exported.name).first.wait_for()
    press(page, "Check and take it")
    press(page, "Add a source")
    typed(page, "Path", library.name)
    press(page, "Try it first")
    documents = len(list(library.iterdir()))
    page.get_by_text(f"It can be reached: {documents} items").wait_for(timeout=SLOW_MS)
    press(page, "Add it")
    page.get_by_role("button", name="Try it", exact=True).wait_for()
    press(page, "Dismiss")
    # What is typed while the page moves up would be lost.
    expect(page.get_by_text("It can be reached")).to_have_count(0)

    gate = opened(page, "Gate")
    gate.get_by_role("textbox", name="Questions").fill(str(SAMPLES / "questions.csv"))
    gate.get_by_role("spinbutton", name="Minimum").fill("0.4")
    gate.get_by_role("button", name="Keep the gate").click()
    gate.get_by_role("button", name="No gate").wait_for()
    (file,), _ = pipeline_files.files(here)
    assert file.config.evaluate is not None
    assert file.config.evaluate.minimum == 0.4

    synced(page, f"Sync {NAME}: {documents} added")

    # A folder that changes underfoot: one document is written anew, one comes, one goes, one is broken.
    notes = library / "app-release-notes.md"
    notes.write_text(notes.read_text() + "\n\nVersion 9 shows the platform of every departure.\n")
    (library / "depot-key-rules.md").write_text("The key of the depot yard hangs in the control room.")
    (library / "accessibility.html").unlink()
    (library / "scan.pdf").write_bytes(b"this is no PDF")
    press(page, "See what a sync would do")
    page.get_by_role("button", name="Sync now").wait_for(timeout=SLOW_MS)
    settled(page)
    page.get_by_role("heading", name="Sources", exact=True).scroll_into_view_if_needed()
    page.screenshot(path=pictures / "sources.png")
    press(page, "Sync now")
    outcome = f"1 added, 1 changed, {documents - 2} unchanged, 1 removed, 1 failed"
    page.get_by_text(outcome).first.wait_for(timeout=SLOW_MS)

    go(page, "Releases")
    press(page, "Publish")
    page.get_by_text("questions are answered from release 1 now").wait_for(timeout=SLOW_MS)
    before = answers(here)

    # The model is broken by a setting: eight numbers for a text tell little apart.
    go(page, "Sources")
    yaml = opened(page, "The whole pipeline as YAML")
    box = yaml.get_by_role("textbox")
    box.fill(box.input_value().replace("dimension: 2048", "dimension: 8"))
    yaml.get_by_role("button", name="Check and keep").click()
    until(page, lambda: "dimension: 8" in pipeline_files.files(here)[0][0].path.read_text())
    settled(page)
    synced(page, "rebuilt")
    go(page, "Releases")
    press(page, "Publish")
    page.get_by_text("refused by the gate; nothing was changed").wait_for(timeout=SLOW_MS)
    expect(page.get_by_text("below the minimum of 0.4").first).to_be_visible()
    settled(page)
    page.get_by_role("heading", name="Releases", exact=True).scroll_into_view_if_needed()
    page.screenshot(path=pictures / "releases.png")
    assert answers(here) == before

    press(page, "Publish anyway")
    dialog = page.get_by_role("dialog")
    force = dialog.get_by_role("button", name="Publish against the gate")
    expect(force).to_be_disabled()
    dialog.get_by_text("I have seen these figures").click()
    force.click()
    page.get_by_text("questions are answered from release 2 now").wait_for(timeout=SLOW_MS)
    expect(page.get_by_text("It was published against the gate")).to_be_visible()
    assert answers(here) != before

    press(page, "Roll back")
    dialog.get_by_role("button", name="Roll back now").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("It was published against the gate")).to_have_count(0)
    assert answers(here) == before

    go(page, "Runs")
    page.get_by_text("1 document could not be brought in").wait_for()
    page.get_by_text("Time for one document").wait_for()
    settled(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=SLOW_MS)
    page.get_by_role("heading", name="Runs", exact=True).scroll_into_view_if_needed()
    page.screenshot(path=pictures / "runs.png")
    (library / "scan.pdf").unlink()
    press(page, "Try again")
    expect(page.get_by_text("1 document could not be brought in")).to_have_count(0, timeout=SLOW_MS)


def test_a_sync_goes_on_when_its_page_is_left_and_stops_when_it_is_cancelled(
    serve: Callable[..., str], here: Workspace, tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(LONG):
        lines = (
            f"Tram {number} leaves depot {line} at nine, and the crew checks doors.\n\n"
            for line in range(1_000)
        )
        (folder / f"{number}.md").write_text("".join(lines))
    config = here.configs()[0]
    source = plugins.build("sources", "pdf_folder", {"path": str(folder)})
    pipeline_files.saved(here, pipeline_files.with_sources(config, [source]))
    page = new_page(900, 1200)
    page.goto(serve(WORKBENCH_WORKSPACE=str(here.folder)))
    go(page, "Sources")
    press(page, "See what a sync would do")
    press(page, "Sync now")
    page.get_by_role("button", name="Cancel").wait_for()
    go(page, "Documents")
    go(page, "Sources")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("stopped; what was finished is kept").wait_for(timeout=SLOW_MS)
    (file,), _ = pipeline_files.files(here)
    (run,) = file.pipeline(here).ledger.runs.recent(file.name)
    assert run.status == "cancelled"
    assert run.figures.added < LONG
