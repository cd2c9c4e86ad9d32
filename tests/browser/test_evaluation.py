"""From a file of questions to a report, in a real browser: import, mark by dragging, compare, look into a lost one."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SLOW_MS, choose, go, settled
from workbench.config import parsed
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
DOCUMENTS = ("fares-and-timetable.pdf", "data-protection-policy.pdf")
CONFIG = "version: 1\nname: {name}\nchunker: {{name: fixed_size, size_tokens: {size}}}\nembedder: {{name: hashing}}\n"
SIZES = {"Small": 25, "Large": 120}
QUESTION = "Who pays nothing at all for a ticket?"
MARKED = "Children under six travel free"
ROW_PIXELS = 35


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with two documents and two tables that were built in a moment."""
    found = Workspace(tmp_path_factory.mktemp("workspace"))
    for name in DOCUMENTS:
        found.add(name, SAMPLES / name)
    for name, size in SIZES.items():
        found.tables.build(parsed(CONFIG.format(name=name, size=size)))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The sample questions on these documents, and one on a document that is not here."""
    rows = list(csv.DictReader((SAMPLES / "questions.csv").read_text("utf-8").splitlines()))
    known = [row for row in rows if f"{row['corpus_id']}.pdf" in DOCUMENTS]
    other = next(row for row in rows if row["corpus_id"] == "rule-book")
    text = io.StringIO()
    writer = csv.DictWriter(text, ["question", "references", "corpus_id"])
    writer.writeheader()
    writer.writerows([*known, other])
    path = tmp_path / "our questions.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def drag_over(page: Page, sheet: Locator, here: Workspace, text: str) -> None:
    """Draw a rectangle around the printed words of ``text``."""
    row = next(row for row in here.documents() if row.name == DOCUMENTS[0])
    document, layout = here.document(row.id), here.layout(row.id)
    start = document.text.index(text)
    # Words, not whole lines: the range is a part of its first and its last line.
    boxes = layout.rectangles(start, start + len(text))
    paper = document.pages[0]
    sheet.scroll_into_view_if_needed()
    frame = sheet.bounding_box()
    assert frame is not None
    scale = frame["width"] / paper.width
    page.mouse.move(frame["x"] + 40 * scale, frame["y"] + (boxes[0].y0 - 1) * scale)
    page.mouse.down()
    page.mouse.move(frame["x"] + (paper.width - 40) * scale, frame["y"] + (boxes[-1].y1 + 1) * scale, steps=6)
    page.mouse.up()


def test_questions_are_imported_marked_compared_looked_into_and_reported(
    serve: Callable[..., str], new_page: Callable[..., Page], pictures: Path, here: Workspace, file: Path
) -> None:
    page = new_page(1440, 1000)
    page.goto(serve(WORKBENCH_WORKSPACE=str(here.folder), WORKBENCH_WARM_UP="off"))

    # Import: what fits is a set, the rest is named.
    go(page, "Questions")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_text("are now the set “our questions”").wait_for(timeout=SLOW_MS)
    expect(page.get_by_text("1 line: could not be used")).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    (imported,) = here.question_sets.sets()
    assert len(imported.questions) > 10

    # Mark one by dragging over the page image.
    page.get_by_text("Mark an answer").click()
    settled(page)
    choose(page, "Document", DOCUMENTS[0])
    sheet = page.locator(".sheet.markable svg")
    sheet.wait_for(timeout=SLOW_MS)
    settled(page)
    drag_over(page, sheet, here, MARKED)
    expect(page.locator(".sheet .mark")).not_to_have_count(0)
    expect(page.locator(".hit-text").first).to_contain_text("under six travel free")
    page.screenshot(path=pictures / "marking.png")
    # The same range is shown on the text, before it is kept.
    page.get_by_test_id("stMain").get_by_role("radio", name="Text").click()
    expect(page.locator(".piece.marked").filter(has_text="under six travel free")).not_to_have_count(0)
    page.get_by_role("textbox", name="The question it answers").fill(QUESTION)
    page.get_by_role("button", name="Keep this answer").click()
    page.get_by_text(f"Kept: {QUESTION}").wait_for()
    kept = here.question_sets.get("our questions")
    (judgment,) = kept.by_question[kept.asking(QUESTION).id]
    assert MARKED in kept.text_of(judgment).replace("\n", " ")

    # Two tables, measured in the background; the verdict comes first.
    go(page, "Evaluate")
    page.get_by_role("button", name="Measure").click()
    verdict = page.get_by_test_id("stAlert").filter(has_text=re.compile("recall@\u2060?5 [+-]"))
    verdict.wait_for(timeout=SLOW_MS)
    settled(page)
    answered = sum(bool(judged) for judged in kept.by_question.values())
    expect(verdict).to_contain_text(re.compile(rf"\b{answered} questions|n = {answered}\b"))
    page.screenshot(path=pictures / "verdict.png")

    # The question in which they differ most: its answer on the page, the hits, and why one of them lost it.
    page.get_by_text("Question by question", exact=True).scroll_into_view_if_needed()
    listing = page.get_by_test_id("stDataFrame").filter(visible=True).nth(-1)
    listing.scroll_into_view_if_needed()
    box = listing.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 1.5 * ROW_PIXELS)
    page.get_by_text("The judged answer ·").wait_for(timeout=SLOW_MS)
    expect(page.locator(".sheet img")).to_have_count(2, timeout=SLOW_MS)
    expect(page.locator(".sheet .mark")).not_to_have_count(0)
    why = page.get_by_test_id("stAlert").filter(
        has_text=re.compile("Outranked|Cut by a boundary|Beyond the model|not in the table")
    )
    expect(why.first).to_be_visible()
    settled(page)
    page.locator(".sheet").first.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "lost_question.png")

    # The report: one file with the same verdict.
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    report = Path(download.value.path()).read_text(encoding="utf-8")
    sentence = " ".join(verdict.inner_text().replace("\u2060", "").split("\n")[-1].split())
    assert sentence in " ".join(html.unescape(report).split())
    assert kept.hash in report
    assert "What it costs" in report
