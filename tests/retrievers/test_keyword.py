"""Keyword search: the formula by hand, words in several languages, and the same order as an independent library."""

from __future__ import annotations

from math import log
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.retrievers.made_table import asked, built_table
from workbench import plugins
from workbench.contracts import EmbeddingModel
from workbench.retrievers._bm25 import Bm25
from workbench.retrievers._words import question_words, words


@pytest.fixture
def model(tmp_path: Path) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    return found


def test_the_score_is_the_formula_by_hand() -> None:
    """Three chunks of 2, 4 and 3 words, 3 on average; "cat" stands in two of them, twice in the second."""
    index = Bm25.of(["cat dog", "cat cat bird tree", "fish bird tree"], "none", k1=1.2, b=0.5)
    idf = log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    first = idf * 1 / (1 + 1.2 * (1 - 0.5 + 0.5 * 2 / 3))
    second = idf * 2 / (2 + 1.2 * (1 - 0.5 + 0.5 * 4 / 3))
    assert index.scores({"cat": 1.0}) == pytest.approx([first, second, 0], rel=1e-6)
    # A word that stands in the question twice counts twice; one that no chunk has counts nothing.
    assert index.scores({"cat": 2.0, "zebra": 1.0}) == pytest.approx([2 * first, 2 * second, 0], rel=1e-6)
    fish = log(1 + (3 - 1 + 0.5) / (1 + 0.5)) * 1 / (1 + 1.2)
    assert index.parts({"cat": 1.0, "fish": 1.0}, 2) == pytest.approx({"fish": fish}, rel=1e-6)
    assert index.parts({"cat": 1.0, "fish": 1.0}, 0) == pytest.approx({"cat": first}, rel=1e-6)


def test_scores_agree_with_an_independent_library() -> None:
    rng = np.random.default_rng(4)
    texts = [
        " ".join(f"w{int(n)}" for n in np.minimum(rng.zipf(1.3, rng.integers(3, 40)), 300))
        for _ in range(200)
    ]
    theirs = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    theirs.index([text.split() for text in texts], show_progress=False)
    ours = Bm25.of(texts, "none", 1.5, 0.75)
    for number in range(1, 60):
        question = ["w1", f"w{number}", f"w{2 * number}"]
        known = [word for word in question if word in ours.terms]
        counts: dict[str, float] = {}
        for word in known:
            counts[word] = counts.get(word, 0) + 1
        assert ours.scores(counts) == pytest.approx(theirs.get_scores(known), abs=1e-4)


def test_words_are_stems_without_punctuation() -> None:
    assert words("The drivers' BREAKS (1.5 hours)!", "english") == ["the", "driver", "break", "1.5", "hour"]
    assert words("running-shoes_2", "english") == ["run", "shoe", "2"]
    assert words("running", "none") == ["running"]
    assert words("Häuser", "german") == words("Haus", "german")
    assert words("l'eau", "french") == ["l", "eau"]
    assert words("ﬁre", "none") == ["fire"]  # a ligature, as PDFs have it
    assert words("...?!", "english") == []


def test_signs_without_blanks_between_words_are_compared_in_pairs() -> None:
    assert words("東京都庁", "english") == ["東京", "京都", "都庁"]
    assert words("犬", "none") == ["犬"]
    assert words("bus東京stop", "none") == ["bus", "東京", "stop"]
    assert words("ภาษาไทย", "none")[0] == "ภา"


def test_stop_words_leave_a_question_unless_nothing_else_is_in_it() -> None:
    assert question_words("What is the fine for fare evasion?", "english") == {
        "fine": 1,
        "fare": 1,
        "evas": 1,
    }
    assert question_words("to be or not to be", "english") == {"to": 2, "be": 2, "or": 1, "not": 1}
    assert question_words("Was kostet die Karte?", "german") == {"kostet": 1, "kart": 1}
    assert question_words("?!", "english") == {}


@given(st.text(max_size=60))
def test_any_text_has_words_and_a_question_has_no_others(text: str) -> None:
    assert set(question_words(text, "english")) <= set(words(text, "english"))


def test_chunks_without_a_word_of_the_question_are_no_hits(tmp_path: Path, model: EmbeddingModel) -> None:
    table = built_table(tmp_path, model, ["cats sleep", "trains need rails", "the sleeper train"])
    keyword = plugins.build("retrievers", "keyword")
    hits = keyword.hits(asked("train", table, model))
    assert [hit.chunk.text for hit in hits] == ["trains need rails", "the sleeper train"]
    assert hits[0].parts.keys() == {"keyword"}
    assert hits[0].details == {"word train": pytest.approx(hits[0].score)}
    assert keyword.hits(asked("?!", table, model)) == []


def test_equal_scores_come_in_document_order(tmp_path: Path, model: EmbeddingModel) -> None:
    table = built_table(tmp_path, model, ["same words here"] * 700)
    hits = plugins.build("retrievers", "keyword", {"top_k": 700, "repeated": True}).hits(
        asked("words", table, model)
    )
    assert [hit.chunk.ordinal for hit in hits] == list(range(700))
