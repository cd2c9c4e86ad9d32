"""Late chunking: windows, averages and pools worked out by hand on a small model, and the real one on both backends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import plugins
from workbench.analysis import TextAnalysis
from workbench.contracts import NothingKept, Passage, Tick
from workbench.embedders._kept_arrays import KeptArrays
from workbench.embedders.hashing import Hashing, HashingModel
from workbench.embedders.late_chunking import LateChunkingModel
from workbench.errors import Cancelled, SettingsError
from workbench.records import Vectors

TEXT = " ".join(f"w{number}" for number in range(10))


class Neighbours(HashingModel):
    """A token's vector is one-hot, plus a tenth of those of all tokens in its window."""

    takes_mean = True
    prefix_tokens = 0

    def __init__(self, window: int = 4) -> None:
        super().__init__(Hashing(dimension=16, max_tokens=window))
        self.inputs: list[list[int]] = []

    def token_ids(self, text: str) -> np.ndarray[Any, Any]:
        return np.arange(len(self.tokenizer.offsets(text)), dtype=np.int64)

    def framed(self, ids: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], int]:
        return np.concatenate([[-1], ids, [-2]]), 1

    def token_vectors(self, inputs: Sequence[np.ndarray[Any, Any]], tick: Tick) -> list[np.ndarray[Any, Any]]:
        found = []
        for number, sequence in enumerate(inputs):
            tick(number, len(inputs))
            self.inputs.append(sequence.tolist())
            hot = np.eye(16, dtype=np.float32)[sequence[1:-1] % 16]
            rows = hot + 0.1 * hot.sum(0)
            found.append(
                np.concatenate([np.full((1, 16), 99), rows, np.full((1, 16), 99)]).astype(np.float32)
            )
        return found


def late(folder: Path, stride: int | None = 2, window: int = 4) -> LateChunkingModel:
    return LateChunkingModel(Neighbours(window), stride, KeptArrays(folder, 10**8))  # type: ignore[arg-type]


def rows(model: LateChunkingModel, *ranges: tuple[int, int], text: str = TEXT) -> Vectors:
    analysis = TextAnalysis(text, model.tokenizer)
    return model.passage_vectors([Passage(analysis, a, b) for a, b in ranges], NothingKept())


def expected(*tokens: int, windows: list[list[int]]) -> Vectors:
    """The mean over tokens of the mean over windows, straight from the definition."""
    hot = np.eye(16)
    means = []
    for token in tokens:
        seen = [hot[token] + 0.1 * hot[window].sum(0) for window in windows if token in window]
        means.append(np.mean(seen, axis=0))
    mean = np.mean(means, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


WINDOWS = [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 9]]


def test_tokens_are_averaged_over_windows_and_pooled_over_the_passage(tmp_path: Path) -> None:
    model = late(tmp_path)
    found = rows(model, (0, 2), (3, 11), (21, 29), (0, 29))
    for row, tokens in zip(found, ([0], [1, 2, 3], [7, 8, 9], range(10)), strict=True):
        assert np.allclose(row, expected(*tokens, windows=WINDOWS), atol=1e-3)
    assert model.text_model.inputs == [[-1, *window, -2] for window in WINDOWS]  # type: ignore[attr-defined]


def test_the_last_window_is_moved_back_to_be_full(tmp_path: Path) -> None:
    model = late(tmp_path, stride=3)
    rows(model, (0, 29))
    assert [inside[1:-1] for inside in model.text_model.inputs] == [  # type: ignore[attr-defined]
        [0, 1, 2, 3],
        [3, 4, 5, 6],
        [6, 7, 8, 9],
    ]
    short = late(tmp_path, stride=3)
    rows(short, (0, 8), text="one two three")
    assert [inside[1:-1] for inside in short.text_model.inputs] == [[0, 1, 2]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("at_once", [1, 2, 3, 64])
def test_how_many_windows_are_computed_at_once_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("workbench.embedders.late_chunking.WINDOWS_AT_ONCE", at_once)
    text = " ".join(["word"] * 61)
    for stride in (1, 2, 3, 4):
        model = late(tmp_path / str(stride), stride)
        found = rows(model, (0, 4), (40, 100), (290, len(text)), text=text)
        windows = [inside[1:-1] for inside in model.text_model.inputs]  # type: ignore[attr-defined]
        assert sorted({token for window in windows for token in window}) == list(range(61))
        hot = np.eye(16)
        tokens = []
        for token in range(61):
            seen = [hot[token % 16] + 0.1 * hot[np.array(w) % 16].sum(0) for w in windows if token in w]
            tokens.append(np.mean(seen, axis=0))
        for row, (first, last) in zip(found, ((0, 1), (8, 20), (58, 61)), strict=True):
            mean = np.mean(tokens[first:last], axis=0)
            assert np.allclose(row, mean / np.linalg.norm(mean), atol=2e-3)


def test_another_chunking_reads_nothing_even_in_another_process_life(tmp_path: Path) -> None:
    first = late(tmp_path)
    analysis = TextAnalysis(TEXT, first.tokenizer)
    whole = [Passage(analysis, 0, len(TEXT))]
    assert [piece.text for piece in first.unread(whole, NothingKept())] == [
        "w0 w1 w2 w3",
        "w2 w3 w4 w5",
        "w4 w5 w6 w7",
        "w6 w7 w8 w9",
    ]
    rows(first, (0, 29))
    second = late(tmp_path)
    assert second.unread(whole, NothingKept()) == []
    rows(second, (0, 2), (3, 9))
    assert second.text_model.inputs == []  # type: ignore[attr-defined]
    # Another stride gives other vectors, so it reads for itself.
    assert late(tmp_path, stride=3).unread(whole, NothingKept()) != []


def test_texts_that_stand_alone_leave_nothing_on_the_disk(tmp_path: Path) -> None:
    model = late(tmp_path)
    assert np.allclose(model.vectors(["w0 w1 w2"])[0], expected(0, 1, 2, windows=[[0, 1, 2]]), atol=1e-3)
    assert list(tmp_path.iterdir()) == []


def test_stopping_between_windows_keeps_nothing_half(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled("stopped")

    model = late(tmp_path)
    analysis = TextAnalysis(TEXT, model.tokenizer)
    passages = [Passage(analysis, at, at + 2) for at in range(0, 27, 3)]
    with pytest.raises(Cancelled):
        model.passage_vectors(passages, NothingKept(), stop)
    assert model.unread(passages, NothingKept()) != []
    assert list(tmp_path.iterdir()) == []


def test_a_stride_that_leaves_tokens_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"stride_tokens \(5\) must be at most 4"):
        late(tmp_path, stride=5)
    assert late(tmp_path, stride=None).id == late(tmp_path, stride=2).id


def test_a_model_that_does_not_take_the_mean_is_refused(tmp_path: Path) -> None:
    alone = Neighbours()
    alone.takes_mean = False
    with pytest.raises(SettingsError, match="takes the mean"):
        LateChunkingModel(alone, None, KeptArrays(tmp_path, 1))  # type: ignore[arg-type]


@pytest.mark.slow
def test_both_backends_give_the_same_passages_and_a_short_text_is_nearly_as_usual(tmp_path: Path) -> None:
    text = " ".join(
        f"Line {number} of the tram runs every {number % 9 + 3} minutes, and its cars were built in {1950 + number}."
        for number in range(60)
    )
    found = []
    for settings in ({"backend": "openvino"}, {"backend": "torch", "device": "cpu"}):
        folder = tmp_path / str(settings["backend"])
        model = plugins.build("embedders", "late_chunking", settings).embedding_model(folder)
        analysis = TextAnalysis(text, model.tokenizer)
        passages = [Passage(analysis, at, at + size) for size in (40, 500) for at in range(0, 4000, size)]
        found.append(model.passage_vectors(passages, NothingKept()))
    assert (found[0] * found[1]).sum(1).min() >= 0.999
    # Only the special tokens are not pooled.
    assert (model.vectors([text[:300]]) * model.text_model.vectors([text[:300]])).sum() >= 0.99


@pytest.mark.slow
def test_the_prefix_of_passages_stands_before_every_window(tmp_path: Path) -> None:
    settings = {"passage_prefix": "passage: ", "max_tokens": 20}
    model = plugins.build("embedders", "late_chunking", settings).embedding_model(tmp_path)
    alone = model.text_model
    sequence, head = alone.framed(alone.token_ids("the tram"))
    plain = alone.token_ids("passage: the tram")
    assert sequence[1:-1].tolist() == plain.tolist()
    assert head == 1 + alone.prefix_tokens
    assert (sequence[0], sequence[-1]) == (101, 102)
