"""What all sessions of this process share: the workspace, and where the sample library is."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from workbench.workspace import Workspace

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "pages"
SAMPLES = ROOT / "data" / "samples"
SAMPLE_SUFFIXES = (".pdf", ".md", ".html", ".txt")


def page_script(name: str) -> str:
    """Return the script of a page, as links and page switches want it: Streamlit looks beside its main script else."""
    return str(PAGES / f"{name}.py")


def workspace_folder() -> Path:
    """Return the folder named by ``WORKBENCH_WORKSPACE``, else ``data/workspace`` beside ``app.py``."""
    return Path(os.environ.get("WORKBENCH_WORKSPACE") or ROOT / "data" / "workspace").absolute()


def workspace() -> Workspace:
    """Return the workspace of this process; raises ``ServiceError`` when its folder cannot be used."""
    return _workspace(str(workspace_folder()))


@st.cache_resource(show_spinner=False)
def _workspace(folder: str) -> Workspace:
    found = Workspace(Path(folder))
    found.disk.prune_in_background()
    return found


def sample_files() -> list[Path]:
    """Return the documents of the sample library."""
    return sorted(path for path in SAMPLES.glob("*") if path.suffix in SAMPLE_SUFFIXES)
