"""Print the hits for a question with their score parts."""

from __future__ import annotations

import argparse

from workbench.commands.inputs import k_value, place, read_config, read_pipeline
from workbench.commands.narrowing import add_narrowing, narrowing
from workbench.commands.terminal import DONE, Output
from workbench.config import Config
from workbench.counts import counted
from workbench.records import Hit
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("question")
    parser.add_argument("--k", type=k_value, default=None)
    add_narrowing(parser)


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Print the hits for a question with their score parts."""
    config = read_config(options.config)
    where = narrowing(workspace, options, bool(config.sources))
    if config.sources:
        answer = read_pipeline(workspace, options.config).answer(options.question, options.k, where)
        if answer.release is None:
            out.message(
                f"nothing is published under the name {config.name} yet: this config's own table answers"
            )
        hits, paths = answer.hits, {key: uri.removeprefix("file:") for key, uri in answer.uris.items()}
    else:

        def tick(done: int, total: int) -> None:
            out.progress(
                f"{config.name}: {done:,} of {counted(total, 'sentence')}, for the first search of its table"
            )

        if lack := workspace.tables.lack(config):
            out.message(f"{config.name}: {lack}")
        hits = tuple(workspace.tables.search(config, options.question, options.k, where, tick).hits)
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
            f"{hit.rank}. {hit.score:.4f}  {path}  page {hit.chunk.page_start}\n{_shown(workspace, config, hit)}\n"
            + "".join(f"also in {paths.get(c.document_id, '')}  page {c.page_start}\n" for c in hit.also),
        )
    if not hits:
        what = "or the filter leaves none" if where else "or no chunk holds a word of the question"
        out.message(f"no hits: the table is empty, {what}")
    return DONE


def _shown(workspace: Workspace, config: Config, hit: Hit) -> str:
    """Return the text that is shown of a hit: its chunk, or with what the retriever shows around it."""
    if hit.context is None or config.sources:
        return hit.chunk.text
    document = workspace.document(hit.chunk.document_id, config)
    return document.text[hit.context.start : hit.context.end]
