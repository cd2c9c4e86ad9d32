"""Chunks and vectors as Arrow columns and back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.contracts import ChunkPlace, DocumentRows, TableInfo, TableRows
from workbench.errors import SettingsError
from workbench.records import Chunk, Vectors
from workbench.stores._exact import Matrix

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_COLUMNS = (
    "id", "document_id", "ordinal", "start", "end", "text", "page_start", "page_end", "token_count",
)  # fmt: skip
"""The fields of ``Chunk``, in its order."""
COUNT = "document_chunk_count"
"""The column that says how many rows the row's document has; tables of earlier versions have none."""


def schema_of(info: TableInfo) -> pa.Schema:
    """Return the columns of a new table; each call gives it a birth mark that no other table has."""
    import pyarrow as pa

    # Without the declared key, four processes that merge the same new rows make duplicates without an error.
    key = pa.field(
        "id", pa.string(), nullable=False, metadata={"lance-schema:unenforced-primary-key": "true"}
    )
    kinds = {
        "document_id": pa.string(),
        "text": pa.string(),
        "state_key": pa.string(),
        "metadata": pa.string(),
        "start": pa.int64(),
        "end": pa.int64(),
    }
    names = (*CHUNK_COLUMNS[1:], "state_key", "metadata", COUNT)
    columns = [pa.field(name, kinds.get(name, pa.int32()), nullable=False) for name in names]
    vector = pa.field("vector", pa.list_(pa.float32(), info.dimension), nullable=False)
    about = json.dumps(dict(info.about), ensure_ascii=True, sort_keys=True)
    return pa.schema([key, *columns, vector], metadata={"about": about, "birth": uuid.uuid4().hex})


def info_of(name: str, schema: pa.Schema) -> TableInfo:
    """Return what the table is; raises ``SettingsError`` for a table that is not ours."""
    try:
        about = json.loads((schema.metadata or {})[b"about"])
        return TableInfo(name, int(schema.field("vector").type.list_size), about)
    except (KeyError, ValueError, AttributeError) as error:
        raise SettingsError(f"{name} is a Lance table of another program: use another folder") from error


def birth_of(schema: pa.Schema) -> str:
    """Return the mark that tells this table from one of the same name made before or after it."""
    return str(schema.metadata[b"birth"].decode())


def arrow_rows(info: TableInfo, batch: Sequence[DocumentRows]) -> pa.Table:
    """Return the rows of a batch, one per chunk."""
    import pyarrow as pa

    schema = schema_of(info)
    chunks = [chunk for rows in batch for chunk in rows.chunks]
    columns = [
        pa.array([getattr(c, name) for c in chunks], schema.field(name).type) for name in CHUNK_COLUMNS
    ]
    columns.append(pa.array([rows.state_key for rows in batch for _ in rows.chunks], pa.string()))
    columns.append(
        pa.array(
            [text for rows in batch for text in [metadata_lines(rows.metadata)] * len(rows.chunks)],
            pa.string(),
        )
    )
    columns.append(pa.array([len(rows.chunks) for rows in batch for _ in rows.chunks], pa.int32()))
    numbers = np.concatenate([np.zeros(0, np.float32), *(rows.vectors.reshape(-1) for rows in batch)])
    columns.append(pa.FixedSizeListArray.from_arrays(pa.array(numbers, pa.float32()), info.dimension))
    return pa.table(columns, schema=schema.remove_metadata())


def metadata_line(key: str, value: str) -> str:
    """Return a pair as one line with a line end on either side; no pair can hold another or a part of one."""
    return f"\n{json.dumps([key, value])}\n"


def metadata_lines(metadata: Mapping[str, str]) -> str:
    """Return a document's metadata as a column keeps it: one line a pair, so that one pair can be looked for."""
    return "".join(metadata_line(key, metadata[key]) for key in sorted(metadata))


def rows_of(opened: Any, dimension: int, version: str) -> TableRows:
    """Return every row in the order of documents and ordinals."""
    rows = opened.search().select([*CHUNK_COLUMNS, *_metadata_column(opened), "vector"]).to_arrow()
    rows = rows.sort_by([("document_id", "ascending"), ("ordinal", "ascending")])
    return TableRows(version, chunks_of(rows), vectors_of(rows, dimension), _metadata_of(rows))


def drawn_rows(
    opened: Any, dimension: int, version: str, draw: Callable[[int], Sequence[int]]
) -> tuple[TableRows, int]:
    """Return the rows at the places that ``draw`` picks, and how many there are: of the others only the order is read."""
    keys = opened.search().select(["document_id", "ordinal"]).with_row_id(True).to_arrow()
    places = np.asarray(draw(len(keys)), np.intp)
    if len(places) == len(keys):
        return rows_of(opened, dimension, version), len(keys)
    wanted = keys["_rowid"].to_numpy()[_in_order(keys)[places]].tolist()
    columns = [*CHUNK_COLUMNS, *_metadata_column(opened), "vector"]
    if not wanted:
        return TableRows(version, [], np.zeros((0, dimension), np.float32), {}), len(keys)
    rows = opened.take_row_ids(wanted).select(columns).with_row_id().to_arrow()
    at = {row_id: i for i, row_id in enumerate(rows["_rowid"].to_pylist())}
    rows = rows.take([at[row_id] for row_id in wanted])
    return TableRows(version, chunks_of(rows), vectors_of(rows, dimension), _metadata_of(rows)), len(keys)


def places_of(opened: Any) -> list[ChunkPlace]:
    """Return where every chunk lies, in the order of documents and ordinals."""
    rows = opened.search().select(["document_id", "ordinal", "start", "end"]).to_arrow()
    rows = rows.take(_in_order(rows))
    return list(
        map(ChunkPlace._make, zip(*(rows[name].to_pylist() for name in ChunkPlace._fields), strict=True))
    )


def token_counts_of(opened: Any) -> list[int]:
    """Return how many tokens every chunk has, without reading texts and vectors."""
    found: list[int] = opened.search().select(["token_count"]).to_arrow()["token_count"].to_pylist()
    return found


def _in_order(rows: pa.Table) -> npt.NDArray[np.intp]:
    """Return the rows' places by document id, then ordinal: only the different ids are compared as text."""
    documents = rows["document_id"].combine_chunks().dictionary_encode()
    names = documents.dictionary.to_pylist()
    rank = np.empty(len(names), np.intp)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return np.lexsort((rows["ordinal"].to_numpy(), rank[documents.indices.to_numpy()]))


def metadata_of(opened: Any) -> dict[str, dict[str, str]]:
    """Return document id → metadata, for documents that have any, without reading texts and vectors."""
    if not has_metadata(opened):
        return {}
    return _metadata_of(opened.search().select(["document_id", "metadata"]).to_arrow())


def _metadata_of(rows: pa.Table) -> dict[str, dict[str, str]]:
    """Return document id → metadata, for documents that have any."""
    if "metadata" not in rows.schema.names:
        return {}
    lines = dict(zip(rows["document_id"].to_pylist(), rows["metadata"].to_pylist(), strict=True))
    return {
        document_id: dict(json.loads(line) for line in text.splitlines() if line)
        for document_id, text in lines.items()
        if text
    }


def has_metadata(opened: Any) -> bool:
    """Return whether the table keeps metadata; the first ones made did not."""
    return "metadata" in opened.schema.names


def _metadata_column(opened: Any) -> list[str]:
    return ["metadata"] if has_metadata(opened) else []


def chunks_of(rows: pa.Table) -> list[Chunk]:
    """Return the rows as chunks, in their order."""
    return [
        Chunk(*values) for values in zip(*(rows[name].to_pylist() for name in CHUNK_COLUMNS), strict=True)
    ]


def chunks_at(opened: Any, row_ids: Sequence[int]) -> list[Chunk]:
    """Return the chunks of these rows, in the order of the row ids."""
    if not row_ids:
        return []
    rows = opened.take_row_ids(list(row_ids)).select(list(CHUNK_COLUMNS)).with_row_id().to_arrow()
    by_id = dict(zip(rows["_rowid"].to_pylist(), chunks_of(rows), strict=True))
    return [by_id[row_id] for row_id in row_ids]


def vectors_of(rows: pa.Table, dimension: int) -> Vectors:
    """Return the vector column as ``(n, dim) float32``."""
    parts = [part.flatten().to_numpy().reshape(-1, dimension) for part in rows["vector"].chunks]
    return np.concatenate([np.zeros((0, dimension), np.float32), *parts])


def matrix_of(opened: Any, dimension: int) -> Matrix:
    """Return the table's rows for exact search."""
    from pyarrow.compute import sort_indices

    columns = ["id", "document_id", "ordinal", "page_start", "page_end", *_metadata_column(opened)]
    rows = opened.search().select([*columns, "vector"]).with_row_id(True).to_arrow()
    order = sort_indices(rows, sort_keys=[("document_id", "ascending"), ("ordinal", "ascending")])
    where = order.to_numpy()
    sorted_documents = rows["document_id"].take(order).combine_chunks().dictionary_encode()
    codes, first = np.unique(sorted_documents.indices.to_numpy(), return_index=True)
    ranges = pairwise([*first.tolist(), len(where)])
    names = sorted_documents.dictionary.to_pylist()
    return Matrix(
        rows["_rowid"].to_numpy()[where],
        {names[code]: both for code, both in zip(codes, ranges, strict=True)},
        rows["page_start"].to_numpy()[where],
        rows["page_end"].to_numpy()[where],
        vectors_of(rows, dimension)[where],
        _metadata_of(rows),
        rows["id"].cast("binary").to_numpy(zero_copy_only=False).astype(np.bytes_)[where],
    )
