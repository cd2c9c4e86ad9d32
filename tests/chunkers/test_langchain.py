"""LangChain's splitters: their own pieces, at their true places."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_text_splitters import CharacterTextSplitter, RecursiveCharacterTextSplitter

from tests.chunkers.texts import ShortTokens, analysis_of, document_of
from workbench import plugins
from workbench.errors import SettingsError

words = st.sampled_from(("a", "bus", "tram", "stop", "again.", "Yes.", "platform"))
gaps = st.sampled_from((" ", " ", " ", "\n", "\n\n", "  ", "\n\n\n", " \n"))
repeating_texts = st.lists(st.tuples(words, gaps), min_size=1, max_size=80).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)
CHARACTERS = {"unit": "characters"}


def ranges(name: str, text: str, values: dict[str, Any]) -> list[tuple[int, int]]:
    document = document_of(text)
    chunks = plugins.build("chunkers", name, values).chunks(document, analysis_of(document))
    return [(chunk.start, chunk.end) for chunk in chunks]


def tokens_of(text: str) -> int:
    return len(ShortTokens().offsets(text))


def sized(unit: str, size: int, overlap: int) -> dict[str, Any]:
    return {"unit": unit, f"size_{unit}": size, f"overlap_{unit}": overlap}


@settings(deadline=None)
@given(repeating_texts, st.sampled_from(("tokens", "characters")), st.integers(12, 60), st.integers(0, 11))
def test_recursive_gives_the_pieces_that_langchain_gives(
    text: str, unit: str, size: int, overlap: int
) -> None:
    theirs = RecursiveCharacterTextSplitter(
        chunk_size=size, chunk_overlap=overlap, length_function=tokens_of if unit == "tokens" else len
    ).split_text(text)
    ours = ranges("langchain_recursive", text, sized(unit, size, overlap))
    assert [text[start:end] for start, end in ours] == theirs


@settings(deadline=None)
@given(
    repeating_texts, st.integers(12, 60), st.integers(0, 11), st.sampled_from(("\n\n", "\n", " ", "again."))
)
def test_character_gives_the_pieces_that_langchain_gives(
    text: str, size: int, overlap: int, separator: str
) -> None:
    theirs = CharacterTextSplitter(
        separator=separator, chunk_size=size, chunk_overlap=overlap, keep_separator="end"
    ).split_text(text)
    if all(len(piece) <= size for piece in re.split(f"(?<={re.escape(separator)})", text)):
        ours = ranges(
            "langchain_character", text, {**sized("characters", size, overlap), "separator": separator}
        )
        assert [text[start:end] for start, end in ours] == theirs


@settings(deadline=None)
@given(
    repeating_texts,
    st.sampled_from(("langchain_recursive", "langchain_character")),
    st.integers(12, 60),
    st.integers(0, 11),
)
def test_places_are_true_where_the_text_repeats_itself(text: str, name: str, size: int, overlap: int) -> None:
    # The same text with words that are all different: LangChain only looks at lengths and separators, so the
    # ranges must be the same, and with different words every piece has but one place.
    number = iter(range(10**6))
    distinct = re.sub(r"\S+", lambda m: "".join(chr(0xA000 + next(number) % 0x480) for _ in m.group()), text)
    values = {**sized("characters", size, overlap), **({"separator": "\n"} if "char" in name else {})}
    found = ranges(name, text, values)
    assert found == ranges(name, distinct, values)
    if "recursive" in name:
        theirs = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap).split_text(distinct)
        assert [distinct.index(piece) for piece in theirs] == [start for start, _ in found]


def test_a_sentence_repeated_a_hundred_times_is_found_a_hundred_times() -> None:
    text = "Mind the gap.\n" * 100
    found = ranges("langchain_recursive", text, {**CHARACTERS, "size_characters": 14})
    assert found == [(place, place + 13) for place in range(0, 1400, 14)]


def test_an_empty_separator_must_be_the_last() -> None:
    with pytest.raises(SettingsError, match="must be the last"):
        plugins.build("chunkers", "langchain_recursive", {"separators": ["", "\n"]})


def test_separators_come_from_yaml_as_a_list() -> None:
    built = plugins.build("chunkers", "langchain_recursive", {"separators": ["\n", " "]})
    assert built.separators == ("\n", " ")
    assert built.identity()["separators"] == ["\n", " "]
