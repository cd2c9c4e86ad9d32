"""What all lists of hits go through: equal texts, diversity and context, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.retrievers.made_table import asked, built_table
from workbench import plugins
from workbench.contracts import Asked, EmbeddingModel
from workbench.contracts.hits import COMPARED, diverse, folded, once
from workbench.errors import SettingsError
from workbench.evaluation.results import question_result
from workbench.records import Chunk, Context, Document, Heading, Hit, Query, Vectors


@pytest.fixture
def model(tmp_path: Path) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build("embedders", "hashing", {"dimension": 8}).embedding_model(tmp_path)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A bus,  late.", "a bus late"),
        ("wrapped at the end of a line", "wrapped at\nthe end\nof a  line"),
        ("well-known", "well-\nknown"),
        ("“quoted”", '"quoted"'),
        ("• item (one)", "item one"),
        ("ﬁre", "FIRE"),
    ],
)
def test_texts_that_differ_in_typography_are_near_identical(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at most 1.5 kg", "at most 15 kg"),
        ("5 degrees", "-5 degrees"),
        ("x < 5", "x > 5"),
        ("10 %", "10"),
        ("You may smoke.", "You may not smoke."),
        ("12:30", "1230"),
    ],
)
def test_texts_that_say_something_else_are_not(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text("aB1.,:-!\n ", max_size=30))
def test_where_lines_end_is_typography(text: str) -> None:
    assert folded(text) == folded("\n  ".join(text.upper().split(" ")))


def chunk(number: int, text: str) -> Chunk:
    return Chunk(f"c{number}", "d", number, 10 * number, 10 * number + 9, text, 1, 1, 2)


def test_repeated_texts_stand_under_the_best_of_them() -> None:
    texts = ["a", "b", "A.", "c", "b", "…", "!?"]
    hits = [Hit(chunk(i, text), i + 1, -float(i)) for i, text in enumerate(texts)]
    found = once(iter(hits), 9)
    assert [hit.chunk.ordinal for hit in found] == [0, 1, 3, 5, 6]
    assert [[other.ordinal for other in hit.also] for hit in found] == [[2], [4], [], [], []]
    assert [hit.chunk.ordinal for hit in once(iter(hits), 2)] == [0, 1]


def unit(*angles: float) -> Vectors:
    return np.array([[np.cos(a), np.sin(a), *[0] * 6] for a in np.radians(angles)], np.float32)


def test_diversity_by_hand(tmp_path: Path, model: EmbeddingModel) -> None:
    """Relevances 1, .9 and 0; the second lies 10 degrees from the first, the third at a right angle to it."""
    table = built_table(tmp_path, model, ["one", "two", "three"], unit(0, 10, 90))
    hits = [
        Hit(c, i + 1, s, {"vector": s})
        for i, (c, s) in enumerate(zip(table.chunks(), (2.0, 1.9, 1.0), strict=True))
    ]
    near, far = np.cos(np.radians(10)), np.cos(np.radians(80))
    found = diverse(hits, asked("x", table, model), 0.6)
    assert [hit.chunk.text for hit in found] == ["one", "three", "two"]
    assert [hit.score for hit in found] == pytest.approx([0.4 * 1, 0, 0.4 * 0.9 - 0.6 * near], abs=1e-6)
    assert found[2].parts == pytest.approx({"relevance": 0.36, "repetition": -0.6 * near}, abs=1e-6)
    assert found[2].details == {"vector": 1.9}
    assert far < near
    unchanged = diverse(hits, asked("x", table, model), 0.1)
    assert [hit.chunk.text for hit in unchanged] == ["one", "two", "three"]


def test_hits_beyond_those_compared_keep_their_order_behind(tmp_path: Path, model: EmbeddingModel) -> None:
    texts = [f"text number {number}" for number in range(COMPARED + 20)]
    table = built_table(tmp_path, model, texts)
    hits = [Hit(c, i + 1, 1 / (1 + i)) for i, c in enumerate(table.chunks())]
    found = diverse(hits, asked("x", table, model), 0.7)
    assert [hit.chunk.ordinal for hit in found[COMPARED:]] == list(range(COMPARED, COMPARED + 20))
    scores = [hit.score for hit in found]
    assert scores == sorted(scores, reverse=True)


def test_tokens_of_overlapping_neighbours_count_once(tmp_path: Path, model: EmbeddingModel) -> None:
    """Three words a chunk, one of them shared with the next."""
    table = built_table(tmp_path, model, ["x"])
    words = ["aa bb cc", "cc dd ee", "ee ff gg"]
    chunks = [Chunk(f"k{i}", "d", i, 6 * i, 6 * i + 8, text, 1, 1, 3) for i, text in enumerate(words)]
    from workbench.contracts import DocumentRows

    table.replace_documents([DocumentRows("d", "s", chunks, model.vectors(words))])
    nearest = plugins.build("retrievers", "nearest", {"top_k": 1, "context": "neighbours"})
    (hit,) = nearest.hits(asked("cc dd ee", table, model))
    assert hit.shown == Context(0, 20, 7)
    # What is scored is what is shown.
    (found,) = question_result("q", [hit]).hits
    assert (found.start, found.end, found.token_count) == (0, 20, 7)


def test_a_hit_over_two_sections_is_shown_with_both(tmp_path: Path, model: EmbeddingModel) -> None:
    text = "Intro\none two\nFares\nthree four\nRules\nfive six"
    document = Document(
        "d",
        text,
        (),
        "T",
        "",
        tuple(Heading(text.index(h), text.index(h) + 5, 1) for h in ("Intro", "Fares", "Rules")),
    )
    table = built_table(tmp_path, model, ["Intro", "one two", "Fares", "three four", "Rules", "five six"])
    section = plugins.build("retrievers", "nearest", {"top_k": 1, "context": "section"})
    (hit,) = section.hits(Asked(Query("three four"), table, model, document=lambda _: document))
    assert text[hit.shown.start : hit.shown.end] == "Fares\nthree four"
    assert hit.shown.token_count == 3
    with pytest.raises(SettingsError, match="section needs the documents"):
        section.hits(asked("three four", table, model))


def test_a_document_without_headings_shows_the_chunk(tmp_path: Path, model: EmbeddingModel) -> None:
    document = Document("d", "one two", (), "T", "")
    table = built_table(tmp_path, model, ["one", "two"])
    section = plugins.build("retrievers", "nearest", {"top_k": 1, "context": "section"})
    (hit,) = section.hits(Asked(Query("two"), table, model, document=lambda _: document))
    assert hit.context is None
    assert hit.shown == Context(hit.chunk.start, hit.chunk.end, 1)
