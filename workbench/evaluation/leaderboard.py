"""Figures with their intervals, one row per configuration and measure, and the best trade-offs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from workbench.evaluation.costs import Costs
from workbench.evaluation.formats.cells import written
from workbench.evaluation.scoring import Scores, name_and_k
from workbench.evaluation.significance import Interval, bootstrap_intervals, wilson

COLUMNS = ("config", "metric", "k", "value", "low", "high", "questions")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one configuration; ``k`` is None where the measure knows none."""

    config: str
    metric: str
    k: int | None
    value: float
    low: float
    high: float
    questions: int

    @property
    def measure(self) -> str:
        """The measure's full name, such as ``recall@5``."""
        return self.metric if self.k is None else f"{self.metric}@{self.k}"


def rows(configs: Sequence[Scores]) -> list[Row]:
    """Return every figure: bootstrap intervals for means, Wilson's for hit@k, which is a share of questions."""
    result = []
    for scores in configs:
        count = len(scores.question_ids)
        measures = list(scores.values)
        table = np.array([scores.values[measure] for measure in measures]).reshape(len(measures), count)
        intervals = bootstrap_intervals(table)
        for measure, values, interval in zip(measures, table, intervals, strict=True):
            name, k = name_and_k(measure)
            found = wilson(float(values.sum()), count) if name == "hit" else interval
            result.append(Row(scores.config, name, k, found.value, found.low, found.high, count))
    return result


def cost_rows(configs: Sequence[Scores], costs: Mapping[str, Costs]) -> list[Row]:
    """Return what each configuration's table costs; no means over questions, so low and high are the value itself."""
    return [
        Row(scores.config, name, None, value, value, value, len(scores.question_ids))
        for scores in configs
        for name, value in costs[scores.config].figures.items()
    ]


def interval_of(found: Sequence[Row], config: str, measure: str) -> Interval | None:
    """Return one figure, None where it was not measured."""
    for row in found:
        if row.config == config and row.measure == measure:
            return Interval(row.value, row.low, row.high)
    return None


def as_csv(found: Sequence[Row]) -> bytes:
    """Return the rows as CSV; cells that a spreadsheet would run are made harmless."""
    return written(
        COLUMNS,
        [
            (r.config, r.metric, "" if r.k is None else r.k, r.value, r.low, r.high, r.questions)
            for r in found
        ],
    )


def as_json(found: Sequence[Row], about: Mapping[str, object]) -> bytes:
    """Return the rows and what they were measured on as one JSON object."""
    body = {**about, "figures": [asdict(row) for row in found]}
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "surrogatepass")


def best_trade_offs(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Return the names of (cost, quality) points that no other beats on both, cheapest first.

    >>> best_trade_offs({"small": (1, 0.5), "dear": (3, 0.5), "large": (2, 0.9)})
    ['small', 'large']
    """
    result: list[str] = []
    highest = float("-inf")
    for name, (_, quality) in sorted(points.items(), key=lambda p: (p[1][0], -p[1][1], p[0])):
        if quality > highest:
            result.append(name)
            highest = quality
    return result
