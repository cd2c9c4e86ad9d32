"""The Demo page in a real browser: from the Search page's link to a vote, on a projector and on a phone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import free_port
from tests.browser.steps import SLOW_MS, at_top
from workbench.config import Config, parsed
from workbench.ui.demo.demo import contestant
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
    link = page.get_by_role("link", name="Open it on this computer")
    expect(link).to_be_visible()
    expect(page.get_by_text("Nobody else can open a link to this workbench")).to_be_visible()
    expect(page.get_by_text("serve-demo --host 0.0.0.0 --token --table short --table long")).to_be_visible()
    page.screenshot(path=pictures / "show_to_others.png")
    address = link.get_attribute("href") or ""
    assert address == server + "/?demo=short&demo=long"

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


@pytest.fixture
def alone(folder: Path) -> Iterator[str]:
    """The address of a demo that is served alone, with its token."""
    port = free_port()
    command = [sys.executable, "-m", "workbench", "--workspace", str(folder), "serve-demo", "--token"]
    process = subprocess.Popen(
        [*command, "--table", "short", "--table", "long", "--port", str(port)],
        cwd=SAMPLES.parent.parent,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=30)


def test_served_alone_the_link_opens_the_search_box_and_nothing_leads_elsewhere(
    alone: str, new_page: Callable[..., Page], pictures: Path
) -> None:
    server = alone.split("/?")[0]
    show = new_page(1440, 1000)
    show.goto(alone + "&q=" + quote(QUESTION))
    cards = show.locator("[class*='st-key-demo-card']")
    expect(cards).to_have_count(5, timeout=SLOW_MS)
    expect(cards.first.locator("img")).to_be_visible(timeout=SLOW_MS)
    assert "token" not in show.url
    expect(show.get_by_test_id("stSidebar")).to_have_count(0)
    expect(show.get_by_test_id("stSidebarNav")).to_have_count(0)
    at_top(show)
    show.screenshot(path=pictures / "demo_alone.png")

    show.get_by_text("Compare two, blind").click()
    show.get_by_role("button", name="B is better").click(timeout=SLOW_MS)
    expect(show.get_by_text("Thank you, the vote counts.")).to_be_visible(timeout=SLOW_MS)
    show.reload()
    expect(cards.first).to_be_visible(timeout=SLOW_MS)

    show.goto(server + "/?demo=long&page=feeds&view=mark")
    expect(show.get_by_placeholder("Ask a question …")).to_be_visible(timeout=SLOW_MS)
    expect(show.get_by_test_id("stSidebar")).to_have_count(0)


def test_served_alone_nobody_without_the_link_and_no_other_address_is_served(
    alone: str, chromium: Browser
) -> None:
    server = alone.split("/?")[0]
    context = chromium.new_context()
    stranger = context.new_page()
    refused = stranger.goto(server)
    assert refused is not None
    assert refused.status == 403
    expect(stranger.get_by_text("Open the link as it was sent to you")).to_be_visible()
    for path in ("/feeds", "/library", "/ask"):
        missing = stranger.goto(server + path)
        assert missing is not None
        assert missing.status == 404
    context.close()


def test_no_page_of_another_address_frames_the_workbench_or_reads_it(
    serve: Callable[..., str], alone: str, folder: Path, chromium: Browser
) -> None:
    """Another web app of this machine, in a real browser: what it embeds stays empty, what it asks for is refused."""
    server, other = serve(WORKBENCH_WORKSPACE=str(folder)), alone.split("/?")[0]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{other}/_stcore/health")
    found = page.evaluate(
        """async (server) => {
            const socket = await new Promise((done) => {
                const one = new WebSocket(server.replace("http", "ws") + "/_stcore/stream", ["streamlit"]);
                one.onopen = () => done("open");
                one.onerror = () => done("refused");
            });
            const read = await fetch(server + "/_stcore/health").then((a) => a.status, () => "refused");
            const image = await new Promise((done) => {
                const one = new Image();
                one.onload = () => done("shown");
                one.onerror = () => done("refused");
                one.src = server + "/favicon.png";
            });
            return [socket, read, image];
        }""",
        server,
    )
    assert found == ["refused", "refused", "refused"]
    page.set_content(f'<iframe src="{server}"></iframe>')
    page.wait_for_timeout(3_000)
    frame = page.frames[1]
    assert not frame.url.startswith(server) or "Documents" not in frame.locator("body").inner_text()
    context.close()
