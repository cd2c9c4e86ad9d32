"""One sync as a generator of events: list, plan, then read, parse, cut, embed, write, record in groups; then delete."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from workbench.contracts import Asked, SourceAccess, Table
from workbench.errors import Cancelled, ContractError, InputError, ServiceError, WorkbenchError
from workbench.ingest import entries
from workbench.ingest.entries import WRITTEN, Failure, Item, Key
from workbench.ingest.lock import pipeline_lock
from workbench.ingest.plan import GONE, Action, Plan, RefusedRemoval, Removal, Step
from workbench.records import Query
from workbench.sections import Budget, Failures
from workbench.sync import events
from workbench.sync.drift import reconciled
from workbench.sync.groups import Group, Piece, Unaffordable, cut
from workbench.sync.listing import Sources, planned, removals_now, standings
from workbench.sync.place import Place, stamp
from workbench.sync.preparing import NotPrepared, Prepared, Task, batches, prepared
from workbench.sync.tally import Tally
from workbench.workspace.workspace import workers

DOCUMENTS_A_REMOVAL = 500
PATIENCE_DOCUMENTS = 3
"""So many documents of a failed group are tried alone before the rest counts as failed for the same reason."""
STOPPED_ON_REQUEST = "stopped on request; everything finished so far is kept"
LONGEST_WAIT = timedelta(days=7)
FIRST_LOOK_AT_GONE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one sync is asked for beside the config."""

    confirmed: bool = False
    """Delete although too much is missing at once."""
    retry_all: bool = False
    """Try every failed document again, due or not."""
    stored: bool = False
    """Ask no source: bring the table to what is kept here."""
    wait_s: float = 0.0
    """How long to wait for another sync of the pipeline."""


class _Stop(Exception):
    """The run ends early; ``keep`` says whether what is prepared is still written."""

    def __init__(self, reason: str, message: str, keep: bool = False) -> None:
        self.reason, self.message, self.keep = reason, message, keep
        super().__init__(message)


def sync(place: Place, wishes: Wishes, cancelled: Callable[[], bool]) -> Iterator[events.Event]:
    """Carry out a sync, yielding events; closing the generator cancels it.

    Raises ``BusyError`` when another sync of the pipeline is running. Whatever stops this, a second one goes on from
    there, and ends where a fresh build would.
    """
    with pipeline_lock(place.lock_path, place.name, wishes.wait_s):
        run = _Run(place, wishes, cancelled)
        with place.kept.in_use():
            yield from run.course()
        if run.wrote:
            place.kept.clean(place.ledger.content_hashes, place.ledger.parse_keys)


class _Run:
    def __init__(self, place: Place, wishes: Wishes, cancelled: Callable[[], bool]) -> None:
        self.place, self.wishes, self.cancelled = place, wishes, cancelled
        self.failures = place.config.failures or Failures()
        self.budget = place.config.budget or Budget()
        self.tally = Tally()
        self.sources = Sources(standings(place))
        self.started = time.perf_counter()
        self.run_id = 0
        self.total = self.done = 0
        self.wrote = False
        self.gone: dict[Key, tuple[Step, str]] = {}
        """Items that their source lists, and called gone when they were read."""

    def course(self) -> Iterator[events.Event]:
        place = self.place
        status, message = entries.BROKEN, ""
        self.run_id = place.ledger.runs.begin(place.name, place.table_name, place.now_utc())
        try:
            yield events.Started(self.run_id, place.name, place.table_name)
            try:
                message = yield from self._work()
                troubled = self.tally.figures.failed or self.sources.failures or message
                status = entries.SOME_FAILED if troubled else entries.DONE
            except (_Stop, Cancelled) as stop:
                if isinstance(stop, _Stop):
                    status, reason, message = entries.STOPPED, stop.reason, stop.message
                else:
                    status, reason, message = entries.CANCELLED, "cancelled", STOPPED_ON_REQUEST
                yield events.Stopped(reason, message)
        except GeneratorExit:
            status, message = entries.CANCELLED, "stopped by whoever was reading its events"
            raise
        except KeyboardInterrupt:
            status, message = entries.CANCELLED, "interrupted"
            raise
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._end(status, message)
        yield events.Finished(
            self.run_id, status, message, time.perf_counter() - self.started, self.tally.figures
        )

    def _end(self, status: str, message: str) -> None:
        tally = self.tally
        self.place.ledger.runs.end(
            self.run_id,
            status,
            message,
            self.place.now_utc(),
            tally.figures,
            tally.timings,
            tally.new_attempts(),
        )

    # ── the course of a run ──────────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> Generator[events.Event, None, str]:
        """Yield the events; return what has to be said at the end."""
        place, tally = self.place, self.tally
        with ExitStack() as stack:
            stack.enter_context(self.sources.standings)
            started = time.perf_counter()
            if not self.wishes.stored:
                yield from self.sources.listed(place, SourceAccess(place.folder, self.cancelled), stack)
                tally.time("list", time.perf_counter() - started, self.sources.standings.listed_count)
            started = time.perf_counter()
            table = place.opened_table()
            in_table, orphans = reconciled(place, table)
            plan = planned(
                place,
                self.sources,
                confirmed=self.wishes.confirmed,
                retry_all=self.wishes.retry_all,
                stored=self.wishes.stored,
            )
            tally.time("plan", time.perf_counter() - started)
            tally.count("kept", plan.counts.get(Action.KEEP, 0))
            tally.count("waiting", plan.counts.get(Action.WAIT, 0))
            self.total = len(plan.steps) + len(plan.removals)
            yield _planned(plan)
            yield from self._steps(table, plan, in_table)
            removals, refused = plan.removals, plan.refused
            there = self._known_gone()
            if there:
                removals, refused = removals_now(place, plan, there, confirmed=self.wishes.confirmed)
                self.total += len(removals) - len(plan.removals)
            yield from self._removals(table, removals, refused, orphans)
            self._note_gone({one.key for one in there}, refused)
            place.ledger.forget_failures(place.name, plan.gone_failures)
        if self.wrote:
            started = time.perf_counter()
            table.optimise()
            model, cache = place.model, place.workspace.vector_cache
            place.config.retriever.prepare(Asked(Query(""), table, model, kept=cache))
            tally.time("optimise", time.perf_counter() - started)
        return "; ".join([*self.sources.failures, *(one.sentence for one in refused)])

    def _steps(self, table: Table, plan: Plan, in_table: dict[str, str]) -> Iterator[events.Event]:
        group = Group(self.place, table)
        same: list[tuple[Step, Item]] = []
        try:
            for task, found in self._prepared(plan):
                step, state = task.step, task.state
                self._check()
                if isinstance(found, NotPrepared):
                    yield from self._failed(step, found.stage, found.error)
                    continue
                yield from self._told(found)
                if found.document is None:
                    same.append((step, found.item))
                    continue
                started = time.perf_counter()
                try:
                    piece = cut(self.place, found, found.document, state is not None)
                except (WorkbenchError, ContractError) as error:
                    yield from self._failed(step, "cut", error, found.item)
                    continue
                seconds = time.perf_counter() - started
                self.tally.time("cut", seconds)
                yield events.StageDone("cut", *step.key, found.item.name, seconds)
                there = in_table.get(piece.document.id)
                if (state is not None and state.state_key == piece.state_key) or there == piece.state_key:
                    # The text came out the same: its rows stand in the table as they should be.
                    group.confirmed.append(piece)
                else:
                    group.pieces.append(piece)
                if group.is_full:
                    yield from self._flushed(group)
                if len(same) + len(group.confirmed) >= DOCUMENTS_A_REMOVAL:
                    self._keep_same(same, group)
            yield from self._flushed(group)
        except _Stop as stop:
            if stop.keep:
                yield from self._flushed(group)
            self._keep_same(same, group)
            raise
        self._keep_same(same, group)
        yield self._progress()

    def _prepared(self, plan: Plan) -> Iterator[tuple[Task, Prepared | NotPrepared]]:
        """Yield the documents in the order of the plan; every core reads ahead a little."""
        given_up = False

        def stop() -> bool:
            return given_up or self.cancelled()

        def tasks() -> Iterator[Task]:
            for step in plan.steps:
                now = self.sources.standings.of(step.key)
                connection = self.sources.connections.get(step.key[0])
                yield Task(step, now.listed, now.item, now.trusted, connection)

        with ThreadPoolExecutor(workers().size, thread_name_prefix="sync") as pool:
            under_way: deque[tuple[list[Task], Future[list[Prepared | NotPrepared]]]] = deque()
            todo = batches(tasks())
            try:
                while True:
                    while len(under_way) < 2 * workers().size and (batch := next(todo, None)) is not None:
                        under_way.append((batch, pool.submit(prepared, self.place, batch, stop)))
                    if not under_way:
                        return
                    batch, answer = under_way.popleft()
                    yield from zip(batch, answer.result(), strict=True)
            finally:
                given_up = True
                for _, answer in under_way:
                    answer.cancel()

    def _check(self) -> None:
        if self.cancelled():
            raise Cancelled(STOPPED_ON_REQUEST)
        minutes = (time.perf_counter() - self.started) / 60
        if self.budget.minutes is not None and minutes > self.budget.minutes:
            raise _Stop(
                "budget",
                f"budget.minutes ({self.budget.minutes:g}) is used up: the next sync goes on from here",
                keep=True,
            )

    # ── a group through the last stages ──────────────────────────────────────────────────────────────────────────

    def _flushed(self, group: Group) -> Iterator[events.Event]:
        if not group.pieces:
            return
        pieces = group.taken()
        try:
            yield from self._written(group, pieces)
        except Unaffordable as error:
            raise _Stop("budget", str(error)) from error
        except Cancelled:
            raise
        except (WorkbenchError, ContractError) as error:
            if len(pieces) == 1:
                yield from self._failed(pieces[0].step, group.stage, error, pieces[0].item)
            else:
                # One of them is to blame, or none: alone, each shows.
                yield from self._one_by_one(group, pieces)
            return
        yield self._progress()

    def _one_by_one(self, group: Group, pieces: list[Piece]) -> Iterator[events.Event]:
        failed: list[str] = []
        for number, piece in enumerate(pieces):
            if number == len(failed) == PATIENCE_DOCUMENTS and len(set(failed)) == 1:
                # The service is to blame: waiting for it once per document would take hours.
                for one in pieces[number:]:
                    yield from self._failed(one.step, group.stage, ServiceError(failed[0]), one.item)
                return
            group.pieces = [piece]
            for event in self._flushed(group):
                if isinstance(event, events.ItemFailed):
                    failed.append(event.message)
                yield event

    def _written(self, group: Group, pieces: list[Piece]) -> Iterator[events.Event]:
        for stage, act in group.stages(pieces, self.budget, self.tally, self.cancelled):
            started = time.perf_counter()
            act()
            seconds = time.perf_counter() - started
            self.tally.time(stage, seconds, len(pieces))
            yield events.GroupDone(stage, len(pieces), sum(len(p.chunks) for p in pieces), seconds)
        self.wrote = True
        self.done += len(pieces)
        for piece in pieces:
            self.tally.done(piece.step, "written", piece.known, len(piece.chunks))
        self._note()

    def _keep_same(self, same: list[tuple[Step, Item]], group: Group) -> None:
        """Tell the ledger what was read and found unchanged; the store is left alone."""
        place = self.place
        if not same and not group.confirmed:
            return
        if group.confirmed:
            place.ledger.record(
                place.name,
                place.table_name,
                [piece.state(place, WRITTEN) for piece in group.confirmed],
                [piece.item for piece in group.confirmed],
                place.now_utc(),
            )
        place.ledger.note_items(place.name, [item for _, item in same], place.now_utc())
        place.ledger.forget_failures(place.name, [item.key for _, item in same])
        for step in [*(step for step, _ in same), *(piece.step for piece in group.confirmed)]:
            self.done += 1
            self.tally.done(step, "unchanged", known=True)
        same.clear()
        group.confirmed.clear()
        self._note()

    # ── deleting ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _removals(
        self,
        table: Table,
        removals: Sequence[Removal],
        refused: Sequence[RefusedRemoval],
        orphans: set[str],
    ) -> Iterator[events.Event]:
        place = self.place
        for start in range(0, len(removals), DOCUMENTS_A_REMOVAL):
            self._check()
            some = removals[start : start + DOCUMENTS_A_REMOVAL]
            ids, keys = [one.document_id for one in some], [one.key for one in some]
            started = time.perf_counter()
            place.ledger.intend_removal(place.name, place.table_name, ids)
            yield events.GroupDone("intend_removal", len(some), 0, time.perf_counter() - started)
            table.drop_documents(ids)
            yield events.GroupDone("remove", len(some), 0, time.perf_counter() - started)
            place.ledger.record_removal(place.name, place.table_name, ids, keys)
            self.tally.time("remove", time.perf_counter() - started, len(some))
            self.tally.count("removed", len(some))
            self.wrote = True
            self.done += len(some)
            yield events.GroupDone("record_removal", len(some), 0, time.perf_counter() - started)
            yield self._progress()
        stale = orphans - place.ledger.states(place.name, place.table_name).keys() if orphans else set()
        everything_listed = not self.wishes.stored and not self.sources.failures and not refused
        if stale and everything_listed:
            # Rows that no ledger knows and no source lists: left by a ledger that was lost.
            table.drop_documents(sorted(stale))
            self.wrote = True

    def _known_gone(self) -> list[Removal]:
        """Return what the table or the ledger holds of items that turned out to be gone."""
        found = []
        for key in self.gone:
            now = self.sources.standings.of(key)
            held = now.state or now.item
            if held is not None:
                found.append(Removal(held.document_id, key))
        return found

    def _note_gone(self, there: set[Key], refused: Sequence[RefusedRemoval]) -> None:
        """Remember which listed items are gone, and why, so that not every run fetches them again."""
        held = {one.source for one in refused}
        for key, (step, message) in self.gone.items():
            if key[0] not in held:
                failure = self._failure(step, "read", GONE, message, None, retryable=True)
                self.place.ledger.note_failure(self.place.name, failure)
                self.tally.gone(step, message, key in there)

    # ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _told(self, found: Prepared) -> Iterator[events.Event]:
        self.tally.count("bytes_read", found.bytes_read)
        for stage, seconds in found.seconds.items():
            self.tally.time(stage, seconds)
            yield events.StageDone(stage, *found.step.key, found.item.name, seconds)

    def _failed(
        self,
        step: Step,
        stage: str,
        error: WorkbenchError | ContractError,
        item: Item | None = None,
    ) -> Iterator[events.Event]:
        place = self.place
        if isinstance(error, InputError) and error.status == "gone":
            self.gone[step.key] = step, str(error)
            self.done += 1
            return
        if item is not None:
            place.ledger.note_items(place.name, [item], place.now_utc())
        retryable = not isinstance(error, InputError | ContractError)
        kind = error.status if isinstance(error, InputError) else type(error).__name__
        failure = self._failure(step, stage, kind, str(error), item, retryable)
        place.ledger.note_failure(place.name, failure)
        self.tally.failed(step, stage, str(error))
        self.done += 1
        yield events.ItemFailed(
            stage,
            *step.key,
            failure.name,
            failure.kind,
            failure.message,
            retryable,
            failure.next_try_utc if retryable else None,
        )
        failed = self.tally.figures.failed
        if failed > self.failures.max_count and failed > self.failures.max_ratio * self.tally.attempted:
            raise _Stop(
                "failures",
                f"{failed:,} of {self.tally.attempted:,} documents failed, more than failures.max_count"
                f" ({self.failures.max_count}) and max_ratio ({self.failures.max_ratio:g}) allow; the last one:"
                f" {failure.name}: {error}",
            )

    def _failure(
        self,
        step: Step,
        stage: str,
        kind: str,
        message: str,
        item: Item | None,
        retryable: bool,
    ) -> Failure:
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
        )

    def _progress(self) -> events.Progress:
        return events.Progress(self.done, self.total, self.tally.figures)

    def _note(self) -> None:
        tally = self.tally
        self.place.ledger.runs.note(self.run_id, tally.figures, tally.timings, tally.new_attempts())


def _planned(plan: Plan) -> events.Planned:
    return events.Planned(
        {action.value: plan.counts.get(action, 0) for action in Action},
        plan.expected.chunks,
        plan.expected.tokens,
        plan.expected.money,
        tuple(one.sentence for one in plan.refused),
    )
