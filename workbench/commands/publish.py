"""Publish the config's table if it passes its gate; --force publishes anyway."""

from __future__ import annotations

import argparse

from workbench.commands.inputs import read_pipeline
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.counts import counted
from workbench.sync.publishing import GateRefused
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("--force", action="store_true", help="publish although the gate stays shut")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Publish the config's table if it passes its gate; --force publishes anyway."""
    pipeline = read_pipeline(workspace, options.config)

    def tick(done: int, total: int) -> None:
        out.progress(f"gate: {done} of {counted(total, 'question')}")

    try:
        release, result = pipeline.publish(options.force, tick)
    except GateRefused as refused:
        for note in refused.result.notes:
            out.message(note)
        out.row({"published": False, "release": None, "gate": refused.result.as_dict()}, str(refused))
        return SOME_FAILED
    for note in result.notes:
        out.message(note)
    figures = (
        f"{result.metric} {result.value:.4f} on {counted(result.questions, 'question')}"
        if result.value is not None
        else "the config has no evaluate block: nothing was measured"
    )
    if not result.passed:
        figures = f"forced although {'; '.join(result.reasons)}"
    out.row(
        {"published": True, "release": release.id, "table": release.table_name, "forced": release.forced,
         "gate": result.as_dict()},
        f"{pipeline.place.name} answers from {release.table_name} now (release {release.id}): {figures}",
    )  # fmt: skip
    return DONE
