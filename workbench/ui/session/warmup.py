"""What the first question needs, made ready in the background after the start, and said while it is."""

from __future__ import annotations

import logging
import os
import threading

import streamlit as st

from workbench import plugins
from workbench.errors import WorkbenchError
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain
from workbench.workspace import TableRow, Workspace

MOST_ROWS = 100_000
"""Of larger tables nothing is read into memory before somebody asks."""
POLLED_S = 1.0

logger = logging.getLogger(__name__)


class WarmUp:
    """Loads the default model, then reads the newest table and the words of its chunks, in a thread of its own."""

    def __init__(self, here: Workspace) -> None:
        self.doing = "loading the model"
        """What is under way; "" when all is ready."""
        self.thread = threading.Thread(target=self._run, args=(here,), name="warm-up", daemon=True)
        self.thread.start()

    def _run(self, here: Workspace) -> None:
        try:
            model = here.model(plugins.build("embedders", "sentence_transformers"))
            model.vectors(["warm"], query=True)
        except WorkbenchError as error:
            logger.warning("the default model could not be loaded: %s", error)
        try:
            newest = next((row for row in here.tables.rows() if row.config is not None), None)
            if newest is not None and 0 < newest.rows <= MOST_ROWS:
                self.doing = f"reading the words of {newest.config_name}"
                read_table(here, newest)
        except WorkbenchError as error:
            logger.warning("the newest table could not be read ahead: %s", error)
        finally:
            self.doing = ""


def read_table(here: Workspace, row: TableRow) -> None:
    """Search a table once in its own way and once by keywords, so that what both need is in memory.

    A model that costs money is not asked.
    """
    config = row.config
    if config is None:
        return
    own = config.retriever
    shared = {name: getattr(own, name) for name in ("language", "k1", "b") if hasattr(own, name)}
    asked = here.tables.asked(config, "warm")
    plugins.build("retrievers", "keyword", shared).hits(asked)
    if asked.model.price_usd_per_million_tokens is None:
        own.hits(asked)


def start() -> None:
    """Begin, once a process. ``WORKBENCH_WARM_UP=off`` leaves everything until it is needed."""
    if _wanted():
        _started()


def status() -> None:
    """Say what is being made ready, as long as something is."""
    if _wanted() and _started().doing:
        st.fragment(_status, run_every=POLLED_S)()


def _status() -> None:
    doing = _started().doing
    if not doing:
        # All of the page, so that this fragment is asked no more.
        st.rerun()
    st.caption(f":material/hourglass_top: Getting ready for the first question: {plain(doing)} …")


def _wanted() -> bool:
    return os.environ.get("WORKBENCH_WARM_UP") != "off"


@st.cache_resource(show_spinner=False)
def _started() -> WarmUp:
    return WarmUp(workspace())
