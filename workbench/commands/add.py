"""Parse files or folders into the workspace."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench import pipeline
from workbench.commands.completeness import letter_fields
from workbench.commands.given_files import files_under
from workbench.commands.terminal import DONE, SOME_FAILED, WRONG_USAGE, Output
from workbench.counts import counted
from workbench.workspace import AddResult, Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("paths", nargs="+", metavar="PATH")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Parse files or folders into the workspace."""
    files = list(files_under(options.paths, out.message))
    if not files:
        out.message("no files of a kind that is read here: " + ", ".join(sorted(pipeline.suffixes())))
        return WRONG_USAGE
    failed = 0
    given = ((path, Path(path), f"file:{Path(path).resolve()}") for path in files)
    for number, (_, result) in enumerate(workspace.add_many(given), start=1):
        failed += not result.is_in
        _print_added(result, out)
        out.progress(f"{number} of {counted(len(files), 'file')}")
    out.clear()
    return SOME_FAILED if failed else DONE


def _print_added(result: AddResult, out: Output) -> None:
    out.row(
        {
            "path": result.path,
            "status": result.status,
            "document_id": result.document_id,
            "pages": result.pages,
            "characters": result.characters,
            "empty_pages": list(result.empty_pages),
            "message": result.message,
            **letter_fields(result),
        },
        f"{result.status:15} {result.path}  {counted(result.pages, 'page')}, {counted(result.characters, 'character')}  {result.message}",
    )
