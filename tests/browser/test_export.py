"""The Export page in a real browser: copy, download, and a YAML back in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import go, settled
from workbench import plugins
from workbench.config import Config, parsed, written
from workbench.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONFIG = Config(
    "kept config",
    plugins.build("chunkers", "fixed_size", {"size_tokens": 120, "overlap_tokens": 12}),
    plugins.build("embedders", "hashing"),
    comment="written by hand",
)
BROKEN = written(CONFIG).replace("size_tokens: 120", "size_tokens: many").replace("top_k:", "top_g:")


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.save_config(CONFIG)
    return workspace


@pytest.fixture
def page(serve: Callable[..., str], here: Workspace, new_page: Callable[..., Page]) -> Page:
    opened = new_page()
    opened.goto(serve(WORKBENCH_WORKSPACE=str(here.folder), WORKBENCH_WARM_UP="off"))
    go(opened, "Export")
    settled(opened)
    return opened


def downloaded(page: Page) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def test_copying_and_downloading_give_the_yaml_that_is_shown(page: Page) -> None:
    page.get_by_test_id("stCode").first.hover()
    page.get_by_role("button", name="Copy to clipboard").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    # The box leaves out the line end of the last line.
    assert f"{copied}\n" == downloaded(page)
    assert copied.startswith("# written by hand\n# Measured by the Retrieval Workbench")
    assert parsed(copied).chunker == CONFIG.chunker
    # A long comment wraps instead of running out of the box.
    box = page.get_by_test_id("stCode").first.locator("pre")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_an_exported_file_comes_back_in_byte_for_byte(page: Page, tmp_path: Path) -> None:
    page.get_by_text("Say at its head what was measured").click()
    expect(page.get_by_test_id("stCode").first).not_to_contain_text("Measured by", timeout=30_000)
    settled(page)
    first = downloaded(page)
    assert first == written(CONFIG)
    file = tmp_path / "again.yaml"
    file.write_text(first.replace("size_tokens: 120", "size_tokens: 60"), encoding="utf-8")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_role("button", name="Check and save").click()
    page.get_by_text("Saved as kept config 2").wait_for()
    settled(page)
    expect(page.get_by_test_id("stCode").first).to_contain_text("name: kept config 2")
    second = downloaded(page)
    assert second == file.read_text("utf-8").replace("name: kept config\n", "name: kept config 2\n")


def test_a_broken_yaml_is_told_with_its_lines_and_changes_nothing(page: Page, here: Workspace) -> None:
    page.get_by_role("textbox", name="or paste it here").fill(BROKEN)
    page.get_by_role("button", name="Check and save").click()
    alert = page.get_by_test_id("stAlert")
    alert.get_by_text("2 things are wrong in the pasted text").wait_for()
    lines = BROKEN.splitlines()
    for wrong in ("size_tokens: many", "top_g:"):
        number = next(n for n, line in enumerate(lines, start=1) if wrong in line)
        expect(alert).to_contain_text(f"line {number}, ")
    expect(alert).to_contain_text("did you mean top_k?")
    assert [config.name for config in here.configs()] == ["kept config"]
