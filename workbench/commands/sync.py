"""Bring the index to what its sources hold: only what changed is read, cut and embedded."""

from __future__ import annotations

import argparse

from workbench.commands.inputs import read_pipeline, seconds
from workbench.commands.sync_report import STATUS, report
from workbench.commands.terminal import DONE, Output
from workbench.sync.run import Wishes
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument(
        "--confirm-deletes", action="store_true", help="delete although much is missing at once"
    )
    parser.add_argument("--retry", action="store_true", help="try every failed document again, due or not")
    parser.add_argument("--stored", action="store_true", help="ask no source: work from what is kept here")
    parser.add_argument(
        "--wait", type=seconds, default=0.0, metavar="SECONDS", help="for another sync to end"
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Bring the index to what its sources hold: only what changed is read, cut and embedded."""
    pipeline = read_pipeline(workspace, options.config, needs_sources=not options.stored)
    wishes = Wishes(
        confirmed=options.confirm_deletes,
        retry_all=options.retry,
        stored=options.stored,
        wait_s=options.wait,
    )
    finished = report(pipeline.sync(wishes), out)
    if long_chunks := pipeline.long_chunks():
        out.message(long_chunks)
    return STATUS.get(finished.status, DONE)
