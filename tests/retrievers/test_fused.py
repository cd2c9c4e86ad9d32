"""Fusion: the arithmetic by hand, and what is computed only once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.retrievers.made_table import asked, built_table
from workbench import plugins
from workbench.contracts import Asked, Compute, EmbeddingModel, Tick, no_tick
from workbench.errors import Cancelled, SettingsError
from workbench.ingest.vector_cache import VectorCache
from workbench.records import Query, Vectors
from workbench.retrievers._fusion import reciprocal_ranks, standardised
from workbench.retrievers._sentences import Sentences, telling

TEXTS = [
    "Trams stop at night. The depot washes every tram before the morning service.",
    "Recordings of cameras are kept for three days. Then they are deleted.",
    "Fares",
    "A ticket costs two euros.",
]


@pytest.fixture
def model(tmp_path: Path) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    return found


def test_standard_scores_by_hand() -> None:
    """Mean 4, and the deviations -3, -1, 1, 3 have the standard deviation √5."""
    assert standardised(np.array([1.0, 3, 5, 7])) == pytest.approx(np.array([-3, -1, 1, 3]) / 5**0.5)
    assert standardised(np.array([2.0, 2])).tolist() == [0, 0]
    assert standardised(np.zeros(0)).tolist() == []


def test_reciprocal_ranks_by_hand() -> None:
    """Equal scores are ranked by position."""
    assert reciprocal_ranks(np.array([0.2, 0.9, 0.2]), 60) == pytest.approx([1 / 62, 1 / 61, 1 / 63])


def test_a_fused_score_is_the_weighted_sum_of_what_the_components_say(
    tmp_path: Path, model: EmbeddingModel
) -> None:
    table = built_table(tmp_path, model, TEXTS)
    question = asked("How long are recordings kept?", table, model)
    fused = plugins.build(
        "retrievers",
        "fused",
        {"top_k": 4, "weight_vector": 0.5, "weight_sentence": 2.0, "weight_keyword": 1.0},
    )
    cosines = table.rows().vectors @ question.vector
    best = [max(model.vectors(telling(text, "english")) @ question.vector) for text in TEXTS]
    keyword = plugins.build("retrievers", "keyword", {"top_k": 4}).hits(question)
    bm25 = np.zeros(4)
    for hit in keyword:
        bm25[hit.chunk.ordinal] = hit.score
    total = 0.5 * standardised(cosines) + 2 * standardised(np.array(best)) + standardised(bm25)
    hits = fused.hits(question)
    assert [hit.chunk.ordinal for hit in hits] == np.argsort(-total, kind="stable").tolist()
    for hit in hits:
        place = hit.chunk.ordinal
        assert hit.score == pytest.approx(total[place], abs=1e-5)
        assert hit.details == pytest.approx(
            {"cosine": cosines[place], "best sentence's cosine": best[place], "BM25": bm25[place]}, abs=1e-5
        )
    assert hits[0].chunk.ordinal == 1


def test_with_one_weight_the_order_is_that_of_the_component(tmp_path: Path, model: EmbeddingModel) -> None:
    table = built_table(tmp_path, model, TEXTS)
    question = asked("the night tram", table, model)
    for method in ("standard_scores", "reciprocal_rank"):
        for weight, name in (("weight_vector", "nearest"), ("weight_keyword", "keyword")):
            weights = {"weight_vector": 0.0, "weight_sentence": 0.0, "weight_keyword": 0.0, weight: 1.0}
            fused = plugins.build("retrievers", "fused", {"top_k": 4, "method": method, **weights})
            alone = plugins.build("retrievers", name, {"top_k": 4}).hits(question)
            assert [hit.chunk for hit in fused.hits(question)][: len(alone)] == [hit.chunk for hit in alone]


def test_a_chunk_without_a_word_in_common_gets_nothing_for_its_keyword_rank(
    tmp_path: Path, model: EmbeddingModel
) -> None:
    table = built_table(tmp_path, model, TEXTS)
    fused = plugins.build("retrievers", "fused", {"top_k": 4, "method": "reciprocal_rank"})
    for hit in fused.hits(asked("recordings", table, model)):
        assert (hit.parts["keyword"] > 0) == (hit.chunk.ordinal == 1)


def test_weights_of_nothing_are_refused() -> None:
    none = {"weight_vector": 0.0, "weight_sentence": 0.0, "weight_keyword": 0.0}
    with pytest.raises(SettingsError, match="are all 0: raise one of them"):
        plugins.build("retrievers", "fused", none)


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_short_sentences_count_only_where_there_is_no_other() -> None:
    assert telling("Fares. A ticket costs two euros.", "english") == ["A ticket costs two euros."]
    assert telling("Fares. Tickets.", "english") == ["Fares.", "Tickets."]
    assert telling("…", "english") == ["…"]


class Counting(VectorCache):
    """A cache that remembers how many vectors had to be computed."""

    computed = 0

    def rows(
        self, keys: Sequence[str], dimension: int, compute: Compute, tick: Tick = no_tick
    ) -> tuple[Vectors, int]:
        found = super().rows(keys, dimension, compute, tick)
        self.computed += found[1]
        return found


def test_sentences_are_embedded_once_and_kept(tmp_path: Path, model: EmbeddingModel) -> None:
    cache = Counting(tmp_path / "vectors")
    fused = plugins.build("retrievers", "fused")
    table = built_table(tmp_path, model, [*TEXTS, TEXTS[1]])
    told: list[tuple[int, int]] = []

    def tick(done: int, total: int) -> None:
        told.append((done, total))

    for _ in range(3):
        fused.hits(Asked(Query("night"), table, model, kept=cache, tick=tick))
    # Six different sentences; the sixth is the heading, which stands alone.
    assert cache.computed == 6
    assert told[0] == (0, 6)
    assert told[-1] == (6, 6)
    known = len(told)
    # Another table with the same texts reads them from the cache.
    fused.hits(Asked(Query("night"), built_table(tmp_path, model, TEXTS), model, kept=cache, tick=tick))
    assert cache.computed == 6
    assert len(told) > known


def test_a_stopped_first_search_leaves_nothing_half_made(tmp_path: Path, model: EmbeddingModel) -> None:
    table = built_table(tmp_path, model, TEXTS)
    fused = plugins.build("retrievers", "fused")

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fused.hits(Asked(Query("night"), table, model, kept=VectorCache(tmp_path / "v"), tick=stop))
    assert len(fused.hits(asked("night", table, model))) == 4


def test_the_best_sentence_inside_a_chunk_is_the_one_that_counts(model: EmbeddingModel) -> None:
    texts = ["One two three four. Cats sleep all day long.", "Five six seven eight."]
    from workbench.contracts import NothingKept

    found = Sentences.of(texts, "english", model, NothingKept(), no_tick)
    asked_vector = model.vectors(["Cats sleep all day long."], query=True)[0]
    assert found.cosines(asked_vector)[0] == pytest.approx(1, abs=1e-6)
    assert len(found.vectors) == 3
