"""Choose among the tables that can be searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from workbench.counts import counted
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain
from workbench.ui.widgets.store_status import show_due, show_unreachable
from workbench.ui.widgets.table_builds import build_under_way
from workbench.workspace import TableRow


def searchable_tables(tells_troubles: bool = True) -> dict[str, TableRow]:
    """Return label → table for every table that can be searched, newest first; equal names get their fingerprint.

    What cannot be reached is said on the page, unless its readers have nothing to do with stores.
    """
    listing = workspace().tables.listing()
    if tells_troubles:
        show_unreachable(listing.unreachable)
        show_due(listing.due)
    rows = [row for row in listing.rows if row.config is not None]
    names = [row.config_name for row in rows]
    both = [(row.config_name, row.fingerprint) for row in rows]
    found = {}
    for row in rows:
        label = row.config_name
        if names.count(row.config_name) > 1:
            same = both.count((row.config_name, row.fingerprint)) > 1
            where = f", {row.store_title or row.store_key}" if same else ""
            label = f"{row.config_name} ({row.fingerprint[:6]}{where})"
        found[label] = row
    return found


def outdated_warning(found: Mapping[str, TableRow], labels: Sequence[str]) -> None:
    """Say which of the chosen tables are out of date: what they answer is not what their configs give now."""
    behind = [
        f"{plain(label)}: {found[label].outdated_documents:,} of {counted(found[label].documents, 'document')}"
        for label in labels
        if found[label].outdated_documents
    ]
    if behind:
        st.warning(
            f"Out of date: {'; '.join(behind)} would be cut or embedded differently now. Build again under Tables.",
            icon=":material/update:",
        )


def first_labels(found: Mapping[str, TableRow], count: int) -> list[str]:
    """Return the labels to begin with: the newest tables that hold chunks and are not being built."""
    ready = [
        label
        for label, row in found.items()
        if row.rows and row.config is not None and build_under_way(row.config) is None
    ]
    return (ready or list(found))[:count]


def labels_meant(texts: Sequence[str], found: Mapping[str, TableRow]) -> list[str]:
    """Return the labels that names in a link stand for: labels themselves, or names of configs; unknown ones drop out."""
    meant = []
    for text in texts:
        label = next(
            (label for label, row in found.items() if text in (label, row.config_name, row.name)), None
        )
        if label is not None and label not in meant:
            meant.append(label)
    return meant
