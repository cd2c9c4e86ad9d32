"""Documents that go through embedding and the store together: small ones share a batch of the model and a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench import pipeline
from workbench.contracts import DocumentRows, Table
from workbench.errors import Cancelled
from workbench.ingest.entries import WRITING, WRITTEN, Item, State
from workbench.ingest.plan import full_recipe
from workbench.ingest.steps import Step
from workbench.ingest.vector_cache import passage_vectors
from workbench.records import Chunk, Document, Vectors
from workbench.sync.isolation import isolated
from workbench.sync.paying import PaidModel, Purse, TooDear, Unaffordable
from workbench.sync.place import Place
from workbench.sync.preparing import NotPrepared, Prepared
from workbench.sync.tally import Tally


@dataclass(frozen=True, slots=True)
class Piece:
    """A document that was cut, ready for the last stages."""

    step: Step
    item: Item
    document: Document
    parse_key: str
    state_key: str
    chunks: Sequence[Chunk]
    known: bool
    """Whether the table held something of it before."""
    stands_for: NotPrepared | None = None
    """The newest content, which cannot be read: this is what another table still shows."""
    incomplete: str = ""
    """Why the file is incomplete, so that this is only a part of it; "" for a complete one."""
    partly_read: str = ""
    """Why only a part of the file was read, complete or not."""

    @property
    def newest(self) -> Item | None:
        """The item with its newest content, None where that could not be fetched."""
        return self.item if self.stands_for is None else self.stands_for.item

    def state(self, place: Place, status: str) -> State:
        """Return what the table holds of it, or is about to."""
        return State(
            document_id=self.document.id,
            source=self.item.source,
            item_id=self.item.item_id,
            status=status,
            recipe=full_recipe(place.recipe(self.item.name), self.item),
            state_key=self.state_key,
            parse_key=self.parse_key,
            uri=self.item.uri,
            chunk_count=len(self.chunks),
            token_count=sum(chunk.token_count for chunk in self.chunks),
            partly_read=self.partly_read,
        )


def cut(
    place: Place,
    found: Prepared,
    document: Document,
    known: bool,
    purse: Purse,
    stands_for: NotPrepared | None = None,
) -> Piece:
    """Return the document with its chunks; what the chunker itself embeds is paid from the purse."""
    model = place.model
    cache = place.workspace.vector_cache
    with isolated(f"the chunker {place.config.chunker.name}", found.item.name):
        chunks = pipeline.chunks(document, place.config, PaidModel(model, purse), place.memo, cache)
    state_key = pipeline.state_key(document, place.config, model)
    return Piece(
        found.step,
        found.item,
        document,
        found.parse_key,
        state_key,
        chunks,
        known,
        stands_for,
        found.incomplete,
        found.partly_read,
    )


class Group:
    """Collects pieces. ``confirmed`` are those whose rows stand in the table already as they should be."""

    def __init__(self, place: Place, table: Table, purse: Purse) -> None:
        self._place, self._table, self._purse = place, table, purse
        self.pieces: list[Piece] = []
        self.confirmed: list[Piece] = []
        self.stage = ""
        """The stage that was begun last: where a failure belongs."""

    @property
    def is_full(self) -> bool:
        """Whether it is time to write."""
        chunk_count = sum(len(piece.chunks) for piece in self.pieces)
        return len(self.pieces) >= pipeline.GROUP_DOCUMENTS or chunk_count >= pipeline.GROUP_CHUNKS

    def taken(self) -> list[Piece]:
        """Return the pieces and hold none any more."""
        taken, self.pieces = self.pieces, []
        return taken

    def affordable(self, pieces: Sequence[Piece]) -> tuple[list[Piece], list[tuple[Piece, TooDear]], str]:
        """Return the first pieces that the budget pays for, those too dear for any budget like it, and, where it
        is used up before the last, why it ends here."""
        if self._purse.budget.money is None:
            return list(pieces), [], ""
        fit: list[Piece] = []
        dear: list[tuple[Piece, TooDear]] = []
        tokens = 0
        for piece in pieces:
            more = self._unread(piece)
            try:
                self._purse.check(more, before=tokens)
            except TooDear as error:
                dear.append((piece, error))
                continue
            except Unaffordable as error:
                return fit, dear, str(error)
            fit.append(piece)
            tokens += more
        return fit, dear, ""

    def _unread(self, piece: Piece) -> int:
        place = self._place
        passages = pipeline.passages(piece.document, piece.chunks, place.model, place.memo)
        unread = place.model.unread(passages, place.workspace.vector_cache)
        return sum(passage.token_count for passage in unread)

    def stages(
        self, pieces: Sequence[Piece], tally: Tally, cancelled: Callable[[], bool]
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each stage with what it does: embed, intend, write, record. They must be carried out in order."""
        place = self._place
        vectors = np.zeros((0, place.model.dimension), np.float32)

        def embed() -> None:
            nonlocal vectors
            vectors = self._vectors(pieces, tally, cancelled)

        def intend() -> None:
            states = [piece.state(place, WRITING) for piece in pieces]
            items = [piece.item for piece in pieces]
            place.ledger.intend(place.name, place.table_name, states, items, place.now_utc())

        def write() -> None:
            rows, start = [], 0
            for piece in pieces:
                end = start + len(piece.chunks)
                rows.append(
                    DocumentRows(
                        piece.document.id,
                        piece.state_key,
                        piece.chunks,
                        vectors[start:end],
                        piece.document.metadata,
                    )
                )
                start = end
            self._table.replace_documents(rows)
            tally.count("chunks_written", len(vectors))

        def record() -> None:
            states = [piece.state(place, WRITTEN) for piece in pieces]
            place.ledger.record(place.name, place.table_name, states)

        for stage, act in (("embed", embed), ("intend", intend), ("write", write), ("record", record)):
            self.stage = stage
            yield stage, act

    def _vectors(self, pieces: Sequence[Piece], tally: Tally, cancelled: Callable[[], bool]) -> Vectors:
        place = self._place
        model, cache = PaidModel(place.model, self._purse), place.workspace.vector_cache
        passages = [
            passage
            for piece in pieces
            for passage in pipeline.passages(piece.document, piece.chunks, model, place.memo)
        ]

        def tick(done: int, total: int) -> None:
            if cancelled():
                raise Cancelled("stopped while embedding")

        name = pieces[0].item.name if len(pieces) == 1 else f"{len(pieces):,} documents"
        with isolated(f"the embedder {place.config.embedder.name}", name):
            vectors, new = passage_vectors(passages, model, cache, tick)
        tally.count("embedded", new)
        tally.count("reused", len(passages) - new)
        return vectors
