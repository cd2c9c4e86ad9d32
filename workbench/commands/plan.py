"""Say what a sync would do, and change nothing."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import chain

from workbench.commands.inputs import read_pipeline
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.counts import counted
from workbench.ingest.plan import Plan
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
    found = pipeline.plan(confirmed=options.confirm_deletes)
    if options.items:
        for action, key in chain(
            ((step.action.value, step.key) for step in found.plan.steps),
            ((Action.REMOVE.value, removal.key) for removal in found.plan.removals),
        ):
            out.row({"action": action, "source": key[0], "item_id": key[1]}, f"{action:8} {key[0]}  {key[1]}")
    for source in found.sources:
        if source.message:
            out.message(f"{source.source}: {source.message}")
    for sentence in (*found.refused, *([found.trouble] if found.trouble else [])):
        out.message(sentence)
    long_chunks = pipeline.long_chunks() or ("" if found.plan.is_empty else pipeline.chunks_may_be_long())
    if long_chunks:
        out.message(long_chunks)
    text = f"{pipeline.place.name}: {_work(found.plan)}"
    if found.release is not None:
        text += f"\npublished release, which has another table: {_work(found.release)}"
    out.row(
        {
            "pipeline": pipeline.place.name,
            "table": pipeline.place.table_name,
            **_figures(found.plan),
            "refused": found.refused,
            "sources": [asdict(source) for source in found.sources],
            "release": None if found.release is None else _figures(found.release),
            "release_trouble": found.trouble,
        },
        text,
    )
    whole = all(source.complete for source in found.sources)
    return DONE if whole and not found.refused and not found.trouble else SOME_FAILED


def _counts(plan: Plan) -> dict[str, int]:
    return {action.value: plan.counts.get(action, 0) for action in Action}


def _figures(plan: Plan) -> dict[str, int | float | None]:
    expected = plan.expected
    return {
        **_counts(plan),
        "expected_chunks": expected.chunks,
        "expected_tokens": expected.tokens,
        "expected_money": expected.money,
    }


def _work(plan: Plan) -> str:
    expected = plan.expected
    chunks = (
        "an unknown number of chunks"
        if expected.chunks is None
        else f"about {counted(expected.chunks, 'chunk')}"
    )
    money = f", costing about {expected.money:.4f}" if expected.money else ""
    counts = ", ".join(f"{count:,} to {name}" for name, count in _counts(plan).items() if count)
    rest = "nothing to do" if plan.is_empty else f"{chunks} to embed at most{money}"
    return f"{counts}; {rest}" if counts else rest
