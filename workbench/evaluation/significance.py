"""How sure the figures are: intervals, paired tests and corrections. Everything is seeded and vectorised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from workbench.errors import SettingsError

Values = npt.NDArray[np.float64]

RESAMPLES = 10_000
SEED = 20_240_711
LEVEL = 0.95
_NUMBERS_AT_ONCE = 1_000_000
_DRAWS_AT_ONCE = 2_048


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the range it may lie in."""

    value: float
    low: float
    high: float

    def holds(self, number: float) -> bool:
        """Return whether ``number`` lies inside, ends included."""
        return self.low <= number <= self.high


def bootstrap_interval(
    values: Values, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Return the mean with its percentile bootstrap interval (Efron and Tibshirani, 1993, chapter 13).

    Questions are drawn with replacement. One value, or none, gives an interval without width.
    """
    return bootstrap_intervals(np.asarray(values, np.float64)[None, :], level, resamples, seed)[0]


def bootstrap_intervals(
    table: Values, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = SEED
) -> list[Interval]:
    """Return ``bootstrap_interval`` of every row of ``table`` (rows, questions), with the questions drawn once."""
    if table.shape[0] == 0 or table.shape[1] == 0:
        return [Interval(0.0, 0.0, 0.0)] * table.shape[0]
    tail = (1 - level) / 2
    bounds = np.quantile(resampled_means(table, resamples, seed), [tail, 1 - tail], axis=1)
    return [
        Interval(float(row.mean()), float(low), float(high))
        for row, low, high in zip(table, *bounds, strict=True)
    ]


def resampled_means(table: Values, resamples: int = RESAMPLES, seed: int = SEED) -> Values:
    """Return ``(rows, resamples)`` means of ``table`` (rows, questions), the same questions drawn for all rows."""
    count = table.shape[1]
    rng = np.random.default_rng(seed)
    result = np.empty((table.shape[0], resamples))
    block = _block(count)
    for first in range(0, resamples, block):
        draws = rng.integers(0, count, (min(block, resamples - first), count))
        drawn = len(draws)
        flat = (draws + np.arange(drawn)[:, None] * count).ravel()
        counts = np.bincount(flat, minlength=drawn * count).reshape(drawn, count)
        result[:, first : first + drawn] = table @ counts.T.astype(np.float64) / count
    return result


def _block(count: int) -> int:
    # Of nothing but the number of questions, so that the draws do not change with the number of rows.
    return max(1, min(_DRAWS_AT_ONCE, _NUMBERS_AT_ONCE // count))


def wilson(successes: float, count: int, level: float = LEVEL) -> Interval:
    """Return the share with Wilson's score interval (1927); nothing counted gives 0 to 1."""
    if count == 0:
        return Interval(0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf(1 - (1 - level) / 2)
    share = successes / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == count else centre + half
    return Interval(share, low, high)


def randomization_p(differences: Values, resamples: int = RESAMPLES, seed: int = SEED) -> Values:
    """Return two-sided p-values for ``differences`` (pairs, questions) or (questions,) of paired figures.

    Fisher's randomization test: where the two configurations are alike, each difference is as likely with the
    other sign. p = (1 + number of sign flips whose |sum| is at least the observed) / (1 + resamples), so p is never 0
    (Smucker, Allan and Carterette, 2007; Phipson and Smyth, 2010, for the added one).
    """
    table = np.atleast_2d(np.asarray(differences, np.float64))
    if table.shape[1] == 0:
        return np.ones(table.shape[0])
    count = table.shape[1]
    rng = np.random.default_rng(seed)
    observed = np.abs(table.sum(axis=1))
    # Sums of the same numbers in another order differ in their last digits: they must count as equal.
    least = observed - 1e-9 * np.maximum(1.0, np.abs(table).sum(axis=1))
    extreme = np.zeros(table.shape[0], np.int64)
    block = _block(count)
    for first in range(0, resamples, block):
        signs = rng.integers(0, 2, (min(block, resamples - first), count)) * 2.0 - 1.0
        extreme += (np.abs(table @ signs.T) >= least[:, None]).sum(axis=1)
    result: Values = (1 + extreme) / (1 + resamples)
    return result


def holm(p_values: Sequence[float], family: int | None = None) -> list[float]:
    """Return p-values corrected by Holm (1979), in the given order.

    ``family`` is the number of comparisons that were looked at, where only some are given; the missing ones are
    taken to be the stronger ones, which errs on the safe side.
    """
    size = len(p_values) if family is None else family
    if size < len(p_values):
        raise SettingsError(f"family ({size}) must be at least the number of p-values ({len(p_values)})")
    result = [1.0] * len(p_values)
    highest = 0.0
    given = len(p_values)
    for step, index in enumerate(sorted(range(given), key=lambda i: p_values[i])):
        multiplier = size if size > given else size - step
        highest = max(highest, min(1.0, p_values[index] * multiplier))
        result[index] = highest
    return result


def best_shares(table: Values, resamples: int = RESAMPLES, seed: int = SEED) -> Values:
    """Return per row of ``table`` (configurations, questions) the share of resamples in which it is the best.

    The shares add up to 1; rows that tie for the best share a resample equally. A best of many that is best by luck
    has a small share: this is what picking the maximum hides.
    """
    if table.shape[0] == 0 or table.shape[1] == 0:
        return np.zeros(table.shape[0])
    means = resampled_means(table, resamples, seed)
    best = means >= means.max(axis=0) - 1e-12
    result: Values = (best / best.sum(axis=0)).mean(axis=1)
    return result


# ── how many questions are enough ────────────────────────────────────────────────────────────────────────────────

TYPICAL_SPREAD = 0.30
"""Standard deviation of the paired differences of recall that is assumed before anything was measured."""
POWER = 0.8


def detectable_difference(count: int, spread: float = TYPICAL_SPREAD, power: float = POWER) -> float:
    """Return the difference of means that ``count`` paired questions tell apart with this power at level .05.

    δ = (z_.975 + z_power) · spread / √count (the normal approximation; Cohen, 1988), at most 1.
    """
    if count <= 0:
        return 1.0
    return min(1.0, _reach(power) * spread / math.sqrt(count))


def questions_needed(difference: float, spread: float = TYPICAL_SPREAD, power: float = POWER) -> int:
    """Return how many questions tell a ``difference`` of means apart: the same formula, solved for the count."""
    if difference <= 0:
        raise SettingsError(f"difference ({difference}) must be above 0")
    return max(1, math.ceil((_reach(power) * spread / difference) ** 2 - 1e-9))


def _reach(power: float) -> float:
    return NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(power)
