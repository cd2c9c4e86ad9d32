"""Searches that LanceDB itself carries out: by its index, or over rows too many to keep in memory."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any

from workbench.contracts import Filter
from workbench.records import Chunk, Vectors
from workbench.stores._lancedb_rows import CHUNK_COLUMNS, chunks_of, vectors_of
from workbench.stores._rows import cosines

_SPARE = 32
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
    return query.where(reduce(and_, conditions), prefilter=True) if conditions else query


def vector_query(opened: Any, vector: Vectors, k: int) -> Any:
    """Return LanceDB's query for the ``k`` nearest rows by cosine."""
    return opened.search(vector, vector_column_name="vector").distance_type("cosine").limit(k)


def nearest_by_lance(
    opened: Any, vector: Vectors, k: int, where: Filter | None, probes: int | None
) -> list[tuple[Chunk, float]]:
    """Return the nearest rows by ``probes`` cells of the index or, without ``probes``, by a full scan."""
    fetched = k + _SPARE
    while True:
        query = filtered(vector_query(opened, vector, fetched), where)
        query = query.bypass_vector_index() if probes is None else query.nprobes(probes)
        rows = query.select([*CHUNK_COLUMNS, "vector", "_distance"]).to_arrow()
        scores = cosines(vectors_of(rows, len(vector)), vector)
        found = list(zip(chunks_of(rows), (float(score) for score in scores), strict=True))
        found.sort(key=lambda pair: (-pair[1], pair[0].document_id, pair[0].ordinal))
        # Done when there are no more rows, or when the last one is clearly behind the cut: no tie lies across it.
        if len(found) < fetched or found[-1][1] < found[k - 1][1] - 1e-6:
            return found[:k]
        fetched *= 4
