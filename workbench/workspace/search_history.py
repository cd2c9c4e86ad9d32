"""The questions that were asked here, with their settings and what they found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.contracts import Filter
from workbench.database import Database, Style
from workbench.records import Chunk, Hit, digest
from workbench.workspace.documents import now_utc

MIGRATIONS = (
    """
    CREATE TABLE searches (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        asked_at_utc TEXT NOT NULL,
        question TEXT NOT NULL,
        settings TEXT NOT NULL,
        columns TEXT NOT NULL
    ) STRICT;
    CREATE INDEX searches_by_key ON searches (key);
    """,
)
STYLE = Style("only the earlier searches were in it")
MOST_KEPT = 500
LONGEST_QUESTION_CHARACTERS = 2_000
"""Longer ones are not kept: a history is there to be read."""


@dataclass(frozen=True, slots=True)
class PastColumn:
    """What one table found at that time: its config as YAML, and its hits without their texts' surroundings."""

    label: str
    config: str
    table: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class PastSearch:
    """A question with its settings and what it found."""

    number: int
    asked_at_utc: str
    question: str
    settings: Mapping[str, Any]
    """What the page needs to ask it again: number of hits, tables, retrievers, filter."""
    columns: tuple[PastColumn, ...]


class SearchHistory:
    """The newest 500 searches of a workspace, in a SQLite file. Safe for several sessions and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: Database | None = None

    def _database(self) -> Database:
        # Opened at its first use: a workspace that is only looked at gets no file.
        self._opened = self._opened or Database(self._path, MIGRATIONS, STYLE)
        return self._opened

    def note(self, question: str, settings: Mapping[str, Any], columns: Sequence[PastColumn]) -> None:
        """Keep a search; one that repeats the newest takes its place, and the oldest beyond 500 goes."""
        if len(question) > LONGEST_QUESTION_CHARACTERS:
            return
        body = json.dumps([_column_values(column) for column in columns])
        key = digest([question, dict(settings), [[column.label, column.table] for column in columns]])
        with self._database().writing() as database:
            newest = database.execute(
                "SELECT number, key FROM searches ORDER BY number DESC LIMIT 1"
            ).fetchone()
            if newest is not None and newest["key"] == key:
                database.execute("DELETE FROM searches WHERE number = ?", (newest["number"],))
            database.execute(
                "INSERT INTO searches (key, asked_at_utc, question, settings, columns) VALUES (?, ?, ?, ?, ?)",
                (key, now_utc(), question, json.dumps(dict(settings)), body),
            )
            database.execute(
                "DELETE FROM searches WHERE number <= (SELECT MAX(number) FROM searches) - ?", (MOST_KEPT,)
            )

    def searches(self, limit: int = 50) -> list[PastSearch]:
        """Return the newest searches, newest first."""
        if self._opened is None and not self._path.exists():
            return []
        with self._database().reading() as database:
            rows = database.execute(
                "SELECT * FROM searches ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        return [
            PastSearch(
                row["number"],
                row["asked_at_utc"],
                row["question"],
                json.loads(row["settings"]),
                tuple(_column(values) for values in json.loads(row["columns"])),
            )
            for row in rows
        ]

    def forget(self) -> None:
        """Remove every search."""
        if self._opened is None and not self._path.exists():
            return
        with self._database().writing() as database:
            database.execute("DELETE FROM searches")


def filter_values(where: Filter | None) -> dict[str, Any]:
    """Return a filter as JSON values."""
    if where is None:
        return {}
    return {
        "document_ids": None if where.document_ids is None else list(where.document_ids),
        "pages": None if where.pages is None else list(where.pages),
        "metadata": [list(pair) for pair in where.metadata],
    }


def filter_of(values: Mapping[str, Any]) -> Filter | None:
    """Return the filter that ``filter_values`` wrote."""
    if not values:
        return None
    ids, pages = values.get("document_ids"), values.get("pages")
    return Filter(
        None if ids is None else tuple(ids),
        None if pages is None else (int(pages[0]), int(pages[1])),
        tuple((str(key), str(value)) for key, value in values.get("metadata", [])),
    )


def _column_values(column: PastColumn) -> dict[str, Any]:
    hits = [
        [_chunk_values(hit.chunk), hit.rank, hit.score, [_chunk_values(chunk) for chunk in hit.also]]
        for hit in column.hits
    ]
    return {"label": column.label, "config": column.config, "table": column.table, "hits": hits}


def _chunk_values(chunk: Chunk) -> list[Any]:
    return [
        chunk.id,
        chunk.document_id,
        chunk.ordinal,
        chunk.start,
        chunk.end,
        chunk.text,
        chunk.page_start,
        chunk.page_end,
        chunk.token_count,
    ]


def _column(values: Mapping[str, Any]) -> PastColumn:
    hits = tuple(
        Hit(Chunk(*chunk), rank, score, also=tuple(Chunk(*one) for one in also))
        for chunk, rank, score, also in values["hits"]
    )
    return PastColumn(values["label"], values["config"], values["table"], hits)
