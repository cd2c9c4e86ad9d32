"""Results of one configuration → one number per question and measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.contracts import Tick, no_tick
from workbench.counts import counted
from workbench.errors import SettingsError
from workbench.evaluation.metrics import precision_omega, range_scores
from workbench.evaluation.ranks import MIN_OVERLAP, first_ranks, rank_scores
from workbench.evaluation.results import ChunkRanges, QuestionResult, Truth

Values = npt.NDArray[np.float64]

CUTOFFS = (1, 3, 5, 10)
RANGE_MEASURES = ("recall", "precision", "iou", "f1")
RANK_MEASURES = ("hit", "rank_recall", "rank_precision", "mrr", "map", "ndcg")
COST_MEASURES = ("tokens_shown", "characters_shown")
WITHOUT_K = ("precision_omega", "seconds")
LESS_IS_BETTER = frozenset({*COST_MEASURES, "seconds"})


@dataclass(frozen=True, eq=False)
class Scores:
    """One configuration's figures: per measure an ``(n_questions,) float64`` in the order of ``question_ids``.

    Measures are named ``recall@5``; those that know no k, ``precision_omega`` and ``seconds``, have none.
    """

    config: str
    question_ids: tuple[str, ...]
    values: Mapping[str, Values]

    def of(self, measure: str) -> Values:
        """Return the figures of a measure; raises ``SettingsError`` with the measures there are."""
        if measure not in self.values:
            raise SettingsError(
                f"{measure!r:.40} was not measured; there are: {', '.join(sorted(self.values))}"
            )
        return self.values[measure]

    def mean(self, measure: str) -> float:
        """Return the mean over the questions, 0 without questions."""
        values = self.of(measure)
        return float(values.mean()) if len(values) else 0.0


def name_and_k(measure: str) -> tuple[str, int | None]:
    """Return the parts of a measure's name; raises ``SettingsError`` where what follows the @ is no number.

    >>> name_and_k("recall@5"), name_and_k("precision_omega")
    (('recall', 5), ('precision_omega', None))
    """
    name, _, k = measure.partition("@")
    if k and not (k.isascii() and k.isdecimal()):
        raise SettingsError(f"{measure!r:.40} is not a measure: after the @ comes a number, as in recall@5")
    return name, int(k[:9]) if k else None


def measures(cutoffs: Sequence[int] = CUTOFFS) -> list[str]:
    """Return the names of the measures with a k."""
    return [f"{name}@{k}" for name in (*RANGE_MEASURES, *RANK_MEASURES, *COST_MEASURES) for k in cutoffs]


def check_measure(measure: str) -> None:
    """Raise ``SettingsError`` with the measures there are for one that is not among them: before anything is scored."""
    name_and_k(measure)
    known = {*measures(), *WITHOUT_K}
    if measure not in known:
        raise SettingsError(f"{measure!r:.40} is not measured; there are: {', '.join(sorted(known))}")


def scores(
    config: str,
    asked: Sequence[Truth],
    results: Sequence[QuestionResult],
    chunks: ChunkRanges | None = None,
    cutoffs: Sequence[int] = CUTOFFS,
    min_overlap: float = MIN_OVERLAP,
    tick: Tick = no_tick,
) -> Scores:
    """Return the figures of one configuration; with ``chunks`` also precision Ω.

    Means are over all questions that have an answer, also over those for which nothing was found. Raises
    ``SettingsError`` when a question has no result at all (an empty one is a result), or for a k below 1.
    """
    if not 0 < min_overlap <= 1:
        raise SettingsError(f"min_overlap ({min_overlap}) must be above 0 and at most 1")
    if not cutoffs or min(cutoffs) < 1:
        raise SettingsError("k must be 1 or more")
    by_question = {result.question_id: result for result in results}
    missing = [truth.question_id for truth in asked if truth.question_id not in by_question]
    if missing:
        raise SettingsError(
            f"{config}: {counted(len(missing), 'question was', 'questions were')} not searched, the first is {missing[0]}"
        )
    table = {name: np.zeros(len(asked)) for name in measures(cutoffs)}
    for row, truth in enumerate(asked):
        hits = by_question[truth.question_id].hits
        ranks = first_ranks(truth, hits, min_overlap)
        for k in cutoffs:
            by_range, by_rank = range_scores(truth, hits[:k]), rank_scores(truth, ranks, k)
            table[f"recall@{k}"][row] = by_range.recall
            table[f"precision@{k}"][row] = by_range.precision
            table[f"iou@{k}"][row] = by_range.iou
            table[f"f1@{k}"][row] = by_range.f1
            table[f"hit@{k}"][row] = by_rank.hit
            table[f"rank_recall@{k}"][row] = by_rank.recall
            table[f"rank_precision@{k}"][row] = by_rank.precision
            table[f"mrr@{k}"][row] = by_rank.mrr
            table[f"map@{k}"][row] = by_rank.map
            table[f"ndcg@{k}"][row] = by_rank.ndcg
            table[f"tokens_shown@{k}"][row] = sum(found.token_count for found in hits[:k])
            table[f"characters_shown@{k}"][row] = by_range.characters_shown
        tick(row + 1, len(asked))
    if chunks is not None:
        table["precision_omega"] = np.array([precision_omega(truth, chunks) for truth in asked])
    seconds = [by_question[truth.question_id].seconds for truth in asked]
    timed = [value for value in seconds if value is not None]
    if timed and len(timed) == len(seconds):
        table["seconds"] = np.array(timed)
    return Scores(config, tuple(truth.question_id for truth in asked), table)
