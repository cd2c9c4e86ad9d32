"""The Tables page in a real browser: a build that is stopped and taken up again, and a table that is deleted."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import SLOW_MS, go, settled
from workbench import plugins
from workbench.config import Config
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONFIG = Config(
    "short sentences",
    plugins.build("chunkers", "nltk_sentences", {"size_tokens": 40}),
    plugins.build("embedders", "sentence_transformers"),
)
DOCUMENTS, SENTENCES = 8, 400


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with documents that take some seconds to embed; no two sentences are alike."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    for document in range(DOCUMENTS):
        text = "\n\n".join(
            f"Tram number {document * SENTENCES + n} of the northern line leaves the depot at Larch Hill for stop "
            f"{n} in the old town, where the crew of shift {document} takes over and checks brakes, doors and lights."
            for n in range(SENTENCES)
        )
        workspace.add(f"timetable {document}.txt", text.encode())
    workspace.save_config(CONFIG)
    return workspace


@pytest.fixture(scope="module")
def server(serve: Callable[..., str], here: Workspace) -> str:
    return serve(WORKBENCH_WORKSPACE=str(here.folder))


def chosen_and_counted(page: Page) -> None:
    """Ask what building the config takes, and wait for the answer."""
    go(page, "Tables")
    settled(page)
    page.get_by_role("button", name="See what it takes").click()
    page.get_by_role("button", name="Build 1 table").wait_for(timeout=SLOW_MS)
    settled(page)


def test_a_build_that_was_stopped_goes_on_without_embedding_anything_twice(
    server: str, here: Workspace, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(server)
    chosen_and_counted(page)
    page.get_by_role("button", name="Build 1 table").click()
    row = page.get_by_test_id("stMain").get_by_text(re.compile(r"documents, [1-9][\d,]* chunks"))
    row.first.wait_for(timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Build short sentences: stopped").wait_for(timeout=SLOW_MS)

    ids = [row.id for row in here.documents()]
    before = here.tables.estimate(CONFIG, ids, measure=False)
    assert 0 < before.cached < before.chunks
    held = here.tables.table(CONFIG).row_count() if here.tables.rows() else 0

    chosen_and_counted(page)
    page.get_by_role("button", name="Build 1 table").click()
    done = page.get_by_text(re.compile(r"the table holds \d+ documents"))
    done.wait_for(timeout=2 * SLOW_MS)
    found = re.search(r"([\d,]+) chunks .* ([\d,]+) embedded and ([\d,]+) from the cache", done.inner_text())
    assert found is not None
    written, embedded, reused = (int(number.replace(",", "")) for number in found.groups())
    assert written == before.chunks
    assert reused == before.cached
    assert embedded == before.chunks - before.cached
    assert here.tables.table(CONFIG).row_count() == held + written == DOCUMENTS * SENTENCES


def test_a_table_is_deleted_only_after_a_second_click(
    server: str, here: Workspace, new_page: Callable[..., Page]
) -> None:
    here.tables.build(CONFIG, [here.documents()[0].id])
    page = new_page(900, 900)
    page.goto(server)
    go(page, "Tables")
    settled(page)
    delete = page.get_by_test_id("stMain").locator("[class*='st-key-delete-'] button:visible")
    delete.click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert here.tables.rows()
    delete.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No tables yet").wait_for()
    assert here.tables.rows() == []
