"""The Demo page in a real browser: from the Search page's link to a vote, on a projector and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import SLOW_MS, at_top
from workbench.config import Config, parsed
from workbench.ui.demo_view import contestant
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
QUESTION = "Who may look at the camera recordings, and for how long are they kept?"


SIZES = {"short": 60, "long": 150}


def config(name: str, size_tokens: int) -> Config:
    return parsed(
        f"version: 1\nname: {name}\nchunker: {{name: nltk_sentences, size_tokens: {size_tokens}}}\n"
        "embedder: {name: sentence_transformers, model: all-MiniLM-L6-v2}\nretriever: {name: fused}\n"
    )


def decided(folder: Path) -> int:
    """Return how many votes between the two tables name a winner."""
    names = [contestant(name, config(name, size)) for name, size in SIZES.items()]
    return Workspace(folder).votes.count(*names).decided


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    for name in ("fares-and-timetable.pdf", "data-protection-policy.pdf"):
        here.add(name, SAMPLES / name)
    for name, size in SIZES.items():
        here.tables.build(config(name, size))
    return here.folder


def test_a_link_leads_to_answers_on_their_pages_and_a_vote(
    serve: Callable[..., str], folder: Path, new_page: Callable[..., Page], pictures: Path
) -> None:
    server = serve(WORKBENCH_WORKSPACE=str(folder))
    page = new_page(1440, 1000)
    page.goto(server + "/ask?q=camera&tables=short&tables=long")
    page.get_by_role("button", name="Show to others").click(timeout=SLOW_MS)
    link = page.get_by_text("/?demo=short&demo=long")
    expect(link).to_be_visible()
    address = (link.text_content() or "").strip()
    assert address.startswith(server)

    show = new_page(1440, 1000)
    show.goto(address)
    expect(show.get_by_test_id("stSidebar")).to_have_count(0)
    show.get_by_role("button", name=QUESTION).click(timeout=SLOW_MS)
    cards = show.locator("[class*='st-key-demo-card']")
    expect(cards).to_have_count(5, timeout=SLOW_MS)
    expect(cards.first.locator("img")).to_be_visible(timeout=SLOW_MS)
    expect(cards.first.get_by_text("page 1")).to_be_visible()
    at_top(show)
    show.screenshot(path=pictures / "demo.png")

    show.get_by_text("Compare two, blind").click()
    expect(show.get_by_role("heading", name="B", exact=True)).to_be_visible(timeout=SLOW_MS)
    show.get_by_role("button", name="A is better").click(timeout=SLOW_MS)
    expect(show.get_by_text("Thank you, the vote counts.")).to_be_visible(timeout=SLOW_MS)
    show.get_by_text("1 vote so far").click(timeout=SLOW_MS)
    expect(show.get_by_text("1 of 1 decided votes: 100% [21%, 100%], which may be chance")).to_be_visible()
    at_top(show)
    show.screenshot(path=pictures / "demo_blind.png")
    assert decided(folder) == 1

    # The same person in another tab changes their mind; somebody else's browser is another voter.
    for place, votes in ((show.context.new_page(), 1), (new_page(1440, 1000), 2)):
        place.goto(show.url)
        place.get_by_text("Compare two, blind").click(timeout=SLOW_MS)
        place.get_by_role("button", name="B is better").click(timeout=SLOW_MS)
        expect(place.get_by_text("Thank you, the vote counts.")).to_be_visible(timeout=SLOW_MS)
        expect(place.get_by_text(f"{votes} vote{'s' * (votes > 1)} so far")).to_be_visible(timeout=SLOW_MS)
        assert decided(folder) == votes

    phone = new_page(390, 844, "dark")
    phone.goto(show.url)
    expect(phone.locator("[class*='st-key-demo-card']").first).to_be_visible(timeout=SLOW_MS)
    expect(phone.locator("[class*='st-key-demo-card'] img").first).to_be_visible(timeout=SLOW_MS)
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    phone.screenshot(path=pictures / "demo_phone_dark.png")
