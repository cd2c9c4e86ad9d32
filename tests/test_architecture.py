"""What import-linter cannot say: thin pages, no drawers, plug-in packages kept to their plug-in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "pages").glob("*.py"))
PYTHON_FILES = sorted(path for folder in ("workbench", "pages") for path in (ROOT / folder).rglob("*.py"))


def test_no_folder_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "common", "misc"}
    found = [p for p in ROOT.rglob("*.py") if ".venv" not in p.parts and drawers & {*p.parts, p.stem}]
    assert found == []


def test_only_the_interface_imports_streamlit() -> None:
    outside = [p for p in PYTHON_FILES if "ui" not in p.parts and "pages" not in p.parts]
    assert [p for p in outside if "streamlit" in _imports(p)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_holds_no_class_and_no_cache(page: Path) -> None:
    tree = ast.parse(page.read_text(encoding="utf-8"))
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    caches = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("cache_data", "cache_resource")
    ]
    assert (classes, caches) == ([], [])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_a_page_uses_the_library_through_few_doors(page: Path) -> None:
    """A page talks to the workspace and to ``workbench.ui``; stores, parsers and models are behind them."""
    behind = (
        "workbench.stores",
        "workbench.parsers",
        "workbench.embedders",
        "workbench.chunkers",
        "lancedb",
        "pymupdf",
    )
    assert [name for name in _imports(page) if name.startswith(behind)] == []


def test_nothing_shows_raw_html() -> None:
    """``unsafe_allow_html`` would make a document's text into markup."""
    assert [p for p in PYTHON_FILES if "unsafe_allow_html" in p.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("family", ["sources", "parsers", "chunkers", "embedders", "stores", "retrievers"])
def test_a_plugin_imports_no_other_plugin_of_its_family(family: str) -> None:
    folder = ROOT / "workbench" / family
    own = {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}
    found = [
        (path.name, name)
        for path in folder.glob("[a-z]*.py")
        for name in _imports(path)
        if name.startswith(f"workbench.{family}.") and name.split(".")[2] in own
    ]
    assert found == []


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
