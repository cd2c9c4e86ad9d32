"""Measures over ranges: how much of the judged text was shown, and how much else.

Definitions of Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval" (Chroma, 2024), counted in
characters as the code of that report counts. With R the judged ranges of a question and C1 … Ck the shown ones:

    hit       = |(C1 ∪ … ∪ Ck) ∩ R|, each character once
    total     = |C1| + … + |Ck|, overlaps again each time, chunks of other documents included
    recall    = hit / (|R1| + |R2| + …)
    precision = hit / total
    IoU       = hit / (total + judged characters that were not shown)
    F         = 2 · precision · recall / (precision + recall)      (van Rijsbergen, 1979, with equal weights)

A quotient without a denominator is 0: who shows nothing has found nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.evaluation.results import ChunkRanges, FoundRange, Truth
from workbench.spans import Span, intersection, length, merged


@dataclass(frozen=True, slots=True)
class RangeScores:
    """The measures of one question at one k."""

    recall: float
    precision: float
    iou: float
    f1: float
    characters_shown: int


def range_scores(truth: Truth, shown: Sequence[FoundRange]) -> RangeScores:
    """Return the measures of the hits in ``shown``: cut them at k beforehand.

    A text that also stands elsewhere (``JudgedRange.elsewhere``) is credited wherever it was shown, once.
    """
    by_document: dict[str, list[Span]] = defaultdict(list)
    for found in shown:
        by_document[found.document_id].append((found.start, found.end))
    judged: dict[str, list[Span]] = defaultdict(list)
    credited: dict[str, list[Span]] = defaultdict(list)
    for item in truth.ranges:
        home, start, end = item.places[0]
        judged[home].append((start, end))
        for document, other_start, other_end in item.places:
            if document in by_document:
                shift = start - other_start
                for a, b in by_document[document]:
                    low, high = max(a, other_start), min(b, other_end)
                    if low < high:
                        credited[home].append((low + shift, high + shift))
    hit = sum(length(merged(spans)) for spans in credited.values())
    missed = sum(length(merged(spans)) for spans in judged.values()) - hit
    total = sum(found.end - found.start for found in shown)
    recall = _quotient(hit, sum(length(spans) for spans in judged.values()))
    precision = _quotient(hit, total)
    return RangeScores(recall, precision, _quotient(hit, total + missed), f_measure(precision, recall), total)


def f_measure(precision: float, recall: float) -> float:
    """Return the harmonic mean of the two, 0 when both are 0."""
    return _quotient(2 * precision * recall, precision + recall)


def precision_omega(truth: Truth, chunks: ChunkRanges) -> float:
    """Return |U ∩ R| / |U ∪ R|, with U the union of all chunks of the judged documents that touch a judged range.

    It is the IoU that a perfect search could reach with these chunks, so it needs no search. A chunk that only
    adjoins a judged range counts as touching it, as in the code of the report; other places of the same text do
    not count.
    """
    judged: dict[str, list[Span]] = defaultdict(list)
    touching: dict[str, list[Span]] = defaultdict(list)
    for item in truth.ranges:
        document, start, end = item.places[0]
        judged[document].append((start, end))
        touching[document] += chunks.touching(document, start, end)
    shared = sum(length(intersection(touching[d], judged[d])) for d in judged)
    either = sum(length(merged([*touching[d], *judged[d]])) for d in judged)
    return _quotient(shared, either)


def _quotient(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
