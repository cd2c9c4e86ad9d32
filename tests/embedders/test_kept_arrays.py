"""Arrays on disk: made once, never half, and no more of them than fit."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workbench.embedders._kept_arrays import KeptArrays
from workbench.errors import Cancelled, ServiceError

SHAPE = (4, 3)
ROWS = np.arange(12, dtype=np.float16).reshape(SHAPE)


def blocks() -> Iterator[np.ndarray]:
    yield ROWS[:1]
    yield ROWS[1:]


def nothing() -> Iterator[np.ndarray]:
    raise AssertionError("this was asked for although it is kept")
    yield


def test_an_array_is_made_once_and_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = KeptArrays(tmp_path / "new", 10**6)
    assert "a" not in kept
    assert np.array_equal(kept.array("a", SHAPE, blocks()), ROWS)
    assert "a" in kept
    assert np.array_equal(KeptArrays(tmp_path / "new", 10**6).array("a", SHAPE, nothing()), ROWS)


def test_threads_that_ask_for_one_key_make_it_once(tmp_path: Path) -> None:
    kept, made, found = KeptArrays(tmp_path, 10**6), [], []
    together = threading.Barrier(6)

    def slow() -> Iterator[np.ndarray]:
        made.append(1)
        yield ROWS

    def ask() -> None:
        together.wait()
        found.append(kept.array("a", SHAPE, slow()))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    assert all(np.array_equal(rows, ROWS) for rows in found)
    assert len(found) == 6


def test_what_is_stopped_halfway_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> Iterator[np.ndarray]:
        yield ROWS[:1]
        raise Cancelled("stopped")

    kept = KeptArrays(tmp_path, 10**6)
    with pytest.raises(Cancelled):
        kept.array("a", SHAPE, stopped())
    assert list(tmp_path.iterdir()) == []
    assert np.array_equal(kept.array("a", SHAPE, blocks()), ROWS)


@pytest.mark.parametrize("damage", [b"", b"no array", None], ids=["empty", "other", "cut"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    kept = KeptArrays(tmp_path, 10**6)
    kept.array("a", SHAPE, blocks())
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-2] if damage is None else damage)
    assert np.array_equal(kept.array("a", SHAPE, blocks()), ROWS)


def test_the_arrays_used_longest_ago_go_first(tmp_path: Path) -> None:
    size = len(b"\x93NUMPY") + 122 + ROWS.nbytes
    kept = KeptArrays(tmp_path, 2 * size + 10)
    for age, key in enumerate("ab"):
        kept.array(key, SHAPE, blocks())
        os.utime(tmp_path / f"{key}.npy", (age, age))
    held = kept.array("a", SHAPE, nothing())
    kept.array("c", SHAPE, blocks())
    assert [key in kept for key in "abc"] == [True, False, True]
    assert np.array_equal(held, ROWS)


def test_an_array_above_the_bound_is_still_given(tmp_path: Path) -> None:
    kept = KeptArrays(tmp_path, 1)
    kept.array("a", SHAPE, blocks())
    assert np.array_equal(kept.array("b", SHAPE, blocks()), ROWS)
    assert [key in kept for key in "ab"] == [False, True]


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="cannot be kept"):
        KeptArrays(tmp_path / "file" / "folder", 10**6).array("a", SHAPE, blocks())
