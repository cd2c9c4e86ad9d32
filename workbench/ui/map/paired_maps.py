"""Two tables' maps side by side on aligned axes, and what changed between them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import streamlit as st

from workbench.counts import counted
from workbench.ui.components.scatter_map import map_event
from workbench.ui.map.chunk_cards import chunk_list
from workbench.ui.map.controls import Choice
from workbench.ui.map.selection_filter import scope, scope_buttons, scope_note
from workbench.ui.map.single_map import (
    Colours,
    Drawing,
    drawing_of,
    drawn_points,
    hits_of,
    plain_colours,
    trust_line,
)
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.highlighted_text import STYLE
from workbench.ui.widgets.messages import plain
from workbench.workspace import DocumentRow
from workbench.workspace.map_pairs import MapPair, counterparts

PICKED = "map pair picked"
HEIGHT = 470
MOST_RINGS = 40


def draw_pair(choice: Choice, found: MapPair) -> None:
    """Draw both maps, the share of neighbours that changed, and below them the chunks picked or found."""
    if choice.other is None:
        return
    st.markdown(_sentence(choice, found))
    documents = {row.id: row for row in workspace().documents()}
    limits = scope(choice.label), scope(choice.other_label)
    scope_note(*limits)
    drawings = tuple(
        drawing_of(config, choice.question, one, hits_of(config, choice.question, limited))
        for config, one, limited in (
            (choice.config, found.first, limits[0]),
            (choice.other, found.second, limits[1]),
        )
    )
    st.html(f"<style>{STYLE}</style>")
    _maps(choice, found, (drawings[0], drawings[1]), documents)
    with st.spinner("Comparing the pictures with the true neighbours …", show_time=True):
        for label, one in ((choice.label, found.first), (choice.other_label, found.second)):
            trust_line(workspace().maps.figures.trust(one), plain(label))


def _sentence(choice: Choice, found: MapPair) -> str:
    """Return how much the neighbours changed, in Markdown."""
    changed = found.changed[0]
    known = changed[np.isfinite(changed)]
    if not len(known):
        return "The two tables have no text in common."
    same = f"{np.mean(known == 0):.0%} of the chunks keep all of theirs"
    return (
        f"On average **{float(known.mean()):.0%}** of a chunk's ten nearest neighbours in {plain(choice.label)} are "
        f"others in {plain(choice.other_label)}; {same}."
    )


def _colours(colour: str, drawing: Drawing, changed: npt.NDArray[np.float32]) -> Colours:
    if colour != "Changed":
        return plain_colours(colour, drawing.chunks)
    # A hit from outside the sample has no figure.
    beyond = len(drawing.chunks) - len(changed)
    return Colours(
        [*changed.astype(float).tolist(), *[float("nan")] * beyond], "neighbours changed", (0.0, 1.0)
    )


@st.fragment
def _maps(
    choice: Choice, found: MapPair, drawings: tuple[Drawing, Drawing], documents: Mapping[str, DocumentRow]
) -> None:
    """Draw both maps and what was picked: a fragment, so that picking sends the choice only."""
    current = drawings[0].key + drawings[1].key
    # Before anything is drawn: what is picked on one map is ringed on the other.
    for number, drawing in enumerate(drawings):
        event = map_event(f"map-{number}", len(drawing.points))
        new = [event.point] if event.point is not None else event.lasso
        if new is not None:
            st.session_state[PICKED] = (current, number, new)
    key, side, picked = st.session_state.get(PICKED, ("", 0, []))
    if key != current:
        side, picked = 0, []
    there = counterparts(found.sample, side, picked) if picked else []
    for number, place in enumerate(st.columns(2)):
        drawing, label = drawings[number], (choice.label, choice.other_label)[number]
        marked = [] if not picked else picked if number == side else there
        with place:
            st.markdown(
                f"**{plain(label)}** :small[:gray[· {counted(len(found.sample.found.forth if number == 0 else found.sample.found.back), 'chunk')}]]"
            )
            drawn_points(
                drawing,
                _colours(choice.colour, drawing, found.changed[number]),
                documents,
                f"map-{number}",
                # Rings for a handful: a lasso is shown by what it leaves bright.
                marked if len(marked) <= MOST_RINGS else (),
                HEIGHT,
            )
    _lists(choice, drawings, documents, side, picked, there)


def _lists(
    choice: Choice,
    drawings: tuple[Drawing, Drawing],
    documents: Mapping[str, DocumentRow],
    side: int,
    picked: list[int],
    there: list[int],
) -> None:
    if not picked and not any(drawing.hits for drawing in drawings):
        st.caption(
            "Click a point, or draw around several: the other map shows where the same text lies. Lines lead to a point's "
            "ten true neighbours; grey points have no counterpart."
        )
        return
    labels = choice.label, choice.other_label
    if len(picked) > 1:
        rows_of = [picked if number == side else there for number in (0, 1)]
        scope_buttons(
            {labels[number]: [drawings[number].chunks[i].id for i in rows_of[number]] for number in (0, 1)}
        )
    for number, place in enumerate(st.columns(2)):
        drawing, label = drawings[number], labels[number]
        by_id = {hit.chunk.id: hit for hit in drawing.hits}
        with place:
            if picked:
                rows = picked if number == side else there
                title = f"{len(rows):,} picked" if number == side else f"{len(rows):,} with the same text"
                chunk_list(title, [drawing.chunks[i] for i in rows], documents, by_id, label)
            else:
                title = f"Nearest in {plain(label)}"
                chunk_list(title, [hit.chunk for hit in drawing.hits], documents, by_id, label)
