"""The app behind its check, in a real browser: every page opens, whichever way it was started and whoever comes first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Servers
from tests.browser.steps import SLOW_MS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = {"own": ("workbench.ui.server",), "streamlit": ("streamlit", "run", str(ROOT / "app.py"))}


@pytest.mark.parametrize("way", WAYS)
def test_the_first_visitor_of_a_deep_link_gets_the_page_and_links_lead_on(
    way: str, servers: Servers, tmp_path: Path, new_page: Callable[..., Page], pictures: Path
) -> None:
    server = servers.address(WAYS[way], WORKBENCH_WORKSPACE=str(tmp_path), WORKBENCH_WARM_UP="off")
    page = new_page()
    page.goto(server + "/verdict")
    expect(page.get_by_role("heading", name="Evaluate")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_role("dialog")).to_have_count(0)
    # A link inside of the page, by the page's script.
    page.get_by_test_id("stPageLink").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Tables")).to_be_visible(timeout=SLOW_MS)
    for name in ("Chunks", "Search", "Map", "Questions", "Sweep", "Export", "Sources", "Runs", "Releases"):
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=SLOW_MS)
        expect(page.get_by_test_id("stException")).to_have_count(0)
    page.screenshot(path=pictures / f"served_{way}.png")
