"""What a run does to one table: plan, remove, bring in, tidy. It does the same to each that it writes."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

from workbench.contracts import Asked
from workbench.errors import DamagedTableError
from workbench.ingest.plan import RefusedRemoval
from workbench.ingest.steps import Action
from workbench.records import Query
from workbench.sync import events
from workbench.sync.course import Course
from workbench.sync.documents import Documents
from workbench.sync.drift import reconciled
from workbench.sync.listing import lately, planned, removals_now
from workbench.sync.removals import (
    drop_orphans,
    kept_alone,
    known_gone,
    note_gone,
    removed,
    removed_again,
)
from workbench.sync.wishes import Wishes


class OneTable:
    """One of the tables of a run. ``planned`` comes first."""

    def __init__(self, course: Course, wishes: Wishes) -> None:
        self._course, self._wishes = course, wishes
        self.place, self.of_release = course.place, course.of_release
        self.refused: tuple[RefusedRemoval, ...] = ()
        """What was not taken away, because too much was missing at once."""

    def planned(self) -> events.Event:
        """Make the plan, and return it as an event."""
        course, place, wishes = self._course, self.place, self._wishes
        started = time.perf_counter()
        course.sources.standings.turn_to(place.table_name)
        self._table = place.opened_table()
        if damage := self._table.damage():
            raise DamagedTableError(place.table_name, damage)
        self._in_table, self._orphans = reconciled(place, self._table)
        self._plan = plan = planned(
            place,
            course.sources,
            confirmed=wishes.confirmed,
            retry_all=wishes.retry_all,
            stored=wishes.stored,
        )
        course.tally.time("plan", time.perf_counter() - started)
        course.tally.count("kept", plan.counts.get(Action.KEEP, 0))
        course.tally.count("waiting", plan.counts.get(Action.WAIT, 0))
        place.ledger.note_addresses(place.name, place.table_name, plan.moved)
        if wishes.confirmed:
            place.ledger.forget_known(place.name)
        else:
            place.ledger.note_known(place.name, place.now_utc()[:10], plan.known_counts, lately(place))
        course.extent.total += len(plan.steps) + len(plan.removals)
        counts = {action.value: plan.counts.get(action, 0) for action in Action}
        expected = plan.expected
        about = expected.chunks, expected.tokens, expected.money, tuple(one.sentence for one in plan.refused)
        if self.of_release:
            return events.ReleasePlanned(counts, *about, place.table_name)
        return events.Planned(counts, *about)

    def removals(self) -> Iterator[events.Event]:
        """Remove what no source lists any more."""
        yield from removed(self._course, self._table, self._plan.removals)

    def carried_out(self) -> Generator[events.Event, None, list[str]]:
        """Do all else that is planned; return what has to be said at the end."""
        course, place, table, plan = self._course, self.place, self._table, self._plan
        sources = course.sources
        sources.standings.turn_to(place.table_name)
        yield from Documents(course, table, self._in_table).brought_in(plan)
        said = yield from removed_again(course, table)
        yield from kept_alone(course)
        there, refused = known_gone(course), plan.refused
        moved = sources.standings.moved() if refused else set()
        if there or moved:
            removals, refused = removals_now(
                place, sources, plan, there, moved, confirmed=self._wishes.confirmed
            )
            course.extent.total += len(removals)
            yield from removed(course, table, removals)
            said += yield from removed_again(course, table)
        hidden = sources.hiding and not self._wishes.confirmed
        heard = not (sources.failures or sources.incomplete or hidden)
        if heard and not self._wishes.stored and not refused:
            drop_orphans(course, table, self._orphans)
        self.refused = tuple(refused)
        note_gone(course, {one.key for one in there}, refused)
        place.ledger.forget_failures(place.name, place.table_name, plan.gone_failures)
        if place.table_name in course.extent.written:
            self._tidy()
        if plan.set_aside:
            said.append(_set_aside(plan.set_aside))
        return [*said, *(one.sentence for one in refused)]

    def _tidy(self) -> None:
        """Join the table's small files, and make what the first question would have to make."""
        place = self.place
        started = time.perf_counter()
        self._table.optimise()
        asked = Asked(Query(""), self._table, place.model, kept=place.workspace.vector_cache)
        place.config.retriever.prepare(asked)
        self._course.tally.time("optimise", time.perf_counter() - started)


def _set_aside(count: int) -> str:
    one = count == 1
    return (
        f"{count:,} {'document' if one else 'documents'} that could not be brought in earlier"
        f" {'waits' if one else 'wait'} for another try: log --failures names {'it' if one else 'them'}"
    )
