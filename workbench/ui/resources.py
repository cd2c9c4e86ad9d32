"""What all sessions of this process share: the workspace, and a model that is warm before it is asked for."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import streamlit as st

from workbench import plugins
from workbench.errors import WorkbenchError
from workbench.workspace import Workspace

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "data" / "samples"
SAMPLE_SUFFIXES = (".pdf", ".md", ".html", ".txt")

logger = logging.getLogger(__name__)


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


def warm_up() -> None:
    """Load the default model in the background, once a process, so that the first search does not wait for it.

    ``WORKBENCH_WARM_UP=off`` leaves it until it is needed.
    """
    if os.environ.get("WORKBENCH_WARM_UP") != "off":
        _warm_up()


@st.cache_resource(show_spinner=False)
def _warm_up() -> threading.Thread:

    def load() -> None:
        try:
            here = workspace()
            model = here.model(plugins.build("embedders", "sentence_transformers"))
            model.vectors(["warm"], query=True)
        except WorkbenchError as error:
            logger.warning("the default model could not be loaded: %s", error)

    thread = threading.Thread(target=load, name="warm-up", daemon=True)
    thread.start()
    return thread


def sample_files() -> list[Path]:
    """Return the documents of the sample library."""
    return sorted(path for path in SAMPLES.glob("*") if path.suffix in SAMPLE_SUFFIXES)
