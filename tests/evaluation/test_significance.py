"""Intervals, tests and corrections against exact enumeration, textbook figures and other libraries."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from workbench.errors import SettingsError
from workbench.evaluation.significance import (
    best_shares,
    bootstrap_interval,
    detectable_difference,
    holm,
    questions_needed,
    randomization_p,
    resampled_means,
    wilson,
)


def test_a_bootstrap_interval_repeats_and_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).beta(2, 1, 120)
    found = bootstrap_interval(values)
    assert found == bootstrap_interval(values)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", random_state=2
    ).confidence_interval
    assert found.value == values.mean()
    assert found.low == pytest.approx(theirs.low, abs=0.004)
    assert found.high == pytest.approx(theirs.high, abs=0.004)


def test_the_interval_of_one_value_or_none_has_no_width() -> None:
    one, none = bootstrap_interval(np.array([0.3])), bootstrap_interval(np.zeros(0))
    assert (one.low, one.high) == pytest.approx((0.3, 0.3))
    assert (none.value, none.low, none.high) == (0, 0, 0)


def test_all_configurations_are_resampled_with_the_same_questions() -> None:
    row = np.random.default_rng(3).random(50)
    means = resampled_means(np.stack([row, row + 1]), 200)
    assert np.allclose(means[1] - means[0], 1)
    assert np.allclose(means[0], resampled_means(row[None, :], 200)[0], rtol=0, atol=1e-14)


@pytest.mark.parametrize(("successes", "count"), [(0, 10), (3, 10), (10, 10), (81, 263)])
def test_wilson_is_that_of_scipy(successes: int, count: int) -> None:
    theirs = stats.binomtest(successes, count).proportion_ci(method="wilson")
    found = wilson(successes, count)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_nothing_is_everything() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)


def test_the_randomization_test_agrees_with_all_sign_flips() -> None:
    differences = np.array([0.5, 0.3, 0.0, 0.4, -0.1, 0.2, 0.6, 0.1, 0.0, 0.25])
    sums = [abs(float(np.dot(signs, differences))) for signs in itertools.product((-1, 1), repeat=10)]
    exact = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)
    found = randomization_p(differences)[0]
    assert found == pytest.approx(exact, abs=0.005)
    assert randomization_p(-differences)[0] == found == randomization_p(differences)[0]


def test_no_difference_has_p_one_and_no_p_is_zero() -> None:
    assert randomization_p(np.zeros(40))[0] == 1
    assert randomization_p(np.zeros((2, 0))).tolist() == [1, 1]
    assert randomization_p(np.ones(100), 999)[0] == pytest.approx(1 / 1000)


def test_the_randomization_test_is_right_about_noise() -> None:
    # 300 comparisons of nothing: about 5 % fall below .05 (binomial: 3 to 30 in 99.99 % of cases).
    noise = np.random.default_rng(4).normal(size=(300, 30))
    assert 3 <= int((randomization_p(noise, 2_000) < 0.05).sum()) <= 30


def test_holm_by_hand() -> None:
    # Sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04, made increasing: .04 .06 .06 .06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    assert holm([0.01, 0.04], family=10) == pytest.approx([0.1, 0.4])
    with pytest.raises(SettingsError):
        holm([0.1, 0.2], family=1)


def test_the_best_of_many_equals_is_best_by_luck_only() -> None:
    rng = np.random.default_rng(5)
    equal = rng.random((20, 100))
    shares = best_shares(equal)
    assert shares.sum() == pytest.approx(1)
    assert shares.max() < 0.8
    clear = np.vstack([equal, equal.max(axis=0) + 0.5])
    assert best_shares(clear)[-1] == 1
    assert best_shares(np.ones((4, 10))).tolist() == [0.25] * 4
    assert best_shares(np.zeros((2, 0))).tolist() == [0, 0]


def test_the_share_of_staying_best_is_that_of_a_plain_loop() -> None:
    table = np.random.default_rng(6).random((3, 25))
    table[1] += 0.05
    rng, wins = random.Random(7), Counter[int]()
    for _ in range(20_000):
        drawn = rng.choices(range(25), k=25)
        wins[max(range(3), key=lambda row: sum(table[row][q] for q in drawn))] += 1
    assert best_shares(table) == pytest.approx([wins[row] / 20_000 for row in range(3)], abs=0.015)


def test_the_number_of_questions_by_hand() -> None:
    # (1.959964 + .841621) · .3 / √40 = .13289; (2.801585 · .3 / .05)² = 282.56.
    assert detectable_difference(40) == pytest.approx(0.13289, abs=1e-5)
    assert questions_needed(0.05) == 283
    assert questions_needed(detectable_difference(40)) == 40
    assert detectable_difference(0) == detectable_difference(1, spread=5) == 1
    with pytest.raises(SettingsError):
        questions_needed(0)
