"""Chunk, embed what is new, write each config's table."""

from __future__ import annotations

import argparse

from workbench import pipeline
from workbench.commands.inputs import read_config
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.counts import counted
from workbench.errors import ServiceError
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("configs", nargs="+", metavar="CONFIG.yaml")
    parser.add_argument(
        "--yes", action="store_true", help="empty a table although the workspace has no documents"
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Chunk, embed what is new, write each config's table."""
    configs = [read_config(path) for path in options.configs]
    failed = 0
    for config in configs:

        def on_step(step: pipeline.BuildStep, name: str = config.name) -> None:
            out.progress(
                f"{name}: {step.documents_done} of {counted(step.documents_total, 'document')}, {counted(step.chunks_done, 'chunk')}"
            )

        try:
            result = workspace.tables.build(config, on_step=on_step, may_empty=options.yes)
        except ServiceError as error:
            # A store that is down keeps no other table from being built.
            failed += 1
            out.message(f"{config.name} is not built: {error}")
            continue
        failed += len(result.failed)
        for name, message in result.failed:
            out.message(f"{name}: {message}")
        if long_chunks := workspace.tables.long_chunks(config):
            out.message(long_chunks)
        if result.lacking:
            out.message(f"{config.name} cannot be searched yet: {result.lacking}")
        out.row(
            {
                "config": config.name,
                "table": result.table,
                "documents": result.documents,
                "chunks_written": result.chunks,
                "embedded": result.embedded,
                "reused": result.reused,
                "seconds": round(result.seconds, 3),
                "failed": [{"name": name, "message": message} for name, message in result.failed],
            },
            f"{config.name}: {counted(result.documents, 'document')}, {counted(result.chunks, 'chunk')} written "
            f"({result.embedded:,} embedded, {result.reused:,} from the cache) into {result.table} "
            f"in {result.seconds:.1f} s" + (f". {result.note}" if result.note else ""),
        )
    for sentence in workspace.tables.due_deletions():
        out.message(sentence)
    return SOME_FAILED if failed else DONE
