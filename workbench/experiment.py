"""Configs × questions → scores: ask every question of a set in every config's table, and measure what came.

Nothing here knows where tables and questions are kept: ``workspace.evaluations`` brings the search, the chunks and
a cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench.contracts import Tick, no_tick
from workbench.evaluation.checks import SHORTEST_CREDITED, credited_everywhere
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.ranks import MIN_OVERLAP
from workbench.evaluation.results import ChunkRanges, Place, QuestionResult, Truth, question_result, truths
from workbench.evaluation.scoring import CUTOFFS, Scores, scores
from workbench.records import Document, Hit, Judgment

VERSION = 3
"""Rises whenever the same inputs would give other figures: it is part of every cache key."""

Search = Callable[[str, int], tuple[Sequence[Hit], float]]
"""Question and number of hits → hits and the seconds they took."""


@dataclass(frozen=True, slots=True)
class Options:
    """How results are scored."""

    cutoffs: tuple[int, ...] = CUTOFFS
    depth: int = 50
    """Hits asked for per question; those beyond the largest cutoff only tell at which rank a lost answer came."""
    credit_everywhere: bool = True
    """Whether the text of an answer counts wherever else it stands, too."""
    min_overlap: float = MIN_OVERLAP

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that changes a figure, for keys."""
        return {**asdict(self), "cutoffs": list(self.cutoffs), "version": VERSION}

    @property
    def searched(self) -> int:
        """The number of hits asked for."""
        return max(self.depth, *self.cutoffs)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one config made of a question set."""

    scores: Scores
    results: Mapping[str, QuestionResult]
    """Question id → hits, for every question that has an answer."""
    chunk_count: int
    size_bytes: int
    token_count: int = 0
    """Tokens of all chunks of the table, overlaps again each time."""
    lost: tuple[str, ...] = ()
    """Why judgments could not be used with this config's text of the documents."""


def asked(
    questions: QuestionSet, documents: Sequence[Document], options: Options
) -> tuple[list[Truth], dict[Judgment, tuple[Place, ...]]]:
    """Return the questions that have an answer, and the other places where the answers' texts stand."""
    elsewhere = (
        credited_everywhere(questions, documents, SHORTEST_CREDITED) if options.credit_everywhere else {}
    )
    return truths(questions, elsewhere), elsewhere


def outcome(
    name: str,
    questions: QuestionSet,
    asked_truths: Sequence[Truth],
    search: Search,
    chunks: ChunkRanges,
    options: Options,
    chunk_count: int,
    size_bytes: int,
    tick: Tick = no_tick,
) -> Outcome:
    """Return what a config finds for the questions; ``tick`` counts questions and may raise ``Cancelled``."""
    tick(0, len(asked_truths))
    texts = {question.id: question.text for question in questions.questions}
    results = {}
    if asked_truths:
        # Untimed: the first search loads the model and opens the table.
        search(texts[asked_truths[0].question_id], 1)
    for number, truth in enumerate(asked_truths):
        hits, seconds = search(texts[truth.question_id], options.searched)
        results[truth.question_id] = question_result(truth.question_id, hits, seconds)
        tick(number + 1, len(asked_truths))
    figures = scores(name, asked_truths, list(results.values()), chunks, options.cutoffs, options.min_overlap)
    return Outcome(figures, results, chunk_count, size_bytes)


def on_common_questions(outcomes: Sequence[Outcome]) -> list[Scores]:
    """Return the scores of all on the questions that every one of them was asked, in the first one's order.

    Configs that read a file in different ways may lose different answers: comparing needs the same questions.
    """
    if not outcomes:
        return []
    common = set.intersection(*(set(found.scores.question_ids) for found in outcomes))
    order = [q for q in outcomes[0].scores.question_ids if q in common]
    return [_restricted(found.scores, order) for found in outcomes]


def _restricted(found: Scores, order: Sequence[str]) -> Scores:
    if list(found.question_ids) == list(order):
        return found
    place = {question: row for row, question in enumerate(found.question_ids)}
    rows = [place[question] for question in order]
    return replace(
        found,
        question_ids=tuple(order),
        values={measure: values[rows] for measure, values in found.values.items()},
    )
