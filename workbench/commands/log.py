"""List the runs of a pipeline, or what one of them did, or the documents that failed; make these due again."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from workbench.commands.inputs import count_value, read_pipeline
from workbench.commands.terminal import DONE, Output
from workbench.counts import counted
from workbench.errors import InputError
from workbench.ingest.entries import Figures
from workbench.sync import Pipeline
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("--limit", type=count_value, default=20, help="number of runs; default: 20")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--run", dest="run_id", type=count_value, metavar="ID", help="every document that this run touched"
    )
    what.add_argument("--failures", action="store_true", help="documents that could not be brought in")
    what.add_argument(
        "--retry",
        nargs="?",
        const="",
        metavar="ITEM",
        help="let the next sync try failed documents again: one, by its item id or name, or all of them",
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """List the runs of a pipeline, or what one of them did, or the documents that failed; make these due again."""
    pipeline = read_pipeline(workspace, options.config)
    if options.failures:
        _failures(pipeline, out)
    elif options.retry is not None:
        _retry(pipeline, options.retry, out)
    elif options.run_id is not None:
        _attempts(pipeline, options.run_id, out)
    else:
        _runs(pipeline, options.limit, out)
    return DONE


def _runs(pipeline: Pipeline, limit: int, out: Output) -> None:
    runs = pipeline.ledger.runs
    for one in runs.recent(pipeline.place.name, limit):
        f = one.figures
        seconds = {timing.stage: round(timing.seconds, 3) for timing in runs.timings(one.id)}
        out.row(
            {**asdict(one), "seconds": seconds},
            f"{one.id:5}  {one.started_at_utc}  {one.status:12} +{f.added} ~{f.changed} ={f.kept + f.unchanged}"
            f" -{f.removed} rebuilt {f.rebuilt} failed {f.failed}{_beside(f)}; {f.embedded} embedded, {f.reused} reused"
            f"{_of_release(f)}  {one.message}",
        )


def _beside(f: Figures) -> str:
    return "".join(
        f" {word} {count}" for count, word in ((f.gone, "gone"), (f.unlisted, "not listed")) if count
    )


def _of_release(f: Figures) -> str:
    if not (f.release_written or f.release_removed or f.release_failed or f.release_gone):
        return ""
    gone = f" gone {f.release_gone}" if f.release_gone else ""
    return f"; published release ~{f.release_written} -{f.release_removed} failed {f.release_failed}{gone}"


def _attempts(pipeline: Pipeline, run_id: int, out: Output) -> None:
    pipeline.ledger.runs.run(run_id)  # an unknown run is named, not shown as empty
    for attempt in pipeline.ledger.runs.attempts(run_id):
        out.row(
            asdict(attempt),
            f"{attempt.action:8} {attempt.outcome:16} {counted(attempt.chunks, 'chunk'):>12}  {attempt.item_id}  {attempt.message}",
        )


def _retry(pipeline: Pipeline, item: str, out: Output) -> None:
    name = pipeline.place.name
    failures = pipeline.ledger.failures(name)
    wanted = [one for one in failures.values() if item in ("", one.item_id, one.name)]
    if item and not wanted:
        raise InputError(
            f"no failed document of {name} has the id or name {item!r:.200}; log --failures lists them",
            "unknown",
        )
    pipeline.ledger.retry(name, [one.key for one in wanted], pipeline.place.now_utc())
    for one in wanted:
        out.row({"source": one.source, "item_id": one.item_id, "name": one.name, "due": True}, one.name)
    out.message(f"{counted(len(wanted), 'document is', 'documents are')} tried again by the next sync")


def _failures(pipeline: Pipeline, out: Output) -> None:
    name = pipeline.place.name
    failures = pipeline.ledger.all_failures(name)
    unlisted = [one.failure for one in pipeline.ledger.unlisted.all(name)]
    if not failures and not unlisted:
        out.message(f"every document of {name} that was read is in: none failed")
    own = next((one.table_name for one in pipeline.ledger.runs.recent(name, 1)), "")
    for failure in failures:
        where = "" if failure.table_name == own else "published release: "
        again = f"next try {failure.next_try_utc}" if failure.retryable else "tried again when it changes"
        out.row(
            asdict(failure),
            f"{where}{failure.stage:6} {failure.kind:16} {failure.name}  {failure.message}  ({counted(failure.attempts, 'try', 'tries')}, {again})",
        )
    for failure in unlisted:
        out.row(
            asdict(failure),
            f"{failure.stage:6} {failure.kind:16} {failure.name}  {failure.message}  (every sync looks again)",
        )
