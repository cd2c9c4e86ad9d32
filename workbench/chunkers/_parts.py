"""Parts of a text that fit a budget, whatever the text: what every chunker builds its chunks of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.analysis import Ranges, TextAnalysis
from workbench.outline import divided, outline, outside_graphemes
from workbench.spans import Measure, Offsets, Pieces, Span, cut, packed

_STRONG_MARKS = frozenset(";:!?…。！？；：—–")
_WEAK_MARKS = _STRONG_MARKS | frozenset(",、，)")


def fitting_words(
    analysis: TextAnalysis, measure: Measure, budget: int, cuts: Offsets | None = None
) -> Ranges:
    """Return the words, cut at ``cuts`` too, none larger than ``budget``.

    A word above the budget is cut between graphemes. Only a grapheme that is itself above the budget is cut
    between its code points: the budget is what a model can read.
    """
    parts = outline(analysis)
    words = parts.words
    if cuts is not None:
        words = divided(words, outside_graphemes(cuts, parts.graphemes))
    large = above(words, measure, budget)
    if not large.any():
        return words
    pieces: list[Span] = []
    for start, end in words[large].tolist():
        places = outside_graphemes(np.arange(start + 1, end, dtype=np.int64), parts.graphemes)
        graphemes = divided(np.array([[start, end]], np.int64), places)
        huge = above(graphemes, measure, budget)
        for first, last in graphemes[huge].tolist():
            graphemes = divided(graphemes, np.arange(first + 1, last, dtype=np.int64))
        pieces.extend(packed(Pieces(graphemes, measure), budget))
    return _in_order(words[~large], pieces)


def fitting_sentences(analysis: TextAnalysis, sentences: Ranges, measure: Measure, budget: int) -> Ranges:
    """Return the sentences; one above ``budget`` is cut into parts that fit.

    It is cut where a line was meant to end, or after a semicolon or the like, after a comma, or between words, whichever
    comes first in this list and leaves a part at least half full.
    """
    large = above(sentences, measure, budget)
    if not large.any():
        return sentences
    words = fitting_words(analysis, measure, budget, np.unique(sentences))
    holder = np.searchsorted(sentences[:, 0], words[:, 0], side="right") - 1
    inside = large[holder]
    words, holder = words[inside], holder[inside]
    lines = np.isin(words[:, 0], outline(analysis).lines[:, 0])
    before = ["", *(analysis.text[end - 1] for end in words[:-1, 1].tolist())]
    strong = lines | np.array([mark in _STRONG_MARKS for mark in before])
    weak = strong | np.array([mark in _WEAK_MARKS for mark in before])
    parts = cut(
        Pieces(words, measure),
        budget,
        levels=[np.flatnonzero(level).tolist() for level in (lines, strong, weak)],
        least=budget // 2,
        breaks=(np.flatnonzero(np.diff(holder)) + 1).tolist(),
    )
    return _in_order(sentences[~large], list(parts))


def above(ranges: Ranges, measure: Measure, budget: int) -> npt.NDArray[np.bool_]:
    """Mark the ranges that are larger than ``budget``."""
    marks: npt.NDArray[np.bool_] = measure.highs(ranges[:, 1]) - measure.lows(ranges[:, 0]) > budget
    return marks


def indices(pieces: Ranges, starts: Offsets) -> list[int]:
    """Return which of the pieces begin at one of ``starts``, as indices."""
    found = np.searchsorted(pieces[:, 0], starts, side="left")
    return np.unique(found).tolist()  # type: ignore[no-any-return]


def _in_order(ranges: Ranges, more: list[Span]) -> Ranges:
    joined = np.concatenate([ranges, np.array(more, np.int64).reshape(-1, 2)])
    return joined[np.argsort(joined[:, 0], kind="stable")]
