"""Print the hits for a question with their score parts."""

from __future__ import annotations

import argparse

from workbench.commands.inputs import k_value, place, read_config, read_pipeline
from workbench.commands.terminal import DONE, Output
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("question")
    parser.add_argument("--k", type=k_value, default=None)


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Print the hits for a question with their score parts."""
    config = read_config(options.config)
    if config.sources:
        answer = read_pipeline(workspace, options.config).answer(options.question, options.k)
        if answer.release is None:
            out.message(
                f"nothing is published under the name {config.name} yet: this config's own table answers"
            )
        hits, paths = answer.hits, {key: uri.removeprefix("file:") for key, uri in answer.uris.items()}
    else:
        hits = tuple(workspace.tables.search(config, options.question, options.k).hits)
        paths = {row.id: row.uri.removeprefix("file:") for row in workspace.documents()}
    for hit in hits:
        path = paths.get(hit.chunk.document_id, "")
        found = place(hit.chunk)
        del found["token_count"]
        out.row(
            {
                "rank": hit.rank,
                "score": hit.score,
                "parts": dict(hit.parts),
                "document_id": hit.chunk.document_id,
                "path": path,
                **found,
            },
            f"{hit.rank}. {hit.score:.4f}  {path}  page {hit.chunk.page_start}\n{hit.chunk.text}\n",
        )
    if not hits:
        out.message("no hits: the table is empty")
    return DONE
