"""Chunks picked on a map that a question is asked among, or that it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
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
    found = st.session_state.get(SCOPE)
    return found if isinstance(found, Scope) and found.label == label else None


def scope_buttons(label: str, chunk_ids: Sequence[str]) -> None:
    """Draw the buttons below a list of picked chunks: ask among these, or leave them out."""
    with st.container(horizontal=True, gap="small"):
        for text, icon, inside in (
            ("Search within these", ":material/filter_center_focus:", True),
            ("Leave these out", ":material/filter_alt_off:", False),
        ):
            # Clicked inside a fragment: the question above has to be asked again, so the whole page runs.
            if st.button(text, icon=icon, key=f"map scope {inside}"):
                st.session_state[SCOPE] = Scope(label, tuple(chunk_ids), inside)
                st.rerun()


def scope_note(found: Scope | None) -> None:
    """Say what questions are limited to, with a way back."""
    if found is None:
        return
    count = len(found.chunk_ids)
    noun = "chunk" if count == 1 else "chunks"
    text = f"among the {count:,} picked {noun}" if found.inside else f"without {count:,} picked {noun}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(f"Questions are asked {text}", icon=":material/filter_alt:", color="orange")
        st.button("Ask among all again", type="tertiary", icon=":material/close:", on_click=_forget)


def _forget() -> None:
    st.session_state.pop(SCOPE, None)
