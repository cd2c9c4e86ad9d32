"""The history of a pipeline: figures over all runs, the runs themselves, charts, and one run in detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.ingest.entries import Run, Timing
from workbench.ingest.ledger import Ledger
from workbench.ui.pipelines.labels import (
    OF_RELEASE,
    STATUS,
    attempt_csv,
    attempt_lines,
    failure_rate,
    log_csv,
    log_lines,
    milliseconds_a_document,
    run_row,
)
from workbench.ui.pipelines.sync_jobs import STAGES
from workbench.ui.widgets import charts
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.config_files import file_name
from workbench.ui.widgets.job_panel import shown_duration
from workbench.ui.widgets.messages import plain, term_help

MOST_RUNS = 200
CHARTED_RUNS = 40
SHOWN_ATTEMPTS = 500
CHARTED = {
    "List and plan": ("list", "plan"),
    "Read": ("read",),
    "Parse": ("parse",),
    "Cut": ("cut",),
    "Embed": ("embed",),
    "Write": ("intend", "write", "record"),
    "Remove": ("remove",),
    "Tidy the table": ("optimise",),
}
"""What the chart of stages shows → the stages in it: as many as there are colours."""
SOMETIMES = ("Rebuilt", "Gone", "Not listed", "Money", *OF_RELEASE, "Message")
"""Columns that are shown where a run has something in them."""
PER_DOCUMENT = ("read", "parse", "cut", "embed", "write")


def show(ledger: Ledger, pipeline: str) -> None:
    """Draw everything that is known of a pipeline's runs; there must be one."""
    runs = ledger.runs.recent(pipeline, MOST_RUNS)
    timings = ledger.runs.all_timings(pipeline)
    _totals(runs)
    _table(runs)
    _downloads(pipeline, runs, timings)
    _charts(runs[:CHARTED_RUNS][::-1], timings)
    _one(ledger, pipeline, runs, timings)


def _totals(runs: Sequence[Run]) -> None:
    figures = [run.figures for run in runs]
    embedded, saved = sum(f.embedded for f in figures), sum(f.reused for f in figures)
    money = sum(f.money for f in figures)
    newest = runs[0]
    cards = card_row(4 if money else 3, "run-totals", narrowest_rem=12.5)
    cards[0].metric("Runs", f"{len(runs):,}{'+' if len(runs) == MOST_RUNS else ''}")
    cards[1].metric("Last run", STATUS.get(newest.status, newest.status))
    cards[2].metric(
        "Embeddings saved",
        f"{saved / (saved + embedded):.0%}" if saved + embedded else "–",
        help=f"{counted(saved, 'chunk')} took a known embedding, {embedded:,} {'was' if embedded == 1 else 'were'} embedded. "
        "Chunks of documents that nobody had to look at are not even counted.",
    )
    if money:
        cards[3].metric("Spent", f"{money:,.4f}", help="In the unit of the price in the pipeline's budget.")


def _table(runs: Sequence[Run]) -> None:
    table = pd.DataFrame([run_row(run) for run in runs])
    hidden = [name for name in SOMETIMES if not table[name].astype(bool).any()]
    number = st.column_config.NumberColumn
    st.dataframe(
        table.drop(columns=hidden),
        hide_index=True,
        height="content" if len(runs) <= 10 else 390,
        column_config={
            "Run": number(format="%d", width=50),
            "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", help="UTC"),
            **{
                name: number(format="localized")
                for name in ("Added", "Changed", "Unchanged", "Removed", "Failed")
            },
            **{
                name: number(
                    format="localized",
                    help="In the table of the published release, where the pipeline as it is now has another.",
                )
                for name in OF_RELEASE
            },
            "Rebuilt": number(
                format="localized", help="Made anew from what is kept here, because the config changed."
            ),
            "Gone": number(
                format="localized",
                help="Listed, and not there any more when they were read. What the index held of them is removed.",
            ),
            "Not listed": number(
                format="localized",
                help="What should be a document and could not be listed: a row without an id, a part that stays shut.",
            ),
            "Embedded": number(format="localized", help="Chunks whose embedding was computed."),
            "Saved": number(format="localized", help=term_help("cache")),
            "Money": number(format="%.4f"),
        },
    )


def _downloads(pipeline: str, runs: Sequence[Run], timings: Mapping[int, Sequence[Timing]]) -> None:
    stem = file_name(pipeline).removesuffix(".yaml")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Log as CSV",
            lambda: log_csv(runs, timings),
            f"{stem}-runs.csv",
            "text/csv",
            icon=":material/download:",
        )
        st.download_button(
            "Log as JSON lines",
            lambda: log_lines(runs, timings),
            f"{stem}-runs.jsonl",
            "application/jsonl",
            icon=":material/download:",
        )


def _charts(runs: Sequence[Run], timings: Mapping[int, Sequence[Timing]]) -> None:
    """Draw the runs from the oldest to the newest."""
    if len(runs) < 2:
        st.caption("With a second run there are charts here.")
        return
    places = [str(run.id) for run in runs]
    found = {run.id: {t.stage: t.seconds for t in timings.get(run.id, ())} for run in runs}
    sums = {
        name: [sum(found[run.id].get(stage, 0.0) for stage in stages) for run in runs]
        for name, stages in CHARTED.items()
    }
    with st.container(border=True):
        st.markdown(
            "**Time of each stage**", help="In seconds, by run. Work of several documents at once adds up."
        )
        charts.show(
            charts.stacked_bars(
                places,
                {name: values for name, values in sums.items() if any(values)},
                label="seconds",
                unit="s",
            ),
            "chart-stages",
        )
    cards = card_row(2, "run-charts", narrowest_rem=22)
    with cards[0]:
        st.markdown("**Time for one document**", help="The mean of those that passed the stage, by run.")
        series = {
            STAGES[stage]: [milliseconds_a_document(timings.get(run.id, ()), stage) for run in runs]
            for stage in PER_DOCUMENT
        }
        charts.show(charts.lines(places, series, label="milliseconds", unit="ms"), "chart-latency")
    with cards[1]:
        st.markdown("**Documents that failed**", help="Of those that a run tried to bring in.")
        rates = [None if (rate := failure_rate(run)) is None else 100 * rate for run in runs]
        charts.show(charts.lines(places, {"failed": rates}, label="percent", unit="%"), "chart-failures")


def _one(ledger: Ledger, pipeline: str, runs: Sequence[Run], timings: Mapping[int, Sequence[Timing]]) -> None:
    st.subheader("One run in detail")
    by_id = {run.id: run for run in runs}
    run = by_id[
        st.selectbox(
            "Run",
            list(by_id),
            format_func=lambda i: (
                f"{i} · {by_id[i].started_at_utc[:16].replace('T', ' ')} UTC · {STATUS.get(by_id[i].status, '')}"
            ),
            key=f"run of {pipeline}",
        )
    ]
    if run.message:
        st.info(plain(run.message), icon=":material/info:")
    took = {t.stage: t for t in timings.get(run.id, ())}
    left, right = card_row(2, "one-run", narrowest_rem=26)
    with left:
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "Stage": STAGES[stage],
                        "Time": _short(took[stage].seconds),
                        "Documents": took[stage].count,
                    }
                    for stage in STAGES
                    if stage in took
                ]
            ),
            hide_index=True,
            height="content",
        )
    attempts = ledger.runs.attempts(run.id)
    with right:
        if not attempts:
            st.caption("No document needed work in this run.")
            return
        rows = [
            {
                "Document": a.item_id,
                "What": a.action,
                "Outcome": a.outcome,
                "Chunks": a.chunks,
                "Message": a.message,
            }
            for a in attempts[:SHOWN_ATTEMPTS]
        ]
        table = pd.DataFrame(rows)
        st.dataframe(table if table["Message"].any() else table.drop(columns="Message"), hide_index=True)
        if len(attempts) > SHOWN_ATTEMPTS:
            st.caption(f"The first {SHOWN_ATTEMPTS:,} of {len(attempts):,}; the files have all of them.")
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                "Documents as CSV", lambda: attempt_csv(attempts), f"run-{run.id}.csv", "text/csv"
            )
            st.download_button(
                "Documents as JSON lines",
                lambda: attempt_lines(attempts),
                f"run-{run.id}.jsonl",
                "application/jsonl",
            )


def _short(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 1 else shown_duration(seconds)
