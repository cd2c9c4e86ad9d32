"""What leaves the table: what no source lists any more, what turned out to be gone, and rows that nobody knows."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence, Set

from workbench.contracts import Table
from workbench.counts import counted
from workbench.errors import ServiceError, WorkbenchError
from workbench.ingest.entries import Key
from workbench.ingest.plan import GONE, RefusedRemoval, Removal
from workbench.sync import events
from workbench.sync.course import Course

DOCUMENTS_A_REMOVAL = 500


def removed(course: Course, table: Table, removals: Sequence[Removal]) -> Iterator[events.Event]:
    """Take documents away, some hundred in a commit; intent first, as with writing."""
    place = course.place
    for start in range(0, len(removals), DOCUMENTS_A_REMOVAL):
        course.check()
        some = removals[start : start + DOCUMENTS_A_REMOVAL]
        ids, keys = [one.document_id for one in some], [one.key for one in some]
        started = time.perf_counter()
        place.ledger.intend_removal(place.name, place.table_name, ids)
        yield events.GroupDone("intend_removal", len(some), 0, time.perf_counter() - started)
        try:
            table.drop_documents(ids)
        except ServiceError as error:
            course.unremoved.append((some, error))
            continue
        yield events.GroupDone("remove", len(some), 0, time.perf_counter() - started)
        place.ledger.record_removal(place.name, place.table_name, ids, keys)
        course.tally.time("remove", time.perf_counter() - started, len(some))
        course.tally.count("removed", len(some))
        course.extent.written.add(place.table_name)
        course.extent.done += len(some)
        yield events.GroupDone("record_removal", len(some), 0, time.perf_counter() - started)
        yield course.progress()


def removed_again(course: Course, table: Table) -> Generator[events.Event, None, list[str]]:
    """Take away what the store refused to let go a while ago; return what has to be said of what still stays."""
    again = [one for some, _ in course.unremoved for one in some]
    course.unremoved.clear()
    yield from removed(course, table, again)
    return [
        f"{counted(len(some), 'document that is', 'documents that are')} gone could not be removed: {error}"
        for some, error in course.unremoved
    ]


def drop_orphans(course: Course, table: Table, orphans: Set[str]) -> None:
    """Take rows away that no ledger knows and, everything being listed, no source: left by a ledger that was lost."""
    place = course.place
    stale = orphans - place.ledger.states(place.name, place.table_name).keys() if orphans else set()
    if stale:
        table.drop_documents(sorted(stale))
        course.extent.written.add(place.table_name)


def kept_alone(course: Course) -> Iterator[events.Event]:
    """Keep what gives way to an item that is not in the table: until that one is in, nothing leaves for it."""
    place = course.place
    for key, other in course.elsewhere.items():
        now = course.sources.standings.of(other)
        if now.trusted is not None and other not in course.gone:
            continue
        step, message = course.gone.pop(key)
        if now.failure is not None and now.failure.kind == GONE:
            place.ledger.retry(place.name, [other], place.now_utc())
        course.extent.done -= 1
        waiting = WorkbenchError(f"{message}, but not in the index yet; until then nothing is changed")
        yield from course.failed(step, "read", waiting)


def known_gone(course: Course) -> list[Removal]:
    """Return what the table or the ledger holds of items that turned out to be gone."""
    found = []
    for key in course.gone:
        now = course.sources.standings.of(key)
        held = now.state or now.item
        if held is not None:
            found.append(Removal(held.document_id, key))
    return found


def note_gone(course: Course, there: Set[Key], refused: Sequence[RefusedRemoval]) -> None:
    """Remember which listed items are gone, and why, so that not every run fetches them again.

    Not of a source whose deletions are refused: there each run looks again.
    """
    place = course.place
    held = {one.source for one in refused if not one.hidden}
    for key, (step, message) in course.gone.items():
        is_held = key[0] in held
        if not is_held:
            failure = course.failure(step, "read", GONE, message, None, retryable=True)
            place.ledger.note_failure(place.name, failure)
        course.tally.gone(step, message, removed=key in there and not is_held)
