"""What is wrong with a table's rows, beside the texts they were cut from and the vectors that were computed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench import pipeline
from workbench.contracts import Table, chunk_id
from workbench.ingest.entries import WRITTEN, Item, Key, State
from workbench.ingest.plan import full_recipe
from workbench.records import Chunk, Document
from workbench.sync.place import Place
from workbench.sync.preparing import named

LENGTH_TOLERANCE = 1e-3
SAME_VECTOR = 1e-4
"""Largest difference of one number: a kept vector is written to the table as it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. ``document_id`` is "" where it is about the whole table.

    ``kind`` is one of no_table, damaged_table, damaged_release (files of the published table), wrong_model, unfinished, missing, unknown, outdated, wrong_count, duplicate,
    wrong_text, wrong_place, wrong_metadata, missing_vector, zero_vector, wrong_vector, missing_text, no_item.
    """

    kind: str
    document_id: str
    message: str


class Rows:
    """Looks at rows beside the text they were cut from."""

    def __init__(
        self, place: Place, table: Table, states: Mapping[str, State], items: Mapping[Key, Item]
    ) -> None:
        self._place, self._table, self._states, self._items = place, table, states, items
        self._metadata = table.metadata()

    def findings(self, ids: Sequence[str], chunks: Sequence[Chunk]) -> Iterator[Finding]:
        """Yield what is wrong with these documents, of which ``chunks`` are all rows."""
        of_document: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in {chunk.id: chunk for chunk in chunks}.values():
            of_document[chunk.document_id].append(chunk)
        documents: dict[str, Document] = {}
        for document_id in ids:
            state = self._states.get(document_id)
            if state is None or state.status != WRITTEN:
                continue
            kept = self._place.kept.parse(state.parse_key, document_id, state.uri)
            if kept is None:
                yield Finding("missing_text", document_id, f"{state.item_id}: its text is not kept any more")
            else:
                documents[document_id] = kept.document
                yield from self._wrong_metadata(state, kept.document)
        good: list[Chunk] = []
        for document_id, found in of_document.items():
            state = self._states.get(document_id)
            if state is None:
                continue
            complete = state.chunk_count == len(found)
            wrong = [*_wrong_chunks(found, documents.get(document_id), complete)]
            yield from wrong
            good += [] if wrong else found
        yield from self._wrong_vectors(chunks, good, documents)

    def _wrong_metadata(self, state: State, document: Document) -> Iterator[Finding]:
        item = self._items.get(state.key)
        if item is None or not state.chunk_count:
            return
        if state.recipe != full_recipe(self._place.recipe(item.name), item):
            return  # something newer was read, and is about to be written
        if dict(self._metadata.get(state.document_id, {})) != dict(named(document, item).metadata):
            yield Finding(
                "wrong_metadata", state.document_id, f"{state.item_id}: its metadata is another one"
            )

    def _wrong_vectors(
        self, chunks: Sequence[Chunk], good: Sequence[Chunk], documents: Mapping[str, Document]
    ) -> Iterator[Finding]:
        owner = {chunk.id: chunk.document_id for chunk in chunks}
        ids, vectors = self._table.vectors(list(owner))
        for one in owner.keys() - set(ids):
            yield Finding("missing_vector", owner[one], f"the chunk {one} has no vector")
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        for place in np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)):
            kind = "zero_vector" if lengths[place] == 0 else "wrong_vector"
            message = f"the vector of {ids[place]} has the length {lengths[place]:g}, not 1"
            yield Finding(kind, owner[ids[place]], message)
        if vectors.shape[1] != self._place.model.dimension:
            return
        row = dict(zip(ids, vectors, strict=True))
        of_length_1 = {ids[place] for place in np.flatnonzero(np.abs(lengths - 1) <= LENGTH_TOLERANCE)}
        keys = {chunk.id: key for chunk, key in self._keys(good, documents) if chunk.id in of_length_1}
        kept = self._place.workspace.vector_cache.found(
            sorted(set(keys.values())), self._place.model.dimension
        )
        for one, key in keys.items():
            if key in kept and float(np.abs(row[one] - kept[key]).max()) > SAME_VECTOR:
                yield Finding("wrong_vector", owner[one], f"the vector of {one} is not that of its text")

    def _keys(
        self, chunks: Sequence[Chunk], documents: Mapping[str, Document]
    ) -> Iterator[tuple[Chunk, str]]:
        model = self._place.model
        of_document: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            of_document[chunk.document_id].append(chunk)
        for document_id, found in of_document.items():
            if document_id in documents:
                passages = pipeline.passages(documents[document_id], found, model, self._place.memo)
                yield from zip(found, map(model.passage_key, passages), strict=True)


def _wrong_chunks(chunks: Sequence[Chunk], document: Document | None, complete: bool) -> Iterator[Finding]:
    """Yield what is wrong with the rows of one document, in the order of their numbers; ``complete`` if none lacks."""
    for number, chunk in enumerate(chunks):
        if chunk.id != chunk_id(chunk.document_id, chunk.start, chunk.end, chunk.text):
            message = f"the chunk {chunk.id} has another text or another range than it was cut with"
            yield Finding("wrong_text", chunk.document_id, message)
        elif document is not None and document.text[chunk.start : chunk.end] != chunk.text:
            message = f"the chunk {chunk.id} does not stand at {chunk.start}–{chunk.end} of its document"
            yield Finding("wrong_text", chunk.document_id, message)
        elif (complete and chunk.ordinal != number) or (
            document is not None
            and document.pages_at(np.array([chunk.start, chunk.end - 1]))
            != [chunk.page_start, chunk.page_end]
        ):
            message = f"the chunk {chunk.id} has another number or another page than its place has"
            yield Finding("wrong_place", chunk.document_id, message)
