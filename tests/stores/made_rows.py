"""Documents with chunks and vectors, made by number: the same arguments give the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.contracts import DocumentRows
from workbench.records import Chunk, Vectors, digest

DIMENSION = 8


def directions(dimension: int = DIMENSION) -> Vectors:
    """Unit vectors far from each other, so that only equal ones tie and rounding decides nothing."""
    made = np.random.default_rng(5).normal(size=(6, dimension))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def document_id(number: int) -> str:
    return digest(["document", number])


def rows_with(
    vectors: Vectors, number: int, version: str = "1", texts: Sequence[str] | None = None
) -> DocumentRows:
    """One chunk per vector, each on the page of its ordinal."""
    owner = document_id(number)
    texts = texts or [f"document {number}, version {version}, chunk {i}" for i in range(len(vectors))]
    chunks = [
        Chunk(
            digest([owner, version, i]),
            owner,
            i,
            i * 100,
            i * 100 + len(text),
            text,
            i + 1,
            i + 2,
            len(text.split()),
        )
        for i, text in enumerate(texts)
    ]
    return DocumentRows(owner, f"state {version}", chunks, np.ascontiguousarray(vectors, np.float32))


def rows(
    number: int, which: Sequence[int], version: str = "1", texts: Sequence[str] | None = None
) -> DocumentRows:
    """One chunk per entry of ``which``, the numbers of its direction."""
    return rows_with(directions()[list(which)].reshape(-1, DIMENSION), number, version, texts)
