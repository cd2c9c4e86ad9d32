"""The words of a text with the places, from coarse to fine, at which chunks had better end."""

from __future__ import annotations

import numpy as np

from workbench.analysis import Ranges, TextAnalysis
from workbench.chunkers._parts import fitting_words, indices
from workbench.outline import outline
from workbench.sentences import marked_sentences
from workbench.spans import Measure


def structured_words(analysis: TextAnalysis, measure: Measure, budget: int) -> tuple[Ranges, list[list[int]]]:
    """Return words that fit ``budget`` and the words at which paragraphs, lines and sentences begin, as indices."""
    parts = outline(analysis)
    sentences = marked_sentences(analysis)
    words = fitting_words(analysis, measure, budget, sentences[:, 0])
    # Each level holds the ones before it, so that the finest is the one to begin an overlap at.
    paragraphs = parts.paragraphs[:, 0]
    lines = np.union1d(paragraphs, parts.lines[:, 0])
    return words, [
        indices(words, starts) for starts in (paragraphs, lines, np.union1d(lines, sentences[:, 0]))
    ]
