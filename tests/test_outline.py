"""Graphemes, words, lines and paragraphs against their plain definitions."""

from __future__ import annotations

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chunkers.texts import ShortTokens, texts
from workbench.analysis import TextAnalysis
from workbench.outline import Outline, outline

FLAGGED = ("\U0001f1e9", "\U0001f1ea", "a", "\u0301", "\u200d", "\u0600", "\u0903", "\U0001f469", "\r\n")
WRAPPED = (
    "Water from a burst main in Canal Street\nentered the tunnel near the station and\nran down the stairs.\n"
    "It stood there for days.\n\nShopping list\n- bread\n- milk and honey"
)


def parts(text: str) -> Outline:
    return outline(TextAnalysis(text, ShortTokens()))


@settings(deadline=None)
@given(texts)
def test_long_graphemes_are_those_that_a_reading_of_the_whole_text_finds(text: str) -> None:
    expected = [m.span() for m in regex.finditer(r"\X", text) if m.end() - m.start() > 1]
    assert [tuple(pair) for pair in parts(text).graphemes.tolist()] == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(FLAGGED), st.integers(1, 300)), max_size=6))
def test_flags_upon_flags_are_read_as_in_the_whole_text(runs: list[tuple[str, int]]) -> None:
    text = "".join(part * count for part, count in runs)
    spans = [match.span() for match in regex.finditer(r"\X", text) if len(match.group()) > 1]
    assert parts(text).graphemes.tolist() == [list(span) for span in spans]


def test_a_text_of_nothing_but_flags_takes_no_longer_than_any_other() -> None:
    # Quadratic time would be hours here.
    assert len(parts("\U0001f1e9\U0001f1ea" * 200_000).graphemes) == 200_000


@settings(deadline=None)
@given(texts)
def test_each_part_holds_everything_but_blanks(text: str) -> None:
    found = parts(text)
    for ranges in (found.paragraphs, found.lines, found.words):
        flat = ranges.ravel()
        assert (np.diff(flat) >= 0).all()
        assert (ranges[:, 0] < ranges[:, 1]).all()
        assert "".join(text[a:b] for a, b in ranges.tolist()).split() == text.split() or "".join(
            "".join(text[a:b] for a, b in ranges.tolist()).split()
        ) == "".join(text.split())
        assert all(text[a:b] == text[a:b].strip() for a, b in ranges.tolist())


@settings(deadline=None)
@given(texts)
def test_words_are_what_stands_between_blanks(text: str) -> None:
    starts, ends = (set(side.tolist()) for side in parts(text).words.T)
    between_blanks = [m.span() for m in regex.finditer(r"[^\s\x1c-\x1f]+", text)]
    assert {start for start, _ in between_blanks} <= starts
    assert {end for _, end in between_blanks} <= ends


def test_ideographs_are_words_of_their_own_with_what_follows_them() -> None:
    text = "A1漢字。かな、x が\u3099!"
    assert [text[a:b] for a, b in parts(text).words.tolist()] == [
        "A1",
        "漢",
        "字。",
        "か",
        "な、x",
        "が\u3099!",
    ]


def test_line_ends_of_a_full_column_are_no_ends_of_lines() -> None:
    found = [WRAPPED[a:b].split()[0] for a, b in parts(WRAPPED).lines.tolist()]
    assert found == ["Water", "It", "Shopping", "-", "-"]


def test_paragraphs_end_at_blank_lines_however_these_are_written() -> None:
    text = "one\ntwo\n\nthree\r\nfour\r\n \t\r\nfive\u2029six\u2028seven\n\n\n\neight"
    found = [text[a:b].split() for a, b in parts(text).paragraphs.tolist()]
    assert found == [["one", "two"], ["three", "four"], ["five"], ["six", "seven"], ["eight"]]


def test_nothing_has_no_parts() -> None:
    for text in ("", " \n\n "):
        found = parts(text)
        assert [len(part) for part in (found.paragraphs, found.lines, found.words)] == [0, 0, 0]
