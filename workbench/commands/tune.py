"""Choose the weights of a config's fusion on judged questions; figures are of questions they were not chosen on."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.commands.inputs import read_config
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.config import written
from workbench.counts import counted
from workbench.evaluation.formats import imported_path
from workbench.evaluation.significance import Interval, bootstrap_interval
from workbench.experiment import Options
from workbench.files import shown_name, write_atomically, writing
from workbench.tuning import FOLDS, Tuning, tunable_config, tuned, tuned_config
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("--questions", required=True, type=Path, metavar="FILE", help="CSV, JSONL or BEIR")
    parser.add_argument("--measure", default="recall@5", help="what is to be best; default: recall@5")
    parser.add_argument("--folds", type=int, default=FOLDS, help=f"of the cross-validation; default: {FOLDS}")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the YAML goes; default: stdout")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Choose the weights of a config's fusion by cross-validation on judged questions."""
    config = read_config(options.config)
    given, config = config, tunable_config(config)
    if config is not given:
        out.message(f"{config.name}: its retriever has no weights, so those of fused are tuned")
    workspace.tables.table(config)  # nothing is read before the table is known to be there
    read = imported_path(options.questions, [workspace.document(row.id) for row in workspace.documents()])
    for remark in (*read.problems, *read.notes):
        out.message(f"{options.questions.name}, {remark}")
    ground = workspace.evaluations.ground(config, read.question_set, Options())
    for reason in ground.lost:
        out.message(f"{config.name}: {reason}")

    def sentences(done: int, total: int) -> None:
        out.progress(f"{config.name}: {done} of {counted(total, 'sentence')}")

    def questions(done: int, total: int) -> None:
        out.progress(f"{config.name}: {done} of {counted(total, 'question')}")

    found = tuned(
        config.retriever,
        {question.id: question.text for question in ground.questions.questions},
        ground.truths,
        lambda text: workspace.tables.asked(config, text, tick=sentences),
        options.measure,
        options.folds,
        tick=questions,
    )
    out.clear()
    to_file = options.output is not None
    for label, values in (("tuned, out of fold", found.held_out), *found.references.items()):
        _show(out, label, bootstrap_interval(values), found, to_file)
    told = found.sentence(shown_name(options.questions.name))
    text = written(tuned_config(config, found, told))
    if to_file:
        with writing(options.output):
            write_atomically(options.output, text.encode())
        out.conclusion(f"{told}\nwritten to {options.output}")
    else:
        out.row({"yaml": text}, text.rstrip("\n"))
        out.message(told)
    return SOME_FAILED if read.problems else DONE


def _show(out: Output, label: str, figure: Interval, found: Tuning, to_file: bool) -> None:
    name, _, k = found.measure.partition("@")
    line = f"{label:30} {found.measure:14} {figure.value:8.4f}  [{figure.low:.4f}, {figure.high:.4f}]"
    if not to_file and not out.as_json:  # stdout is the YAML's
        out.message(line)
        return
    values = {"value": figure.value, "low": figure.low, "high": figure.high}
    out.row(
        {"config": label, "measure": name, "k": int(k), **values, "questions": len(found.question_ids)}, line
    )
