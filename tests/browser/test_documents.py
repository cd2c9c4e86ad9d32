"""The Documents page in a real browser: a page beside its text, its layout, and what fell short."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SLOW_MS, at_top, settled, until
from tests.parsers.made_pdfs import drawn, flattened_text_page, pdf, report_pdf
from workbench.config import parsed
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CASES = Path(__file__).parents[1] / "parsers/cases"
READER = Path(__file__).parent / "apps" / "document_reader_app.py"

Server = Callable[..., str]
NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def reader(streamlit_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a document of 30 pages; the address says which of them fell short."""
    return streamlit_server(READER, WORKBENCH_WORKSPACE=str(tmp_path_factory.mktemp("workspace")))


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(".layout .piece").first).to_be_visible(timeout=SLOW_MS)
    settled(page)
    return page


def table_on_page(page: Page) -> Locator:
    return page.locator(".sheet .block.kind-table")


def table_in_text(page: Page) -> Locator:
    return page.locator(".column .piece.kind-table")


# ── what fell short ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_that_fell_short_is_marked_noted_and_drawn_with_its_layout(
    reader: str, browser_page: Page
) -> None:
    page = opened(browser_page, f"{reader}/?short=3,7&incomplete=1")
    expect(page.get_by_text("The file is incomplete: the file was cut off")).to_be_visible()
    expect(page.get_by_text("Problems on 2 pages")).to_be_visible()
    expect(page.locator(".layout.drawn")).to_have_count(0)
    page.get_by_test_id("stButtonGroup").get_by_text("7", exact=True).click()
    expect(
        page.get_by_text("Page 7: 812 of 1,014 letters are in the text; the rest is missing.")
    ).to_be_visible()
    expect(page.locator(".layout.drawn")).to_be_visible()
    expect(page.locator("figcaption")).to_have_text("Page 7 of 30")
    expect(page.locator(".layout .legend")).to_have_text(re.compile("Heading\\s*Text\\s*Table\\s*Left out"))
    numbers = page.locator(".sheet .block .number").all_text_contents()
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    # Back on a whole page the note and the layout are gone, the marks stay.
    page.get_by_test_id("stPagination").get_by_role("button", name=re.compile(r"\b6\b")).click()
    expect(page.locator("figcaption")).to_have_text("Page 6 of 30")
    expect(page.locator(".layout.drawn")).to_have_count(0)
    expect(page.get_by_text("letters are in the text")).to_have_count(0)
    expect(page.get_by_text("Problems on 2 pages")).to_be_visible()


# ── image and text ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_lights_up_on_the_other_side_of_the_one_that_is_pointed_at(
    reader: str, browser_page: Page
) -> None:
    page = opened(browser_page, reader)
    table_on_page(page).locator(".line").nth(1).hover()
    expect(table_in_text(page)).to_have_class(re.compile(r"\bhot\b"))
    # It is brought into view, in its own box.
    expect(table_in_text(page)).to_be_in_viewport()
    expect(page.locator(".tip:visible")).to_have_text(re.compile(r"\d · Table\s*characters [\d,]+–[\d,]+"))
    page.mouse.move(5, 5)
    expect(page.locator(".layout .hot")).to_have_count(0)
    table_in_text(page).hover()
    expect(table_on_page(page)).to_have_class(re.compile(r"\bhot\b"))
    expect(page.locator(".layout .hot")).to_have_count(2)


def test_a_clicked_block_stays_lit_until_escape(reader: str, browser_page: Page) -> None:
    page = opened(browser_page, reader)
    table_on_page(page).locator(".line").first.click()
    page.mouse.move(5, 5)
    expect(table_in_text(page)).to_have_class(re.compile(r"\bhot\b"))
    page.keyboard.press("Escape")
    expect(page.locator(".layout .hot")).to_have_count(0)


def test_blocks_are_gone_through_with_the_keyboard_and_told(reader: str, browser_page: Page) -> None:
    page = opened(browser_page, f"{reader}/?short=1")
    page.locator(".sheet svg").focus()
    for number in (1, 2, 3):
        page.keyboard.press("ArrowDown")
        expect(page.locator(".block.hot .number")).to_have_text(str(number))
    page.keyboard.press("ArrowUp")
    expect(page.locator(".layout .silent")).to_have_text(re.compile(r"2 · Text\. characters .*In year 1 "))
    page.locator(".column .text").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".block.hot .number")).to_have_text("3")


def test_what_was_left_out_is_hatched_and_says_why_as_text(reader: str, browser_page: Page) -> None:
    page = opened(browser_page, f"{reader}/?short=1")
    left_out = page.locator(".sheet .block.kind-omitted")
    expect(left_out).to_have_count(2)
    left_out.first.locator(".line").hover()
    expect(page.locator(".tip:visible")).to_have_text("Left out: a picture of text\nFold <b> here. Vale")
    expect(left_out.first.locator(".number")).to_have_count(0)


def test_the_text_beside_a_page_is_the_text_and_nothing_else_when_it_is_copied(
    reader: str, browser_page: Page
) -> None:
    page = opened(browser_page, f"{reader}/?short=1")
    table_in_text(page).evaluate(
        """e => { const range = document.createRange(); range.selectNodeContents(e);
        const found = document.getSelection(); found.removeAllRanges(); found.addRange(range); }"""
    )
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert (
        copied
        == "Item\tJourneys\tShare\nTrams <b>\t118\t27 %\nBuses\t2,046\t61 %\nFerries and the lift\t41\t12 %"
    )


# ── cells stand apart ────────────────────────────────────────────────────────────────────────────────────────────

GAP_IN_EM = """element => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const places = new Map();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const word of ['118', '27']) {
      const at = node.data.indexOf(word);
      if (at < 0 || places.has(word)) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + word.length);
      places.set(word, range.getBoundingClientRect());
    }
  }
  const size = parseFloat(getComputedStyle(element).fontSize);
  return (places.get('27').left - places.get('118').right) / size;
}"""
LEAST_GAP_IN_EM = 0.8
"""A blank is a quarter of the type's size wide; a tab alone may be as narrow."""


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    rows = [("Item", "Journeys", "Share"), ("Trams", "118", "27 %"), ("Buses", "2046", "61 %")]
    content = b"".join(
        drawn(cell, left, 700 - 16 * row)
        for row, cells in enumerate(rows)
        for left, cell in zip((60, 200, 300), cells, strict=True)
    )
    here.add("figures.pdf", pdf(content))
    here.add("figures.txt", b"Item\tJourneys\tShare\nTrams\t118\t27 %\n")
    here.tables.build(
        parsed(
            "version: 1\nname: Small\nchunker: {name: fixed_size, size_tokens: 40}\nembedder: {name: hashing}\n"
        )
    )
    return here.folder


def are_apart(page: Page, element: Locator) -> None:
    """Expect a wide gap. An element that is just being drawn anew gives no number: it is measured again."""
    gaps: list[float] = []

    def is_measured() -> bool:
        gaps.append(element.evaluate(GAP_IN_EM))
        return math.isfinite(gaps[-1])

    until(page, is_measured)
    assert gaps[-1] > LEAST_GAP_IN_EM


def test_figures_of_neighbouring_cells_are_a_visible_gap_apart(
    serve: Server, figures: Path, browser_page: Page
) -> None:
    page = browser_page
    base = serve(WORKBENCH_WORKSPACE=str(figures), WORKBENCH_WARM_UP="off")
    opened(page, f"{base}/?doc=figures.pdf")
    are_apart(page, page.locator(".layout .piece.kind-table"))
    page.goto(f"{base}/ask?q=Trams+journeys")
    hit = page.locator(".hit-text").first
    expect(hit).to_be_visible(timeout=SLOW_MS)
    are_apart(page, hit)
    # Without pages there is the chunk viewer, as on the Chunks page.
    page.goto(f"{base}/?doc=figures.txt")
    column = page.locator(".viewer .text").first
    expect(column.locator(".piece").first).to_be_visible(timeout=SLOW_MS)
    are_apart(page, column)
    page.goto(f"{base}/?demo=Small&q=Trams+journeys")
    page.get_by_text("As text").click(timeout=SLOW_MS)
    demo = page.locator(".hit-text").first
    expect(demo).to_be_visible()
    are_apart(page, demo)


# ── the page itself ──────────────────────────────────────────────────────────────────────────────────────────────


def upload(page: Page, serve: Server, folder: Path, data: bytes) -> None:
    """Upload a PDF into an empty workspace, and wait until its first page is drawn."""
    page.goto(serve(WORKBENCH_WORKSPACE=str(folder / "workspace"), WORKBENCH_WARM_UP="off"))
    file = folder / "report.pdf"
    file.write_bytes(data)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.locator(".layout .piece").first).to_be_visible(timeout=SLOW_MS)
    settled(page)


def test_an_uploaded_file_is_read_beside_its_page_and_its_layout_is_one_switch_away(
    serve: Server, tmp_path: Path, browser_page: Page
) -> None:
    page = browser_page
    upload(page, serve, tmp_path, report_pdf())
    expect(page.locator(".layout.drawn")).to_have_count(0)
    page.get_by_text("Layout", exact=True).click()
    expect(page.locator(".layout.drawn")).to_be_visible()
    expect(page.locator(".sheet .block .number").first).to_be_visible()


def test_an_uploaded_file_with_a_page_that_falls_short_is_noted_marked_and_drawn(
    serve: Server, tmp_path: Path, browser_page: Page
) -> None:
    page = browser_page
    with pymupdf.open("pdf", report_pdf()) as whole, pymupdf.open(CASES / "b_type3_no_unicode.pdf") as codes:
        whole.insert_pdf(codes)
        with pymupdf.open("pdf", pdf(flattened_text_page())) as short:
            whole.insert_pdf(short)
        upload(page, serve, tmp_path, bytes(whole.tobytes()))
    # The note of the file, in the list of what happened and above the page.
    expect(page.get_by_text("Not readable: page 3").last).to_be_visible()
    expect(page.get_by_text("Problems on 2 pages")).to_be_visible()
    expect(page.locator(".layout.drawn")).to_have_count(0)
    page.get_by_test_id("stButtonGroup").get_by_text("4", exact=True).click()
    expect(page.get_by_text("Page 4: 19 of 46 letters are in the text").last).to_be_visible()
    expect(page.locator(".layout.drawn")).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("3", exact=True).click()
    expect(page.get_by_text("Page 3 is not readable")).to_be_visible()
    expect(page.locator(".layout.drawn")).to_be_visible()
    expect(page.locator(".sheet .block .number").first).to_be_visible()
    # Hovering a block on the page lights its text.
    page.locator(".sheet .block .line").first.hover()
    expect(page.locator(".layout .hot")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 900])
def test_the_reader_fits_the_screen(
    reader: str, new_page: NewPage, pictures: Path, scheme: str, width: int
) -> None:
    page = opened(new_page(width=width, scheme=scheme), f"{reader}/?short={','.join(map(str, range(1, 20)))}")
    at_top(page)
    page.screenshot(path=pictures / f"document_{scheme}_{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    image, text = page.locator(".sheet").bounding_box(), page.locator(".column").bounding_box()
    assert image is not None
    assert text is not None
    assert min(image["width"], text["width"]) > 250
