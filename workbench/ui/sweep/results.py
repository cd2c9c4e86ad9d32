"""The lower part of the Sweep page: verdict, the confirmed, the screened, how far they agree, and what to take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from workbench.config import Config
from workbench.counts import counted
from workbench.evaluation.formats.cells import written as csv_written
from workbench.evaluation.leaderboard import best_trade_offs
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.verdict import percent
from workbench.sweep import Place, Standing, Sweep
from workbench.ui.session import state
from workbench.ui.session.jobs import jobs
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.sweep.runs import RUN
from workbench.ui.widgets import charts
from workbench.ui.widgets.config_files import file_name, yaml_of
from workbench.ui.widgets.messages import guarded, plain
from workbench.ui.widgets.verdict import verdict_box

PICTURE_HEIGHT = 380
COLUMNS = (
    "table", "rank", "config", "measure", "value", "low", "high", "tokens_shown", "chunks", "questions",
)  # fmt: skip
REDRAWN_S = 3.0
HELD = 8


def results(sweep: Sweep, questions: QuestionSet, configs: Sequence[Config]) -> None:
    """Draw what is known of a grid; while a sweep runs, again every few seconds."""
    every = REDRAWN_S if jobs().active([RUN]) else None
    st.fragment(_results, run_every=every)(sweep, questions, configs)


def _results(sweep: Sweep, questions: QuestionSet, configs: Sequence[Config]) -> None:
    with guarded():
        here = workspace()
        keys = here.sweeps.keys(configs, questions)
        if not keys:
            st.caption(
                "What is measured shows up here, also while the sweep runs. It is kept when you leave."
            )
            return
        names = tuple(config.name for config in configs)
        found = _standing(str(here.folder), keys, names, sweep.measure, questions, configs)
        if found.confirmed:
            verdict_box(found.verdict)
            _table(
                "Confirmed",
                "measured with their own embedder, in tables that are built",
                found,
                found.confirmed,
            )
            _picture(found)
        if found.screened:
            _table(
                "Screened",
                "chunk embeddings are means of sentence embeddings: for the order, not for the figures",
                found,
                found.screened,
            )
            st.info(plain(found.agreement.sentence), icon=":material/swap_vert:")
            if found.agreement.tau is not None:
                st.caption(
                    "1 is the same order, 0 no agreement, -1 the reverse. It is measured over the confirmed alone, "
                    "which lie close together when they are the best of many."
                )
        _take_away(found, {config.name: config for config in configs})


@st.cache_resource(show_spinner=False, max_entries=HELD)
def _standing(
    folder: str,
    keys: tuple[str, ...],
    names: tuple[str, ...],
    measure: str,
    _questions: QuestionSet,
    _configs: Sequence[Config],
) -> Standing:
    return workspace().sweeps.standing(_configs, _questions, measure)


def _table(title: str, about: str, found: Standing, places: Sequence[Place]) -> None:
    count = len(places)
    st.subheader(f"{title}: {counted(count, 'configuration')}")
    st.caption(
        f"{about[:1].upper()}{about[1:]}. In points of 100 over {counted(places[0].questions, 'question')}."
    )
    best = dict(found.verdict.best_share)
    columns: dict[str, list[str | int | float]] = {
        "Rank": list(range(1, count + 1)),
        "Configuration": [place.config for place in places],
        found.measure: [
            f"{100 * p.figure.value:.1f} [{100 * p.figure.low:.1f}, {100 * p.figure.high:.1f}]"
            for p in places
        ],
        "Tokens shown": [round(place.tokens_shown) for place in places],
        "Chunks": [place.chunk_count for place in places],
    }
    if places is found.confirmed and count > 1:
        columns["Stays best"] = [percent(best[place.config]) for place in places]
    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        column_config={
            "Rank": st.column_config.NumberColumn(width=60),
            "Configuration": st.column_config.TextColumn(width="medium", pinned=True),
            found.measure: st.column_config.TextColumn(
                help="The mean, and where it would lie in 95 of 100 such sets of questions (bootstrap)"
            ),
            "Tokens shown": st.column_config.NumberColumn(
                format="localized", help="Text that the hits put before the reader, per question"
            ),
            "Chunks": st.column_config.NumberColumn(format="localized"),
            "Stays best": st.column_config.TextColumn(
                help="The share of draws of the questions, with replacement, in which this one is the best"
            ),
        },
    )


def _picture(found: Standing) -> None:
    points = {
        p.config: (p.tokens_shown, p.figure.value, p.figure.low, p.figure.high) for p in found.confirmed
    }
    joined = best_trade_offs({name: (cost, value) for name, (cost, value, _, _) in points.items()})
    figure = charts.trade_offs(
        points, joined, cost="tokens shown per question", quality=found.measure, height=PICTURE_HEIGHT
    )
    charts.show(figure, key="grid picture")
    st.caption(
        "The confirmed ones. Up and to the left is better; the line joins the best trade-offs: nothing else is as good "
        "for less."
    )


def _take_away(found: Standing, configs: Mapping[str, Config]) -> None:
    st.subheader("Take it away")
    names = list(dict.fromkeys(place.config for place in (*found.confirmed, *found.screened)))
    best = found.verdict.recommended or names[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        # Another recommendation is another widget: it would hold on to what was first offered.
        name = st.selectbox(
            "Configuration", names, index=names.index(best), key=f"grid taken {best}", width="stretch"
        )
        config = configs[name]
        st.download_button(
            "YAML",
            lambda: yaml_of(config),
            file_name=file_name(config.name),
            mime="application/yaml",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.button("Open on Export", icon=":material/ios_share:"):
            state.export(config)
            st.switch_page(page_script("export"))
        st.download_button(
            "Both tables (CSV)",
            as_csv(found),
            file_name="sweep.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
        )


def as_csv(found: Standing) -> bytes:
    """Return the two tables as CSV, told apart by their first column; no cell is a formula."""
    return csv_written(
        COLUMNS,
        [
            (
                kind,
                rank,
                p.config,
                found.measure,
                p.figure.value,
                p.figure.low,
                p.figure.high,
                p.tokens_shown,
                p.chunk_count,
                p.questions,
            )
            for kind, places in (("confirmed", found.confirmed), ("screened", found.screened))
            for rank, p in enumerate(places, start=1)
        ],
    )
