"""List what is in the workspace."""

from __future__ import annotations

import argparse

from workbench.commands.completeness import letter_fields
from workbench.commands.terminal import DONE, Output
from workbench.counts import counted, joined_notes
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    # It takes nothing but what every command takes.


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """List what is in the workspace."""
    for row in workspace.documents():
        out.row(
            {
                "document_id": row.id,
                "path": row.uri.removeprefix("file:"),
                "name": row.name,
                "title": row.title,
                "pages": row.page_count,
                "characters": row.character_count,
                "empty_pages": list(row.empty_pages),
                "warnings": list(row.warnings),
                "added_at_utc": row.added_at_utc,
                **letter_fields(row),
                "incomplete": row.incomplete,
            },
            f"{row.id[:8]}  {row.name:40.40}  {counted(row.page_count, 'page'):>11} {counted(row.character_count, 'character'):>21}  "
            + joined_notes(row.warnings),
        )
    return DONE
