"""Groups of chunks that speak of the same things, each named by the terms that set it apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.records import Vectors

MOST_TOPICS = 8
FEWEST_ROWS_A_TOPIC = 5
ROWS_TO_LEARN_FROM = 5_000
TERMS_A_LABEL = 3
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """``numbers``: ``(n,) int64``, the topic of every row, the largest topic first; ``labels``: one per topic."""

    numbers: npt.NDArray[np.int64]
    labels: tuple[str, ...]


def topics(vectors: Vectors, texts: Sequence[str], seed: int = 0) -> Topics:
    """Return up to eight groups of rows by their vectors, named by their terms.

    Groups by k-means on unit vectors (Lloyd 1982, seeded, learned from 5,000 rows at most); the number of groups grows with
    the square root of the rows. Names by class-based TF-IDF (Grootendorst: BERTopic, 2022):
    ``tf(term, group) · ln(1 + A / f(term))``, ``A`` the mean number of words in a group, ``f`` the term's count in all.
    """
    count = len(vectors)
    groups = min(MOST_TOPICS, count // FEWEST_ROWS_A_TOPIC, max(2, round((count / 8) ** 0.5)))
    if groups < 2:
        return Topics(np.zeros(count, np.int64), ("all chunks",) if count else ())
    # scikit-learn takes a second to import, and only this needs it.
    from sklearn.cluster import KMeans

    drawn = np.random.default_rng(seed).permutation(count)[:ROWS_TO_LEARN_FROM]
    fitted = KMeans(groups, n_init=4, random_state=seed).fit(vectors[np.sort(drawn)])
    raw = fitted.predict(vectors).astype(np.int64)
    sizes = np.bincount(raw, minlength=groups)
    order = [int(g) for g in np.lexsort((np.arange(groups), -sizes)) if sizes[g]]
    place = {group: i for i, group in enumerate(order)}
    numbers = np.array([place[int(group)] for group in raw], np.int64)
    return Topics(numbers, labels(numbers, texts, len(order)))


def labels(numbers: npt.NDArray[np.int64], texts: Sequence[str], count: int) -> tuple[str, ...]:
    """Return a name for each of ``count`` groups of texts: its three most telling terms.

    >>> labels(np.array([0, 0, 1]), ["red fox fox", "fox den", "blue sea sea"], 2)
    ('fox, den, red', 'sea, blue')
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    words: list[Counter[str]] = [Counter() for _ in range(count)]
    for number, text in zip(numbers, texts, strict=True):
        words[number].update(w for w in _WORD.findall(text.lower()) if w not in ENGLISH_STOP_WORDS)
    everywhere: Counter[str] = sum(words, Counter())
    mean_words = sum(everywhere.values()) / max(1, count)
    result = []
    for number, own in enumerate(words):
        total = sum(own.values())
        weights = {
            word: times / total * float(np.log1p(mean_words / everywhere[word]))
            for word, times in own.items()
        }
        best = sorted(weights, key=lambda word: (-weights[word], word))[:TERMS_A_LABEL]
        result.append(", ".join(best) or f"topic {number + 1}")
    return tuple(result)
