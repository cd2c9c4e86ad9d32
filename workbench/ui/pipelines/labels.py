"""Runs and their failures in words and rows: what the Runs page draws and hands out as files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from workbench.evaluation.formats.cells import written
from workbench.ingest import entries
from workbench.ingest.entries import FIGURE_NAMES, Attempt, Failure, Run, Timing
from workbench.ui.pipelines.sync_jobs import STAGES

STATUS = {
    entries.RUNNING: "running",
    entries.DONE: "done",
    entries.SOME_FAILED: "done, some failed",
    entries.STOPPED: "stopped early",
    entries.CANCELLED: "cancelled",
    entries.INTERRUPTED: "interrupted",
    entries.BROKEN: "broken off",
}
CAUSES = {
    "needs_password": "A password is needed: put an unlocked copy into the source",
    "no_text": "There is no text in it",
    "damaged": "The file is damaged",
    "unsupported": "This kind of file is not read",
    "too_large": "It is too large",
    "timed_out": "Reading it took too long",
    "forbidden": "Its owner does not let us read it",
    "refused": "We do not go there",
    "gone": "It is not there any more",
    entries.NOT_LISTED: "It cannot be listed",
    "WorkbenchError": "It has to wait",
    "too_expensive": "It would cost more than the budget allows",
    "bug": "A plug-in failed on it",
    "ServiceError": "A service or a disk did not answer",
    "BusyError": "Somebody else was writing",
    "MissingPackageError": "A package is missing",
    "SettingsError": "A setting cannot work",
}
OF_RELEASE = ("Published: written", "Published: removed", "Published: failed", "Published: gone")
"""Columns of the history about the published release's table, where that is another than the config's own."""
ELLIPSIS = "…"


@dataclass(frozen=True)
class Cause:
    """Failures that are alike: the same stage, kind and message but for the document's name."""

    stage: str
    kind: str
    message: str
    failures: tuple[Failure, ...]

    @property
    def count(self) -> int:
        """How many documents: one that fails in two tables is one."""
        return len({failure.key for failure in self.failures})

    @property
    def title(self) -> str:
        """The kind in words."""
        return CAUSES.get(self.kind, self.kind.replace("_", " ").capitalize())


def causes(failures: Sequence[Failure]) -> list[Cause]:
    """Return the failures by cause, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.stage, failure.kind, _without_names(failure)].append(failure)
    found = [Cause(*key, tuple(group)) for key, group in groups.items()]
    return sorted(found, key=lambda cause: (-cause.count, cause.stage, cause.message))


def _without_names(failure: Failure) -> str:
    message = failure.message
    names = {failure.name, failure.item_id, PurePosixPath(failure.name).name}
    for name in sorted((name for name in names if name), key=len, reverse=True):
        message = message.replace(name, ELLIPSIS)
    return message


def seconds(run: Run) -> float | None:
    """Return how long a run took by the clock, in whole seconds; None while it runs."""
    if run.ended_at_utc is None:
        return None
    return (
        datetime.fromisoformat(run.ended_at_utc) - datetime.fromisoformat(run.started_at_utc)
    ).total_seconds()


def failure_rate(run: Run) -> float | None:
    """Return the share of the documents that a run tried and failed at, None where it tried none."""
    f = run.figures
    tried = f.added + f.changed + f.rebuilt + f.unchanged + f.failed + f.gone
    return f.failed / tried if tried else None


def milliseconds_a_document(timings: Sequence[Timing], stage: str) -> float | None:
    """Return the mean time of a stage for one document, None where none passed it."""
    found = next((timing for timing in timings if timing.stage == stage and timing.count), None)
    return 1000 * found.seconds / found.count if found is not None else None


def run_row(run: Run) -> dict[str, Any]:
    """Return a run as a row of the history."""
    f = run.figures
    return {
        "Run": run.id,
        "Started": datetime.fromisoformat(run.started_at_utc),
        "How it ended": STATUS.get(run.status, run.status),
        "Seconds": seconds(run),
        "Added": f.added,
        "Changed": f.changed,
        "Rebuilt": f.rebuilt,
        "Unchanged": f.kept + f.unchanged,
        "Removed": f.removed,
        "Failed": f.failed,
        "Gone": f.gone,
        "Not listed": f.unlisted,
        "Embedded": f.embedded,
        "Saved": f.reused,
        "Money": f.money,
        "Published: written": f.release_written,
        "Published: removed": f.release_removed,
        "Published: failed": f.release_failed,
        "Published: gone": f.release_gone,
        "Message": run.message,
    }


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def log_lines(runs: Sequence[Run], timings: Mapping[int, Sequence[Timing]]) -> bytes:
    """Return runs as JSON lines, as ``log --json`` prints them."""
    rows = (
        {**asdict(run), "seconds": {t.stage: round(t.seconds, 3) for t in timings.get(run.id, ())}}
        for run in runs
    )
    return _json_lines(rows)


def log_csv(runs: Sequence[Run], timings: Mapping[int, Sequence[Timing]]) -> bytes:
    """Return runs as CSV, a column per figure and per stage; no cell is a formula."""
    columns = ["run", "pipeline", "table", "status", "started_at_utc", "ended_at_utc", *FIGURE_NAMES]
    columns += [*(f"{stage}_s" for stage in STAGES), "message"]
    records = []
    for run in runs:
        took = {timing.stage: round(timing.seconds, 3) for timing in timings.get(run.id, ())}
        records.append(
            [
                run.id,
                run.pipeline,
                run.table_name,
                run.status,
                run.started_at_utc,
                run.ended_at_utc or "",
                *(getattr(run.figures, name) for name in FIGURE_NAMES),
                *(took.get(stage, "") for stage in STAGES),
                run.message,
            ]
        )
    return written(columns, records)


def attempt_lines(attempts: Sequence[Attempt]) -> bytes:
    """Return what a run did to each document as JSON lines."""
    return _json_lines(asdict(attempt) for attempt in attempts)


def attempt_csv(attempts: Sequence[Attempt]) -> bytes:
    """Return what a run did to each document as CSV; no cell is a formula."""
    names = [one.name for one in fields(Attempt)]
    return written(names, [[getattr(attempt, name) for name in names] for attempt in attempts])


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(
        "utf-8", "backslashreplace"
    )
