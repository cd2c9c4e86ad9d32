"""Blind votes between two tables: which one answered a question better."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.database import Database, Style
from workbench.evaluation.significance import Interval, wilson
from workbench.workspace.documents import now_utc

Winner = Literal["first", "second", "neither"]

MIGRATIONS = (
    """
    CREATE TABLE votes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        voted_at_utc TEXT NOT NULL,
        voter TEXT NOT NULL,
        question TEXT NOT NULL,
        first TEXT NOT NULL,
        second TEXT NOT NULL,
        winner TEXT NOT NULL,
        UNIQUE (voter, question, first, second)
    ) STRICT;
    """,
)
STYLE = Style("only the votes were in it")


@dataclass(frozen=True, slots=True)
class VoteCount:
    """Votes between two contestants: how often each was better, and how often neither."""

    first: int
    second: int
    neither: int

    @property
    def decided(self) -> int:
        """Votes that name a winner."""
        return self.first + self.second

    @property
    def first_share(self) -> Interval:
        """The first one's share of the decided votes with Wilson's 95 % interval; nothing decided gives 0 to 1."""
        return wilson(self.first, self.decided)


class Votes:
    """All votes of a workspace, in a SQLite file. Contestants are ``table · retriever`` names, in the order of names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: Database | None = None

    def _database(self) -> Database:
        # Opened at its first use: a workspace without votes gets no file.
        self._opened = self._opened or Database(self._path, MIGRATIONS, STYLE)
        return self._opened

    def vote(self, voter: str, question: str, first: str, second: str, winner: Winner) -> None:
        """Keep a vote; who votes again on the same question changes their mind."""
        first, second, winner = _ordered(first, second, winner)
        with self._database().writing() as database:
            database.execute(
                "INSERT INTO votes (voted_at_utc, voter, question, first, second, winner) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (voter, question, first, second) DO UPDATE SET winner = excluded.winner, "
                "voted_at_utc = excluded.voted_at_utc",
                (now_utc(), voter, question.strip(), first, second, winner),
            )

    def count(self, first: str, second: str) -> VoteCount:
        """Return the votes between two contestants, as seen from ``first``."""
        if self._opened is None and not self._path.exists():
            return VoteCount(0, 0, 0)
        low, high, _ = _ordered(first, second, "neither")
        with self._database().reading() as database:
            rows = database.execute(
                "SELECT winner, COUNT(*) AS votes FROM votes WHERE first = ? AND second = ? GROUP BY winner",
                (low, high),
            ).fetchall()
        found = {row["winner"]: int(row["votes"]) for row in rows}
        own, other = ("first", "second") if (low, high) == (first, second) else ("second", "first")
        return VoteCount(found.get(own, 0), found.get(other, 0), found.get("neither", 0))


def _ordered(first: str, second: str, winner: Winner) -> tuple[str, str, Winner]:
    if first <= second:
        return first, second, winner
    turned: dict[Winner, Winner] = {"first": "second", "second": "first", "neither": "neither"}
    return second, first, turned[winner]
