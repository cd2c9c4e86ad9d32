"""Parts of a text that fit a budget, whatever the text: what every chunker builds its chunks of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.analysis import Ranges, TextAnalysis, Tokens
from workbench.chunkers._budget import longest_characters
from workbench.outline import divided, outline, outside_graphemes
from workbench.sentences import marked_sentences
from workbench.spans import Measure, Offsets, Pieces, Span, cut, distinct, packed, sizes, united

_STRONG_MARKS = frozenset(";:!?…。！？；：—–")
_WEAK_MARKS = _STRONG_MARKS | frozenset(",、，)")


def fitting_words(
    analysis: TextAnalysis, measure: Measure, budget: int, *, at_marks: bool = False
) -> tuple[Ranges, Pieces]:
    """Return the words, none larger than ``budget``, as ranges and as pieces.

    With ``at_marks`` they are also cut where a sentence ends inside one. A word above the budget, or longer than what
    a chunk of that many tokens may be in characters, is cut between graphemes. Only a grapheme that is itself above
    either is cut between its code points: the budget is what a model can read.
    """
    words, name = outline(analysis).words, "words"
    if at_marks:
        sentences, whole, name = marked_sentences(analysis), words, "words cut at marks"
        words = analysis.ranges(name, lambda _: divided(whole, sentences[:, 0]), on_disk=False)
    # With any number of words, their sizes are most of the work of a chunker: they are kept too.
    found = (
        analysis.ranges(
            f"sizes of {name} {analysis.tokenizer.id}", lambda _: sizes(words, measure), on_disk=False
        )
        if isinstance(measure, Tokens)
        else sizes(words, measure)
    )
    large = found[:, 1] - found[:, 0] > budget
    if isinstance(measure, Tokens):
        large |= words[:, 1] - words[:, 0] > longest_characters(budget)
    if not large.any():
        return words, Pieces(words, found)
    return _with_parts(analysis, words, large, measure, budget)


def _with_parts(
    analysis: TextAnalysis, words: Ranges, large: npt.NDArray[np.bool_], measure: Measure, budget: int
) -> tuple[Ranges, Pieces]:
    long_graphemes = outline(analysis).graphemes
    longest = longest_characters(budget) if isinstance(measure, Tokens) else budget
    parts: list[Span] = []
    for start, end in words[large].tolist():
        places = outside_graphemes(np.arange(start + 1, end, dtype=np.int64), long_graphemes)
        graphemes = divided(np.array([[start, end]], np.int64), places)
        found = sizes(graphemes, measure)
        above = (found[:, 1] - found[:, 0] > budget) | (graphemes[:, 1] - graphemes[:, 0] > longest)
        for first, last in graphemes[above].tolist():
            graphemes = divided(graphemes, np.arange(first + 1, last, dtype=np.int64))
        parts.extend(packed(Pieces(graphemes, sizes(graphemes, measure)), budget, longest=longest))
    words = _in_order(words[~large], parts)
    return words, Pieces(words, sizes(words, measure))


def fitting_sentences(analysis: TextAnalysis, sentences: Ranges, budget_tokens: int) -> Ranges:
    """Return the sentences; one above the budget is cut into parts that fit.

    It is cut where a line was meant to end, or after a semicolon or the like, after a comma, or between words,
    whichever comes first in this list and leaves a part at least half full.
    """
    tokens = analysis.tokens
    longest = longest_characters(budget_tokens)
    large = (tokens.counts(sentences[:, 0], sentences[:, 1]) > budget_tokens) | (
        sentences[:, 1] - sentences[:, 0] > longest
    )
    if not large.any():
        return sentences
    parts = outline(analysis)
    # Of the words, only those in large sentences are looked at.
    holder = np.searchsorted(sentences[large, 0], parts.words[:, 1], side="left") - 1
    touched = (holder >= 0) & (parts.words[:, 0] < sentences[large, 1][np.maximum(holder, 0)])
    words = divided(parts.words[touched], distinct(sentences[large].ravel()))
    holder = np.searchsorted(sentences[large, 0], words[:, 0], side="right") - 1
    inside = (holder >= 0) & (words[:, 0] < sentences[large, 1][np.maximum(holder, 0)])
    words = words[inside]
    huge = (tokens.counts(words[:, 0], words[:, 1]) > budget_tokens) | (words[:, 1] - words[:, 0] > longest)
    words, pieces = _with_parts(analysis, words, huge, tokens, budget_tokens)
    lines = np.isin(words[:, 0], parts.lines[:, 0])
    before = ["", *(analysis.text[end - 1] for end in words[:-1, 1].tolist())]
    strong = lines | np.array([mark in _STRONG_MARKS for mark in before])
    weak = strong | np.array([mark in _WEAK_MARKS for mark in before])
    cuts = cut(
        pieces,
        budget_tokens,
        levels=[np.flatnonzero(level).tolist() for level in (lines, strong, weak)],
        least=budget_tokens // 2,
        breaks=indices(words, sentences[large, 0]),
        longest=longest,
    )
    return _in_order(sentences[~large], list(cuts))


def structured_words(
    analysis: TextAnalysis, measure: Measure, budget: int
) -> tuple[Ranges, Pieces, list[list[int]]]:
    """Return words that fit ``budget`` and, as indices of them, where paragraphs, lines and sentences begin.

    Each of the three levels holds the ones before it.
    """
    parts = outline(analysis)
    words, pieces = fitting_words(analysis, measure, budget, at_marks=True)
    levels: list[list[int]] = []
    places = np.zeros(0, np.int64)
    for part in (parts.paragraphs, parts.lines, marked_sentences(analysis)):
        places = united(places, np.searchsorted(words[:, 0], part[:, 0], side="left"))
        levels.append(places.tolist())
    return words, pieces, levels


def indices(pieces: Ranges, starts: Offsets) -> list[int]:
    """Return the first piece at or after each of ``starts``, as indices, each once."""
    found: list[int] = distinct(np.searchsorted(pieces[:, 0], starts, side="left")).tolist()
    return found


def _in_order(ranges: Ranges, more: list[Span]) -> Ranges:
    joined = np.concatenate([ranges, np.array(more, np.int64).reshape(-1, 2)])
    return joined[np.argsort(joined[:, 0], kind="stable")]
