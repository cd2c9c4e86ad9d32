"""LangChain's splitters, made to tell where their pieces stand in the text.

LangChain hands out strings. Looking those up in the text goes wrong where the text repeats itself, so its two
inner steps are given ranges instead: joining works on ``(start, end)`` pairs, and the pieces that it splits a text
into are counted off in order. With separators kept they follow each other without gaps, so nothing is searched for.
Sizes come from the ranges too: no piece is ever tokenised again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np

from workbench.analysis import Ranges, TextAnalysis, Tokens
from workbench.chunkers._budget import BudgetChunker
from workbench.chunkers._parts import fitting_words
from workbench.outline import fitted, outline, snapped
from workbench.packages import load
from workbench.spans import Measure, Offsets, Pieces, Span, cut, sizes

Kind = Literal["CharacterTextSplitter", "RecursiveCharacterTextSplitter"]

NEVER = "(?!)"
"""A separator that is nowhere. As the last one it makes LangChain hand over what no other separator divides."""


def langchain_spans(
    kind: Kind, analysis: TextAnalysis, chunker: BudgetChunker, **settings: Any
) -> list[Span]:
    """Return the ranges that LangChain's splitter makes of the text, pieces above the size cut to fit."""
    ruler = _Ruler(analysis, chunker)
    splitter = _tracking(kind)(
        ruler=ruler,
        chunk_size=chunker.size,
        chunk_overlap=chunker.overlap,
        length_function=ruler.size,
        **settings,
    )
    return ruler.lawful(splitter.split_text(analysis.text))


class _Ruler:
    """Knows where in the text LangChain is, and how large ranges of it are."""

    def __init__(self, analysis: TextAnalysis, chunker: BudgetChunker) -> None:
        self._analysis = analysis
        self._measure = chunker.measure(analysis)
        self._budget = chunker.size
        self._overlap = chunker.overlap
        self._longest = chunker.longest
        self._lows, self._highs = (found.data for found in _by_place(self._measure, len(analysis.text)))
        self.placed = 0
        """The end of what has been joined: the next piece to join begins here."""
        self.measured = 0
        """The end of what has been measured: the next piece to measure begins here."""

    def size(self, piece: str | Span) -> int:
        """Return the size of a range, or of the next piece in the text."""
        if isinstance(piece, tuple):
            return self._highs[piece[1]] - self._lows[piece[0]]
        if not piece:
            return 0
        start, self.measured = self.measured, self.measured + len(piece)
        return self._highs[self.measured] - self._lows[start]

    def ranges(self, pieces: Iterable[str]) -> list[Span]:
        """Return where the next pieces stand.

        One without any size, such as a blank, belongs to the piece before it: LangChain drops pieces one by one
        to make room, which takes quadratic time when they make none.
        """
        found: list[Span] = []
        for piece in pieces:
            start, self.placed = self.placed, self.placed + len(piece)
            if found and piece and self._highs[self.placed] == self._lows[start]:
                found[-1] = (found[-1][0], self.placed)
            else:
                found.append((start, self.placed))
        return found

    def lawful(self, spans: list[Span]) -> list[Span]:
        """Return the ranges without those that add nothing to the one before, none ending inside a grapheme.

        Separators can be any text, so also half of what is seen as one character: such an end moves to the
        beginning of the character, and what grows too large is cut. With an overlap, LangChain may end with a
        piece of repeated text and blanks.
        """
        if not spans:
            return spans
        parts = outline(self._analysis)
        moved = fitted(snapped(np.array(spans, np.int64), parts.graphemes), parts.words)
        result: list[Span] = []
        floor = 0
        for start, end in moved.tolist():
            start = max(start, floor)
            if start >= end or (result and end <= result[-1][1]):
                continue
            if result and start <= result[-1][0]:
                result.pop()
            if self._highs[end] - self._lows[start] <= self._budget and end - start <= self._longest:
                result.append((start, end))
            else:
                # The parts end here: what follows may not begin before them.
                result.extend(self.parts(start, end))
                floor = end
        return result

    @cached_property
    def _words(self) -> Ranges:
        return fitting_words(self._analysis, self._measure, self._budget)[0]

    def parts(self, start: int, end: int) -> list[Span]:
        """Return a range cut to fit, between words or, within a word, between graphemes."""
        words = self._words
        first = int(np.searchsorted(words[:, 1], start, side="right"))
        last = int(np.searchsorted(words[:, 0], end, side="left"))
        inside = np.clip(words[first:last], start, end)
        pieces = Pieces(inside, sizes(inside, self._measure))
        return list(cut(pieces, self._budget, self._overlap, longest=self._longest))


def _by_place(measure: Measure, length: int) -> tuple[Offsets, Offsets]:
    """Return, for every place in a text, how much is over before it and how much has begun before it."""
    if not isinstance(measure, Tokens):
        places = np.arange(length + 1, dtype=np.int64)
        return measure.lows(places), measure.highs(places)
    # As searching every place among the tokens, in linear time.
    over = np.cumsum(np.bincount(measure.ends, minlength=length + 1), dtype=np.int64)
    begun = np.zeros(length + 1, np.int64)
    np.cumsum(np.bincount(measure.starts, minlength=length)[:length], out=begun[1:])
    return over, begun


@cache
def _tracking(kind: Kind) -> Any:
    """Return LangChain's class with the steps replaced that would lose the places."""
    langchain = load("langchain_text_splitters", "langchain-text-splitters", "splitting with LangChain")
    base: Any = getattr(langchain, kind)

    class Tracking(base):  # type: ignore[misc]
        def __init__(self, ruler: _Ruler, **settings: Any) -> None:
            super().__init__(**settings)
            self._ruler = ruler

        def _merge_splits(self, splits: Iterable[str], separator: str) -> list[Span]:
            ranges = self._ruler.ranges(splits)
            result: list[Span] = []
            # What is above the size stays alone, as LangChain has it, but is cut to fit.
            first = 0
            for place, span in enumerate(ranges):
                if self._ruler.size(span) > self._chunk_size:
                    result.extend(super()._merge_splits(ranges[first:place], separator))
                    result.extend(self._ruler.parts(*span))
                    first = place + 1
            result.extend(super()._merge_splits(ranges[first:], separator))
            return result

        def _join_docs(self, docs: Sequence[Span], separator: str) -> Span | None:
            return (docs[0][0], docs[-1][1]) if docs else None

    class TrackingRecursive(Tracking):
        def _split_text(self, text: str, separators: list[str]) -> list[Span]:
            ruler = self._ruler
            start, end = ruler.placed, ruler.placed + len(text)
            ruler.measured = start
            if not any(re.search(separator, text) for separator in separators if separator != NEVER):
                found = ruler.parts(start, end)
            else:
                found = super()._split_text(text, separators)
            ruler.placed = ruler.measured = end
            return found

    return TrackingRecursive if kind == "RecursiveCharacterTextSplitter" else Tracking
