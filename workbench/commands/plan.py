"""Say what a sync would do, and change nothing."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import chain

from workbench.commands.inputs import read_pipeline
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.ingest.steps import Action
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("--items", action="store_true", help="every document that needs work, one a line")
    parser.add_argument("--confirm-deletes", action="store_true", help="as if deletions were confirmed")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Say what a sync would do, and change nothing."""
    pipeline = read_pipeline(workspace, options.config, needs_sources=True)
    plan, sources = pipeline.plan(confirmed=options.confirm_deletes)
    if options.items:
        for action, key in chain(
            ((step.action.value, step.key) for step in plan.steps),
            ((Action.REMOVE.value, removal.key) for removal in plan.removals),
        ):
            out.row({"action": action, "source": key[0], "item_id": key[1]}, f"{action:8} {key[0]}  {key[1]}")
    for source in sources:
        if source.message:
            out.message(f"{source.source}: {source.message}")
    refused = [one.sentence for one in plan.refused]
    for sentence in refused:
        out.message(sentence)
    counts = {action.value: plan.counts.get(action, 0) for action in Action}
    expected = plan.expected
    chunks = "an unknown number of" if expected.chunks is None else f"about {expected.chunks:,}"
    money = f", costing about {expected.money:.4f}" if expected.money else ""
    out.row(
        {
            "pipeline": pipeline.place.name,
            "table": pipeline.place.table_name,
            **counts,
            "expected_chunks": expected.chunks,
            "expected_tokens": expected.tokens,
            "expected_money": expected.money,
            "refused": refused,
            "sources": [asdict(source) for source in sources],
        },
        f"{pipeline.place.name}: "
        + ", ".join(f"{count:,} to {name}" for name, count in counts.items() if count)
        + (f"; {chunks} chunks to embed at most{money}" if not plan.is_empty else "; nothing to do"),
    )
    return DONE if all(source.complete for source in sources) and not refused else SOME_FAILED
