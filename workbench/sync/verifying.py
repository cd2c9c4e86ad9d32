"""Whether ledger and table agree, row by row; and making them agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench.counts import counted
from workbench.errors import DamagedTableError, InputError, WorkbenchError
from workbench.ingest.entries import WRITTEN, Item, Key, State
from workbench.ingest.lock import pipeline_lock
from workbench.records import Chunk
from workbench.sync import events
from workbench.sync.drift import DOCUMENTS_A_LOOK
from workbench.sync.following import followed
from workbench.sync.place import Place
from workbench.sync.row_checks import Finding, Rows
from workbench.sync.run import Wishes, carried_out

WHOLE_TABLE = ("no_table", "wrong_model", "damaged_table")
RELEASE_TABLE = "damaged_release"
ROWS_ARE_RIGHT = ("missing_text", "no_item")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and what does not agree."""

    table: str
    documents: int
    chunks: int
    findings: tuple[Finding, ...]

    @property
    def agrees(self) -> bool:
        """Whether ledger and table say the same."""
        return not self.findings


def verified(place: Place) -> Verification:
    """Compare ledger, table and kept texts: documents, state keys, counts, ids, places, metadata, vectors, model.

    Nothing is changed. Raises ``BusyError`` while a sync is running: what is half written agrees with nothing.
    """
    with pipeline_lock(place.lock_path, place.name, 0, to_read=True):
        return _compared(place)


def repaired(place: Place, cancelled: Callable[[], bool]) -> Iterator[events.Event]:
    """Compare anew, take away what does not agree and write it again, yielding the events of that sync.

    The sources are asked only for what is not kept here. Nobody else can write in between.
    """
    with pipeline_lock(place.lock_path, place.name, 0):
        found = _compared(place)
        stored = not _needs_sources(place, found)
        _take_away(place, found)
        yield from carried_out(place, Wishes(stored=stored), cancelled)


def _compared(place: Place) -> Verification:
    try:
        found = _compared_table(place)
    except DamagedTableError as error:
        found = Verification(place.table_name, 0, 0, (Finding("damaged_table", "", str(error)),))
    return replace(found, findings=(*found.findings, *_published_damage(place)))


def _published_damage(place: Place) -> Iterator[Finding]:
    """Yield that the published release's table is damaged, where it is another than the config's own."""
    try:
        published = followed(place)
        if published is None:
            return
        table = published.connection.table(published.table_name)
        if damage := table.damage():
            raise DamagedTableError(published.table_name, damage)
    except DamagedTableError as error:
        yield Finding(RELEASE_TABLE, "", str(error))
    except WorkbenchError:
        return  # not there, or not to be had here: a sync says so


def _compared_table(place: Place) -> Verification:
    ledger, name = place.ledger, place.name
    states = ledger.states(name, place.table_name)
    try:
        table = place.connection.table(place.table_name)
    except InputError:
        lost = (Finding("no_table", "", "the table is not there"),) if states else ()
        return Verification(place.table_name, 0, 0, lost)
    if damage := table.damage():
        raise DamagedTableError(place.table_name, damage)
    findings: list[Finding] = []
    found_model = table.info.about.get("model_id")
    if found_model != place.model.id or table.info.dimension != place.model.dimension:
        findings.append(
            Finding(
                "wrong_model",
                "",
                f"the table was made with {table.info.about.get('model_title', 'another model')}",
            )
        )
    in_table = table.states()
    items = ledger.items(name)
    findings += _documents(states, in_table, table.counts())
    findings += _items(place, states, items)
    rows = Rows(place, table, states, items)
    chunk_count = 0
    ids = sorted(in_table.keys() | {key for key, state in states.items() if state.status == WRITTEN})
    for start in range(0, len(ids), DOCUMENTS_A_LOOK):
        some = ids[start : start + DOCUMENTS_A_LOOK]
        chunks = table.chunks(some)
        chunk_count += len(chunks)
        findings += _counts(states, in_table, some, chunks)
        findings += rows.findings(some, chunks)
    return Verification(place.table_name, len(in_table), chunk_count, tuple(findings))


def _documents(
    states: dict[str, State], in_table: dict[str, str], counts: Mapping[str, int]
) -> Iterator[Finding]:
    for document_id, state in states.items():
        if state.status != WRITTEN:
            yield Finding(
                "unfinished", document_id, f"{state.item_id}: a run ended while it was {state.status}"
            )
        elif document_id not in in_table:
            if state.chunk_count:
                yield Finding("missing", document_id, f"{state.item_id}: its rows are not in the table")
        elif not in_table[document_id] and counts.get(document_id) != state.chunk_count:
            continue  # told as a wrong count
        elif in_table[document_id] != state.state_key:
            yield Finding("outdated", document_id, f"{state.item_id}: its rows are of another state or model")
    for document_id in in_table.keys() - states.keys():
        yield Finding("unknown", document_id, "the table holds rows that the ledger does not know")


def _items(place: Place, states: dict[str, State], items: Mapping[Key, Item]) -> Iterator[Finding]:
    failures = place.ledger.failures(place.name, place.table_name)
    known = {state.key for state in states.values()}
    for key, item in items.items():
        if key not in known and key not in failures:
            yield Finding("missing", item.document_id, f"{item.item_id}: it was read and is not in the table")
    for state in states.values():
        if state.key not in items:
            yield Finding(
                "no_item", state.document_id, f"{state.item_id}: nobody knows what it was made from"
            )


def _counts(
    states: dict[str, State], in_table: dict[str, str], ids: Sequence[str], chunks: Sequence[Chunk]
) -> Iterator[Finding]:
    counts = Counter(chunk.document_id for chunk in chunks)
    for document_id in ids:
        state = states.get(document_id)
        if (
            state is not None
            and document_id in in_table
            and state.status == WRITTEN
            and counts[document_id] != state.chunk_count
        ):
            message = (
                f"{state.item_id}: {counted(counts[document_id], 'chunk')} instead of {state.chunk_count}"
            )
            yield Finding("wrong_count", document_id, message)
    times = Counter(chunk.id for chunk in chunks)
    for chunk in {chunk.id: chunk for chunk in chunks}.values():
        if times[chunk.id] > 1:
            yield Finding(
                "duplicate", chunk.document_id, f"the chunk {chunk.id} is there {times[chunk.id]} times"
            )


def _needs_sources(place: Place, found: Verification) -> bool:
    """Return whether something is to be made anew whose content is not kept here."""
    items = {item.document_id: item for item in place.ledger.items(place.name).values()}
    kinds = {one.kind for one in found.findings}
    if kinds & {*WHOLE_TABLE, RELEASE_TABLE}:
        wanted = set(items)
    else:
        wanted = {one.document_id for one in found.findings if one.kind != "unknown"}
    return any(
        one not in items or place.kept.content(items[one].content_hash) is None for one in sorted(wanted)
    )


def _take_away(place: Place, found: Verification) -> None:
    if any(finding.kind == RELEASE_TABLE for finding in found.findings):
        published = followed(place)
        if published is not None:
            published.connection.drop(published.table_name)
            place.ledger.forget_table(place.name, published.table_name)
    if any(finding.kind in WHOLE_TABLE for finding in found.findings):
        place.connection.drop(place.table_name)
        place.ledger.forget_table(place.name, place.table_name)
        return
    place.ledger.doubt(place.name, place.table_name, sorted({one.document_id for one in found.findings}))
    rows_are_right = (*ROWS_ARE_RIGHT, RELEASE_TABLE)
    wrong = {finding.document_id for finding in found.findings if finding.kind not in rows_are_right}
    place.connection.table(place.table_name).drop_documents(sorted(wrong))
