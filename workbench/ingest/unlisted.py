"""What sources could not list at the last look: rows without an id, parts that stay shut."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from workbench.contracts import Fault
from workbench.database import Database
from workbench.ingest.entries import Unlisted


class UnlistedItems:
    """The faults of each source, as its last whole listing named them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, pipeline: str, sources: Collection[str] | None = None) -> list[Unlisted]:
        """Return them in the order of the sources and of their listings, those of some sources where these are named."""
        with self._database.reading() as database:
            rows = database.execute(
                "SELECT source, name, message, items, hides, first_at_utc, last_at_utc, run_id FROM unlisted"
                " WHERE pipeline = ? ORDER BY source, number",
                (pipeline,),
            ).fetchall()
        found = [
            Unlisted(source, name, message, items, bool(hides), first, last, run_id)
            for source, name, message, items, hides, first, last, run_id in rows
        ]
        return [one for one in found if sources is None or one.source in sources]

    def keep(self, pipeline: str, found: Mapping[str, Sequence[Fault]], at_utc: str, run_id: int) -> None:
        """Keep what sources could not list now, in place of what was kept of the same sources."""
        with self._database.writing() as database:
            for source, faults in found.items():
                before = database.execute(
                    "SELECT name, message, first_at_utc FROM unlisted WHERE pipeline = ? AND source = ?",
                    (pipeline, source),
                ).fetchall()
                since = {(row["name"], row["message"]): row["first_at_utc"] for row in before}
                database.execute("DELETE FROM unlisted WHERE pipeline = ? AND source = ?", (pipeline, source))
                database.executemany(
                    "INSERT INTO unlisted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        (pipeline, source, number, one.name, one.message, one.items, int(one.hides),
                         since.get((one.name, one.message), at_utc), at_utc, run_id)
                        for number, one in enumerate(faults)
                    ],
                )  # fmt: skip
