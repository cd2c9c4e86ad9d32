"""How good an index is, is measured without all vectors in memory, and comes out as if they were."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.records import Vectors
from workbench.stores._index_note import least_cosines, recall, sample_of

ROWS = 1_000


def unit_vectors() -> Vectors:
    rows = np.random.default_rng(3).normal(size=(ROWS, 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def batches(rows: Vectors, size: int = 170) -> Iterator[Vectors]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def test_the_sample_and_its_bounds_do_not_depend_on_the_batches() -> None:
    rows = unit_vectors()
    sample = sample_of(batches(rows), ROWS)
    assert {row.tobytes() for row in sample} == {row.tobytes() for row in sample_of([rows], ROWS)}
    assert len({row.tobytes() for row in sample}) == 100
    exact = np.sort(sample @ rows.T, axis=1)[:, -11]
    np.testing.assert_allclose(least_cosines(sample, batches(rows), 11), exact, atol=1e-6)


def test_a_search_that_sees_half_of_the_rows_finds_about_half_of_the_nearest() -> None:
    rows = unit_vectors()
    sample = sample_of(batches(rows), ROWS)
    least = least_cosines(sample, batches(rows), 11)
    assert recall(sample, least, 10, lambda vector, k: np.sort(rows @ vector)[-k:]) == 1
    half = recall(sample, least, 10, lambda vector, k: np.sort(rows[::2] @ vector)[-k:])
    assert 0.35 < half < 0.6
