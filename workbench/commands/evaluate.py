"""Score each config's built table on judged questions: metrics, intervals, paired tests, verdict."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from workbench.commands.board import board
from workbench.commands.inputs import read_config
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.counts import counted
from workbench.errors import InputError, SettingsError
from workbench.evaluation import leaderboard
from workbench.evaluation.formats import imported_path
from workbench.evaluation.scoring import check_measure
from workbench.evaluation.verdict import verdict
from workbench.experiment import Options, on_common_questions
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("configs", nargs="+", metavar="CONFIG.yaml")
    parser.add_argument("--questions", required=True, type=Path, metavar="FILE", help="CSV, JSONL or BEIR")
    parser.add_argument("--measure", default="recall@5", help="what the verdict is about; default: recall@5")
    parser.add_argument(
        "--every-occurrence",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="credit the text of an answer wherever else it stands, too; default: yes",
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Score each config's built table on judged questions: metrics, intervals, paired tests, verdict."""
    check_measure(options.measure)
    configs = [read_config(path) for path in options.configs]
    names = [config.name for config in configs]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"two of these configs are named {name}: give each its own name")
    for config in configs:
        workspace.tables.table(config)  # nothing is measured before every table is known to be there
    read = imported_path(options.questions, [workspace.document(row.id) for row in workspace.documents()])
    for remark in (*read.problems, *read.notes):
        out.message(f"{options.questions.name}, {remark}")
    scoring = Options(credit_everywhere=options.every_occurrence)
    outcomes, costs = [], {}
    for config in configs:

        def tick(done: int, total: int, name: str = config.name) -> None:
            out.progress(f"{name}: {done} of {counted(total, 'question')}")

        if lack := workspace.tables.lack(config):
            out.message(f"{config.name}: {lack}")
        outcomes.append(workspace.evaluations.outcome(config, read.question_set, scoring, tick))
        costs[config.name] = workspace.evaluations.costs(config, outcomes[-1])
        for reason in outcomes[-1].lost:
            out.message(f"{config.name}: {reason}")
    out.clear()
    scores = on_common_questions(outcomes)
    found = verdict(scores, options.measure)
    if not found.question_count:
        raise InputError(f"{options.questions} has no question with an answer in these documents", "empty")
    rows = [*leaderboard.rows(scores), *leaderboard.cost_rows(scores, costs)]
    if out.as_json:
        for row in rows:
            out.row(asdict(row), row.measure)
    else:
        out.conclusion(
            "\n".join([*board(rows, options.measure), "Every figure with its interval: --json", ""])
        )
    for compared in found.comparisons:
        out.conclusion(
            f"{compared.better} - {compared.other}: {compared.measure} {compared.difference.value:+.4f} "
            f"[{compared.difference.low:+.4f}, {compared.difference.high:+.4f}], p = {compared.p:.4f}, "
            f"corrected {compared.p_corrected:.4f}; {counted(compared.wins, 'win')}, {counted(compared.ties, 'tie')}, "
            f"{counted(compared.losses, 'loss', 'losses')}"
        )
    out.conclusion(found.sentence)
    return SOME_FAILED if read.problems else DONE
