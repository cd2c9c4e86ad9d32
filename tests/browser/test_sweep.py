"""A sweep of 24 configurations on the sample library, in a real browser: begun, cancelled, gone on with, finished."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from workbench import sweep as sweeps
from workbench.config import parsed
from workbench.evaluation.formats import imported_path
from workbench.evaluation.questions import question_set
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1_500)]

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
SLOW_MS = 600_000
QUESTION_STEP = 4


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The sample library with some of its questions: asking them is what takes long on a busy machine."""
    found = Workspace(tmp_path_factory.mktemp("workspace"))
    kinds = (".pdf", ".md", ".html", ".txt")
    for path in sorted(path for path in SAMPLES.glob("*") if path.suffix in kinds):
        assert found.add(path.name, path).is_in
    documents = [found.document(row.id) for row in found.documents()]
    read = imported_path(SAMPLES / "questions.csv", documents).question_set
    some = read.questions[::QUESTION_STEP]
    ids = {question.id for question in some}
    judged = [(j, text) for j, text in zip(read.judgments, read.texts, strict=True) if j.question_id in ids]
    found.question_sets.save(question_set("Sample questions", some, judged))
    return found


def settled(page: Page) -> None:
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget]')"
        " && !document.querySelector('[data-stale=true]')",
        timeout=SLOW_MS,
    )


def kept(here: Workspace) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (here.folder / "sweeps" / "results").glob("*.json")}


def test_a_sweep_of_24_is_cancelled_gone_on_with_and_finished(
    here: Workspace, serve: Callable[..., str], new_page: Callable[..., Page], pictures: Path
) -> None:
    page = new_page(1440, 1000)
    address = serve(WORKBENCH_WORKSPACE=str(here.folder))
    page.goto(address + "/grid")
    page.get_by_text("24 configurations: 24 to screen and up to 5 to confirm").wait_for(timeout=SLOW_MS)
    settled(page)
    page.get_by_role("button", name="Run the sweep").click()
    page.get_by_role("button", name="Cancel").wait_for()

    # Midway: progress with counts and time left, the first rows are there already.
    page.get_by_text(re.compile(r"about .+ left.+screening \d+ of 24")).wait_for(timeout=SLOW_MS)
    page.get_by_text(re.compile(r"screening ([5-9]|1\d) of 24")).wait_for(timeout=SLOW_MS)
    page.get_by_role("heading", name=re.compile(r"Screened: \d+ configuration")).wait_for(timeout=SLOW_MS)
    page.screenshot(path=pictures / "sweep_running.png")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("stopped; what was finished is kept").wait_for(timeout=SLOW_MS)
    before = kept(here)
    assert 5 <= len(before) < 24
    page.get_by_text(f"24 configurations: {24 - len(before)} to screen").wait_for(timeout=SLOW_MS)
    expect(page.get_by_role("heading", name=f"Screened: {len(before)} configurations")).to_be_visible()
    settled(page)
    page.screenshot(path=pictures / "sweep_cancelled.png")

    # Another session goes on; leaving the page does not stop it.
    page = new_page(1440, 2400)
    page.goto(address + "/grid")
    page.get_by_role("button", name="Run the sweep").wait_for(timeout=SLOW_MS)
    settled(page)
    page.get_by_role("button", name="Run the sweep").click()
    page.get_by_role("button", name="Cancel").wait_for(timeout=SLOW_MS)
    page.get_by_test_id("stSidebar").get_by_role("link", name="Documents", exact=True).click()
    page.get_by_role("heading", name="Documents", exact=True).wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Sweep", exact=True).click()
    page.get_by_text("24 screened, 5 confirmed").wait_for(timeout=SLOW_MS)
    after = kept(here)
    assert len(after) == 24 + 5
    assert all(after[name] == data for name, data in before.items())
    page.get_by_text("24 configurations: everything is measured already").wait_for(timeout=SLOW_MS)
    settled(page)
    expect(page.get_by_role("heading", name="Screened: 24 configurations")).to_be_visible()
    expect(page.get_by_role("heading", name="Confirmed: 5 configurations")).to_be_visible()
    expect(page.get_by_text(re.compile(r"tau-b = .+ over the 5 configurations"))).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 1400})
    page.get_by_role("heading", name="Screened: 24 configurations").evaluate(
        "heading => heading.scrollIntoView({block: 'end'})"
    )
    settled(page)
    page.screenshot(path=pictures / "sweep.png")

    # What is taken away is a config, and the figures of the library.
    sweep = sweeps.parsed((SAMPLES / "sweeps" / "splitters-and-sizes.yaml").read_text(encoding="utf-8"))
    configs = sweeps.expansion(sweep).configs
    found = here.sweeps.standing(configs, here.question_sets.sets()[0], sweep.measure)
    expect(page.get_by_text(found.verdict.sentence)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="YAML", exact=True).click()
    chosen = parsed(Path(download.value.path()).read_text(encoding="utf-8"))
    assert chosen.name == found.verdict.recommended
    assert chosen.fingerprint in {config.fingerprint for config in configs}
    with page.expect_download() as download:
        page.get_by_role("button", name="Both tables (CSV)").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [*found.confirmed, *found.screened]
    assert [(row["config"], float(row["value"])) for row in rows] == [
        (place.config, place.figure.value) for place in expected
    ]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the grid (YAML)").click()
    assert Path(download.value.path()).read_text(encoding="utf-8") == sweeps.written(sweep)
