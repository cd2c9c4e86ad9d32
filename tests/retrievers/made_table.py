"""A small table in memory, and questions put to it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from workbench import plugins
from workbench.contracts import Asked, DocumentRows, EmbeddingModel, Table, TableInfo
from workbench.records import Chunk, Query, Vectors


def built_table(
    folder: Path, model: EmbeddingModel, texts: Sequence[str], vectors: Vectors | None = None
) -> Table:
    """One document, one chunk per text, a blank between neighbours."""
    table: Table = (
        plugins.build("stores", "memory")
        .connection(folder)
        .create(TableInfo(f"t{uuid.uuid4().hex}", model.dimension))
    )
    chunks, start = [], 0
    for ordinal, text in enumerate(texts):
        chunks.append(
            Chunk(f"c{ordinal}", "d", ordinal, start, start + len(text), text, 1, 1, len(text.split()))
        )
        start += len(text) + 1
    rows = model.vectors(texts) if vectors is None else vectors
    table.replace_documents([DocumentRows("d", "state", chunks, rows)])
    return table


def asked(question: str, table: Table, model: EmbeddingModel) -> Asked:
    """Return the question as a retriever is given it."""
    return Asked(Query(question), table, model)
