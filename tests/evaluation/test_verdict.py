"""The verdict names a winner where there is one, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import SettingsError
from workbench.evaluation.scoring import Scores
from workbench.evaluation.verdict import comparison, verdict


def scored(name: str, values: np.ndarray, tokens: float = 1000, measure: str = "recall@5") -> Scores:
    ids = tuple(f"q{i}" for i in range(len(values)))
    tokens_shown = np.full(len(values), float(tokens))
    return Scores(name, ids, {measure: np.asarray(values, float), "tokens_shown@5": tokens_shown})


def base(count: int = 120, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random(count) * 0.8


def test_a_clear_difference_is_said_with_its_size_interval_questions_and_cost() -> None:
    a = base()
    found = verdict([scored("A", a), scored("B", a + 0.06, 1350)])
    assert found.sentence == (
        "B finds more than A: recall@5 +6.0 points [6.0, 6.0], 120 questions; it shows 35 % more text."
    )
    assert (found.winner, found.recommended, found.tied) == ("B", "B", ("B",))
    assert (found.comparisons[0].wins, found.comparisons[0].ties, found.comparisons[0].losses) == (120, 0, 0)


def test_noise_has_no_winner_and_goes_to_the_one_that_shows_less() -> None:
    rng = np.random.default_rng(2)
    a = base(40)
    found = verdict([scored("A", a, 1000), scored("B", a + rng.normal(0, 0.3, 40), 2000)])
    assert found.winner is None
    assert found.recommended == "A"
    assert set(found.tied) == {"A", "B"}
    assert "not distinguishable (n = 40)" in found.sentence
    assert "A shows 50 % less text than B, so take A until more questions tell them apart." in found.sentence


def test_what_taking_the_cheaper_one_of_a_tie_may_cost_is_said() -> None:
    rng = np.random.default_rng(2)
    a = base(40)
    cheap, best, third = a - 0.05 + rng.normal(0, 0.3, 40), a, a - 0.2 + rng.normal(0, 0.1, 40)
    found = verdict([scored("cheap", cheap, 500), scored("best", best), scored("third", third)])
    assert (found.winner, found.recommended, found.tied[0]) == (None, "cheap", "best")
    lead = next(c for c in found.comparisons if c.other == "cheap").difference
    assert found.sentence.endswith(
        "cheap shows 50 % less text than best, so take cheap until more questions tell them apart "
        f"(best is ahead of it by {100 * lead.value:.1f} points [{100 * lead.low:.1f}, {100 * lead.high:.1f}])."
    )
    pair = verdict([scored("cheap", cheap, 500), scored("best", best)]).sentence
    assert pair.endswith("so take cheap until more questions tell them apart.")


def test_a_tie_does_not_go_to_a_cheap_one_that_is_behind_in_nearly_all_resamples() -> None:
    rng = np.random.default_rng(0)
    a = base(40)
    others = [scored(f"o{i}", a - 0.1 + rng.normal(0, 0.3, 40)) for i in range(6)]
    found = verdict([scored("best", a), scored("cheap", a - 0.09 + rng.normal(0, 0.22, 40), 500), *others])
    against = next(c for c in found.comparisons if c.other == "cheap")
    # Alone it would be a difference; corrected for 28 pairs it is none, and yet no reason to give it up.
    assert "cheap" in found.tied
    assert against.difference.low > 0
    assert found.recommended != "cheap"
    assert "take cheap" not in found.sentence


def test_a_handful_of_questions_recommends_nothing_for_its_cost() -> None:
    found = verdict([scored("A", np.zeros(5), 500), scored("B", np.ones(5))])
    assert found.winner is None
    assert "so take" not in found.sentence


def test_two_equal_configurations_are_a_tie() -> None:
    a = base()
    found = verdict([scored("A", a), scored("B", a)])
    assert (found.winner, found.comparisons[0].p) == (None, 1)
    assert "so take" not in found.sentence


def test_a_difference_that_one_pair_would_show_is_not_enough_among_many() -> None:
    rng = np.random.default_rng(3)
    noise = [scored(f"C{i:02}", base(60) + rng.normal(0, 0.25, 60)) for i in range(24)]
    found = verdict(noise)
    assert found.winner is None
    assert found.sentence.startswith("No winner among 24: ")
    assert dict(found.best_share)[found.tied[0]] < 0.9
    alone = min(comparison(noise[i], noise[j], "recall@5").p for i in range(5) for j in range(i))
    assert alone < min(c.p_corrected for c in found.comparisons)


def test_noise_almost_never_gets_a_winner() -> None:
    rng = np.random.default_rng(4)
    winners = 0
    for _ in range(60):
        noise = [scored(f"C{i}", rng.random(40)) for i in range(5)]
        winners += verdict(noise, resamples=1_000).winner is not None
    assert winners <= 3


def test_the_best_of_several_is_named_with_the_share_in_which_it_stays_so() -> None:
    a = base()
    found = verdict([scored("A", a), scored("B", a + 0.1), scored("C", a + 0.02)])
    assert found.winner == "B"
    assert "each of the 2 others; the next best is C: recall@5 +8.0 points" in found.sentence
    assert "stays the best in 100 % of resamples" in found.sentence
    assert [c.other for c in found.comparisons] == ["C", "A"]


def test_few_questions_name_nobody() -> None:
    found = verdict([scored("A", np.zeros(5)), scored("B", np.ones(5))])
    assert found.winner is None
    assert "fewer than 6 questions can tell nothing apart" in found.sentence


def test_empty_input_says_what_to_do() -> None:
    assert "choose configurations" in verdict([]).sentence
    assert "mark answers first" in verdict([scored("A", np.zeros(0))]).sentence
    alone = verdict([scored("A", base())])
    assert "choose a second one" in alone.sentence
    assert (alone.winner, alone.recommended) == (None, "A")


def test_a_measure_where_less_is_better_is_turned_round() -> None:
    slow, fast = base() + 2, base() + 1
    found = verdict(
        [scored("slow", slow, measure="seconds"), scored("fast", fast, measure="seconds")], "seconds"
    )
    assert found.winner == "fast"
    assert "fast is better than slow: seconds -1.0 [-1.0, -1.0]" in found.sentence


def test_scores_of_other_questions_are_not_compared() -> None:
    with pytest.raises(SettingsError, match="different questions"):
        verdict([scored("A", base(10)), scored("B", base(11))])
    with pytest.raises(SettingsError, match="same name"):
        verdict([scored("A", base(10)), scored("A", base(10))])


def test_two_runs_give_the_same_verdict() -> None:
    rng = np.random.default_rng(6)
    configs = [scored(n, rng.random(50)) for n in "ABC"]
    assert verdict(configs) == verdict(configs) == verdict(configs[::-1])


@pytest.mark.parametrize("name", ["Lossless", "less"])
def test_a_name_with_less_in_it_does_not_make_a_configuration_the_one_that_shows_less(name: str) -> None:
    a = base()
    found = verdict([scored(name, a), scored("Other", a)])
    assert found.winner is None
    assert f"{found.recommended} shows about as much text." in found.sentence
    assert "so take" not in found.sentence
