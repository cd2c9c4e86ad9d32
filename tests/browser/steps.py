"""What a user does on any page, as one line each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, TimeoutError, expect

SLOW_MS = 120_000


def go(page: Page, name: str) -> None:
    """Open a page from the navigation."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()


def settled(page: Page) -> None:
    """Wait until the script has run to its end."""
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget]')"
        " && !document.querySelector('[data-stale=true]')",
        timeout=SLOW_MS,
    )


def at_top(page: Page) -> None:
    """Wait until the page is still, and show its beginning with nothing hovered."""
    settled(page)
    # Parts whose program is still being fetched stand as grey bars.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=SLOW_MS)
    page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
    size = page.viewport_size
    assert size is not None
    page.mouse.move(size["width"] - 2, size["height"] - 2)
    # What opens and closes does so in a short animation; those without an end are no movement of the page.
    page.wait_for_function(
        "() => document.getAnimations().every("
        "a => a.playState !== 'running' || !isFinite(a.effect.getComputedTiming().endTime))",
        timeout=SLOW_MS,
    )


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a box; its list holds only what fits, so the name is typed to find it.

    A page that redraws itself when a job ends closes the list: then it is opened again.
    """
    for _ in range(8):
        settled(page)
        page.get_by_role("combobox", name=label).click()
        page.keyboard.type(option)
        try:
            page.get_by_role("option", name=option, exact=True).first.click(timeout=6_000)
        except TimeoutError:
            page.keyboard.press("Escape")
            continue
        settled(page)
        return
    pytest.fail(f"{option} could not be chosen under {label}")


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what a click does behind the page, where nothing on the page tells of it."""
    for _ in range(SLOW_MS // 100):
        if holds():
            return
        page.wait_for_timeout(100)
    pytest.fail("what was waited for did not come")
