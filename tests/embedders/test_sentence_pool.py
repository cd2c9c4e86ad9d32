"""Sentence pools on hashed words: what is counted, how often, and what is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.embedders.kept import Kept
from workbench import plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.contracts import NothingKept, Passage, Tick, no_tick
from workbench.embedders import sentence_pool
from workbench.embedders.hashing import Hashing, HashingModel
from workbench.embedders.sentence_pool import SentencePoolModel
from workbench.records import Document, Page, Vectors

TEXT = "One cat sat. Two dogs ran away from it. Three birds sang all day long."
CAT, DOGS, BIRDS = (0, 12), (13, 39), (40, 70)


class Reading(HashingModel):
    """The hashing model, which also says what it read."""

    def __init__(self, max_tokens: int | None = None) -> None:
        super().__init__(Hashing(max_tokens=max_tokens))
        self.read: list[str] = []

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        self.read += inputs
        return super().raw_vectors(inputs, tick)


def pooled(text: str, *ranges: tuple[int, int], alone: HashingModel | None = None) -> Vectors:
    model = SentencePoolModel(alone or Reading())
    analysis = TextAnalysis(text, model.tokenizer)
    return model.passage_vectors([Passage(analysis, a, b) for a, b in ranges], NothingKept())


def unit(row: Vectors) -> Vectors:
    return np.asarray(row / np.linalg.norm(row), np.float32)


def texts(*ranges: tuple[int, int]) -> Vectors:
    return Reading().vectors([TEXT[a:b] for a, b in ranges])


def test_a_passage_is_the_mean_of_its_sentences() -> None:
    cat, dogs, birds = texts(CAT, DOGS, BIRDS)
    rows = pooled(TEXT, (0, 70), (0, 39), CAT)
    assert np.allclose(rows[0], unit(cat + dogs + birds), atol=1e-6)
    assert np.allclose(rows[1], unit(cat + dogs), atol=1e-6)
    assert np.allclose(rows[2], cat, atol=1e-6)


def test_a_sentence_that_the_edge_cuts_counts_by_its_share_inside() -> None:
    cat, dogs = texts(CAT, DOGS)
    half = (DOGS[0] + DOGS[1]) // 2
    assert half - DOGS[0] == 13
    assert np.allclose(pooled(TEXT, (0, half))[0], unit(cat + 0.5 * dogs), atol=1e-6)


def test_without_a_whole_sentence_the_parts_inside_are_embedded() -> None:
    first, second = (13, 20), (21, 39)
    rows = pooled(TEXT, first, second, (30, 50))
    assert np.allclose(rows[:2], texts(first, second), atol=1e-6)
    dogs, birds = texts((30, 39), (40, 50))
    assert np.allclose(rows[2], unit(9 / 26 * dogs + 10 / 30 * birds), atol=1e-6)


def test_the_same_words_among_other_sentences_have_another_key() -> None:
    model = SentencePoolModel(Reading())
    one, other = (TextAnalysis(text, model.tokenizer) for text in (TEXT, TEXT + " And more."))
    keys = {model.passage_key(p) for p in (Passage(one, *CAT), Passage(other, *CAT), Passage(one, *DOGS))}
    assert len(keys) == 3
    assert SentencePoolModel(Reading(), "german").id != model.id != model.text_model.id


def test_other_parameters_for_splitting_are_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    before = SentencePoolModel(Reading()).id
    monkeypatch.setattr(sentence_pool, "punkt_version", lambda: "another")
    assert SentencePoolModel(Reading()).id != before


def test_four_chunkings_read_a_document_once() -> None:
    alone, kept = Reading(), Kept()
    model = SentencePoolModel(alone)
    text = " ".join(f"Sentence number {number} speaks of tram line {number % 7}." for number in range(200))
    document = Document("d", text, (Page(1, 0, len(text)),), "", "")
    for name, settings in (
        ("nltk_sentences", {"size_tokens": 60}),
        ("nltk_sentences", {"size_tokens": 120, "overlap_sentences": 2}),
        ("recursive", {"size_tokens": 80}),
        ("fixed_size", {"size_tokens": 50, "overlap_tokens": 10}),
    ):
        analysis = TextAnalysis(text, model.tokenizer, (), Memo())
        chunks = plugins.build("chunkers", name, settings).chunks(document, analysis)
        passages = [Passage(analysis, chunk.start, chunk.end) for chunk in chunks]
        expected = 200 if not alone.read else 0
        assert len(model.unread(passages, kept)) == expected
        rows = model.passage_vectors(passages, kept)
        assert rows.shape == (len(chunks), model.dimension)
        assert model.unread(passages, kept) == []
    assert sorted(alone.read) == sorted(set(alone.read))
    assert len(alone.read) == 200
    # They lie under the keys of the model itself: its own sentences cost nothing either.
    assert alone.key("Sentence number 3 speaks of tram line 3.") in kept.held


def test_a_sentence_above_the_window_is_read_to_its_end() -> None:
    alone = Reading(max_tokens=4)
    text = "a b c d e f g h i j. " + "-".join("klmnopqrstuv") + " end."
    rows = pooled(text, (0, len(text)), alone=alone)
    assert all(len(alone.tokenizer.offsets(read)) <= 4 for read in alone.read)
    assert "".join(alone.read).replace(" ", "") == text.replace(" ", "")
    assert alone.read[:3] == ["a b c d", "e f g h", "i j."]
    assert rows.shape == (1, 64)
    assert SentencePoolModel(alone).seen_end(text) == len(text)


def test_questions_are_embedded_by_the_model_itself() -> None:
    model = SentencePoolModel(Reading())
    question = "Who sat? Who ran away?"
    assert np.array_equal(model.vectors([question], query=True), Reading().vectors([question]))
    assert not np.allclose(model.vectors([question]), Reading().vectors([question]))


@given(
    st.lists(
        st.sampled_from(["Tram", "stops.", "Dr.", "Ray", "no", "end", "\n\n", "?"]), min_size=1, max_size=40
    ),
    st.data(),
)
def test_every_range_of_every_text_gets_a_row_of_its_own_making(
    words: list[str], data: st.DataObject
) -> None:
    text = " ".join(words)
    ranges = []
    for _ in range(3):
        start = data.draw(st.integers(0, len(text) - 1))
        ranges.append((start, data.draw(st.integers(start + 1, len(text)))))
    together = pooled(text, *ranges, alone=Reading(max_tokens=3))
    alone = np.concatenate([pooled(text, found, alone=Reading(max_tokens=3)) for found in ranges])
    assert np.allclose(together, alone, atol=1e-6)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_the_plugin_pools_the_named_model(tmp_path: Path) -> None:
    model = plugins.build("embedders", "sentence_pool", {"max_tokens": 30}).embedding_model(tmp_path)
    alone = plugins.build("embedders", "sentence_transformers", {"max_tokens": 30}).embedding_model(tmp_path)
    assert model.text_model.id == alone.id
    assert model.dimension == 384
    assert "mean of sentences" in model.title
    with pytest.raises(ValueError, match="language"):
        type(plugins.build("embedders", "sentence_pool"))(language="klingon")  # type: ignore[arg-type]
