"""What is published, and the releases before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.errors import ServiceError
from workbench.ingest.entries import WRITTEN, Release
from workbench.ingest.ledger import Ledger
from workbench.ingest.plan import GONE
from workbench.ingest.releases import PUBLISH
from workbench.sync import Pipeline
from workbench.sync.following import followed
from workbench.sync.gate import partly_read_words
from workbench.sync.publishing import TableOnDisk
from workbench.ui.releases import jobs
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.messages import guarded, plain, sentence
from workbench.ui.widgets.table_builds import age


def figure(gate: Mapping[str, object]) -> str:
    """Return what a gate measured, in words: ``recall@5 0.912 of 40 questions``."""
    value = gate.get("value")
    measured = (
        f"{gate.get('metric')} {value:.3f} on {_asked(gate)}" if isinstance(value, float) else "not measured"
    )
    in_part = partly_read_words(gate)
    return f"{measured}, {in_part}" if in_part else measured


def _asked(gate: Mapping[str, Any]) -> str:
    return counted(gate["questions"], "question")


def show_published(pipeline: Pipeline, tables: Sequence[TableOnDisk]) -> Release | None:
    """Draw the release that questions are answered from, and return it."""
    ledger, name = pipeline.ledger, pipeline.place.name
    release = ledger.releases.published(name)
    st.subheader("Published")
    if release is None:
        show_nothing_published()
        return None
    since = ledger.releases.published_since(name) or release.created_at_utc
    table = next((table for table in tables if table.name == release.table_name), None)
    value = release.gate.get("value")
    is_measured = isinstance(value, float)
    cards = card_row(5 if is_measured else 4, "published", narrowest_rem=11.5)
    cards[0].metric("Release", release.id, help=plain(release.table_name))
    cards[1].metric("Since", age(since), help=f"{since[:16].replace('T', ' ')} UTC")
    cards[2].metric("Documents", f"{documents_of(pipeline, release.table_name):,}")
    cards[3].metric("Chunks", f"{table.rows:,}" if table is not None else "–")
    if isinstance(value, float):
        cards[4].metric(
            str(release.gate.get("metric")),
            f"{value:.3f}",
            help=f"On {_asked(release.gate)}, when it was published.",
        )
    if release.forced:
        st.warning(
            "It was published against the gate: " + plain("; ".join(_reasons(release))),
            icon=":material/gavel:",
        )
    _staleness(pipeline, release)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        size = f", {table.size_bytes / 2**20:,.1f} MB on the disk" if table is not None else ""
        told = "" if is_measured else "  \nNothing was measured when it was published: there was no gate."
        if in_part := partly_read_words(release.gate):
            told += f"  \nWhen it was published it had {in_part}."
        st.caption(f"Model: {plain(release.model_title)}{size}.{told}", width="stretch")
        before = next((one for one in ledger.releases.all(name) if one.id == release.previous_id), None)
        asked = st.button(
            "Roll back",
            icon=":material/undo:",
            disabled=before is None,
            help="There is no earlier release to go back to." if before is None else None,
        )
        if asked and before is not None:
            _confirm_roll_back(pipeline, release, before)
    with st.expander("The config it answers with", icon=":material/code:"):
        st.code(release.config, language="yaml")
    return release


def show_nothing_published() -> None:
    """Say what answers questions meanwhile."""
    st.info(
        "Nothing is published yet: questions are answered from the table that was synced last.",
        icon=":material/info:",
    )


def documents_of(pipeline: Pipeline, table_name: str) -> int:
    """Return how many documents a table holds."""
    states = pipeline.ledger.states(pipeline.place.name, table_name).values()
    return sum(state.status == WRITTEN for state in states)


def _staleness(pipeline: Pipeline, release: Release) -> None:
    """Say why what is published is not what the sources hold."""
    try:
        followed(pipeline.place)
    except ServiceError as error:
        st.warning(plain(sentence(str(error))), icon=":material/sync_problem:")
    failures = pipeline.ledger.failures(pipeline.place.name, release.table_name).values()
    failed = sum(one.kind != GONE for one in failures)
    if failed:
        st.warning(
            f"{counted(failed, 'document')} of the sources could not be brought into it: Runs says why.",
            icon=":material/sync_problem:",
        )


def show_history(ledger: Ledger, name: str, published: Release | None) -> None:
    """Draw all releases that are kept, and every switch between them."""
    releases = ledger.releases.all(name)
    if not releases:
        return
    st.subheader("All releases")
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Release": release.id,
                    "": "published" if published is not None and release.id == published.id else "",
                    "Made": release.created_at_utc[:16].replace("T", " "),
                    "Gate": figure(release.gate) + (", forced" if release.forced else ""),
                    "Model": release.model_title,
                    "Table": release.table_name,
                }
                for release in releases
            ]
        ),
        hide_index=True,
        height="content",
        column_config={
            "Release": st.column_config.NumberColumn(format="%d", width=70),
            "Made": st.column_config.TextColumn(help="UTC"),
        },
    )
    with st.expander("Every switch", icon=":material/history:"):
        for switch in ledger.releases.switches(name):
            word = "published" if switch.action == PUBLISH else "rolled back to"
            st.caption(f"{switch.at_utc[:19].replace('T', ' ')} UTC: {word} release {switch.to_id}")


@st.dialog("Roll back?")
def _confirm_roll_back(pipeline: Pipeline, now: Release, before: Release) -> None:
    st.markdown(
        f"Questions are answered from **release {before.id}** of {before.created_at_utc[:16].replace('T', ' ')} UTC "
        f"again, at once: {plain(figure(before.gate))}, model {plain(before.model_title)}."
    )
    st.caption(f"Release {now.id} stays; it can be published again.")
    with st.container(horizontal=True):
        if st.button(
            "Roll back now", type="primary", icon=":material/undo:", on_click=_roll_back, args=(pipeline,)
        ) or st.button("Leave it"):
            st.rerun()


def _roll_back(pipeline: Pipeline) -> None:
    with guarded():
        pipeline.roll_back()
        jobs.forget(pipeline.place.name)


def _reasons(release: Release) -> list[str]:
    found = release.gate.get("reasons")
    return [str(reason) for reason in found] if isinstance(found, list) else []
