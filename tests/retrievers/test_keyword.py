"""Keyword search: the formula by hand, words in several languages, and the same order as an independent library."""

from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.retrievers.made_table import asked, built_table
from workbench import plugins
from workbench.contracts import DocumentRows, EmbeddingModel, Filter, Table, TableInfo
from workbench.errors import SettingsError
from workbench.records import Chunk
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


LIBRARY = [
    "Trams run at night.",
    "The night tram: a driver's break!",
    "Cameras record no sound.",
    "Half of the fare is refunded.",
    "A tram, a tram, a tram.",
    "cameras record no sound",
]


@pytest.fixture
def stored(tmp_path: Path, model: EmbeddingModel) -> Table:
    """A table of a store with a full-text index of its own."""
    table: Table = (
        plugins.build("stores", "lancedb").connection(tmp_path).create(TableInfo("t", model.dimension))
    )
    chunks = [
        Chunk(f"c{i}", "d", i, 40 * i, 40 * i + len(text), text, 1, 1, 5) for i, text in enumerate(LIBRARY)
    ]
    table.replace_documents([DocumentRows("d", "state", chunks, model.vectors(LIBRARY))])
    return table


@pytest.mark.parametrize(
    "question", ["When do trams run?", "the driver's breaks", "camera", "1=1; -- fares", "qwxzvb"]
)
def test_the_stores_own_index_finds_the_chunks_that_the_one_in_memory_finds(
    stored: Table, model: EmbeddingModel, question: str
) -> None:
    memory, store = (
        plugins.build("retrievers", "keyword", {"index": index}).hits(asked(question, stored, model))
        for index in ("memory", "store")
    )
    assert {hit.chunk.id for hit in store} == {hit.chunk.id for hit in memory}
    assert [hit.rank for hit in store] == list(range(1, len(store) + 1))
    assert all(hit.parts == {"keyword": hit.score} and hit.score > 0 for hit in store)
    # Texts that differ in their typography only are one hit in either list.
    assert sorted(chunk.id for hit in store for chunk in hit.also) == ["c5"] * (question == "camera")


def test_a_list_from_the_stores_index_begins_with_the_shorter_one_and_keeps_to_the_filter(
    stored: Table, model: EmbeddingModel
) -> None:
    def found(top_k: int, where: Filter | None = None) -> list[str]:
        keyword = plugins.build("retrievers", "keyword", {"index": "store", "top_k": top_k})
        return [
            hit.chunk.id for hit in keyword.hits(replace(asked("night trams", stored, model), where=where))
        ]

    assert found(9)[:2] == found(2)
    assert found(9, Filter(chunk_ids=("c1", "c2", "c4"))) == [one for one in found(9) if one in ("c1", "c4")]


def test_a_build_makes_the_stores_index_and_a_search_then_writes_nothing(
    stored: Table, model: EmbeddingModel
) -> None:
    keyword = plugins.build("retrievers", "keyword", {"index": "store"})
    before = stored.version()
    plugins.build("retrievers", "keyword").prepare(asked("", stored, model))
    assert stored.version() == before
    keyword.prepare(asked("", stored, model))
    made = stored.version()
    assert made != before
    keyword.prepare(asked("", stored, model))
    assert len(keyword.hits(asked("tram", stored, model))) == 3
    assert stored.version() == made


def test_a_store_without_an_index_says_what_to_do(tmp_path: Path, model: EmbeddingModel) -> None:
    keyword = plugins.build("retrievers", "keyword", {"index": "store"})
    with pytest.raises(SettingsError, match="set index: memory"):
        keyword.hits(asked("tram", built_table(tmp_path, model, LIBRARY), model))


def test_the_formulas_settings_are_no_part_of_a_search_by_the_store() -> None:
    one, other = (plugins.build("retrievers", "keyword", {"index": "store", "k1": k1}) for k1 in (1.0, 2.0))
    assert one.identity() == other.identity()
    assert (
        plugins.build("retrievers", "keyword", {"k1": 1.0}).identity()
        != plugins.build("retrievers", "keyword").identity()
    )
