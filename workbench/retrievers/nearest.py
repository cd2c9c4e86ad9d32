"""The chunks whose vectors are nearest to the question's vector."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from workbench.contracts import EmbeddingModel, Filter, Retriever, Table
from workbench.errors import SettingsError
from workbench.records import Hit, Query


class Nearest(Retriever):
    """Rank by the cosine of the question's and the chunk's vector."""

    label: ClassVar[str] = "Nearest vectors"

    top_k: int = Field(5, ge=1, le=1_000, description="number of hits")

    def hits(
        self, query: Query, table: Table, model: EmbeddingModel, where: Filter | None = None
    ) -> list[Hit]:
        """Return up to ``top_k`` hits; raises ``SettingsError`` when the table was built with another model."""
        if model.dimension != table.info.dimension:
            raise SettingsError(
                f"{model.title} makes vectors of {model.dimension} numbers, the table {table.info.name} holds "
                f"{table.info.dimension}: search it with the model it was built with"
            )
        vector = model.vectors([query.text], query=True)[0]
        return [
            Hit(chunk, rank, score, {"vector": score})
            for rank, (chunk, score) in enumerate(table.nearest(vector, self.top_k, where), start=1)
        ]
