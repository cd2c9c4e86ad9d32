"""Figures of several configs as a table for people: a line per config, best first."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.evaluation.leaderboard import Row
from workbench.evaluation.scoring import LESS_IS_BETTER, name_and_k

BESIDE = ("recall", "precision", "iou", "hit", "mrr", "ndcg", "tokens_shown")
"""Shown beside the measure that decides, at its k."""
WITHOUT_K = ("precision_omega", "seconds", "chunks")
USUAL_K = 5
COUNTS = frozenset({"tokens_shown", "characters_shown", "chunks"})


def board(rows: Sequence[Row], measure: str) -> list[str]:
    """Return headings and a line per config, best first; of ``measure`` the interval is shown, too.

    >>> found = [Row("a", "mrr", 3, 0.5, 0.4, 0.6, 9), Row("a", "chunks", None, 7, 7, 7, 9)]
    >>> print("\\n".join(board(found, "mrr@3")))
    config  mrr@3                 chunks
    a       0.500 [0.400, 0.600]       7
    """
    figures = {(row.config, row.measure): row for row in rows}
    name, k = name_and_k(measure)
    wished = [measure, *(f"{other}@{k or USUAL_K}" for other in BESIDE), *WITHOUT_K]
    measured = {row.measure for row in rows}
    shown = [one for one in dict.fromkeys(wished) if one in measured]
    sign = 1 if name in LESS_IS_BETTER else -1
    configs = sorted(
        dict.fromkeys(row.config for row in rows), key=lambda c: sign * figures[c, measure].value
    )
    table = [["config", *shown]]
    table += [
        [config, *(_cell(figures.get((config, one)), one == measure) for one in shown)] for config in configs
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(_aligned(cells, widths)).rstrip() for cells in table]


def _cell(row: Row | None, with_interval: bool) -> str:
    if row is None:  # a cost that is not known
        return ""
    digits = 0 if row.metric in COUNTS else 3
    value, low, high = (f"{number:,.{digits}f}" for number in (row.value, row.low, row.high))
    return f"{value} [{low}, {high}]" if with_interval else value


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    # The name and the measure with its interval begin at the left, plain figures end at the right.
    return [
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
