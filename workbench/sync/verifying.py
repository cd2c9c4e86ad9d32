"""Whether ledger and table agree, row by row; and making them agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.contracts import Table
from workbench.errors import InputError
from workbench.ingest.entries import WRITTEN, State
from workbench.ingest.lock import pipeline_lock
from workbench.records import Chunk
from workbench.sync.drift import DOCUMENTS_A_LOOK
from workbench.sync.place import Place

LENGTH_TOLERANCE = 1e-3
WHOLE_TABLE = ("no_table", "wrong_model")


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. ``document_id`` is "" where it is about the whole table.

    ``kind`` is one of no_table, wrong_model, unfinished, missing, unknown, outdated, wrong_count, duplicate,
    missing_vector, zero_vector, wrong_vector.
    """

    kind: str
    document_id: str
    message: str


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
    """Compare ledger and table: documents, state keys, counts, ids, vectors, model. Nothing is changed."""
    states = place.ledger.states(place.name, place.table_name)
    try:
        table = place.connection.table(place.table_name)
    except InputError:
        lost = (Finding("no_table", "", "the table is not there"),) if states else ()
        return Verification(place.table_name, 0, 0, lost)
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
    findings += _documents(states, in_table)
    chunk_count = 0
    ids = sorted(in_table)
    for start in range(0, len(ids), DOCUMENTS_A_LOOK):
        some = ids[start : start + DOCUMENTS_A_LOOK]
        chunks = table.chunks(some)
        chunk_count += len(chunks)
        findings += _counts(states, some, chunks)
        findings += _vectors(table, chunks)
    return Verification(place.table_name, len(in_table), chunk_count, tuple(findings))


def _documents(states: dict[str, State], in_table: dict[str, str]) -> Iterator[Finding]:
    for document_id, state in states.items():
        if state.status != WRITTEN:
            yield Finding(
                "unfinished", document_id, f"{state.item_id}: a run ended while it was {state.status}"
            )
        elif document_id not in in_table:
            if state.chunk_count:
                yield Finding("missing", document_id, f"{state.item_id}: its rows are not in the table")
        elif in_table[document_id] != state.state_key:
            yield Finding("outdated", document_id, f"{state.item_id}: its rows are of another state or model")
    for document_id in in_table.keys() - states.keys():
        yield Finding("unknown", document_id, "the table holds rows that the ledger does not know")


def _counts(states: dict[str, State], ids: Sequence[str], chunks: Sequence[Chunk]) -> Iterator[Finding]:
    counts = Counter(chunk.document_id for chunk in chunks)
    for document_id in ids:
        state = states.get(document_id)
        if state is not None and state.status == WRITTEN and counts[document_id] != state.chunk_count:
            message = f"{state.item_id}: {counts[document_id]} chunks instead of {state.chunk_count}"
            yield Finding("wrong_count", document_id, message)
    times = Counter(chunk.id for chunk in chunks)
    for chunk in {chunk.id: chunk for chunk in chunks}.values():
        if times[chunk.id] > 1:
            yield Finding(
                "duplicate", chunk.document_id, f"the chunk {chunk.id} is there {times[chunk.id]} times"
            )


def _vectors(table: Table, chunks: Sequence[Chunk]) -> Iterator[Finding]:
    owner = {chunk.id: chunk.document_id for chunk in chunks}
    ids, vectors = table.vectors(list(owner))
    for chunk_id in owner.keys() - set(ids):
        yield Finding("missing_vector", owner[chunk_id], f"the chunk {chunk_id} has no vector")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    for place in np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)):
        kind = "zero_vector" if lengths[place] == 0 else "wrong_vector"
        message = f"the vector of {ids[place]} has the length {lengths[place]:g}, not 1"
        yield Finding(kind, owner[ids[place]], message)


def prepare_repair(place: Place, found: Verification) -> None:
    """Take away what does not agree, so that the next sync writes it anew."""
    with pipeline_lock(place.lock_path, place.name, 0):
        if any(finding.kind in WHOLE_TABLE for finding in found.findings):
            place.connection.drop(place.table_name)
            place.ledger.forget_table(place.name, place.table_name)
            return
        ids = sorted({finding.document_id for finding in found.findings})
        place.ledger.doubt(place.name, place.table_name, ids)
        place.connection.table(place.table_name).drop_documents(ids)
