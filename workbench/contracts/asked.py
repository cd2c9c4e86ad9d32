"""A question put to a table: everything that a retriever is given."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workbench.contracts.embedder import EmbeddingModel, KeptVectors, NothingKept
from workbench.contracts.plugin import Tick, no_tick
from workbench.contracts.store import Filter, Table
from workbench.errors import SettingsError
from workbench.records import Document, Query, Vectors


@dataclass(frozen=True, eq=False)
class Asked:
    """One question, the table it is put to, and what helps to answer it.

    Lives for one question, so that its vector is computed once, whatever asks for it.
    """

    query: Query
    table: Table
    model: EmbeddingModel
    where: Filter | None = None
    """Which chunks may be found; None for all."""
    kept: KeptVectors = field(default_factory=NothingKept)
    """Vectors of texts that were embedded before."""
    document: Callable[[str], Document] | None = None
    """Gives a document by its id, as the table's config reads it; None where documents are not at hand."""
    tick: Tick = no_tick
    """Told how far the first search of a table is, which may have to embed its sentences."""
    found: dict[Hashable, Any] = field(default_factory=dict)
    """What was worked out for this question before: retrievers that differ in weights only share it."""

    @cached_property
    def vector(self) -> Vectors:
        """The question's vector, ``(dim,) float32`` of length 1."""
        vector: Vectors = self.model.vectors([self.query.text], query=True)[0]
        return vector

    def check_model(self) -> None:
        """Raise ``SettingsError`` when the table cannot hold vectors of this model."""
        if self.model.dimension != self.table.info.dimension:
            raise SettingsError(
                f"{self.model.title} makes vectors of {self.model.dimension} numbers, the table "
                f"{self.table.info.name} holds {self.table.info.dimension}: search it with the model it was "
                "built with"
            )
