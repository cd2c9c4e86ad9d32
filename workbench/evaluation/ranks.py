"""Measures over ranks: how early the judged ranges are shown.

A chunk shows a judged range when it covers at least ``min_overlap`` of the range's characters (default one half).
Each range is credited once, to the first chunk that shows it; a second chunk that shows the same gains nothing.
Hits are taken in the order of their ranks; equal scores were ordered by the retriever (document id, then place), so
ties need no rule here. A document's id comes from its address, so the same files added under other names may order
equal scores of two documents in another way. Questions without hits score 0 everywhere.

With n ranges judged, and r_1 < r_2 < … the ranks up to k of hits that show something new (Manning, Raghavan and
Schütze, "Introduction to Information Retrieval", 2008, chapter 8; MRR: Voorhees, TREC-8, 1999):

    hit       = 1 if there is an r_1, else 0
    recall    = (ranges shown) / n
    precision = (number of r_i) / k, also when fewer than k were found
    MRR       = 1 / r_1, 0 without one; its mean over the questions is the mean reciprocal rank
    MAP, nDCG   see ``average_precision`` and ``ndcg_at``

One chunk may show several ranges at once, which the classic measures do not know. For MAP and nDCG, where order
counts, such ranges take places one after another: each range stands at its chunk's rank or, when that is taken, right
after the range before it. So a perfect ranking scores 1, nothing scores more, and where every chunk shows at most one
new range the figures are those of trec_eval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.evaluation.results import FoundRange, JudgedRange, Truth

MIN_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class RankScores:
    """The measures of one question at one k."""

    hit: float
    recall: float
    precision: float
    mrr: float
    map: float
    ndcg: float


def shows(found: FoundRange, item: JudgedRange, min_overlap: float = MIN_OVERLAP) -> bool:
    """Return whether a hit covers enough of a judged range, here or where the same text stands."""
    for document, start, end in item.places:
        if document == found.document_id:
            covered = min(end, found.end) - max(start, found.start)
            if covered > 0 and covered >= min_overlap * (end - start):
                return True
    return False


def first_ranks(
    truth: Truth, hits: Sequence[FoundRange], min_overlap: float = MIN_OVERLAP
) -> list[int | None]:
    """Return per judged range the rank (from 1) of the first hit that shows it, None when none does."""
    return [
        next((rank for rank, found in enumerate(hits, start=1) if shows(found, item, min_overlap)), None)
        for item in truth.ranges
    ]


def rank_scores(truth: Truth, ranks: Sequence[int | None], k: int) -> RankScores:
    """Return the measures of the first ``k`` hits; ``ranks`` comes from ``first_ranks``."""
    grades = [item.judgment.grade for item in truth.ranges]
    shown = sorted((rank, -grade) for rank, grade in zip(ranks, grades, strict=True) if rank and rank <= k)
    only_ranks = [rank for rank, _ in shown]
    placed = places(shown)
    return RankScores(
        hit=float(bool(shown)),
        recall=len(shown) / len(grades),
        precision=precision_at(only_ranks, k),
        mrr=1 / only_ranks[0] if shown else 0.0,
        map=average_precision([place for place, _ in placed], len(grades), k),
        ndcg=ndcg_at(placed, grades, k),
    )


def places(shown: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (place, grade) for (rank, -grade) in order, no two at one place.

    >>> places([(1, -2), (1, -1), (2, -1), (9, -1)])
    [(1, 2), (2, 1), (3, 1), (9, 1)]
    """
    result: list[tuple[int, int]] = []
    for rank, negative in shown:
        result.append((max(rank, result[-1][0] + 1 if result else 1), -negative))
    return result


def precision_at(ranks: Sequence[int], k: int) -> float:
    """Return (number of the first k hits that show something new) / k, also when fewer than k were found."""
    return len({rank for rank in ranks if rank <= k}) / k


def average_precision(ranks: Sequence[int], relevant: int, k: int) -> float:
    """Return the mean over all ``relevant`` ranges of precision at the place of each, 0 for those beyond k.

    AP@k = (1 / relevant) · Σ_i i / place_i for places <= k (trec_eval's map_cut; Buckley and Voorhees, 2005).
    """
    return sum(i / rank for i, rank in enumerate(sorted(ranks), start=1) if rank <= k) / relevant


def ndcg_at(placed: Sequence[tuple[int, int]], grades: Sequence[int], k: int) -> float:
    """Return DCG / best DCG, with DCG = Σ grade / log2(1 + place) over places <= k.

    Järvelin and Kekäläinen (2002) in the form of trec_eval's ndcg_cut: the gain is the grade itself.
    """
    gained = sum(grade / math.log2(1 + place) for place, grade in placed if place <= k)
    best = sum(g / math.log2(1 + i) for i, g in enumerate(sorted(grades, reverse=True)[:k], start=1))
    return gained / best if best else 0.0
