"""What a sweep has found so far: the screened and the confirmed, each in its own order, and how far they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workbench.counts import counted
from workbench.evaluation import leaderboard
from workbench.evaluation.scoring import Scores, name_and_k
from workbench.evaluation.significance import Interval
from workbench.evaluation.verdict import Verdict, verdict
from workbench.experiment import Outcome, on_common_questions

FEWEST_COMPARED = 3
"""Two configurations agree or disagree by a single toss."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Two tables that are never mixed: figures by screening are of another embedder."""

    measure: str
    screened: tuple[Place, ...]
    """The best first."""
    confirmed: tuple[Place, ...]
    agreement: Agreement
    verdict: Verdict
    """Over the confirmed alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """One configuration in one of the tables."""

    config: str
    figure: Interval
    """The measure's mean with its interval."""
    tokens_shown: float
    chunk_count: int
    questions: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well the order by screening agrees with the real one."""

    tau: float | None
    """Kendall's tau-b; None where it is not defined: fewer than two configurations, or all equal."""
    count: int
    """How many configurations have both figures."""

    @property
    def sentence(self) -> str:
        """What that means, for people."""
        if self.count < FEWEST_COMPARED or self.tau is None:
            return (
                "How well the screening order agrees with the real one cannot be said: "
                f"{counted(self.count, 'configuration has', 'configurations have')} both figures"
                + ("." if self.count < FEWEST_COMPARED else ", all of them equal.")
            )
        return (
            f"The screening order agrees with the real one at Kendall's tau-b = {self.tau:.2f} "
            f"over the {self.count} configurations that have both figures."
        )


def cost_measure(measure: str) -> str:
    """Return the amount of text shown at the measure's k."""
    return f"tokens_shown@{name_and_k(measure)[1]}"


def ordered(outcomes: Sequence[Outcome], measure: str) -> list[Scores]:
    """Return the scores on the questions that all share: the best mean first, of equal ones the less text shown."""
    cost = cost_measure(measure)
    return sorted(
        on_common_questions(outcomes), key=lambda s: (-round(s.mean(measure), 12), s.mean(cost), s.config)
    )


def standing(screened: Mapping[str, Outcome], confirmed: Mapping[str, Outcome], measure: str) -> Standing:
    """Return the two tables, name → outcome each, with their agreement and the verdict over the confirmed."""
    found = ordered(list(confirmed.values()), measure)
    return Standing(
        measure,
        _places(ordered(list(screened.values()), measure), screened, measure),
        _places(found, confirmed, measure),
        agreement(screened, confirmed, measure),
        verdict(found, measure),
    )


def agreement(screened: Mapping[str, Outcome], confirmed: Mapping[str, Outcome], measure: str) -> Agreement:
    """Return Kendall's tau-b between the two over the configurations that have both, on the same questions."""
    both = [name for name in screened if name in confirmed]
    # All of them on the same questions: parsers may lose different answers.
    scores = on_common_questions([*(screened[n] for n in both), *(confirmed[n] for n in both)])
    means = [s.mean(measure) for s in scores]
    return Agreement(kendall_tau_b(means[: len(both)], means[len(both) :]), len(both))


def kendall_tau_b(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Kendall's tau-b, 1 for the same order and -1 for the reverse; None where one of them is all ties.

    τ_b = (concordant - discordant) / √((n0 - n1)(n0 - n2)) over the n0 pairs, n1 and n2 of which tie in ``a`` and in
    ``b`` (Kendall, 1945). Means that differ by less than 1e-9 tie.

    >>> kendall_tau_b([1, 2, 3], [1, 3, 2]), kendall_tau_b([1, 1], [1, 2])
    (0.3333333333333333, None)
    """
    x, y = _signs(a), _signs(b)
    untied = math.sqrt(float(np.abs(x).sum()) * float(np.abs(y).sum()))
    return float((x * y).sum()) / untied if untied else None


def _signs(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return the sign of the difference of every pair, each pair once."""
    numbers = np.asarray(values, np.float64)
    first, second = np.triu_indices(len(numbers), k=1)
    differences = numbers[first] - numbers[second]
    return np.where(np.abs(differences) < 1e-9, 0.0, np.sign(differences))


def _places(found: Sequence[Scores], outcomes: Mapping[str, Outcome], measure: str) -> tuple[Place, ...]:
    cost = cost_measure(measure)
    wanted = [replace(s, values={name: s.of(name) for name in (measure, cost)}) for s in found]
    rows = {(row.config, row.measure): row for row in leaderboard.rows(wanted)}
    return tuple(
        Place(
            s.config,
            Interval((row := rows[s.config, measure]).value, row.low, row.high),
            rows[s.config, cost].value,
            outcomes[s.config].chunk_count,
            row.questions,
        )
        for s in found
    )
