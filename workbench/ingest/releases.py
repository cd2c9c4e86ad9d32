"""Releases: which table a pipeline's name points to, and which it pointed to before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from workbench.database import Database
from workbench.errors import BusyError, InputError
from workbench.ingest.entries import Release, Switch
from workbench.ingest.release_copies import ReleaseCopies, ReleaseCopy

PUBLISH, ROLL_BACK = "publish", "roll_back"


class Releases:
    """One pointer row per pipeline: publishing and rolling back are one small write each."""

    def __init__(self, database: Database, copies: ReleaseCopies) -> None:
        self._database, self._copies = database, copies

    def published(self, pipeline: str) -> Release | None:
        """Return the release that questions are answered from, or None."""
        with self._database.reading() as database:
            return _published(database, pipeline)

    def published_since(self, pipeline: str) -> str | None:
        """Return since when it is published."""
        with self._database.reading() as database:
            row = database.execute(
                "SELECT since_utc FROM pointers WHERE pipeline = ?", (pipeline,)
            ).fetchone()
        return None if row is None else str(row["since_utc"])

    def all(self, pipeline: str) -> list[Release]:
        """Return every release whose table is kept, newest first."""
        with self._database.reading() as database:
            rows = database.execute("SELECT * FROM releases WHERE pipeline = ? ORDER BY id DESC", (pipeline,))
            return [_release(row) for row in rows]

    def switches(self, pipeline: str) -> list[Switch]:
        """Return the moves of the pointer, newest first."""
        with self._database.reading() as database:
            rows = database.execute(
                "SELECT at_utc, action, from_id, to_id FROM switches WHERE pipeline = ? ORDER BY id DESC",
                (pipeline,),
            )
            return [Switch(*row) for row in rows]

    def publish(
        self,
        pipeline: str,
        table: str,
        config: str,
        model_title: str,
        gate: Mapping[str, object],
        forced: bool,
        at_utc: str,
        price_per_million_tokens: float | None = None,
    ) -> Release:
        """Point the pipeline at a table asked through a config; the same one again is no new release."""
        with self._database.writing() as database:
            before = _published(database, pipeline)
            if before is not None and (before.table_name, before.config) == (table, config):
                database.execute(
                    "UPDATE releases SET gate = ?, forced = ?, price_per_million_tokens = ? WHERE id = ?",
                    (json.dumps(dict(gate)), int(forced), price_per_million_tokens, before.id),
                )
                now = _published(database, pipeline)
                assert now is not None
                return now  # its copy has an older gate, which costs nobody an answer
            new = database.execute(
                "INSERT INTO releases (pipeline, table_name, config, model_title, created_at_utc, gate, forced,"
                " previous_id, price_per_million_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    pipeline,
                    table,
                    config,
                    model_title,
                    at_utc,
                    json.dumps(dict(gate)),
                    int(forced),
                    before.id if before else None,
                    price_per_million_tokens,
                ),
            ).lastrowid
            _point(database, pipeline, PUBLISH, before, int(new or 0), at_utc)
            now = _published(database, pipeline)
        assert now is not None
        self.copy(pipeline)
        return now

    def find_again(
        self, pipeline: str, table: str, config: str, model_title: str, created_at_utc: str
    ) -> None:
        """Note a release that a lost ledger knew; nobody knows what was measured, or that it was published."""
        with self._database.writing() as database:
            database.execute(
                "INSERT INTO releases (pipeline, table_name, config, model_title, created_at_utc, gate, forced)"
                " VALUES (?, ?, ?, ?, ?, ?, 0)",
                (pipeline, table, config, model_title, created_at_utc, json.dumps({"found_again": True})),
            )

    def copy(self, pipeline: str) -> None:
        """Keep a copy of a pipeline's releases beside the ledger."""
        published = self.published(pipeline)
        self._copies.keep(
            pipeline,
            self.all(pipeline),
            None if published is None else published.id,
            self.published_since(pipeline) or "",
        )

    def earlier(self, pipeline: str) -> Release:
        """Return the release before the published one; raises ``InputError`` when there is none."""
        with self._database.reading() as database:
            return _earlier(database, pipeline)

    def roll_back(self, pipeline: str, to: Release, at_utc: str) -> None:
        """Point the pipeline at the release before the published one, which must still be ``to``."""
        with self._database.writing(from_reserve=True) as database:
            if _earlier(database, pipeline).id != to.id:
                raise BusyError(f"another release of {pipeline} was published just now: look again")
            _point(database, pipeline, ROLL_BACK, _published(database, pipeline), to.id, at_utc)
        self.copy(pipeline)

    def forget(self, release_ids: list[int]) -> bool:
        """Drop releases whose table is about to go: nobody can go back to them. False, and nothing is dropped, where
        one of them has been published in the meantime: going back does not wait for a lock."""
        marks = [(release_id,) for release_id in release_ids]
        with self._database.writing(from_reserve=True) as database:
            published = {row[0] for row in database.execute("SELECT release_id FROM pointers")}
            if published & set(release_ids):
                return False
            query = "SELECT DISTINCT pipeline FROM releases WHERE id IN (SELECT value FROM json_each(?))"
            pipelines = [row[0] for row in database.execute(query, (json.dumps(release_ids),))]
            for mark in marks:
                # Who stood behind a forgotten one now stands behind the one before that.
                database.execute(
                    "UPDATE releases SET previous_id = (SELECT previous_id FROM releases WHERE id = ?1)"
                    " WHERE previous_id = ?1",
                    mark,
                )
                database.execute("DELETE FROM releases WHERE id = ?", mark)
        for pipeline in pipelines:
            self.copy(pipeline)
        return True


def put_back(database: sqlite3.Connection, copy: ReleaseCopy) -> None:
    """Write the releases of a copy, in the transaction of the caller."""
    for one in copy.releases:
        database.execute(
            "INSERT OR IGNORE INTO releases (id, pipeline, table_name, config, model_title, created_at_utc, gate, forced,"
            " previous_id, price_per_million_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                one.id,
                copy.pipeline,
                one.table_name,
                one.config,
                one.model_title,
                one.created_at_utc,
                json.dumps(dict(one.gate)),
                int(one.forced),
                one.previous_id,
                one.price_per_million_tokens,
            ),
        )
    if copy.published_id is not None:
        database.execute(
            "INSERT INTO pointers SELECT pipeline, id, ? FROM releases WHERE pipeline = ? AND id = ?",
            (copy.since_utc, copy.pipeline, copy.published_id),
        )


def _published(database: sqlite3.Connection, pipeline: str) -> Release | None:
    row = database.execute(
        "SELECT releases.* FROM pointers JOIN releases ON releases.id = pointers.release_id"
        " WHERE pointers.pipeline = ?",
        (pipeline,),
    ).fetchone()
    return None if row is None else _release(row)


def _earlier(database: sqlite3.Connection, pipeline: str) -> Release:
    now = _published(database, pipeline)
    if now is None:
        raise InputError(f"nothing is published under the name {pipeline} yet", "not_published")
    row = database.execute("SELECT * FROM releases WHERE id = ?", (now.previous_id,)).fetchone()
    if row is None:
        raise InputError(
            f"there is no earlier release of {pipeline} to go back to: either this is the first one, or"
            " release.keep let the earlier ones be cleaned",
            "no_earlier_release",
        )
    return _release(row)


def _point(
    database: sqlite3.Connection, pipeline: str, action: str, before: Release | None, to: int, at_utc: str
) -> None:
    database.execute("INSERT OR REPLACE INTO pointers VALUES (?, ?, ?)", (pipeline, to, at_utc))
    database.execute(
        "INSERT INTO switches (pipeline, at_utc, action, from_id, to_id) VALUES (?, ?, ?, ?, ?)",
        (pipeline, at_utc, action, before.id if before else None, to),
    )


def _release(row: sqlite3.Row) -> Release:
    return Release(
        row["id"],
        row["pipeline"],
        row["table_name"],
        row["config"],
        row["model_title"],
        row["created_at_utc"],
        json.loads(row["gate"]),
        bool(row["forced"]),
        row["previous_id"],
        row["price_per_million_tokens"],
    )
