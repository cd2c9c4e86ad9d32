"""One sync as a generator of events: list, plan, then read, parse, cut, embed, write, record in groups; then delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from workbench.contracts import Asked, SourceAccess, Table
from workbench.errors import Cancelled
from workbench.ingest import entries
from workbench.ingest.lock import pipeline_lock
from workbench.ingest.plan import Action, Plan
from workbench.records import Query
from workbench.sync import events
from workbench.sync.course import STOPPED_ON_REQUEST, Course, Stop
from workbench.sync.documents import Documents
from workbench.sync.drift import reconciled
from workbench.sync.listing import forget_cursors, keep_cursors, planned, removals_now
from workbench.sync.place import Place
from workbench.sync.removals import drop_orphans, kept_alone, known_gone, note_gone, removed


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


def sync(place: Place, wishes: Wishes, cancelled: Callable[[], bool]) -> Iterator[events.Event]:
    """Carry out a sync, yielding events; closing the generator cancels it.

    Raises ``BusyError`` when another sync of the pipeline is running. Whatever stops this, a second one goes on from
    there, and ends where a fresh build would.
    """
    with pipeline_lock(place.lock_path, place.name, wishes.wait_s):
        yield from carried_out(place, wishes, cancelled)


def carried_out(place: Place, wishes: Wishes, cancelled: Callable[[], bool]) -> Iterator[events.Event]:
    """Carry out a sync for a caller who holds the pipeline's lock."""
    course = Course(place, cancelled)
    with place.kept.in_use():
        yield from _told(course, wishes)
    if course.wrote:
        place.kept.clean(place.ledger.content_hashes, place.ledger.parse_keys)


def _told(course: Course, wishes: Wishes) -> Iterator[events.Event]:
    """Yield the events of a run, and close it in the ledger however it ends."""
    status, message = entries.BROKEN, ""
    begun = course.begin()
    try:
        yield begun
        try:
            message = yield from _work(course, wishes)
            troubled = course.tally.figures.failed or course.sources.failures or message
            status = entries.SOME_FAILED if troubled else entries.DONE
        except (Stop, Cancelled) as stop:
            if isinstance(stop, Stop):
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
        course.end(status, message, None if wishes.stored else course.sources.to_the_end)
    seconds = time.perf_counter() - course.started
    yield events.Finished(course.run_id, status, message, seconds, course.tally.figures)


def _work(course: Course, wishes: Wishes) -> Generator[events.Event, None, str]:
    """Yield the events; return what has to be said at the end."""
    place, tally, sources = course.place, course.tally, course.sources
    with ExitStack() as stack:
        stack.enter_context(sources.standings)
        started = time.perf_counter()
        if not wishes.stored:
            forget_cursors(place)
            access = SourceAccess(place.folder, course.cancelled)
            yield from sources.listed(place, access, stack, anew=wishes.retry_all)
            tally.time("list", time.perf_counter() - started, sources.standings.listed_count)
        started = time.perf_counter()
        table = place.opened_table()
        in_table, orphans = reconciled(place, table)
        plan = planned(
            place,
            sources,
            confirmed=wishes.confirmed,
            retry_all=wishes.retry_all,
            stored=wishes.stored,
        )
        tally.time("plan", time.perf_counter() - started)
        tally.count("kept", plan.counts.get(Action.KEEP, 0))
        tally.count("waiting", plan.counts.get(Action.WAIT, 0))
        course.total = len(plan.steps) + len(plan.removals)
        yield _planned(plan)
        yield from Documents(course, table, in_table).brought_in(plan)
        removals, refused = plan.removals, plan.refused
        yield from kept_alone(course)
        if there := known_gone(course):
            removals, refused = removals_now(place, plan, there, confirmed=wishes.confirmed)
            course.total += len(removals) - len(plan.removals)
        yield from removed(course, table, removals)
        if not (wishes.stored or sources.failures or refused):
            drop_orphans(course, table, orphans)
        note_gone(course, {one.key for one in there}, refused)
        place.ledger.forget_failures(place.name, plan.gone_failures)
        keep_cursors(place, sources, refused)
    if course.wrote:
        _tidy(course, table)
    return "; ".join([*sources.failures, *(one.sentence for one in refused)])


def _tidy(course: Course, table: Table) -> None:
    """Join the table's small files, and make what the first question would have to make."""
    place = course.place
    started = time.perf_counter()
    table.optimise()
    asked = Asked(Query(""), table, place.model, kept=place.workspace.vector_cache)
    place.config.retriever.prepare(asked)
    course.tally.time("optimise", time.perf_counter() - started)


def _planned(plan: Plan) -> events.Planned:
    return events.Planned(
        {action.value: plan.counts.get(action, 0) for action in Action},
        plan.expected.chunks,
        plan.expected.tokens,
        plan.expected.money,
        tuple(one.sentence for one in plan.refused),
    )
