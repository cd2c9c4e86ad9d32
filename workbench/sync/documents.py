"""The documents of a plan on their way into the table: read ahead, cut, and written in groups."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from workbench.contracts import Table
from workbench.errors import Cancelled, ContractError, QuotaError, ServiceError, WorkbenchError
from workbench.ingest.entries import WRITTEN, Item, Moved
from workbench.ingest.plan import Plan
from workbench.ingest.steps import Step
from workbench.records import Document
from workbench.sync import events
from workbench.sync.course import Course, Stop
from workbench.sync.groups import Group, Piece, cut
from workbench.sync.last_good import LastGood
from workbench.sync.paying import Unaffordable
from workbench.sync.preparing import NotPrepared, Prepared, Task
from workbench.sync.read_ahead import read_ahead

DOCUMENTS_A_NOTE = 500
PATIENCE_DOCUMENTS = 3
"""So many documents of a failed group are tried alone before the rest counts as failed for the same reason."""


class Documents:
    """Brings documents into one table."""

    def __init__(self, course: Course, table: Table, in_table: Mapping[str, str]) -> None:
        self._course, self._place = course, course.place
        self._in_table = in_table
        """State keys that the table itself tells, by document, where it and the ledger may disagree."""
        self._group = Group(course.place, table, course.purse)
        self._last_good = LastGood(course.place)
        self._same: list[tuple[Step, Item, bool]] = []
        """What was read and found unchanged, and whether its address is another."""

    def brought_in(self, plan: Plan) -> Iterator[events.Event]:
        """Carry out the steps of a plan; what is finished is kept, whatever ends this."""
        course = self._course
        tasks = map(course.sources.task, plan.steps)
        try:
            course.check()
            for batch in read_ahead(self._place, tasks, course.is_over, course.cancelled):
                for task, found in batch:
                    course.check_cancelled()
                    yield from self._taken(task, found)
                # Behind a batch: a run that reads long for one would else never get on.
                course.check()
            yield from self._flushed()
        except Stop as stop:
            if stop.keep:
                yield from self._flushed()
            self._keep_same()
            raise
        self._keep_same()
        yield course.progress()

    def _taken(self, task: Task, found: Prepared | NotPrepared) -> Iterator[events.Event]:
        course, group = self._course, self._group
        if isinstance(found, Prepared):
            found = self._last_good.unless_incomplete(found, task)
        if isinstance(found, NotPrepared):
            if isinstance(found.error, Cancelled):
                course.check()
                raise found.error
            if course.of_release:
                course.sources.note(task.step.key, found)
            instead = self._last_good.instead_of(found, task)
            if instead is None or instead.document is None:
                yield from course.failed(task.step, found.stage, found.error, found.item)
                return
            yield from self._cut(task, instead, instead.document, stands_for=found)
            if group.is_full:
                yield from self._flushed()
            return
        if course.of_release:
            course.sources.note(task.step.key, found)
        yield from course.told(found)
        if found.document is None:
            moved = task.state is not None and task.state.uri != found.item.uri
            self._same.append((task.step, found.item, moved))
        else:
            yield from self._cut(task, found, found.document)
        if group.is_full:
            yield from self._flushed()
        if len(self._same) + len(group.confirmed) >= DOCUMENTS_A_NOTE:
            self._keep_same()

    def _cut(
        self, task: Task, found: Prepared, document: Document, stands_for: NotPrepared | None = None
    ) -> Iterator[events.Event]:
        course, state = self._course, task.state
        newest = found.item if stands_for is None else stands_for.item
        started = time.perf_counter()
        try:
            piece = cut(self._place, found, document, state is not None, course.purse, stands_for)
        except Unaffordable as error:
            raise Stop("budget", str(error), keep=True) from error
        except (WorkbenchError, ContractError) as error:
            yield from course.failed(task.step, "cut", error, newest)
            return
        seconds = time.perf_counter() - started
        course.tally.time("cut", seconds)
        yield events.StageDone("cut", *task.step.key, found.item.name, seconds)
        there = self._in_table.get(piece.document.id)
        same = (state is not None and state.state_key == piece.state_key) or there == piece.state_key
        if same and stands_for is None:
            # The text came out the same: its rows stand in the table as they should be.
            self._group.confirmed.append(piece)
        else:
            self._group.pieces.append(piece)

    def _flushed(self) -> Iterator[events.Event]:
        if not self._group.pieces:
            return
        pieces, dear, used_up = self._group.affordable(self._group.taken())
        for piece, error in dear:
            yield from self._course.failed(piece.step, "embed", error, piece.newest)
        if pieces:
            yield from self._tried(pieces)
        if used_up:
            raise Stop("budget", used_up)

    def _tried(self, pieces: list[Piece]) -> Iterator[events.Event]:
        try:
            yield from self._written(pieces)
        except Unaffordable as error:
            raise Stop("budget", str(error)) from error
        except Cancelled:
            raise
        except QuotaError as error:
            raise Stop("quota", str(error)) from error
        except (WorkbenchError, ContractError) as error:
            if len(pieces) == 1:
                yield from self._course.failed(pieces[0].step, self._group.stage, error, pieces[0].newest)
            else:
                # One of them is to blame, or none: alone, each shows.
                yield from self._one_by_one(pieces)
            return
        yield self._course.progress()

    def _one_by_one(self, pieces: list[Piece]) -> Iterator[events.Event]:
        failed: list[str] = []
        for number, piece in enumerate(pieces):
            if number == len(failed) == PATIENCE_DOCUMENTS and len(set(failed)) == 1:
                # The service is to blame: waiting for it once per document would take hours.
                for one in pieces[number:]:
                    yield from self._course.failed(
                        one.step, self._group.stage, ServiceError(failed[0]), one.newest
                    )
                return
            for event in self._tried([piece]):
                # What could not be read failed before: its last good text may be written all the same.
                if isinstance(event, events.ItemFailed) and event.stage == self._group.stage:
                    failed.append(event.message)
                yield event

    def _written(self, pieces: list[Piece]) -> Iterator[events.Event]:
        course = self._course
        for stage, act in self._group.stages(pieces, course.tally, course.cancelled):
            started = time.perf_counter()
            act()
            seconds = time.perf_counter() - started
            course.tally.time(stage, seconds, len(pieces))
            yield events.GroupDone(stage, len(pieces), sum(len(p.chunks) for p in pieces), seconds)
        course.extent.written.add(self._place.table_name)
        done = [piece for piece in pieces if piece.stands_for is None]
        course.extent.done += len(done)
        for piece in done:
            course.tally.done(
                piece.step, "written", piece.known, len(piece.chunks), message=_partly_read(piece)
            )
        course.note()
        for piece in done:
            if piece.incomplete:
                yield course.partly_read(piece.item, piece.incomplete)
        for piece in pieces:
            # Written first: the ledger takes what is written for mended.
            if (unread := piece.stands_for) is not None:
                yield from course.failed(piece.step, unread.stage, unread.error, unread.item)

    def _keep_same(self) -> None:
        """Tell the ledger what was read and found unchanged; the store is left alone."""
        place, course = self._place, self._course
        same, group = self._same, self._group
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
        items = [item for _, item, _ in same]
        place.ledger.note_items(place.name, items, place.now_utc())
        moved = [Moved(item.key, item.document_id, item.uri) for _, item, has_moved in same if has_moved]
        place.ledger.note_addresses(place.name, place.table_name, moved)
        place.ledger.forget_failures(place.name, place.table_name, [item.key for item in items])
        for step, *_ in same:
            course.tally.done(step, "unchanged", known=True)
        for piece in group.confirmed:
            course.tally.done(piece.step, "unchanged", known=True, message=_partly_read(piece))
            if piece.incomplete:
                course.partly_read(piece.item, piece.incomplete)
        course.extent.done += len(same) + len(group.confirmed)
        same.clear()
        group.confirmed.clear()
        course.note()


def _partly_read(piece: Piece) -> str:
    return f"partly read: {piece.incomplete}" if piece.incomplete else ""
