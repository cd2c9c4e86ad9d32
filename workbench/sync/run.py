"""One sync as a generator of events: list, plan, then read, parse, cut, embed, write, record in groups; then delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress

from workbench.config import check_environment
from workbench.contracts import SourceAccess
from workbench.errors import Cancelled, ServiceError, WorkbenchError
from workbench.ingest import entries
from workbench.ingest.lock import pipeline_lock
from workbench.redaction import redact
from workbench.sync import events
from workbench.sync.course import STOPPED_ON_REQUEST, Course, Stop
from workbench.sync.cursors import forget_cursors, keep_cursors
from workbench.sync.following import followed
from workbench.sync.listing import keep_unlisted
from workbench.sync.one_table import OneTable
from workbench.sync.place import Place
from workbench.sync.wishes import Wishes
from workbench.workspace.store_catalog import Area

__all__ = ["Wishes", "sync"]


def sync(place: Place, wishes: Wishes, cancelled: Callable[[], bool]) -> Iterator[events.Event]:
    """Carry out a sync, yielding events; closing the generator cancels it.

    Raises ``BusyError`` when another sync of the pipeline is running. Whatever stops this, a second one goes on from
    there, and ends where a fresh build would.
    """
    check_environment(place.config)
    with pipeline_lock(place.lock_path, place.name, wishes.wait_s):
        yield from carried_out(place, wishes, cancelled)


def carried_out(place: Place, wishes: Wishes, cancelled: Callable[[], bool]) -> Iterator[events.Event]:
    """Carry out a sync for a caller who holds the pipeline's lock."""
    # Of the browser's documents: a store that was down when one of them was deleted may be up by now.
    with suppress(ServiceError):
        place.workspace.stores.retry_deletions(Area.DOCUMENTS)
    course = Course(place, cancelled)
    with place.kept.in_use():
        yield from _told(course, wishes)
    # A ledger that was lost does not know yet what other pipelines need.
    if course.extent.written and place.ledger.is_whole:
        place.kept.clean(place.ledger.content_hashes, place.ledger.parse_keys)


def _told(course: Course, wishes: Wishes) -> Iterator[events.Event]:
    """Yield the events of a run, and close it in the ledger however it ends."""
    status, message = entries.BROKEN, ""
    try:
        yield course.begin()
        try:
            message = yield from _work(course, wishes)
            figures = course.tally.figures
            troubled = figures.failed or figures.release_failed or message
            status = entries.SOME_FAILED if troubled else entries.DONE
            message = "; ".join(one for one in (message, course.partly_read_sentence) if one)
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
        message = redact(f"{type(error).__name__}: {error}")
        raise
    finally:
        _note_tables(course)
        complete = None if wishes.stored else course.sources.to_the_end
        try:
            course.end(status, message, complete)
        except KeyboardInterrupt:
            # The interrupt came while the run was being closed: no run may stay open.
            course.end(status, message, complete)
            raise
    seconds = time.perf_counter() - course.started
    yield events.Finished(course.run_id, status, message, seconds, course.tally.figures)


def _work(course: Course, wishes: Wishes) -> Generator[events.Event, None, str]:
    """Yield the events; return what has to be said at the end."""
    place, tally, sources = course.place, course.tally, course.sources
    with ExitStack() as stack:
        stack.enter_context(sources.standings)
        published, trouble = _followed(place)
        started = time.perf_counter()
        if not wishes.stored:
            forget_cursors(place)
            access = SourceAccess(place.folder, course.is_over)
            try:
                yield from sources.listed(place, published, access, stack, anew=wishes.retry_all)
            except Cancelled:
                course.check()
                raise
            tally.time("list", time.perf_counter() - started, sources.standings.listed_count)
            keep_unlisted(place, sources, course.run_id)
            tally.count("unlisted", sources.unlisted_count)
            if sources.quota_used_up:
                raise Stop("quota", sources.quota_used_up)
        said = [*sources.failures, *sources.incomplete, *sources.unlisted, *trouble]
        tables = [OneTable(course, wishes)]
        tables += [OneTable(course.beside(published), wishes)] if published is not None else []
        behind = False
        place.ledger.keep_failures_of(place.name, [one.place.table_name for one in tables])
        for one in list(tables):
            try:
                yield one.planned()
            except WorkbenchError as error:
                if not one.of_release:
                    raise
                said.append(_not_up_to_date(error))
                tables.remove(one)
                behind = True
        # What answers questions comes first, where money or time may run out; what is gone, before all.
        tables.reverse()
        for one in tables:
            yield from one.removals()
        for one in tables:
            try:
                said += yield from one.carried_out()
            except Cancelled:
                raise
            except (Stop, WorkbenchError) as error:
                # The published table is no reason to leave the config's own undone, unless nothing is left to spend.
                if not one.of_release or (isinstance(error, Stop) and error.reason != "failures"):
                    raise
                said.append(_not_up_to_date(error))
                behind = True
        if not behind:
            keep_cursors(
                place, published, sources.cursors, [removal for one in tables for removal in one.refused]
            )
    return "; ".join(dict.fromkeys(said))


def _note_tables(course: Course) -> None:
    """Keep the facts of the config's own table, for lists that are drawn while its store is down."""
    place = course.place
    if place.table_name in course.extent.written:
        with suppress(WorkbenchError):
            info = place.connection.table(place.table_name).info
            place.workspace.stores.note_table(place.config.store, Area.PIPELINES, info)


def _followed(place: Place) -> tuple[Place | None, list[str]]:
    """Return the place of the published table, where that is another, and what keeps it from being kept true."""
    try:
        return followed(place), []
    except ServiceError as error:
        return None, [str(error)]


def _not_up_to_date(error: Exception) -> str:
    return f"what is published is not all up to date: {error}"
