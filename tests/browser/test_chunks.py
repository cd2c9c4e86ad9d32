"""The Chunks page in a real browser: the chosen chunk, judged answers, and a narrow screen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SLOW_MS, settled
from workbench.evaluation.questions import Question, QuestionSet
from workbench.records import Judgment
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PDF = Path(__file__).parent.parent.parent / "data" / "samples" / "safety-manual.pdf"
SIZES = (40, 60, 80, 120)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One PDF; its first 600 characters are a judged answer, which small chunks cut and its first ten words are not."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    document_id = workspace.add(PDF.name, PDF.read_bytes()).document_id
    assert document_id is not None
    text = workspace.parsed(document_id).document.text
    ranges = [(0, 600), (0, len(" ".join(text.split()[:4])))]
    questions = tuple(Question(f"q{n}", f"Which is number {n}?") for n in range(2))
    judgments = tuple(Judgment(f"q{n}", document_id, a, b, 1) for n, (a, b) in enumerate(ranges))
    texts = tuple(text[a:b] for a, b in ranges)
    workspace.question_sets.save(QuestionSet("judged", questions, judgments, texts))
    return workspace


@pytest.fixture
def opened(serve: Callable[..., str], here: Workspace, new_page: Callable[..., Page]) -> Callable[..., Page]:
    def page(columns: int = 2, width: int = 1440, view: str = "text", **settings: Any) -> Page:
        address = serve(WORKBENCH_WORKSPACE=str(here.folder), WORKBENCH_WARM_UP="off")
        configs = [
            {
                "chunker": {"name": "fixed_size", "size_tokens": size, **settings},
                "embedder": {"name": "hashing"},
            }
            for size in SIZES[:columns]
        ]
        found = new_page(width, 1400)
        query = [("view", view), *(("config", json.dumps(config)) for config in configs)]
        found.goto(f"{address}/cuts?{urlencode(query)}")
        found.locator(".viewer .piece.owned, .page .chunk").first.wait_for(timeout=SLOW_MS)
        settled(found)
        return found

    return page


def marked(page: Page) -> list[str]:
    """Return the numbers of the chunks that are marked in the columns, as their columns show them."""
    found: list[str] = page.locator(".viewer").evaluate(
        """viewer => [...viewer.querySelectorAll('.column')].flatMap((column, place) =>
          [...new Set([...column.querySelectorAll('.piece.chosen')].map((p) => `${place}:${p.dataset.owners}`))])"""
    )
    return found


def number_box(page: Page) -> Locator:
    return page.get_by_role("spinbutton", name="Chunk", exact=True)


def test_the_chosen_chunk_is_marked_at_once_and_kept_between_text_and_page(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    assert marked(page) == ["0:0"]
    page.locator(".viewer .column").nth(1).locator("[data-owners='2'].piece").first.click()
    expect(number_box(page)).to_have_value("3")
    assert marked(page) == ["1:2"]
    page.get_by_text("Page", exact=True).click()
    page.locator(".page .chunk").first.wait_for(timeout=SLOW_MS)
    settled(page)
    chosen = page.locator(".page .chunk.chosen")
    expect(chosen).to_have_count(1)
    expect(chosen).to_have_attribute("aria-label", re.compile("^Chunk 3,"))
    page.locator(".page").first.locator(".chunk").nth(4).click()
    expect(number_box(page)).to_have_value("5")
    expect(page.locator(".page .chunk.chosen")).to_have_count(1)
    page.get_by_text("Text", exact=True).click()
    page.locator(".viewer .piece.chosen").first.wait_for(timeout=SLOW_MS)
    settled(page)
    assert marked(page) == ["0:4"]


def test_a_number_that_is_typed_marks_its_chunk_and_brings_it_into_view(opened: Callable[..., Page]) -> None:
    page = opened()
    number_box(page).fill("12")
    number_box(page).press("Enter")
    page.locator(".viewer .piece.chosen[data-owners='11']").first.wait_for()
    page.wait_for_timeout(300)
    inside = page.locator(".viewer .text").first.evaluate(
        """text => {
          const box = text.getBoundingClientRect();
          const top = text.querySelector('.piece.chosen').getBoundingClientRect().top;
          return top >= box.top && top < box.bottom;
        }"""
    )
    assert inside


def test_keys_pressed_quickly_are_not_undone_by_what_the_server_says_later(
    opened: Callable[..., Page],
) -> None:
    page = opened()
    text = page.locator(".viewer .text").first
    text.focus()
    for pressed in range(1, 9):
        text.press("ArrowRight")
        page.wait_for_timeout(130 if pressed % 3 else 330)
    expect(number_box(page)).to_have_value("9")
    settled(page)
    assert marked(page) == ["0:8"]


def test_judged_answers_are_underlined_and_those_cut_in_two_stand_out(opened: Callable[..., Page]) -> None:
    page = opened(columns=2)
    first = page.locator(".viewer .column").first
    broken = "".join(first.locator(".piece.broken").all_text_contents())
    assert len(broken) == 600
    assert "wavy" in first.locator(".piece.broken").first.evaluate("e => getComputedStyle(e).textDecoration")
    expect(page.get_by_text("1 of 2")).to_have_count(2)
    first.locator(".piece.broken").nth(1).hover()
    expect(page.locator(".tip:visible")).to_contain_text("A judged answer that no chunk holds whole")


@pytest.mark.parametrize("columns", [3, 4])
def test_every_column_is_whole_on_a_narrow_screen(opened: Callable[..., Page], columns: int) -> None:
    page = opened(columns, 900)
    boxes = [column.bounding_box() for column in page.locator(".viewer .column").all()]
    assert len(boxes) == columns
    assert all(box and box["x"] + box["width"] <= 900 and box["width"] > 150 for box in boxes)
    assert page.locator(".columns").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_page_images_have_one_width_on_a_narrow_screen(opened: Callable[..., Page]) -> None:
    page = opened(3, 900, "page")
    expect(page.locator(".page .sheet")).to_have_count(3)
    widths = {round(sheet.bounding_box()["width"]) for sheet in page.locator(".page .sheet").all()}  # type: ignore[index]
    assert len(widths) == 1


def test_a_refused_setting_is_told_in_the_words_of_the_form(opened: Callable[..., Page]) -> None:
    page = opened()
    overlap = page.get_by_role("spinbutton", name="Overlap (tokens)").first
    overlap.fill("40")
    overlap.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_have_text(
        re.compile(r"Overlap \(40 tokens\) must be below Size \(40 tokens\)")
    )
    overlap.fill("4")
    overlap.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
