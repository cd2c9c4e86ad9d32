"""Which of the known documents a table lacks, and whether all there are became known: figures hide both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench import pipeline
from workbench.counts import counted
from workbench.ingest.entries import WRITTEN, Failure, Key, Release, Run, Unlisted
from workbench.ingest.plan import GONE
from workbench.records import Document
from workbench.sections import Failures
from workbench.sync.place import Place
from workbench.sync.texts import Texts


@dataclass(frozen=True, eq=False)
class Coverage:
    """What a table has of the documents that the pipeline knows."""

    known: int
    undone: int
    """Documents that were read and are not in the table yet."""
    failed: tuple[Failure, ...]
    """Documents that could not be brought in."""
    lost: int
    """So many of the failed ones stand in the published release."""
    absent: tuple[Document, ...]
    """All that the table lacks: with its text where the published release has one, else with an empty one."""
    unlisted: tuple[Unlisted, ...] = ()
    partly_read: tuple[tuple[str, str], ...] = ()
    """Name, and why only a part of its file was read, of the documents in the table that are not whole."""

    @property
    def unlisted_count(self) -> int:
        """How many items the sources could not list, about; they may be documents that are known or not."""
        return sum(one.items for one in self.unlisted)


def coverage(place: Place, published: Release | None, texts: Texts | None) -> Coverage:
    """Return what the config's table lacks; ``texts`` are those of the published release."""
    ledger, name = place.ledger, place.name
    items, failures = ledger.items(name), ledger.failures(name, place.table_name)
    own = ledger.states(name, place.table_name).values()
    partly_read = sorted(
        (items[state.key].name if state.key in items else state.item_id, state.partly_read)
        for state in own
        if state.status == WRITTEN and state.partly_read
    )
    done = {state.key for state in own if state.status == WRITTEN and state.recipe}
    gone = {key for key, failure in failures.items() if failure.kind == GONE}
    known = (items.keys() | failures.keys()) - gone
    failed = sorted((known - done) & failures.keys())
    there: dict[Key, str] = {}
    if published is not None and published.table_name != place.table_name:
        states = ledger.states(name, published.table_name).values()
        there = {state.key: state.document_id for state in states if state.status == WRITTEN}
    absent = []
    for key in sorted(known - {state.key for state in own if state.status == WRITTEN}):
        text = texts.found(there[key]) if texts is not None and key in there else None
        title = items[key].name if key in items else failures[key].name
        uri = items[key].uri if key in items else title
        absent.append(text or Document(pipeline.document_id(*key), "", (), title, uri))
    return Coverage(
        len(known),
        len(known - done) - len(failed),
        tuple(failures[key] for key in failed),
        sum(key in there for key in failed),
        tuple(absent),
        tuple(ledger.unlisted.all(name, {source.key for source in place.config.sources})),
        tuple(partly_read),
    )


def shortcomings(place: Place, found: Coverage) -> list[str]:
    """Return, in sentences, why the table may lack too much to be published."""
    reasons = _unfinished(place)
    if found.undone:
        reasons.append(
            f"{counted(found.undone, 'document is', 'documents are')} not in the table yet: sync first"
        )
    limit = (place.config.failures or Failures()).max_ratio
    missing = len(found.failed) + found.unlisted_count
    if missing > limit * (found.known + found.unlisted_count):
        first = (*found.failed, *(one.failure for one in found.unlisted))[0]
        reasons.append(
            f"{' and '.join(_missing(found))}, more than failures.max_ratio ({limit:g}) allows; the first is"
            f" {first.name}: {first.message}"
        )
    return reasons


def remarks(found: Coverage) -> list[str]:
    """Return what should be known of a table that lacks something, in sentences."""
    notes = [f"{_failed(found)}: what they answer counts as not found"] if found.failed else []
    if found.partly_read:
        document, reason = found.partly_read[0]
        notes.append(
            f"{counted(len(found.partly_read), 'document is', 'documents are')} in the table only in part, and what is"
            f" missing of {'it' if len(found.partly_read) == 1 else 'them'} counts as not found; the first is"
            f" {document}: {reason}"
        )
    if found.unlisted:
        first = found.unlisted[0]
        notes.append(f"{_unlisted(found)}; the first is {first.name}: {first.message}")
    return notes


def _missing(found: Coverage) -> list[str]:
    return [*([_failed(found)] if found.failed else []), *([_unlisted(found)] if found.unlisted else [])]


def _failed(found: Coverage) -> str:
    lost = (
        f" ({counted(found.lost, 'of them stands', 'of them stand')} in the published release)"
        if found.lost
        else ""
    )
    return f"{len(found.failed):,} of {counted(found.known, 'document')} could not be brought into the table{lost}"


def _unlisted(found: Coverage) -> str:
    about = "about " if any(one.items > 1 for one in found.unlisted) else ""
    return (
        f"{about}{counted(found.unlisted_count, 'item')} beside the {found.known:,} known could not be listed"
    )


def _unfinished(place: Place) -> list[str]:
    runs = place.ledger.runs
    last = runs.last(place.name, place.table_name)
    if last is None:
        return ["no sync of this table is known here: sync first"]
    asked = last if last.complete_sources is not None else runs.last_that_asked(place.name)
    for run in (last, asked):
        if run is None:
            return ["nobody noted that the sources were ever listed to their end: sync first"]
        if not run.came_to_its_end:
            return [_ended_early(run)]
    assert asked is not None
    return _not_listed(place, asked, asked.complete_sources or ())


def _ended_early(run: Run) -> str:
    why = f" ({run.message})" if run.message else ""
    return f"run {run.id} did not come to its end: it is {run.status}{why}; sync again"


def _not_listed(place: Place, run: Run, complete: Sequence[str]) -> list[str]:
    missing = [source.key for source in place.config.sources if source.key not in complete]
    if not missing:
        return []
    return [
        f"run {run.id} did not list {', '.join(missing)} to the end, so documents may be missing: sync again"
    ]
