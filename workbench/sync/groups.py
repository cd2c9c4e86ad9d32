"""Documents that go through embedding and the store together: small ones share a batch of the model and a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench import pipeline
from workbench.contracts import DocumentRows, Table
from workbench.errors import Cancelled, ServiceError
from workbench.ingest.entries import WRITING, WRITTEN, Item, State
from workbench.ingest.plan import Step, full_recipe
from workbench.ingest.vector_cache import passage_vectors
from workbench.records import Chunk, Document, Vectors
from workbench.sections import Budget
from workbench.sync.place import Place
from workbench.sync.preparing import Prepared
from workbench.sync.tally import Tally


class Unaffordable(ServiceError):
    """Embedding the group would cost more than the budget leaves."""


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
        )


def cut(place: Place, found: Prepared, document: Document, known: bool) -> Piece:
    """Return the document with its chunks."""
    model = place.model
    cache = place.workspace.vector_cache
    chunks = pipeline.chunks(document, place.config, model, place.memo, cache)
    state_key = pipeline.state_key(document, place.config, model)
    return Piece(found.step, found.item, document, found.parse_key, state_key, chunks, known)


class Group:
    """Collects pieces. ``confirmed`` are those whose rows stand in the table already as they should be."""

    def __init__(self, place: Place, table: Table) -> None:
        self._place, self._table = place, table
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

    def stages(
        self, pieces: Sequence[Piece], budget: Budget, tally: Tally, cancelled: Callable[[], bool]
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each stage with what it does: embed, intend, write, record. They must be carried out in order."""
        place = self._place
        vectors = np.zeros((0, place.model.dimension), np.float32)

        def embed() -> None:
            nonlocal vectors
            vectors = self._vectors(pieces, budget, tally, cancelled)

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

    def _vectors(
        self, pieces: Sequence[Piece], budget: Budget, tally: Tally, cancelled: Callable[[], bool]
    ) -> Vectors:
        place = self._place
        model, cache = place.model, place.workspace.vector_cache
        passages = [
            passage
            for piece in pieces
            for passage in pipeline.passages(piece.document, piece.chunks, model, place.memo)
        ]
        tokens = sum(passage.token_count for passage in model.unread(passages, cache))
        money = tokens * budget.price_per_million_tokens / 1e6
        spent = tally.figures.money
        if budget.money is not None and spent + money > budget.money:
            raise Unaffordable(
                f"budget.money ({budget.money:g}) is used up: {spent:.4f} are spent, and the next {len(pieces):,}"
                f" documents would cost {money:.4f}; raise it, or sync again under the next budget"
            )

        def tick(done: int, total: int) -> None:
            if cancelled():
                raise Cancelled("stopped while embedding")

        vectors, new = passage_vectors(passages, model, cache, tick)
        tally.pay(money)
        tally.count("tokens", tokens)
        tally.count("embedded", new)
        tally.count("reused", len(passages) - new)
        return vectors
