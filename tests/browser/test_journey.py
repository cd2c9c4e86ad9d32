"""The way of a newcomer, in a real browser: upload a PDF, cut it, build, search, map, export.

With ``WORKBENCH_PICTURES=docs/pictures`` the screenshots of the README are taken on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import SLOW_MS, at_top, choose, go, settled
from workbench.config import parsed

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "data" / "samples"
QUESTION = "How warm may a traction battery get?"


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    return serve(WORKBENCH_WORKSPACE=str(tmp_path_factory.mktemp("workspace")))


def test_a_newcomer_goes_from_a_pdf_to_a_config(
    server: str, new_page: Callable[..., Page], pictures: Path, tmp_path: Path
) -> None:
    page = new_page(1440, 1000)
    page.goto(server)

    # Documents: one real PDF and one file that is none, then the sample library.
    page.get_by_text("No documents yet").wait_for()
    bad = tmp_path / "<img src=x onerror=alert(1)>.pdf"
    bad.write_bytes(b"<html>not a PDF</html>")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([SAMPLES / "safety-manual.pdf", bad])
    page.get_by_text("1 added, 1 could not be read").wait_for(timeout=SLOW_MS)
    expect(page.get_by_text("1 document ·")).to_be_visible()
    page.get_by_role("button", name="Add the sample library").click()
    page.get_by_text(re.compile(r"Read the sample library: \d+ added")).wait_for(timeout=SLOW_MS)
    settled(page)
    page.get_by_role("button", name="Clear this list").click()
    expect(page.get_by_text("What happened to")).to_have_count(0, timeout=SLOW_MS)
    choose(page, "Read", "safety-manual.pdf")
    page.get_by_alt_text(re.compile("[Pp]age")).first.wait_for(timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "documents.png")

    # Chunks: three columns on the same passage; build the NLTK one.
    go(page, "Chunks")
    counts = page.get_by_text(re.compile(r"^\d+ chunks"))
    expect(counts).to_have_count(3, timeout=SLOW_MS)
    settled(page)
    # To where the chunks end at different places; the columns go in step.
    box = counts.nth(1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"], box["y"] + 150)
    page.mouse.wheel(0, 430)
    at_top(page)
    page.screenshot(path=pictures / "chunks.png")
    page.get_by_text("Page", exact=True).click()
    page.get_by_alt_text(re.compile("[Pp]age")).first.wait_for(timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "chunks_on_page.png")

    # Tables: see what it takes, build two and the one that is chosen already, leave the page meanwhile.
    go(page, "Tables")
    for name in ("Sentences NLTK Punkt 200", "Fixed size 200"):
        choose(page, "Configs", name)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="See what it takes").click()
    build = page.get_by_role("button", name=re.compile(r"Build \d tables?"))
    build.wait_for(timeout=SLOW_MS)
    settled(page)
    build.click()
    settled(page)
    go(page, "Documents")
    go(page, "Tables")
    expect(page.get_by_text(re.compile(r"the table holds 12 documents"))).to_have_count(
        3, timeout=3 * SLOW_MS
    )
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0, timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "tables.png")

    # Search: two columns, the link brings the same screen back in another browser.
    go(page, "Search")
    page.get_by_role("textbox", name="Question").fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_text("score").first.wait_for(timeout=SLOW_MS)
    expect(page.locator(".hit-text")).to_have_count(10, timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "search.png")
    page.get_by_role("button", name="Look closer").nth(1).click()
    page.get_by_alt_text(re.compile("[Pp]age")).first.wait_for(timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "search_page.png")
    page.keyboard.press("Escape")
    other = new_page(900, 900, "dark")
    other.goto(page.url)
    other.get_by_text("score").first.wait_for(timeout=SLOW_MS)
    expect(other.get_by_role("textbox", name="Question")).to_have_value(QUESTION)

    # Map: the points are there, and so is the question; UMAP takes the place of PCA.
    go(page, "Map")
    page.get_by_role("textbox", name="Question").fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_text("nearest chunks").wait_for(timeout=2 * SLOW_MS)
    page.locator("canvas").first.wait_for()
    expect(page.get_by_text("Drawn by PCA")).to_have_count(0, timeout=3 * SLOW_MS)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    at_top(page)
    page.screenshot(path=pictures / "map.png")

    # Questions and Evaluate: the sample questions, and a verdict before anything else.
    go(page, "Questions")
    page.get_by_role("button", name="Add the sample questions").click()
    page.get_by_text(re.compile("111 questions")).first.wait_for(timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "questions.png")
    go(page, "Evaluate")
    page.get_by_role("button", name="Measure").click()
    page.get_by_text(re.compile("recall@5|not distinguishable")).first.wait_for(timeout=2 * SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "evaluate.png")

    # Export: the YAML that is downloaded is a config.
    go(page, "Export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").first.click()
    at_top(page)
    page.screenshot(path=pictures / "export.png")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert parsed(text).embedder.name == "sentence_transformers"


def test_the_first_visitor_of_a_fresh_server_may_come_by_a_deep_link(
    serve: Callable[..., str], new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page()
    page.goto(serve(WORKBENCH_WORKSPACE=str(tmp_path)) + "/ask?q=x")
    page.get_by_role("heading", name="Search", exact=True).wait_for()
    expect(page.get_by_text("does not seem to exist")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar").get_by_role("link")).not_to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_empty_page_says_what_to_do_next(
    serve: Callable[..., str],
    new_page: Callable[..., Page],
    tmp_path_factory: pytest.TempPathFactory,
    scheme: str,
) -> None:
    page = new_page(900, 900, scheme)
    page.goto(serve(WORKBENCH_WORKSPACE=str(tmp_path_factory.mktemp("empty"))))
    for name in ("Chunks", "Tables", "Search", "Map"):
        page.goto(page.url.split("?")[0])
        go(page, name)
        settled(page)
        expect(page.get_by_test_id("stMain").get_by_test_id("stPageLink")).not_to_have_count(0)
