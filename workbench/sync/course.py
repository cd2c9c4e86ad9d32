"""One run under way: how far it is, what it has to tell, what failed, and when it must stop."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from workbench.counts import counted
from workbench.errors import (
    Cancelled,
    ContractError,
    ElsewhereError,
    InputError,
    QuotaError,
    ServiceError,
    WorkbenchError,
)
from workbench.ingest.entries import Failure, Item, Key
from workbench.ingest.plan import GONE, Removal
from workbench.ingest.steps import Step
from workbench.sections import Budget, Failures
from workbench.sync import events
from workbench.sync.isolation import UnforeseenError
from workbench.sync.listing import Sources, standings
from workbench.sync.paying import Purse
from workbench.sync.place import Place, stamp
from workbench.sync.preparing import READ, Prepared
from workbench.sync.tally import Tally

STOPPED_ON_REQUEST = "stopped on request; everything finished so far is kept"
LONGEST_WAIT = timedelta(days=7)
NAMES_A_SENTENCE = 5
FIRST_LOOK_AT_GONE = timedelta(hours=1)


class Stop(Exception):
    """The run ends early; ``keep`` says whether what is prepared is still written."""

    def __init__(self, reason: str, message: str, keep: bool = False) -> None:
        self.reason, self.message, self.keep = reason, message, keep
        super().__init__(message)


@dataclass(eq=False)
class Extent:
    """How far a run is, over all tables that it writes."""

    done: int = 0
    total: int = 0
    written: set[str] = field(default_factory=set)
    """Names of the tables that were touched."""


class Course:
    """What the stages of a run share. Each of them yields its events through it.

    A run that also brings the published release's table up to date has a course ``beside`` its own for that.
    """

    def __init__(self, place: Place, cancelled: Callable[[], bool]) -> None:
        self.place, self.cancelled = place, cancelled
        self.failures = place.config.failures or Failures()
        self.budget = place.config.budget or Budget()
        self.tally = Tally()
        self.sources = Sources(standings(place))
        self.started = time.perf_counter()
        self.run_id = 0
        self.extent = Extent()
        self.of_release = False
        self.unremoved: list[tuple[Sequence[Removal], ServiceError]] = []
        """What the store refused to let go."""
        self.gone: dict[Key, tuple[Step, str]] = {}
        """Items that their source lists, and called gone when they were read."""
        self.elsewhere: dict[Key, Key] = {}
        """Those of them that are another address of an item, with that item."""
        self.incomplete: dict[Key, str] = {}
        """Items of which only a part is in a table, because their file is incomplete, with name and reason."""

    def beside(self, place: Place) -> Course:
        """Return the course of the published table: what is read and spent is shared, documents are counted apart."""
        other = copy.copy(self)
        other.place, other.tally = place, self.tally.of_release()
        other.budget = place.config.budget or Budget()
        other.of_release = True
        other.gone, other.elsewhere, other.unremoved = {}, {}, []
        return other

    @property
    def purse(self) -> Purse:
        """What embedding is paid from."""
        return Purse(self.budget, self.tally)

    def begin(self) -> events.Started:
        """Open the run in the ledger."""
        place = self.place
        self.run_id = place.ledger.runs.begin(place.name, place.table_name, place.now_utc())
        return events.Started(self.run_id, place.name, place.table_name)

    def end(self, status: str, message: str, complete_sources: Collection[str] | None) -> None:
        """Close the run in the ledger; ``complete_sources`` is None where no source was asked."""
        tally = self.tally
        if not self.run_id:
            # It ended while it began. The lock is ours: what claims to run is this one.
            self.place.ledger.runs.close_open(self.place.name, status, message, self.place.now_utc())
            return
        self.place.ledger.runs.end(
            self.run_id,
            status,
            message,
            self.place.now_utc(),
            tally.figures,
            tally.timings,
            tally.new_attempts(),
            complete_sources,
        )

    def check(self) -> None:
        """Raise ``Cancelled`` or ``Stop`` where nothing more may be done."""
        self.check_cancelled()
        if self.is_over():
            raise Stop(
                "budget",
                f"budget.minutes ({self.budget.minutes:g}) is used up: the next sync goes on from here",
                keep=True,
            )

    def check_cancelled(self) -> None:
        """Raise ``Cancelled`` where somebody asked for it."""
        if self.cancelled():
            raise Cancelled(STOPPED_ON_REQUEST)

    def is_over(self) -> bool:
        """Return whether to stop now: sources ask it while they list, read or wait."""
        minutes = (time.perf_counter() - self.started) / 60
        return self.cancelled() or (self.budget.minutes is not None and minutes > self.budget.minutes)

    def progress(self) -> events.Progress:
        """Return how far the run is."""
        return events.Progress(self.extent.done, self.extent.total, self.tally.figures)

    def note(self) -> None:
        """Tell the ledger how far the run is."""
        tally = self.tally
        self.place.ledger.runs.note(self.run_id, tally.figures, tally.timings, tally.new_attempts())

    def told(self, found: Prepared) -> Iterator[events.Event]:
        """Yield what reading and parsing a document took."""
        self.tally.count("bytes_read", found.bytes_read)
        for stage, seconds in found.seconds.items():
            self.tally.time(stage, seconds)
            yield events.StageDone(stage, *found.step.key, found.item.name, seconds)

    def partly_read(self, item: Item, reason: str) -> events.ItemPartlyRead:
        """Note that only a part of an item is in the table, and return that as an event."""
        self.incomplete[item.key] = f"{item.name} ({reason})"
        return events.ItemPartlyRead(*item.key, item.name, reason, self.of_release)

    @property
    def partly_read_sentence(self) -> str:
        """The sentence on incomplete files at the end of a run, which is no failure; "" where there are none."""
        named = list(self.incomplete.values())
        if not named:
            return ""
        more = len(named) - NAMES_A_SENTENCE
        names = ", ".join(named[:NAMES_A_SENTENCE]) + (f" and {more:,} more" if more > 0 else "")
        return f"{counted(len(named), 'document was', 'documents were')} partly read: {names}"

    def failed(
        self,
        step: Step,
        stage: str,
        error: WorkbenchError | ContractError,
        item: Item | None = None,
    ) -> Iterator[events.Event]:
        """Keep that an item could not be brought in, and yield it; raises ``Stop`` once too many have failed.

        A quota that is used up is no failure of the item: the run stops, and the next one goes on with it.
        """
        place = self.place
        if isinstance(error, QuotaError):
            raise Stop("quota", str(error), keep=stage == READ) from error
        if isinstance(error, InputError) and error.status == "gone":
            self.gone[step.key] = step, str(error)
            if isinstance(error, ElsewhereError):
                self.elsewhere[step.key] = step.key[0], error.item_id
            self.extent.done += 1
            return
        if item is not None:
            place.ledger.note_items(place.name, [item], place.now_utc())
        retryable, kind = _heals(error), _kind(error)
        failure = self.failure(step, stage, kind, str(error), item, retryable)
        place.ledger.note_failure(place.name, failure)
        self.tally.failed(step, stage, str(error))
        self.extent.done += 1
        yield events.ItemFailed(
            stage,
            *step.key,
            failure.name,
            failure.kind,
            failure.message,
            retryable,
            failure.next_try_utc if retryable else None,
            self.of_release,
        )
        failed = self.tally.failed_count
        if failed > self.failures.max_count and failed > self.failures.max_ratio * self.tally.attempted:
            raise Stop(
                "failures",
                f"{failed:,} of {counted(self.tally.attempted, 'document')} failed, more than failures.max_count"
                f" ({self.failures.max_count}) and max_ratio ({self.failures.max_ratio:g}) allow; the last one:"
                f" {failure.name}: {error}",
            )

    def failure(
        self,
        step: Step,
        stage: str,
        kind: str,
        message: str,
        item: Item | None,
        retryable: bool,
    ) -> Failure:
        """Return what the ledger keeps of a failure, and when the item is tried again."""
        place = self.place
        now_known = self.sources.standings.of(step.key)
        listed, before = now_known.listed, now_known.failure
        here = item or now_known.item
        version = listed.version if listed is not None else here.version if here else ""
        again = before is not None and (before.version, before.recipe) == (version, place.failure_recipe)
        attempts = before.attempts + 1 if again and before is not None else 1
        now = place.clock()
        first = FIRST_LOOK_AT_GONE if kind == GONE else timedelta(minutes=self.failures.first_retry_minutes)
        wait = min(first.total_seconds() * 2.0 ** min(attempts - 1, 30), LONGEST_WAIT.total_seconds())
        if kind != GONE and attempts >= self.failures.max_attempts:
            wait = LONGEST_WAIT.total_seconds()
        return Failure(
            source=step.key[0],
            item_id=step.key[1],
            name=(listed.path if listed is not None else "") or (here.name if here else step.key[1]),
            version=version,
            recipe=place.failure_recipe,
            stage=stage,
            kind=kind,
            message=message,
            retryable=retryable,
            attempts=attempts,
            first_at_utc=before.first_at_utc if before is not None and again else stamp(now),
            last_at_utc=stamp(now),
            next_try_utc=stamp(now + timedelta(seconds=wait)),
            run_id=self.run_id,
            table_name=place.table_name,
        )


def _kind(error: WorkbenchError | ContractError) -> str:
    if isinstance(error, InputError):
        return error.status
    return "bug" if isinstance(error, UnforeseenError) else type(error).__name__


def _heals(error: WorkbenchError | ContractError) -> bool:
    """Return whether time may heal it: a service comes back, and somebody gives the rights that were missing."""
    if isinstance(error, InputError):
        return error.status == "forbidden"
    return not isinstance(error, ContractError | UnforeseenError)
