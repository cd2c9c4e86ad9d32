"""The two tables of a sweep and how far they agree."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from workbench.evaluation.scoring import Scores
from workbench.evaluation.verdict import verdict
from workbench.experiment import Outcome
from workbench.sweep.standing import Agreement, agreement, kendall_tau_b, ordered, standing

levels = st.integers(0, 4).map(lambda n: n / 4)


def outcome(name: str, recalls: list[float], tokens: float = 100.0) -> Outcome:
    values = {
        "recall@5": np.array(recalls),
        "tokens_shown@5": np.full(len(recalls), tokens),
    }
    return Outcome(Scores(name, tuple(f"q{i}" for i in range(len(recalls))), values), {}, 7, 1000)


@given(st.lists(st.tuples(levels, levels), min_size=2, max_size=12))
def test_tau_is_scipys(pairs: list[tuple[float, float]]) -> None:
    a, b = [list(column) for column in zip(*pairs, strict=True)]
    ours, theirs = kendall_tau_b(a, b), float(kendalltau(a, b, variant="b").statistic)
    if math.isnan(theirs):
        assert ours is None
    else:
        assert ours == pytest.approx(theirs, abs=1e-12)


def test_tau_by_hand_with_a_tie() -> None:
    # Pairs: (1,2) up-up, (1,3) up-up, (1,4) up-up, (2,3) tie-up, (2,4) up-down, (3,4) up-down.
    # 3 concordant, 2 discordant, 6 pairs, 1 tie in the first, none in the second.
    assert kendall_tau_b([1, 2, 2, 3], [1, 3, 4, 2]) == pytest.approx((3 - 2) / math.sqrt(5 * 6))


def test_means_that_differ_in_the_last_digit_tie() -> None:
    assert kendall_tau_b([0.1 + 0.2, 0.3], [1, 2]) is None


def test_the_best_mean_comes_first_and_of_equal_ones_the_less_text() -> None:
    found = [outcome("dear", [1, 0], 300), outcome("worse", [0, 0], 10), outcome("cheap", [0, 1], 200)]
    assert [s.config for s in ordered(found, "recall@5")] == ["cheap", "dear", "worse"]


def test_the_agreement_is_over_those_with_both_figures_alone() -> None:
    screened = {n: outcome(n, [x, x]) for n, x in zip("abcd", (0.1, 0.2, 0.3, 0.9), strict=True)}
    confirmed = {n: outcome(n, [x, x]) for n, x in zip("abcx", (0.2, 0.1, 0.4, 1.0), strict=True)}
    found = agreement(screened, confirmed, "recall@5")
    assert found.count == 3
    assert found.tau == pytest.approx(1 / 3)
    assert "tau-b = 0.33 over the 3 configurations" in found.sentence


def test_too_few_or_equal_ones_are_not_judged() -> None:
    assert "1 configuration has both" in Agreement(None, 1).sentence
    assert "2 configurations have both" in Agreement(1.0, 2).sentence
    assert "all of them equal" in Agreement(None, 5).sentence
    assert agreement({}, {}, "recall@5") == Agreement(None, 0)


def test_the_tables_hold_each_its_own_and_the_verdict_is_over_the_confirmed() -> None:
    screened = {n: outcome(n, [x] * 12, 50) for n, x in zip("abc", (0.9, 0.5, 0.1), strict=True)}
    confirmed = {n: outcome(n, [x] * 12, 60) for n, x in zip("ab", (0.2, 0.8), strict=True)}
    found = standing(screened, confirmed, "recall@5")
    assert [p.config for p in found.screened] == ["a", "b", "c"]
    assert [p.config for p in found.confirmed] == ["b", "a"]
    assert found.confirmed[0].figure.value == pytest.approx(0.8)
    assert found.confirmed[0].tokens_shown == 60
    assert (found.confirmed[0].questions, found.confirmed[0].chunk_count) == (12, 7)
    assert found.verdict.sentence == verdict([confirmed["b"].scores, confirmed["a"].scores]).sentence
    assert found.verdict.winner == "b"


def test_nothing_measured_is_no_error() -> None:
    found = standing({}, {}, "recall@5")
    assert (found.screened, found.confirmed) == ((), ())
    assert "Nothing was scored yet" in found.verdict.sentence


@given(st.lists(st.tuples(levels, levels), min_size=3, max_size=8))
def test_order_and_agreement_do_not_depend_on_the_order_of_the_grid(pairs: list[tuple[float, float]]) -> None:
    names = [f"c{i}" for i in range(len(pairs))]
    screened = {n: outcome(n, [a]) for n, (a, _) in zip(names, pairs, strict=True)}
    confirmed = {n: outcome(n, [b]) for n, (_, b) in zip(names, pairs, strict=True)}
    turned = dict(itertools.islice(reversed(screened.items()), len(pairs)))
    first, second = agreement(screened, confirmed, "recall@5"), agreement(turned, confirmed, "recall@5")
    assert (first.tau is None) == (second.tau is None)
    assert first.tau is None or second.tau == pytest.approx(first.tau)
    assert [s.config for s in ordered(list(screened.values()), "recall@5")] == [
        s.config for s in ordered(list(turned.values()), "recall@5")
    ]
