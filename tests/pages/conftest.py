"""A workspace of its own for every page that a test opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from workbench.workspace import Workspace


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The workspace that the pages open, empty."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(folder))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(folder)
    st.cache_resource.clear()
