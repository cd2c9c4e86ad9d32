"""Chunks picked on a map that a question is asked among, or that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from workbench.contracts import Filter

SCOPE = "map scope"


@dataclass(frozen=True)
class Scope:
    """Picked chunks of one table: ``inside`` is whether hits come from among them or from the others."""

    label: str
    chunk_ids: tuple[str, ...]
    inside: bool

    @property
    def where(self) -> Filter:
        """The filter that a search is given."""
        return Filter(chunk_ids=self.chunk_ids) if self.inside else Filter(without_chunk_ids=self.chunk_ids)


def scope(label: str) -> Scope | None:
    """Return what the questions to a table are limited to, if anything."""
    found = st.session_state.get(SCOPE, ())
    return next((one for one in found if one.label == label), None)


def scope_buttons(picked: Mapping[str, Sequence[str]]) -> None:
    """Draw the buttons below picked chunks, label → ids: ask among these, or leave them out."""
    with st.container(horizontal=True, gap="small"):
        for text, icon, inside in (
            ("Search within these", ":material/filter_center_focus:", True),
            ("Leave these out", ":material/filter_alt_off:", False),
        ):
            # Clicked inside a fragment: the question above has to be asked again, so the whole page runs.
            if st.button(text, icon=icon, key=f"map scope {inside}"):
                st.session_state[SCOPE] = [
                    Scope(label, tuple(chunk_ids), inside) for label, chunk_ids in picked.items()
                ]
                st.rerun()


def scope_note(*found: Scope | None) -> None:
    """Say what questions to these tables are limited to, with a way back."""
    limits = [one for one in found if one is not None]
    if not limits:
        return
    counts = " and ".join(f"{len(one.chunk_ids):,}" for one in limits)
    noun = "chunk" if counts == "1" else "chunks"
    text = f"among the {counts} picked {noun}" if limits[0].inside else f"without {counts} picked {noun}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(f"Questions are asked {text}", icon=":material/filter_alt:", color="orange")
        st.button("Ask among all again", type="tertiary", icon=":material/close:", on_click=_forget)


def _forget() -> None:
    st.session_state.pop(SCOPE, None)
