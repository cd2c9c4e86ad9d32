"""What is measured once: counts of tokens, and the memory that keeps measurements."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chunkers.texts import ShortTokens
from workbench.analysis import ENTRY_BYTES, Memo, Ranges, TextAnalysis


def rows(*pairs: tuple[int, int]) -> Ranges:
    return np.array(pairs, np.int64).reshape(-1, 2)


@given(st.text(alphabet="ab .\n", max_size=30), st.data())
def test_a_count_is_the_number_of_tokens_that_are_touched(text: str, data: st.DataObject) -> None:
    tokens = TextAnalysis(text, ShortTokens()).tokens
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    touched = sum(
        1 for a, b in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True) if a < end and b > start
    )
    if start < end:
        assert tokens.count(start, end) == touched
    assert tokens.counts(np.array([start]), np.array([end])).tolist() == [tokens.count(start, end)]


def test_the_same_text_is_measured_once_under_one_name() -> None:
    memo, tokenizer = Memo(), ShortTokens()
    first = TextAnalysis("a b c", tokenizer, memo=memo).tokens
    again = TextAnalysis("a b c", tokenizer, memo=memo).tokens
    other = TextAnalysis("a b", tokenizer, memo=memo).tokens
    assert tokenizer.calls == 2
    assert (len(first), len(again), len(other)) == (3, 3, 2)


def test_what_is_kept_cannot_be_changed() -> None:
    kept = Memo().ranges("key", lambda: rows((0, 1)))
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = 5


def test_the_oldest_leave_when_the_memory_is_full(tmp_path: Path) -> None:
    # Room for two, each with what an entry takes beside its numbers: a hundred thousand short texts are mostly that.
    memo, calls = Memo(size_bytes=2 * (32 + ENTRY_BYTES)), []

    def ask(key: str) -> None:
        memo.ranges(key, lambda: calls.append(key) or rows((0, 1), (2, 3)))  # type: ignore[func-returns-value]

    for key in ("a", "b", "a", "c", "a", "b"):
        ask(key)
    assert calls == ["a", "b", "c", "b"]


def test_a_second_start_reads_from_disk(tmp_path: Path) -> None:
    Memo(tmp_path).ranges("key", lambda: rows((3, 4)))
    assert Memo(tmp_path).ranges("key", unexpected).tolist() == [[3, 4]]


def test_what_is_quick_to_compute_is_not_written(tmp_path: Path) -> None:
    Memo(tmp_path).ranges("key", lambda: rows((3, 4)), on_disk=False)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("content", [b"", b"junk", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, content: bytes) -> None:
    Memo(tmp_path).ranges("key", lambda: rows((3, 4)))
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(content)
    assert Memo(tmp_path).ranges("key", lambda: rows((5, 6))).tolist() == [[5, 6]]
    assert Memo(tmp_path).ranges("key", unexpected).tolist() == [[5, 6]]


def test_a_file_of_another_shape_is_computed_anew(tmp_path: Path) -> None:
    Memo(tmp_path).ranges("key", lambda: rows((3, 4)))
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    np.save(file.open("wb"), np.zeros(3))
    assert Memo(tmp_path).ranges("key", lambda: rows((5, 6))).tolist() == [[5, 6]]


def test_a_folder_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert Memo(blocked).ranges("key", lambda: rows((3, 4))).tolist() == [[3, 4]]


def test_threads_that_ask_together_compute_once() -> None:
    memo, calls, together = Memo(), [], threading.Barrier(4)

    def ask() -> None:
        together.wait()
        memo.ranges("key", lambda: calls.append(1) or rows((0, 1)))  # type: ignore[func-returns-value]

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


def test_a_failed_computation_is_tried_again() -> None:
    memo = Memo()
    with pytest.raises(RuntimeError):
        memo.ranges("key", failing)
    assert memo.ranges("key", lambda: rows((0, 1))).tolist() == [[0, 1]]


def unexpected() -> Ranges:
    raise AssertionError("this was known already")


def failing() -> Ranges:
    raise RuntimeError("a model fell over")
