"""Searches that LanceDB itself carries out: by its index, or over rows too many to keep in memory."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any

from workbench.contracts import Filter
from workbench.records import Chunk, Vectors
from workbench.stores._lancedb_rows import chunks_at, metadata_line, vectors_of
from workbench.stores._rows import cosines

SPARE = 16
"""How many hits more than asked for are fetched, so that ties across the cut are seen."""


def filtered(query: Any, where: Filter | None) -> Any:
    """Return the query with the filter, built from typed expressions: no text is ever pasted into SQL."""
    from lancedb.expr import col, lit

    conditions = []
    if where is not None and where.document_ids is not None:
        conditions.append(col("document_id").isin(list(where.document_ids)))
    if where is not None and where.pages is not None:
        first, last = where.pages
        conditions.append((col("page_start") <= lit(last)) & (col("page_end") >= lit(first)))
    if where is not None and where.chunk_ids is not None:
        conditions.append(col("id").isin(list(where.chunk_ids)))
    if where is not None and where.without_chunk_ids:
        conditions.append(~col("id").isin(list(where.without_chunk_ids)))
    for key, value in where.metadata if where is not None else ():
        conditions.append(col("metadata").contains(lit(metadata_line(key, value))))
    return query.where(reduce(and_, conditions), prefilter=True) if conditions else query


def vector_query(opened: Any, vector: Vectors, k: int) -> Any:
    """Return LanceDB's query for the ``k`` nearest rows by cosine."""
    return opened.search(vector, vector_column_name="vector").distance_type("cosine").limit(k)


def nearest_by_lance(
    opened: Any, vector: Vectors, k: int, where: Filter | None, probes: int | None
) -> list[tuple[Chunk, float]]:
    """Return the nearest rows by ``probes`` cells of the index or, without ``probes``, by a full scan."""
    fetched = k + SPARE
    while True:
        query = filtered(vector_query(opened, vector, fetched), where)
        query = query.bypass_vector_index() if probes is None else query.nprobes(probes)
        # Texts are left out until the best are known: they are the larger part of a row.
        keys = query.select(["document_id", "ordinal", "vector", "_distance"]).with_row_id(True).to_arrow()
        scores = cosines(vectors_of(keys, len(vector)), vector).tolist()
        columns = (keys[name].to_pylist() for name in ("document_id", "ordinal", "_rowid"))
        found = sorted(zip((-score for score in scores), *columns, strict=True))
        # Done when there are no more rows, or when the last one is clearly behind the cut: no tie lies across it.
        if len(found) < fetched or -found[-1][0] < -found[k - 1][0] - 1e-6:
            chunks = chunks_at(opened, [row_id for *_, row_id in found[:k]])
            return [(chunk, -negative) for chunk, (negative, *_) in zip(chunks, found, strict=False)]
        fetched *= 4
