"""A config's pipeline in a workspace: plan, sync, verify, publish, roll back. The door for pages and commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from workbench.config import Config
from workbench.contracts import Filter, Tick, no_tick
from workbench.ingest.entries import Release
from workbench.ingest.ledger import Ledger
from workbench.sync import events
from workbench.sync.gate import GateResult
from workbench.sync.measuring import Measurement, measurements
from workbench.sync.outlook import Outlook, outlook
from workbench.sync.place import Place, utc_now
from workbench.sync.publishing import (
    Answer,
    Cleaned,
    TableOnDisk,
    TablesOnDisk,
    answer,
    clean,
    cleanable,
    publish,
    roll_back,
    tables,
)
from workbench.sync.run import Wishes, sync
from workbench.sync.verifying import Verification, repaired, verified
from workbench.workspace import Workspace
from workbench.workspace.model_window import describe_long_chunks, describe_size_limit


def never() -> bool:
    """Say that nobody asked to stop."""
    return False


class Pipeline:
    """One config's pipeline. Its name is the config's: configs that share it are versions of one pipeline."""

    def __init__(
        self,
        workspace: Workspace,
        config: Config,
        folder: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.place = Place(workspace, config, folder or Path(), clock)

    @property
    def ledger(self) -> Ledger:
        """The ledger: items, failures, runs, releases."""
        return self.place.ledger

    def plan(
        self, cancelled: Callable[[], bool] = never, *, confirmed: bool = False, retry_all: bool = False
    ) -> Outlook:
        """Return what a sync would do now, and what the sources said; nothing is changed."""
        return outlook(self.place, cancelled, confirmed=confirmed, retry_all=retry_all)

    def sync(
        self, wishes: Wishes | None = None, cancelled: Callable[[], bool] = never
    ) -> Iterator[events.Event]:
        """Make the table hold what the sources hold, yielding events; closing the generator cancels.

        Raises ``BusyError`` at the first event when another sync of the pipeline is running.
        """
        return sync(self.place, wishes or Wishes(), cancelled)

    def long_chunks(self) -> str:
        """Return a sentence on chunks of the config's table that are longer than the model reads, "" for none."""
        place = self.place
        if not place.has_table(place.table_name):
            return ""
        counts = place.connection.table(place.table_name).token_counts()
        return describe_long_chunks(place.name, counts, place.model)

    def chunks_may_be_long(self) -> str:
        """Return a warning that chunks may become too long for the model, by the config's size alone; else ""."""
        return describe_size_limit(self.place.config, self.place.model)

    def verified(self) -> Verification:
        """Return where ledger, table and kept texts do not agree; nothing is changed."""
        return verified(self.place)

    def repair(self, cancelled: Callable[[], bool] = never) -> Iterator[events.Event]:
        """Take away what does not agree and write it anew, yielding the events of that sync.

        The sources are asked only where something is not kept here.
        """
        return repaired(self.place, cancelled)

    def publish(self, force: bool = False, tick: Tick = no_tick) -> tuple[Release, GateResult]:
        """Publish the config's table; raises ``GateRefused`` when the gate stays shut and nobody forces it."""
        return publish(self.place, force, tick)

    def measurements(self, data: bytes, file_name: str, tick: Tick = no_tick) -> list[Measurement]:
        """Return what the published release, and the config's table where it is another, make of a question file."""
        return measurements(self.place, data, file_name, tick)

    def roll_back(self) -> Release:
        """Go back to the release before the published one, in one small write."""
        return roll_back(self.place)

    def tables(self) -> list[TableOnDisk]:
        """Return every table of the pipeline with the space it takes, from every store that can be reached."""
        return list(tables(self.place).tables)

    def table_listing(self) -> TablesOnDisk:
        """Return the same with a sentence on each store that cannot be reached."""
        return tables(self.place)

    def cleanable(self) -> list[TableOnDisk]:
        """Return the tables that ``clean`` would drop now."""
        return cleanable(self.place)

    def clean(self) -> Cleaned:
        """Drop the tables that nobody can go back to."""
        return clean(self.place)

    def answer(self, question: str, k: int | None = None, where: Filter | None = None) -> Answer:
        """Return the hits of what is published."""
        return answer(self.place, question, k, where)
