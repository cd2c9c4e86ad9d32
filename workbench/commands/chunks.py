"""Print the chunks with their offsets; no embedding, no store."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench import pipeline
from workbench.commands.given_files import files_under
from workbench.commands.inputs import place, read_config
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.records import Chunk
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("paths", nargs="*", metavar="PATH")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Print the chunks with their offsets; no embedding, no store."""
    config = read_config(options.config)
    model = workspace.model(config.embedder)
    failed = 0
    if not options.paths:
        for row in workspace.documents():
            try:
                found = workspace.chunks(row.id, config)
            except WorkbenchError as error:
                failed += 1
                out.message(f"{row.name}: {error}")
                continue
            _print_chunks(found, row.uri.removeprefix("file:"), out)
        return SOME_FAILED if failed else DONE
    for path in files_under(options.paths, out.message):
        try:
            document = workspace.parsed_file(Path(path), config.parser).document
            _print_chunks(
                pipeline.chunks(document, config, model, workspace.memo, workspace.vector_cache),
                path,
                out,
            )
        except WorkbenchError as error:
            failed += 1
            out.message(f"{path}: {error}")
    return SOME_FAILED if failed else DONE


def _print_chunks(found: list[Chunk], path: str, out: Output) -> None:
    for chunk in found:
        out.row(
            {"document_id": chunk.document_id, "path": path, "ordinal": chunk.ordinal, **place(chunk)},
            f"{path} #{chunk.ordinal} {chunk.start}–{chunk.end} ({counted(chunk.token_count, 'token')})\n{chunk.text}\n",
        )
