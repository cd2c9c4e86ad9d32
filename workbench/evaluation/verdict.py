"""One honest sentence about several configurations, and what it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.counts import counted
from workbench.errors import SettingsError
from workbench.evaluation.scoring import LESS_IS_BETTER, Scores, name_and_k
from workbench.evaluation.significance import (
    RESAMPLES,
    SEED,
    Interval,
    best_shares,
    bootstrap_interval,
    holm,
    randomization_p,
)

SIGNIFICANT = 0.05
FEWEST_QUESTIONS = 6
"""With five questions even five wins out of five have p = 2/2⁵ = .06."""
SAME_COST = 0.02
"""Two amounts of text within 2 % of each other count as the same."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two configurations on one measure, question by question: ``better`` minus ``other``."""

    better: str
    other: str
    measure: str
    difference: Interval
    p: float
    p_corrected: float
    wins: int
    ties: int
    losses: int

    @property
    def is_real(self) -> bool:
        """Whether the difference is more than noise: corrected p below .05 and an interval without 0."""
        return self.p_corrected < SIGNIFICANT and not self.difference.holds(0.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``winner`` is None where noise may have decided; ``recommended`` is then the cheapest of those that tie."""

    sentence: str
    measure: str
    question_count: int
    winner: str | None
    recommended: str | None
    tied: tuple[str, ...]
    """The configurations not told apart from the best mean, the best mean first."""
    comparisons: tuple[Comparison, ...]
    """The best mean against each other configuration, in the order of their means."""
    best_share: tuple[tuple[str, float], ...]
    """Per configuration, in the order of the means, the share of resamples in which it is the best."""


def comparison(
    a: Scores, b: Scores, measure: str, resamples: int = RESAMPLES, seed: int = SEED
) -> Comparison:
    """Return ``a`` minus ``b`` on one measure, as the only pair that is looked at."""
    _check_same_questions([a, b])
    differences = a.of(measure) - b.of(measure)
    p = float(randomization_p(differences, resamples, seed)[0])
    return _comparison(a, b, measure, p, p, resamples, seed)


def verdict(
    configs: Sequence[Scores],
    measure: str = "recall@5",
    cost: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Verdict:
    """Return the verdict on configurations scored on the same questions.

    The best mean is compared with every other one. Since it was picked by looking at all, its p-values are
    corrected for all pairs there are, and the share of resamples in which it stays the best is said. Configurations
    that cannot be told apart from it tie. A tie goes to the one that shows less text (``cost``, by default
    ``tokens_shown`` at the measure's k) of those whose interval against the best mean holds 0. Raises ``SettingsError`` for scores of different questions.
    """
    if not configs:
        return Verdict(
            "Nothing was scored yet: choose configurations and a question set.", measure, 0, *_NOBODY
        )
    _check_same_questions(configs)
    if len({scores.config for scores in configs}) != len(configs):
        raise SettingsError("two configurations have the same name")
    count = len(configs[0].question_ids)
    if count == 0:
        sentence = "No question has a judged answer yet: mark answers first."
        return Verdict(sentence, measure, 0, *_NOBODY)
    name, k = name_and_k(measure)
    cost = cost or ("tokens_shown" if k is None else f"tokens_shown@{k}")
    sign = -1.0 if name in LESS_IS_BETTER else 1.0
    ordered = sorted(configs, key=lambda s: (-sign * s.mean(measure), _cost(s, cost), s.config))
    table = sign * np.array([scores.of(measure) for scores in ordered])
    shares = best_shares(table, resamples, seed)
    share_of = tuple((s.config, float(x)) for s, x in zip(ordered, shares, strict=True))
    best, others = ordered[0], ordered[1:]
    if not others:
        value = bootstrap_interval(best.of(measure), resamples=resamples, seed=seed)
        sentence = (
            f"{best.config}: {measure} {_amount(name, value.value)} "
            f"[{_amount(name, value.low)}, {_amount(name, value.high)}], {counted(count, 'question')}. "
            "One configuration alone is no comparison: choose a second one."
        )
        return Verdict(sentence, measure, count, None, best.config, (best.config,), (), share_of)
    pairs = len(ordered) * (len(ordered) - 1) // 2
    # So many resamples that a clear difference can still be seen after the correction.
    draws = max(resamples, 40 * pairs)
    p_values = [float(p) for p in randomization_p(table[0] - table[1:], draws, seed)]
    corrected = holm(p_values, pairs)
    compared = tuple(
        _comparison(best, other, measure, p, q, resamples, seed, sign)
        for other, p, q in zip(others, p_values, corrected, strict=True)
    )
    enough = count >= FEWEST_QUESTIONS
    tied = [best, *(o for o, c in zip(others, compared, strict=True) if not (c.is_real and enough))]
    # One that is behind in nearly all resamples may tie after the correction for many pairs; it is no advice.
    behind = {c.other for c in compared if enough and not c.difference.holds(0.0)}
    cheapest = min(
        (s for s in tied if s.config not in behind), key=lambda s: (_cost(s, cost), ordered.index(s))
    )
    won = len(tied) == 1
    sentence = (
        _won(best, others, compared[0], cost, share_of[0][1])
        if won
        else _tie(tied, others, compared, cheapest, cost, count, share_of)
    )
    return Verdict(
        sentence,
        measure,
        count,
        best.config if won else None,
        cheapest.config,
        tuple(s.config for s in tied),
        compared,
        share_of,
    )


_NOBODY: tuple[None, None, tuple[str, ...], tuple[Comparison, ...], tuple[tuple[str, float], ...]] = (
    None,
    None,
    (),
    (),
    (),
)


def _won(best: Scores, others: Sequence[Scores], first: Comparison, cost: str, best_share: float) -> str:
    count = len(best.question_ids)
    name, _ = name_and_k(first.measure)
    whom = others[0].config
    does = "finds more than" if name in ("recall", "hit", "rank_recall") else "is better than"
    text = f"{best.config} {does} {whom}: {_difference(first)}, {counted(count, 'question')}"
    if len(others) > 1:
        text = (
            f"{best.config} {does} each of the {len(others)} others; the next best is {whom}: {_difference(first)}, "
            f"{counted(count, 'question')}; it stays the best in {percent(best_share)} of resamples"
        )
    return text + _cost_clause(best, others[0], cost, "it") + "."


def _tie(
    tied: Sequence[Scores],
    others: Sequence[Scores],
    compared: Sequence[Comparison],
    cheapest: Scores,
    cost: str,
    count: int,
    shares: Sequence[tuple[str, float]],
) -> str:
    best = tied[0]
    by_name = {c.other: c for c in compared}
    first = by_name[tied[1].config]
    few = "" if count >= FEWEST_QUESTIONS else "; fewer than 6 questions can tell nothing apart"
    if len(others) == 1:
        text = f"{best.config} and {tied[1].config} are not distinguishable (n = {count}): {_difference(first)}{few}"
    else:
        names = ", ".join(s.config for s in tied[:4]) + (
            f" and {len(tied) - 4} more" if len(tied) > 4 else ""
        )
        text = (
            f"No winner among {len(others) + 1}: {names} are not distinguishable (n = {count}); {best.config} has the "
            f"highest mean and stays the best in {percent(shares[0][1])} of resamples{few}"
        )
        behind = len(others) + 1 - len(tied)
        if behind:
            text += f"; {counted(behind, 'other is', 'others are')} behind"
    other = tied[1] if cheapest is best else best
    clause = _cost_clause(cheapest, other, cost, cheapest.config)
    shows_less = _cost(cheapest, cost) < (1 - SAME_COST) * _cost(other, cost)
    if not (clause and shows_less):
        return text + (f"{clause}." if clause else ".")
    text += f"{clause} than {other.config}"
    if few:
        return text + "."
    if cheapest is best:
        return text + f", so take {cheapest.config}."
    # What is given up by it is said: the other may well be better, these questions only do not show it.
    lead = "" if len(others) == 1 else f" ({best.config} is ahead of it by {_lead(by_name[cheapest.config])})"
    return text + f", so take {cheapest.config} until more questions tell them apart{lead}."


def _cost_clause(a: Scores, b: Scores, cost: str, subject: str) -> str:
    mine, theirs = _cost(a, cost), _cost(b, cost)
    if theirs <= 0 or mine <= 0:
        return ""
    change = mine / theirs - 1
    if abs(change) <= SAME_COST:
        return f"; {subject} shows about as much text"
    return f"; {subject} shows {percent(abs(change))} {'more' if change > 0 else 'less'} text"


def percent(share: float) -> str:
    """Return a share for people; what is nearly all or nearly nothing is not rounded to all or nothing.

    >>> percent(0.35), percent(0.9999), percent(1.0)
    ('35 %', 'more than 99 %', '100 %')
    """
    if 0.995 <= share < 1:
        return "more than 99 %"
    return "less than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _difference(found: Comparison) -> str:
    name, _ = name_and_k(found.measure)
    d = found.difference
    if name in LESS_IS_BETTER:
        return f"{found.measure} {d.value:+.1f} [{d.low:.1f}, {d.high:.1f}]"
    return f"{found.measure} {100 * d.value:+.1f} points [{100 * d.low:.1f}, {100 * d.high:.1f}]"


def _lead(found: Comparison) -> str:
    return _difference(found).replace(f"{found.measure} ", "", 1).replace("+", "", 1)


def _amount(name: str, value: float) -> str:
    return f"{value:.1f}" if name in LESS_IS_BETTER else f"{100 * value:.1f}"


def _cost(scores: Scores, cost: str) -> float:
    return scores.mean(cost) if cost in scores.values else 0.0


def _comparison(
    a: Scores,
    b: Scores,
    measure: str,
    p: float,
    corrected: float,
    resamples: int,
    seed: int,
    sign: float = 1.0,
) -> Comparison:
    differences = a.of(measure) - b.of(measure)
    better = sign * differences
    # A difference in the last digit of a sum is a tie.
    return Comparison(
        a.config,
        b.config,
        measure,
        bootstrap_interval(differences, resamples=resamples, seed=seed),
        p,
        corrected,
        int((better > 1e-12).sum()),
        int((np.abs(better) <= 1e-12).sum()),
        int((better < -1e-12).sum()),
    )


def _check_same_questions(configs: Sequence[Scores]) -> None:
    first = configs[0]
    for scores in configs[1:]:
        if scores.question_ids != first.question_ids:
            raise SettingsError(f"{first.config} and {scores.config} were scored on different questions")
