"""Releases of a pipeline whose YAML is not in this workspace: one that a command line or an orchestrator runs."""

from __future__ import annotations

import streamlit as st

from workbench.config import parsed
from workbench.sync import Pipeline
from workbench.sync.place import ledger_of
from workbench.ui.releases import published as releases_published
from workbench.ui.session.workspace import page_script
from workbench.ui.widgets.store_status import show_unreachable
from workbench.workspace import Workspace


def show(here: Workspace, name: str) -> None:
    """Draw what is published and the way back; publishing needs the YAML, with its gate and sources."""
    ledger = ledger_of(here)
    releases = ledger.releases.all(name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            "This pipeline is run from elsewhere, such as a command line: new releases are published there. "
            "With its YAML added under Sources, that can be done here, too.",
            width="stretch",
        )
        st.page_link(page_script("sources"), label="Go to Sources", icon=":material/arrow_forward:")
    if not releases:
        releases_published.show_nothing_published()
        return
    shown = ledger.releases.published(name) or releases[0]
    pipeline = Pipeline(here, parsed(shown.config, f"release {shown.id}"))
    listing = pipeline.table_listing()
    show_unreachable(listing.unreachable)
    published = releases_published.show_published(pipeline, listing.tables)
    releases_published.show_history(ledger, name, published)
