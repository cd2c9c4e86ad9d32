"""Delete documents from the workspace and from every table of every store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.errors import InputError
from workbench.workspace import DocumentRow, Workspace

SHORTEST_ID_CHARACTERS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "documents", nargs="+", metavar="DOCUMENT", help="id (or its first 8 characters), path or name"
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Delete documents from the workspace and from every table of every store."""
    rows = workspace.documents()
    # All of them are looked up first: a name that stands for two documents deletes nothing.
    meant = {given: _meant(given, rows) for given in options.documents}
    chosen = {row.id: row for row in meant.values() if row is not None}
    due = workspace.delete(chosen)
    for row in chosen.values():
        stores = [one.store_title for one in due if one.document_id == row.id]
        path = row.uri.removeprefix("file:")
        later = f"; still to be deleted in {', '.join(stores)}" if stores else ""
        out.row(
            {"document_id": row.id, "path": path, "status": "deleted", "due": stores},
            f"{row.name}: deleted{later}",
        )
    unknown = [given for given, row in meant.items() if row is None]
    for given in unknown:
        out.row(
            {"document_id": None, "path": given, "status": "unknown", "due": []},
            f"{given}: there is no such document; `documents` lists what is there",
        )
    for sentence in workspace.tables.due_deletions():
        out.message(sentence)
    return SOME_FAILED if unknown or due else DONE


def _meant(given: str, rows: Sequence[DocumentRow]) -> DocumentRow | None:
    """Return the document that a text stands for, None for no document."""
    exact = [row for row in rows if given in (row.id, row.uri, row.uri.removeprefix("file:"))]
    found = exact or [
        row
        for row in rows
        if given == row.name or (len(given) >= SHORTEST_ID_CHARACTERS and row.id.startswith(given))
    ]
    if len(found) > 1:
        raise InputError(
            f"{given} stands for {len(found)} documents, and nothing was deleted: give the id of one, as `documents --json`"
            " lists it",
            "unknown",
        )
    return found[0] if found else None
