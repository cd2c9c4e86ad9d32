"""What is scored: the truth of a question, and what a configuration found for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.evaluation.questions import QuestionSet
from workbench.records import Chunk, Hit, Judgment

Place = tuple[str, int, int]
"""Document id, start, end."""


@dataclass(frozen=True, slots=True)
class JudgedRange:
    """A range that answers, and the other places where the very same text stands."""

    judgment: Judgment
    elsewhere: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Its own place first, then the others; all of one length."""
        return ((self.judgment.document_id, self.judgment.start, self.judgment.end), *self.elsewhere)


@dataclass(frozen=True, slots=True)
class Truth:
    """What answers one question: ranges with a grade of 1 or more, never none."""

    question_id: str
    ranges: tuple[JudgedRange, ...]


@dataclass(frozen=True, slots=True)
class FoundRange:
    """A hit without its text; the range and the tokens are those of what is shown, context included."""

    chunk_id: str
    document_id: str
    start: int
    end: int
    rank: int
    score: float
    token_count: int


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """The hits of one question in the order of their ranks."""

    question_id: str
    hits: tuple[FoundRange, ...]
    seconds: float | None = None
    """How long the search took."""


def truths(
    questions: QuestionSet, elsewhere: Mapping[Judgment, Sequence[Place]] | None = None
) -> list[Truth]:
    """Return what answers each question, in the order of the set. Questions without an answer are left out.

    ``elsewhere`` comes from ``checks.credited_everywhere``; without it only the judged places count.
    """
    others = elsewhere or {}
    result = []
    for question in questions.questions:
        ranges = tuple(
            JudgedRange(judgment, tuple(others.get(judgment, ())))
            for judgment in questions.by_question[question.id]
            if judgment.grade > 0
        )
        if ranges:
            result.append(Truth(question.id, ranges))
    return result


def question_result(question_id: str, hits: Sequence[Hit], seconds: float | None = None) -> QuestionResult:
    """Return the hits without their texts, ordered by rank."""
    return QuestionResult(
        question_id,
        tuple(
            FoundRange(
                h.chunk.id,
                h.chunk.document_id,
                h.shown.start,
                h.shown.end,
                h.rank,
                h.score,
                h.shown.token_count,
            )
            for h in sorted(hits, key=lambda h: h.rank)
        ),
        seconds,
    )


class ChunkRanges:
    """A table's chunks by document and range, for measures that need all of them."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks: dict[str, list[Chunk]] = {}
        for chunk in chunks:
            self._chunks.setdefault(chunk.document_id, []).append(chunk)
        self._ranges: dict[str, npt.NDArray[np.int64]] = {
            document: np.array([(chunk.start, chunk.end) for chunk in found], np.int64)
            for document, found in self._chunks.items()
        }

    def __contains__(self, document_id: object) -> bool:
        return document_id in self._chunks

    def touching(self, document_id: str, start: int, end: int) -> list[tuple[int, int]]:
        """Return the chunks' ranges that overlap the range or adjoin it: max(starts) <= min(ends)."""
        ranges = self._ranges.get(document_id)
        if ranges is None:
            return []
        near = (ranges[:, 0] <= end) & (ranges[:, 1] >= start)
        return [(int(a), int(b)) for a, b in ranges[near]]

    def overlapping(self, document_id: str, start: int, end: int) -> list[Chunk]:
        """Return the chunks that share at least one character with the range."""
        ranges = self._ranges.get(document_id)
        if ranges is None:
            return []
        chunks = self._chunks[document_id]
        return [chunks[i] for i in np.flatnonzero((ranges[:, 0] < end) & (ranges[:, 1] > start))]
