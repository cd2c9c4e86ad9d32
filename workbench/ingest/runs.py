"""The runs of pipelines: what each did, how long every stage took, what happened to every item it touched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import asdict, astuple

from workbench.database import Database
from workbench.errors import InputError
from workbench.ingest.entries import FIGURE_NAMES, INTERRUPTED, RUNNING, Attempt, Figures, Run, Timing

KEPT_RUNS = 1_000
"""Per pipeline; older ones are forgotten with their timings and attempts."""


class Runs:
    """History, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, pipeline: str, table: str, at_utc: str) -> int:
        """Return the id of a new run. Whatever still claims to run was killed: the caller holds the lock."""
        with self._database.writing() as database:
            database.execute(
                "UPDATE runs SET status = ?, ended_at_utc = ?, message = ? WHERE pipeline = ? AND status = ?",
                (INTERRUPTED, at_utc, "the program ended in the middle of it", pipeline, RUNNING),
            )
            new = database.execute(
                "INSERT INTO runs (pipeline, table_name, status, message, started_at_utc, figures)"
                " VALUES (?, ?, ?, '', ?, ?)",
                (pipeline, table, RUNNING, at_utc, json.dumps(asdict(Figures()))),
            ).lastrowid
            _forget_oldest(database, pipeline)
        return int(new or 0)

    def close_open(self, pipeline: str, status: str, message: str, at_utc: str) -> None:
        """Close what claims to run, for a caller who holds the lock and was stopped before it knew its run's id."""
        with self._database.writing() as database:
            database.execute(
                "UPDATE runs SET status = ?, ended_at_utc = ?, message = ? WHERE pipeline = ? AND status = ?",
                (status, at_utc, message, pipeline, RUNNING),
            )

    def note(
        self, run_id: int, figures: Figures, timings: Sequence[Timing], attempts: Sequence[Attempt]
    ) -> None:
        """Keep how far a run is, so that a page sees it and a kill loses little."""
        with self._database.writing() as database:
            _note(database, run_id, figures, timings, attempts)

    def end(
        self,
        run_id: int,
        status: str,
        message: str,
        at_utc: str,
        figures: Figures,
        timings: Sequence[Timing],
        attempts: Sequence[Attempt],
        complete_sources: Collection[str] | None = None,
    ) -> None:
        """Close a run. ``complete_sources`` were listed to their end; None where no source was asked."""
        complete = None if complete_sources is None else json.dumps(sorted(complete_sources))
        with self._database.writing() as database:
            _note(database, run_id, figures, timings, attempts)
            database.execute(
                "UPDATE runs SET status = ?, message = ?, ended_at_utc = ?, complete_sources = ? WHERE id = ?",
                (status, message, at_utc, complete, run_id),
            )

    def recent(self, pipeline: str | None = None, limit: int = 100) -> list[Run]:
        """Return runs, newest first; of all pipelines when none is named."""
        where, values = ("WHERE pipeline = ?", [pipeline]) if pipeline is not None else ("", [])
        with self._database.reading() as database:
            rows = database.execute(
                f"SELECT * FROM runs {where} ORDER BY id DESC LIMIT ?",  # noqa: S608 no value is in it
                (*values, limit),
            )
            return [_run(row) for row in rows]

    def last(self, pipeline: str, table: str) -> Run | None:
        """Return the newest run on a table."""
        return self._newest("pipeline = ? AND table_name = ?", (pipeline, table))

    def last_that_asked(self, pipeline: str) -> Run | None:
        """Return the newest run that asked the sources and ended by itself or on request, on whatever table."""
        return self._newest("pipeline = ? AND complete_sources IS NOT NULL", (pipeline,))

    def _newest(self, where: str, values: Sequence[str]) -> Run | None:
        query = f"SELECT * FROM runs WHERE {where} ORDER BY id DESC LIMIT 1"  # noqa: S608 no value is in it
        with self._database.reading() as database:
            row = database.execute(query, values).fetchone()
        return None if row is None else _run(row)

    def run(self, run_id: int) -> Run:
        """Return one run; raises ``InputError`` when there is none."""
        with self._database.reading() as database:
            row = database.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise InputError(f"there is no run {run_id}", "unknown")
        return _run(row)

    def timings(self, run_id: int) -> list[Timing]:
        """Return how long each stage of a run took, longest first."""
        with self._database.reading() as database:
            rows = database.execute(
                "SELECT stage, seconds, count FROM timings WHERE run_id = ? ORDER BY seconds DESC", (run_id,)
            )
            return [Timing(*row) for row in rows]

    def all_timings(self, pipeline: str) -> dict[int, list[Timing]]:
        """Return run id → how long each of its stages took, for every run of a pipeline."""
        query = "SELECT run_id, stage, seconds, count FROM timings JOIN runs ON runs.id = run_id WHERE pipeline = ?"
        found: dict[int, list[Timing]] = {}
        with self._database.reading() as database:
            for run_id, *timing in database.execute(query, (pipeline,)):
                found.setdefault(run_id, []).append(Timing(*timing))
        return found

    def attempts(self, run_id: int) -> list[Attempt]:
        """Return what a run did to each item it touched, in order."""
        with self._database.reading() as database:
            rows = database.execute(
                "SELECT source, item_id, action, outcome, chunks, seconds, message FROM attempts"
                " WHERE run_id = ? ORDER BY rowid",
                (run_id,),
            )
            return [Attempt(*row) for row in rows]


def _note(
    database: sqlite3.Connection,
    run_id: int,
    figures: Figures,
    timings: Sequence[Timing],
    attempts: Sequence[Attempt],
) -> None:
    database.execute("UPDATE runs SET figures = ? WHERE id = ?", (json.dumps(asdict(figures)), run_id))
    database.executemany(
        "INSERT OR REPLACE INTO timings VALUES (?, ?, ?, ?)", [(run_id, *astuple(one)) for one in timings]
    )
    database.executemany(
        "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(run_id, *astuple(one)) for one in attempts]
    )


def _forget_oldest(database: sqlite3.Connection, pipeline: str) -> None:
    old = database.execute(
        "SELECT id FROM runs WHERE pipeline = ? ORDER BY id DESC LIMIT -1 OFFSET ?", (pipeline, KEPT_RUNS)
    ).fetchall()
    ids = [(row["id"],) for row in old]
    database.executemany("DELETE FROM timings WHERE run_id = ?", ids)
    database.executemany("DELETE FROM attempts WHERE run_id = ?", ids)
    database.executemany("DELETE FROM runs WHERE id = ?", ids)


def _run(row: sqlite3.Row) -> Run:
    figures = json.loads(row["figures"])
    complete = row["complete_sources"]
    return Run(
        row["id"],
        row["pipeline"],
        row["table_name"],
        row["status"],
        row["message"],
        row["started_at_utc"],
        row["ended_at_utc"],
        Figures(**{name: figures[name] for name in FIGURE_NAMES if name in figures}),
        None if complete is None else tuple(json.loads(complete)),
    )
