"""Two tables and two ways to search side by side, in a real browser: rank flow, judging, and a link that brings it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import SLOW_MS, at_top, settled
from workbench.config import parsed
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
QUESTION = "How long are camera recordings kept?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    for name in ("accessibility.html", "app-release-notes.md", "data-protection-policy.pdf"):
        here.add(name, SAMPLES / name)
    for name, chunker in (
        ("fixed", "{name: fixed_size, size_tokens: 120}"),
        ("sentences", "{name: nltk_sentences, size_tokens: 90}"),
    ):
        here.tables.build(
            parsed(
                f"version: 1\nname: {name}\nchunker: {chunker}\n"
                "embedder: {name: sentence_transformers, model: all-MiniLM-L6-v2}\n"
            )
        )
    return here.folder


def cards(page: Page) -> list[str]:
    return page.locator(".hit-text").all_inner_texts()


def test_side_by_side_with_rank_flow_judged_and_reproduced_by_its_link(
    serve: Callable[..., str], folder: Path, new_page: Callable[..., Page], pictures: Path
) -> None:
    page = new_page(1440, 1000)
    page.goto(
        serve(WORKBENCH_WORKSPACE=str(folder))
        + "/ask?tables=fixed&tables=sentences&retrievers=config&retrievers=keyword"
    )
    box = page.get_by_placeholder("Type a question and press Enter")
    box.fill(QUESTION)
    box.press("Enter")
    page.get_by_text("Rank flow: where each passage went").click(timeout=SLOW_MS)
    flows = page.locator(".flow svg")
    expect(flows).to_have_count(3, timeout=SLOW_MS)
    expect(flows.first.locator("g.way").first).to_be_visible()
    settled(page)
    expect(page.locator(".hit-text")).to_have_count(20, timeout=SLOW_MS)
    at_top(page)
    page.screenshot(path=pictures / "rank_flow.png")

    # Hovering a line says where the passage went, in words.
    title = flows.first.locator("g.way title").first.text_content()
    assert title is not None
    assert "rank 1" in title
    assert "→" in title

    page.get_by_text("Judge hits").click()
    page.get_by_role("button", name="Answers it").first.click(timeout=SLOW_MS)
    expect(page.get_by_text("Kept in From searching")).to_be_visible(timeout=SLOW_MS)
    assert [len(one.judgments) for one in Workspace(folder).question_sets.sets()] == [1]

    page.get_by_role("button", name="Look closer").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cite or link").click(timeout=SLOW_MS)
    expect(page.get_by_text("Cite it")).to_be_visible(timeout=SLOW_MS)
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Next").click()
    expect(dialog.get_by_role("button", name="Back to the hit")).to_be_visible(timeout=SLOW_MS)
    page.keyboard.press("Escape")

    before = cards(page)
    assert len(before) == 20
    fresh = new_page(900, 1000, "dark")
    fresh.goto(page.url)
    expect(fresh.locator(".hit-text")).to_have_count(20, timeout=SLOW_MS)
    assert cards(fresh) == before
    fresh.screenshot(path=pictures / "search_narrow_dark.png")
