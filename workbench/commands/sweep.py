"""Screen the configurations of a grid cheaply, confirm the best with their own embedder; another run goes on."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.config import read_config_file
from workbench.errors import InputError
from workbench.evaluation.formats import imported_path
from workbench.sweep import Ending, Failure, Measured, Place, Progress, Sweep, parsed
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("sweep", metavar="SWEEP.yaml")
    parser.add_argument("--questions", required=True, type=Path, metavar="FILE", help="CSV, JSONL or BEIR")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Run the sweep and print its two tables, their agreement, and the verdict over what was confirmed."""
    sweep = read_sweep(options.sweep)
    read = imported_path(options.questions, [workspace.document(row.id) for row in workspace.documents()])
    for remark in (*read.problems, *read.notes):
        out.message(f"{options.questions.name}, {remark}")
    questions = read.question_set
    if not any(judgment.grade > 0 for judgment in questions.judgments):
        raise InputError(f"{options.questions} has no question with an answer in these documents", "empty")
    plan = workspace.sweeps.plan(sweep, questions)
    out.message(plan.sentence)
    for dropped in plan.expansion.dropped:
        out.message(f"left out, {dropped.name}: {dropped.reason}")
    failed = 0

    def on_progress(progress: Progress) -> None:
        out.progress(progress.sentence)

    for event in workspace.sweeps.run(sweep, questions, on_progress=on_progress):
        if isinstance(event, Measured) and not event.was_known:
            value = event.outcome.scores.mean(sweep.measure)
            out.message(f"{event.kind} {event.config.name}: {sweep.measure} {value:.4f}")
        elif isinstance(event, Failure):
            failed += 1
            out.message(f"{event.config.name} could not be {event.kind}: {event.message}")
        elif isinstance(event, Ending) and event.sentence:
            out.message(event.sentence)
    found = workspace.sweeps.standing(plan.expansion.configs, questions, sweep.measure)
    for kind, places in (("screened", found.screened), ("confirmed", found.confirmed)):
        for rank, place in enumerate(places, start=1):
            _print_place(kind, rank, place, found.measure, out)
    if found.screened:
        out.conclusion(found.agreement.sentence)
    out.conclusion(found.verdict.sentence)
    return SOME_FAILED if failed or read.problems else DONE


def read_sweep(path: str) -> Sweep:
    """Return the sweep in a file; every trouble is a ``SettingsError`` of one line."""
    return parsed(read_config_file(Path(path), path, takes_pipe=True), path)


def _print_place(kind: str, rank: int, place: Place, measure: str, out: Output) -> None:
    figure = asdict(place.figure)
    out.row(
        {
            "table": kind,
            "rank": rank,
            "config": place.config,
            "measure": measure,
            **figure,
            "tokens_shown": place.tokens_shown,
            "chunks": place.chunk_count,
            "questions": place.questions,
        },
        f"{kind:9} {rank:3}. {place.config:44.44} {measure} {place.figure.value:.4f} "
        f"[{place.figure.low:.4f}, {place.figure.high:.4f}] {place.tokens_shown:8,.0f} tokens shown",
    )
