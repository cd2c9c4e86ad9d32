"""Two tables on aligned axes, in a real browser: a lasso on one map shows the same text on the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SLOW_MS, at_top
from workbench.config import Config, parsed
from workbench.workspace import Workspace
from workbench.workspace.maps import MapSettings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"


def config(name: str, chunker: str) -> Config:
    return parsed(
        f"version: 1\nname: {name}\nchunker: {chunker}\n"
        "embedder: {name: sentence_transformers, model: all-MiniLM-L6-v2}\n"
    )


FIXED = config("fixed", "{name: fixed_size, size_tokens: 40}")
SENTENCES = config("sentences", "{name: nltk_sentences, size_tokens: 60}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    kinds = (".pdf", ".md", ".html", ".txt")
    for path in sorted(path for path in SAMPLES.glob("*") if path.suffix in kinds):
        assert here.add(path.name, path).is_in
    for one in (FIXED, SENTENCES):
        here.tables.build(one)
    # Computed ahead, so that the browser does not wait for UMAP's compiling.
    here.map_pairs.compute(here.map_pairs.sample(FIXED, SENTENCES), MapSettings())
    return here.folder


def lasso(page: Page, canvas: Locator, x: float, y: float, radius: float) -> None:
    """Draw a circle around a place given as shares of the canvas."""
    box = canvas.bounding_box()
    assert box is not None
    middle_x, middle_y = box["x"] + box["width"] * x, box["y"] + box["height"] * y
    page.mouse.move(middle_x + radius, middle_y)
    page.mouse.down()
    for step in range(1, 33):
        angle = 2 * math.pi * step / 32
        page.mouse.move(middle_x + radius * math.cos(angle), middle_y + radius * math.sin(angle))
    page.mouse.up()


def test_a_lasso_on_one_of_two_aligned_maps_lists_the_same_text_of_the_other(
    serve: Callable[..., str], folder: Path, new_page: Callable[..., Page], pictures: Path
) -> None:
    page = new_page(1440, 1000)
    page.goto(
        serve(WORKBENCH_WORKSPACE=str(folder)) + "/atlas?table=fixed&beside=sentences&q=camera+recordings"
    )
    canvases = page.locator("canvas.canvas")
    expect(canvases).to_have_count(2, timeout=SLOW_MS)
    expect(
        page.get_by_text("of a chunk's ten nearest neighbours in fixed are others in sentences")
    ).to_be_visible()
    expect(page.get_by_text("Nearest in sentences")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text("can be trusted")).to_have_count(2, timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "map_pair.png")

    lasso(page, canvases.first, 0.5, 0.5, 170)
    expect(page.get_by_text("with the same text")).to_be_visible(timeout=SLOW_MS)
    said = page.locator(".said").first
    picked = int((said.text_content() or "0").split(" of ")[0].replace(",", ""))
    assert picked > 0
    expect(page.get_by_role("heading", name=f"{picked:,} picked", exact=True)).to_be_visible()

    # The question is asked again among what was picked, in both tables, and among all of them.
    address = page.url
    page.get_by_role("button", name="Search within these").click()
    expect(page.get_by_text(f"Questions are asked among the {picked:,} and")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Ask among all again").click()
    expect(page.get_by_text("Questions are asked among the")).to_have_count(0, timeout=SLOW_MS)

    # The link alone brings the same screen back in a fresh browser.
    other = new_page(900, 1000, "dark")
    other.goto(address)
    expect(other.locator("canvas.canvas")).to_have_count(2, timeout=SLOW_MS)
    expect(other.get_by_text("Nearest in fixed")).to_be_visible(timeout=SLOW_MS)
    other.screenshot(path=pictures / "map_pair_narrow_dark.png")


def test_a_lasso_limits_the_question_to_the_picked_chunks(
    serve: Callable[..., str], folder: Path, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(serve(WORKBENCH_WORKSPACE=str(folder)) + "/atlas?table=fixed&q=camera+recordings")
    canvas = page.locator("canvas.canvas")
    expect(canvas).to_have_count(1, timeout=SLOW_MS)
    expect(page.get_by_role("heading", name="The 10 nearest chunks")).to_be_visible(timeout=SLOW_MS)
    lasso(page, canvas, 0.5, 0.5, 200)
    page.get_by_role("button", name="Search within these").click(timeout=SLOW_MS)
    expect(page.get_by_text("Questions are asked among the")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Ask among all again").click()
    expect(page.get_by_text("Questions are asked among the")).to_have_count(0, timeout=SLOW_MS)
