"""What every store checks before it writes, and how a score is computed where stores must agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.contracts import DocumentRows, TableInfo
from workbench.errors import ContractError, InputError, SettingsError
from workbench.records import Vectors

_TABLE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_LENGTH_TOLERANCE = 1e-3


def valid_name(name: str) -> str:
    """Return a table name as it is, or raise ``SettingsError`` when it could not be a file name everywhere."""
    if not _TABLE_NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r:.60} cannot be a table name: use up to 200 of the characters A–Z a–z 0–9 _ . - "
            "and begin with a letter, a digit or _"
        )
    return name


def check_batch(info: TableInfo, batch: Sequence[DocumentRows]) -> None:
    """Raise for rows that must not reach a table: LanceDB, for one, takes zero vectors in silence.

    ``SettingsError`` for vectors of another dimension than the table's, ``InputError`` for text that no store
    can keep, ``ContractError`` for what only a bug can cause.
    """
    documents: set[str] = set()
    chunk_ids: set[str] = set()
    for rows in batch:
        if not rows.document_id or rows.document_id in documents:
            raise ContractError(f"the document {rows.document_id!r} is in one batch twice, or has no id")
        documents.add(rows.document_id)
        _check_vectors(info, rows)
        before = -1
        for chunk in rows.chunks:
            if chunk.document_id != rows.document_id or chunk.ordinal <= before or chunk.id in chunk_ids:
                raise ContractError(
                    f"{rows.document_id} was given a chunk with the id {chunk.id}, the ordinal {chunk.ordinal} and "
                    f"the document {chunk.document_id}: ids must be unique and ordinals must increase"
                )
            before = chunk.ordinal
            chunk_ids.add(chunk.id)
            try:
                chunk.text.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"chunk {chunk.ordinal} of {rows.document_id} holds half of a surrogate pair, "
                    "which is not text: parse the document again"
                ) from error


def _check_vectors(info: TableInfo, rows: DocumentRows) -> None:
    vectors = rows.vectors
    if vectors.ndim != 2 or len(vectors) != len(rows.chunks):
        raise ContractError(
            f"{rows.document_id} has {len(rows.chunks)} chunks and vectors of shape {vectors.shape}"
        )
    if len(vectors) and vectors.shape[1] != info.dimension:
        raise SettingsError(
            f"the table {info.name} holds vectors of {info.dimension} numbers and was given {vectors.shape[1]}: "
            "use the model it was built with, or another table"
        )
    if vectors.dtype != np.float32:
        raise ContractError(f"{rows.document_id} has vectors of {vectors.dtype} instead of float32")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    # NaN and infinity fail this comparison as well as zero rows do.
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= _LENGTH_TOLERANCE))
    if wrong.size:
        raise ContractError(
            f"the vector of chunk {wrong[0]} of {rows.document_id} has length {lengths[wrong[0]]:.4g} instead of 1"
        )


def query_vector(info: TableInfo, vector: Vectors) -> Vectors:
    """Return the question's vector as ``(dim,) float32``; raises ``SettingsError`` for another dimension."""
    flat = np.ascontiguousarray(vector, np.float32).reshape(-1)
    if flat.size != info.dimension:
        raise SettingsError(
            f"the table {info.name} holds vectors of {info.dimension} numbers and was asked with {flat.size}: "
            "ask with the model it was built with"
        )
    if not np.isfinite(flat).all():
        raise ContractError("the question's vector is not finite")
    return flat


def cosines(vectors: Vectors, vector: Vectors) -> npt.NDArray[np.float32]:
    """Return ``(n,) float32`` cosines, summed row by row in double precision.

    A matrix product may sum equal rows in different orders and so break their tie by chance; this does not.
    """
    products = vectors.astype(np.float64) * vector.astype(np.float64)
    sums: npt.NDArray[np.float64] = products.sum(axis=1)
    return sums.astype(np.float32)
