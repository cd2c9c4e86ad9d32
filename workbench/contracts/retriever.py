"""Question → hits."""

from __future__ import annotations

from abc import abstractmethod

from workbench.contracts.embedder import EmbeddingModel
from workbench.contracts.plugin import Plugin
from workbench.contracts.store import Filter, Table
from workbench.records import Hit, Query


class Retriever(Plugin):
    """Question → hits."""

    @abstractmethod
    def hits(
        self, query: Query, table: Table, model: EmbeddingModel, where: Filter | None = None
    ) -> list[Hit]:
        """Return hits, best first, ranks from 1; an empty table gives an empty list."""
