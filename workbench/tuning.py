"""The weights of a fusion, chosen on judged questions and reported on questions they were not chosen on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench import plugins
from workbench.config import Config
from workbench.contracts import Asked, Retriever, Tick, no_tick
from workbench.counts import counted
from workbench.errors import InputError, SettingsError
from workbench.evaluation.results import Truth, question_result
from workbench.evaluation.scoring import LESS_IS_BETTER, Values, name_and_k, scores
from workbench.evaluation.significance import bootstrap_interval

WEIGHTS = ("weight_vector", "weight_sentence", "weight_keyword")
TUNABLE = ("fused", "reranked")
FOLDS = 5
STEPS = 10
SEED = 0

Weights = tuple[float, ...]
"""Of vector, best sentence and keywords; they sum to 1."""


def grid(steps: int = STEPS) -> list[Weights]:
    """Return all weights in steps of 1 / ``steps`` that sum to 1, the most even ones first: ties go to those.

    >>> grid(2)[:3]
    [(0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)]
    """
    whole = [(a, b, steps - a - b) for a in range(steps, -1, -1) for b in range(steps - a, -1, -1)]
    even = sorted(whole, key=lambda counts: sum(count * count for count in counts))
    return [tuple(count / steps for count in counts) for counts in even]


@dataclass(frozen=True, eq=False)
class Tuning:
    """What was chosen, and what it is worth on questions it was not chosen on.

    The figures are ``(n_questions,) float64``, in the order of ``question_ids``.
    """

    measure: str
    question_ids: tuple[str, ...]
    weights: Weights
    """The best on all questions: what goes into the config."""
    fold_weights: tuple[Weights, ...]
    """The best on all questions but those of a fold."""
    held_out: Values
    """Each question under the weights that were chosen without it."""
    references: Mapping[str, Values]
    """Other ways to search the same questions that were chosen on nothing."""

    @property
    def gain(self) -> Values:
        """Per question, what the weights chosen without it gain over equal ones."""
        gained: Values = self.held_out - self.references["equal weights"]
        return gained

    def sentence(self, questions: str) -> str:
        """Return in words what was chosen on which questions, and where its figure comes from."""
        figure, gain = bootstrap_interval(self.held_out), bootstrap_interval(self.gain)
        chosen = ", ".join(
            f"{name.removeprefix('weight_')} {weight:g}"
            for name, weight in zip(WEIGHTS, self.weights, strict=True)
        )
        return (
            f"Weights {chosen}: the best for {self.measure} on all {len(self.question_ids)} questions of {questions}, "
            f"so their figure on these questions would flatter them. Chosen without the questions asked, in "
            f"{len(self.fold_weights)} folds, {self.measure} is {figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]; "
            f"against equal weights {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
        )


def tuned(
    retriever: Retriever,
    questions: Mapping[str, str],
    truths: Sequence[Truth],
    asked: Callable[[str], Asked],
    measure: str = "recall@5",
    folds: int = FOLDS,
    steps: int = STEPS,
    tick: Tick = no_tick,
) -> Tuning:
    """Return the weights that are best for ``measure``, by a search of all in steps, with k-fold cross-validation.

    ``questions`` holds the texts by id, ``asked`` puts one to the table. What the components say of a question is
    worked out once. ``tick`` counts questions and may raise ``Cancelled``.
    """
    if retriever.name not in TUNABLE:
        raise SettingsError(f"{retriever.name} has no weights to tune: use {' or '.join(TUNABLE)}")
    _, k = name_and_k(measure)
    if k is None or k < 1:
        raise SettingsError(f"{measure!r:.40} names no number of hits: give one such as recall@5")
    if not 2 <= folds <= len(truths):
        raise InputError(
            f"{counted(len(truths), 'question')} with an answer cannot be divided into {counted(folds, 'fold')}: "
            "give more questions, or between 2 folds and as many as there are questions",
            "empty",
        )
    tried = grid(steps)
    ways = [_weighted(retriever, weights, k) for weights in tried]
    references = {
        "equal weights": _weighted(retriever, (1.0, 1.0, 1.0), k),
        "vector alone": plugins.build("retrievers", "nearest", _shared_settings(retriever, k)),
        "keywords alone": _weighted(retriever, (0.0, 0.0, 1.0), k),
    }
    every = [*ways, *references.values()]
    results = []
    tick(0, len(truths))
    for number, truth in enumerate(truths):
        question = asked(questions[truth.question_id])
        results.append([question_result(truth.question_id, way.hits(question)) for way in every])
        tick(number + 1, len(truths))
    table = np.array(
        [
            scores(retriever.name, truths, [found[way] for found in results], cutoffs=(k,)).of(measure)
            for way in range(len(every))
        ]
    )
    searched = table[: len(tried)]
    better = -searched if measure.partition("@")[0] in LESS_IS_BETTER else searched
    held_out, chosen = cross_validated(searched, better, folds)
    return Tuning(
        measure,
        tuple(truth.question_id for truth in truths),
        tried[_first_best(better)],
        tuple(tried[place] for place in chosen),
        held_out,
        dict(zip(references, table[len(tried) :], strict=True)),
    )


def cross_validated(
    figures: Values, better: Values, folds: int, seed: int = SEED
) -> tuple[Values, list[int]]:
    """Return each question's figure under the way that is best on the other folds, and that way for every fold.

    ``figures`` and ``better`` (higher is better) are ``(ways, questions)``. Folds are drawn once, with a seed; the
    first of equally good ways is taken.
    """
    order = np.random.default_rng(seed).permutation(figures.shape[1])
    held_out = np.zeros(figures.shape[1])
    chosen = []
    for fold in np.array_split(order, folds):
        others = np.ones(figures.shape[1], bool)
        others[fold] = False
        best = _first_best(better[:, others])
        held_out[fold] = figures[best, fold]
        chosen.append(best)
    return held_out, chosen


def _first_best(better: Values) -> int:
    # Rounded, so that sums of the same figures in another order are equal.
    return int(np.argmax(np.round(better.mean(axis=1), 12)))


def with_weights(retriever: Retriever, weights: Weights) -> Retriever:
    """Return the retriever with these weights."""
    settings = {**retriever.model_dump(), **dict(zip(WEIGHTS, weights, strict=True))}
    found: Retriever = plugins.build("retrievers", retriever.name, settings)
    return found


def tunable_config(config: Config) -> Config:
    """Return the config if its retriever has weights, else the same one with ``fused`` and as many hits."""
    if config.retriever.name in TUNABLE:
        return config
    fused = plugins.build("retrievers", "fused", {"top_k": config.retriever.top_k})
    return replace(config, retriever=fused)


def tuned_config(config: Config, found: Tuning, told: str) -> Config:
    """Return the config with the weights that were found, and ``told`` added to its comment."""
    comment = "\n".join(part for part in (config.comment, told) if part)
    return replace(config, retriever=with_weights(config.retriever, found.weights), comment=comment)


def _weighted(retriever: Retriever, weights: Weights, k: int) -> Retriever:
    return with_weights(retriever.model_copy(update={"top_k": k}), weights)


def _shared_settings(retriever: Retriever, k: int) -> dict[str, Any]:
    """Return the settings that every retriever has."""
    own: dict[str, Any] = retriever.model_dump(include=set(Retriever.model_fields))
    return {**own, "top_k": k}
