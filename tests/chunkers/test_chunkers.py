"""What each chunker does that the others do not. What all of them do is in tests/contracts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.chunkers.texts import FAMILY, ShortTokens, analysis_of, arbitrary_vectors, document_of
from workbench import plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.chunkers._spacy import LONGEST_UNBROKEN_CHARACTERS
from workbench.errors import ContractError
from workbench.records import Document, Heading, Vectors, digest, text_digest

PROSE = "One two three. Four five six. Seven eight nine. Ten eleven twelve."


def cut(name: str, text: str | Document, **values: Any) -> list[str]:
    document = text if isinstance(text, Document) else document_of(text)
    return [c.text for c in plugins.build("chunkers", name, values).chunks(document, analysis_of(document))]


def headed(text: str, *headings: tuple[str, int]) -> Document:
    found = tuple(
        Heading(text.index(words), text.index(words) + len(words), level) for words, level in headings
    )
    return Document("d", text, (), "t", "u", found)


# ── fixed size ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_fixed_size_fills_the_budget_with_whole_words() -> None:
    assert cut("fixed_size", "aa bb cc dd ee ff gg hh ii jj", size_tokens=8) == [
        "aa bb cc dd ee ff gg hh",
        "ii jj",
    ]


def test_fixed_size_repeats_whole_words_up_to_the_overlap() -> None:
    text = " ".join(f"w{n:02}" for n in range(14))
    assert cut("fixed_size", text, size_tokens=8, overlap_tokens=3) == [
        "w00 w01 w02 w03 w04 w05 w06 w07",
        "w05 w06 w07 w08 w09 w10 w11 w12",
        "w10 w11 w12 w13",
    ]


def test_a_word_above_the_size_is_cut_between_graphemes() -> None:
    pieces = cut("fixed_size", f"ab {FAMILY * 5} cd", unit="characters", size_characters=16)
    assert pieces == ["ab", FAMILY * 2, FAMILY * 2, f"{FAMILY} cd"]


def test_settings_of_the_other_unit_do_not_change_the_identity() -> None:
    one = plugins.build("chunkers", "fixed_size", {"size_tokens": 100, "size_characters": 500})
    two = plugins.build("chunkers", "fixed_size", {"size_tokens": 100, "size_characters": 900})
    assert one.identity() == two.identity()
    assert "size_characters" not in one.identity()


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "values"), [("nltk_sentences", {}), ("spacy_sentences", {"mode": "rules"})])
def test_sentences_are_packed_and_repeated(name: str, values: dict[str, Any]) -> None:
    assert cut(name, PROSE, size_tokens=12, **values) == [
        "One two three. Four five six.",
        "Seven eight nine. Ten eleven twelve.",
    ]
    assert cut(name, PROSE, size_tokens=12, overlap_sentences=1, **values) == [
        "One two three. Four five six.",
        "Four five six. Seven eight nine.",
        "Seven eight nine. Ten eleven twelve.",
    ]


def test_paragraphs_are_joined_or_kept_apart() -> None:
    text = "One. Two.\n\nThree. Four."
    assert cut("nltk_sentences", text) == [text]
    assert cut("nltk_sentences", text, cross_paragraphs=False, overlap_sentences=1) == [
        "One. Two.",
        "Three. Four.",
    ]


def test_a_long_sentence_is_cut_after_its_inner_marks() -> None:
    text = "The bus was late; the tram was full, the train had gone."
    assert cut("nltk_sentences", text, size_tokens=9) == [
        "The bus was late;",
        "the tram was full,",
        "the train had gone.",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["parser", "senter"])
def test_trained_splitters_know_abbreviations_and_do_not_mind_wrapped_lines(mode: str) -> None:
    text = "Dr. Ray saw the bus leave the\nstation at eight. She did not\nwave to the driver."
    assert cut("spacy_sentences", text, mode=mode, size_tokens=16) == [
        "Dr. Ray saw the bus leave the\nstation at eight.",
        "She did not\nwave to the driver.",
    ]


@pytest.mark.slow
def test_spacy_reads_more_than_a_million_characters() -> None:
    text = "One two three. Four five six. " * 40_000
    pieces = cut("spacy_sentences", text, mode="rules", size_tokens=8192)
    assert sum(piece.count(".") for piece in pieces) == 80_000
    assert all(piece.endswith(".") for piece in pieces)


@pytest.mark.parametrize("mode", ["rules", pytest.param("parser", marks=pytest.mark.slow)])
def test_a_long_address_is_read_in_parts_and_no_sentence_ends_inside_it(mode: str) -> None:
    # A mark stands exactly where a part is full.
    address = "https://a.org/" + "letters-and-1234.html?q=" * 60
    assert address[LONGEST_UNBROKEN_CHARACTERS - 1] == "?"
    text = f"{address} doesn't answer Dr. Ray on Monday. She can't."
    chunker = plugins.build("chunkers", "spacy_sentences", {"mode": mode})
    sentences = [text[start:end] for start, end in chunker.sentences(analysis_of(document_of(text))).tolist()]
    if mode == "parser":
        assert sentences == [f"{address} doesn't answer Dr. Ray on Monday.", "She can't."]
    else:
        assert sentences[0].startswith(f"{address} doesn't answer")


# ── structure ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_recursive_prefers_paragraphs_then_lines_then_sentences_then_words() -> None:
    text = "One two.\n\n- three four\n- five six\n\nSeven eight. Nine ten eleven twelve thirteen."
    # Words of more than four letters are two tokens here.
    assert cut("recursive", text, size_tokens=8) == [
        "One two.",
        "- three four\n- five six",
        "Seven eight.",
        "Nine ten eleven twelve",
        "thirteen.",
    ]


def test_sections_are_kept_apart_or_joined() -> None:
    document = headed("Intro.\n\nOne\nFirst part.\n\nTwo\nSecond part.", ("One", 1), ("Two", 2))
    assert cut("headings", document) == ["Intro.", "One\nFirst part.", "Two\nSecond part."]
    assert cut("headings", document, deepest_level=1) == ["Intro.", "One\nFirst part.\n\nTwo\nSecond part."]
    assert cut("headings", document, join_small=True) == [document.text]
    assert cut("headings", document, join_small=True, size_tokens=9) == [
        "Intro.\n\nOne\nFirst part.",
        "Two\nSecond part.",
    ]


def test_a_text_without_headings_is_cut_at_paragraphs() -> None:
    document = headed("One two three.\n\nFour five six.\n\nSeven.")
    assert cut("headings", document, size_tokens=10) == ["One two three.\n\nFour five six.", "Seven."]


# ── semantic ─────────────────────────────────────────────────────────────────────────────────────────────────────


def subject_vectors(texts: list[str]) -> Vectors:
    return np.array([[1, 0] if "bus" in text else [0, 1] for text in texts], np.float32)


def test_semantic_cuts_where_the_subject_changes() -> None:
    text = "The bus came. A bus left. Bread is baked. Bread is eaten. No bus came."
    analysis = TextAnalysis(text, ShortTokens(), sentence_vectors=subject_vectors)  # type: ignore[arg-type]
    chunker = plugins.build("chunkers", "semantic", {"threshold_percentile": 50.0, "window_sentences": 1})
    assert [text[start:end] for start, end in chunker.spans(analysis)] == [
        "The bus came. A bus left.",
        "Bread is baked. Bread is eaten.",
        "No bus came.",
    ]


def test_semantic_takes_whole_numbers_as_percentiles() -> None:
    assert plugins.build("chunkers", "semantic", {"threshold_percentile": 90}).threshold_percentile == 90.0


def test_semantic_without_vectors_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ContractError, match="sentence vectors"):
        list(plugins.build("chunkers", "semantic").spans(TextAnalysis("One. Two.", ShortTokens())))


def test_semantic_embeds_each_sentence_once_whatever_the_window() -> None:
    asked: list[int] = []

    def counting(texts: Any) -> Vectors:
        asked.append(len(texts))
        return arbitrary_vectors(texts)

    analysis = TextAnalysis(PROSE, ShortTokens(), memo=Memo(), sentence_vectors=counting)
    for window in (1, 2, 3):
        list(plugins.build("chunkers", "semantic", {"window_sentences": window}).spans(analysis))
    assert asked == [4, 4, 4]


# ── the base class ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chunk_id_is_the_digest_of_document_place_and_text() -> None:
    text = "Again. Again. Again."
    document = Document('a "quoted" Ünicode id', text, (), "t", "u")
    chunks = plugins.build("chunkers", "nltk_sentences", {"size_tokens": 8}).chunks(
        document, analysis_of(document)
    )
    for chunk in chunks:
        assert chunk.id == digest(["chunk", document.id, chunk.start, chunk.end, text_digest(chunk.text)])
