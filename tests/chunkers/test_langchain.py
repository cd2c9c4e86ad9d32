"""LangChain's splitters: their own pieces, at their true places."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from langchain_text_splitters import CharacterTextSplitter, RecursiveCharacterTextSplitter, TextSplitter

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


def places(splitter: TextSplitter, text: str) -> list[tuple[int, int]]:
    """Return where LangChain's own pieces of a repeating text stand.

    It looks at lengths and separators only. So it is given the same text with letters that all differ, in which
    every piece has but one place. A last piece that holds nothing new (repeated text and a blank) is left out, and
    so is one that the next repeats from its beginning: where blanks are stripped, two pieces can begin alike.
    """
    number = iter(range(10**6))
    distinct = re.sub(r"[a-zA-Z]", lambda _: chr(0x4E00 + next(number)), text)
    found: list[tuple[int, int]] = []
    for piece in splitter.split_text(distinct):
        start = distinct.index(piece)
        end = start + len(piece)
        if found and end <= found[-1][1]:
            continue
        if found and start == found[-1][0]:
            found.pop()
        found.append((start, end))
    return found


@settings(deadline=None, max_examples=200)
@given(repeating_texts, st.sampled_from(("tokens", "characters")), st.integers(12, 60), st.integers(0, 11))
def test_recursive_gives_langchains_pieces_at_their_places(
    text: str, unit: str, size: int, overlap: int
) -> None:
    theirs = RecursiveCharacterTextSplitter(
        chunk_size=size, chunk_overlap=overlap, length_function=tokens_of if unit == "tokens" else len
    )
    assert ranges("langchain_recursive", text, sized(unit, size, overlap)) == places(theirs, text)


@settings(deadline=None, max_examples=200)
@given(
    repeating_texts,
    st.sampled_from(("tokens", "characters")),
    st.integers(12, 60),
    st.integers(0, 11),
    st.sampled_from(("\n\n", "\n", " ", ".")),
)
def test_character_gives_langchains_pieces_at_their_places(
    text: str, unit: str, size: int, overlap: int, separator: str
) -> None:
    length = tokens_of if unit == "tokens" else len
    # LangChain leaves longer pieces as they are; ours are cut.
    assume(all(length(piece) <= size for piece in re.split(f"(?<={re.escape(separator)})", text)))
    theirs = CharacterTextSplitter(
        separator=separator,
        chunk_size=size,
        chunk_overlap=overlap,
        keep_separator="end",
        length_function=length,
    )
    found = ranges("langchain_character", text, {**sized(unit, size, overlap), "separator": separator})
    assert found == places(theirs, text)


def test_a_piece_that_the_next_one_repeats_from_its_beginning_is_left_out() -> None:
    text = "a\n\ntram a\ntram "
    assert ranges("langchain_recursive", text, sized("characters", 13, 7)) == [(0, 1), (3, 14)]


def test_of_two_pieces_that_begin_alike_but_for_blanks_the_longer_is_kept() -> None:
    text = "\u0300" * 20 + "\r\naword aaa中"
    found = ranges("langchain_recursive", text, {"separators": ("",), **sized("characters", 9, 5)})
    assert found[-1] == (28, 32)
    assert len({start for start, _ in found}) == len(found)


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
