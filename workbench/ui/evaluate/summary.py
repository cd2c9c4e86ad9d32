"""The upper half of an evaluation: the verdict in a sentence, the leaderboard, quality against text shown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.evaluation.costs import embedding_text, money_text, size_text
from workbench.evaluation.leaderboard import Row, best_trade_offs, interval_of
from workbench.evaluation.report import shown
from workbench.evaluation.scoring import name_and_k
from workbench.evaluation.verdict import Verdict, percent
from workbench.ui.evaluate.runs import Choice, Measured
from workbench.ui.widgets import charts
from workbench.ui.widgets.verdict import MEASURES

PICTURE_HEIGHT = 400
LEAST_NAME_PIXELS, MOST_NAME_PIXELS = 150, 340


def cost_measure(choice: Choice) -> str:
    """Return the name of the amount of text that goes with the chosen measure."""
    return f"tokens_shown@{choice.k}"


def leaderboard_table(choice: Choice, found: Measured, verdict: Verdict) -> None:
    """Draw one row per table, the best mean first."""
    order = [label for label, _ in verdict.best_share]
    measures = list(
        dict.fromkeys([choice.measure, "recall@5", "hit@5", "ndcg@5", "iou@5", "precision_omega"])
    )
    columns: dict[str, list[str | int | float]] = {"Table": list(order)}
    best = dict(verdict.best_share)
    for measure in measures:
        columns[_short(measure)] = [_cell(found.rows, label, measure) for label in order]
        if measure == choice.measure and len(order) > 1:
            columns["Stays best"] = [percent(best[label]) for label in order]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={
            "Table": st.column_config.TextColumn(width=_name_pixels(order), pinned=True),
            **{
                _short(measure): st.column_config.TextColumn(help=MEASURES.get(measure))
                for measure in measures
            },
            "Stays best": st.column_config.TextColumn(
                help="The share of draws of the questions, with replacement, in which this table is the best"
            ),
        },
    )
    st.caption(
        f"In points of 100, over {counted(verdict.question_count, 'question')}. In brackets: where the figure would lie in 95 of "
        "100 such sets of questions (bootstrap; Wilson for hit)."
    )


def cost_table(choice: Choice, found: Measured, verdict: Verdict) -> None:
    """Draw what each table costs, in the order of the leaderboard; money where a price is known."""
    order = [label for label, _ in verdict.best_share]
    columns: dict[str, list[str | int | float]] = {
        "Table": list(order),
        "Tokens shown": [round(_value(found.rows, label, cost_measure(choice))) for label in order],
        "Chunks": [found.costs[label].chunks for label in order],
        "Size": [size_text(found.costs[label].size_bytes) for label in order],
        "Time to embed": [embedding_text(found.costs[label]) for label in order],
    }
    if any(found.costs[label].usd is not None for label in order):
        columns["Money"] = [money_text(found.costs[label]) for label in order]
    columns["Search"] = [1000 * _value(found.rows, label, "seconds") for label in order]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={
            "Table": st.column_config.TextColumn(width=_name_pixels(order), pinned=True),
            "Tokens shown": st.column_config.NumberColumn(
                format="localized",
                help=f"Text that {counted(choice.k, 'hit puts', 'hits put')} before the reader, or the language model, per question",
            ),
            "Chunks": st.column_config.NumberColumn(format="localized"),
            "Size": st.column_config.TextColumn(help="Space that the table takes"),
            "Time to embed": st.column_config.TextColumn(
                help="How long the model computes for all chunks on this machine, measured while the table was built. "
                "For chunks whose numbers were known already, it is what they would take. Single sentences, which "
                "some chunkers and retrievers embed while a table is built, are not counted."
            ),
            "Money": st.column_config.TextColumn(
                help="Tokens of all chunks times the price that the config names"
            ),
            "Search": st.column_config.NumberColumn(
                format="%.0f ms",
                help="Mean time of a search, when it was measured, the question's own embedding included",
            ),
        },
    )


def _name_pixels(names: Sequence[str]) -> int:
    """Return a width that holds these names: one cut off at its end looks like another."""
    return min(MOST_NAME_PIXELS, max(LEAST_NAME_PIXELS, 8 * max(map(len, names), default=0)))


def _cell(rows: Sequence[Row], label: str, measure: str) -> str:
    found = interval_of(rows, label, measure)
    if found is None:
        return "–"
    return f"{shown(measure, found.value)} [{shown(measure, found.low)}, {shown(measure, found.high)}]"


def _value(rows: Sequence[Row], label: str, measure: str) -> float:
    found = interval_of(rows, label, measure)
    return found.value if found else 0.0


def _short(measure: str) -> str:
    return {"precision_omega": "precision Ω", "ndcg@5": "nDCG@5", "iou@5": "IoU@5", "mrr@10": "MRR@10"}.get(
        measure, measure
    )


def picture(choice: Choice, found: Measured) -> None:
    """Draw quality against text shown, with the best trade-offs joined."""
    points = {}
    for label in choice.configs:
        quality = interval_of(found.rows, label, choice.measure)
        if quality is not None:
            points[label] = (
                _value(found.rows, label, cost_measure(choice)),
                quality.value,
                quality.low,
                quality.high,
            )
    joined = best_trade_offs({label: (cost, value) for label, (cost, value, _, _) in points.items()})
    figure = charts.trade_offs(
        points,
        joined,
        cost="tokens shown per question",
        quality=_short(choice.measure),
        height=PICTURE_HEIGHT,
    )
    charts.show(figure, key="verdict picture")
    st.caption(
        "Up and to the left is better. The line joins the best trade-offs: nothing else is as good for less."
    )


def comparisons(verdict: Verdict) -> None:
    """Draw the paired tests behind the verdict."""
    if not verdict.comparisons:
        return
    scale = 1.0 if name_and_k(verdict.measure)[0] == "seconds" else 100.0
    with st.expander("The tests behind the verdict", icon=":material/functions:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Compared": [f"{c.better} − {c.other}" for c in verdict.comparisons],
                    "Difference": [
                        f"{scale * c.difference.value:+.1f} "
                        f"[{scale * c.difference.low:.1f}, {scale * c.difference.high:.1f}]"
                        for c in verdict.comparisons
                    ],
                    "p": [f"{c.p:.4f}" for c in verdict.comparisons],
                    "p, corrected": [f"{c.p_corrected:.4f}" for c in verdict.comparisons],
                    "Wins, ties, losses": [f"{c.wins} / {c.ties} / {c.losses}" for c in verdict.comparisons],
                    "Told apart": ["yes" if c.is_real else "no" for c in verdict.comparisons],
                }
            ),
            hide_index=True,
        )
        st.caption(
            "The best mean against every other, question by question: a randomization test, corrected by Holm for all "
            "pairs that could have been looked at. Fewer than six questions tell nothing apart."
        )
