"""One table's map: its points in a chosen colour, a question with its hits, and the chunks that were picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import streamlit as st

from workbench.config import Config
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.projection import Points, Trust
from workbench.records import Chunk, Hit, digest
from workbench.ui.components.scatter_map import scatter_map
from workbench.ui.map.chunk_cards import chunk_list, name_of, point_label
from workbench.ui.map.controls import Choice
from workbench.ui.map.selection_filter import Scope, scope, scope_buttons, scope_note
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.highlighted_text import STYLE
from workbench.ui.widgets.messages import shown_error, term_help
from workbench.ui.widgets.table_builds import why_empty
from workbench.workspace import DocumentRow
from workbench.workspace.maps import Sample, TableMap

HITS = 10
PICKED = "map picked"


@dataclass(frozen=True, eq=False)
class Colours:
    """What a colour says of each point: a number on a scale, or a group with a name. Neither: the document."""

    values: list[float] | None = None
    value_label: str = ""
    value_scale: tuple[float, float] | None = None
    groups: list[int] | None = None
    group_names: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is on the map: the sample's chunks, then hits that the sample lacks, with the question's place."""

    chunks: list[Chunk]
    points: Points
    question: tuple[float, float] | None
    hits: list[Hit]
    hit_places: list[int]
    """Where the hits are in ``chunks``, in rank order."""
    neighbours: npt.NDArray[np.int32]
    """``(n, k)``: the true nearest others of every point. Of a hit outside the sample, itself."""
    key: str
    colours: Colours = field(default_factory=Colours)


def draw(choice: Choice, found: TableMap) -> None:
    """Draw the map with the question's hits, and below it the chunks that were picked."""
    if not found.sample.chunks:
        why_empty(choice.config)
        return
    limited = scope(choice.label)
    scope_note(limited)
    hits = hits_of(choice.config, choice.question, limited)
    documents = {row.id: row for row in workspace().documents()}
    drawing = drawing_of(choice.config, choice.question, found, hits)
    colours = _colours(choice.colour, found.sample, drawing.chunks)
    st.html(f"<style>{STYLE}</style>")
    _map(choice.label, drawing, colours, documents)
    with st.spinner("Comparing the picture with the true neighbours …", show_time=True):
        trusted = workspace().maps.figures.trust(found)
    trust_line(trusted)


def hits_of(config: Config, question: str, limited: Scope | None) -> list[Hit]:
    """Return a question's hits in a table; trouble is said on the page and leaves none."""
    if not question:
        return []
    try:
        where = limited.where if limited else None
        return list(workspace().tables.search(config, question, HITS, where).hits)
    except WorkbenchError as error:
        shown_error(error)
        return []


def drawing_of(config: Config, question: str, found: TableMap, hits: Sequence[Hit]) -> Drawing:
    """Return what is to be drawn: hits that the sample lacks are added to it, at the place the projection gives them."""
    here, sample = workspace(), found.sample
    place = {chunk.id: i for i, chunk in enumerate(sample.chunks)}
    extra = [hit.chunk for hit in hits if hit.chunk.id not in place]
    place.update((chunk.id, len(sample.chunks) + i) for i, chunk in enumerate(extra))
    points = found.points
    with st.spinner("Finding the true neighbours …", show_time=True):
        near = here.maps.figures.neighbours(sample).rows
    if extra:
        placed = here.maps.placed_chunks(config, found, [chunk.id for chunk in extra])
        points = np.concatenate([points, placed])
        own = np.arange(len(sample.chunks), len(points), dtype=np.int32)[:, None]
        near = np.concatenate([near, np.repeat(own, near.shape[1], axis=1)])
    asked = None
    if hits:
        model = here.model(config.embedder)
        x, y = here.maps.placed(found, model.vectors([question], query=True))[0]
        asked = (float(x), float(y))
    chunks = [*sample.chunks, *extra]
    key = digest([found.key, [chunk.id for chunk in extra]])
    return Drawing(chunks, points, asked, list(hits), [place[hit.chunk.id] for hit in hits], near, key)


def _colours(colour: str, sample: Sample, chunks: Sequence[Chunk]) -> Colours:
    beyond = len(chunks) - len(sample.chunks)
    if colour == "Density":
        with st.spinner("Counting neighbours …", show_time=True):
            density = workspace().maps.figures.neighbours(sample).density
        # A hit from outside the sample was not counted.
        return Colours([*density.tolist(), *[float("nan")] * beyond], "density")
    if colour == "Topic":
        with st.spinner("Grouping chunks by topic …", show_time=True):
            found = workspace().maps.figures.topics(sample)
        names = [*found.labels, *(["outside the sample"] if beyond else [])]
        return Colours(groups=[*found.numbers.tolist(), *[len(found.labels)] * beyond], group_names=names)
    return plain_colours(colour, chunks)


def plain_colours(colour: str, chunks: Sequence[Chunk]) -> Colours:
    """Return the colours that a chunk has by itself."""
    if colour == "Page":
        return Colours([float(chunk.page_start) for chunk in chunks], "page")
    if colour == "Length":
        return Colours([float(chunk.token_count) for chunk in chunks], "tokens")
    return Colours()


def drawn_points(
    drawing: Drawing,
    colours: Colours,
    documents: Mapping[str, DocumentRow],
    key: str,
    marked: Sequence[int] = (),
    height: int = 560,
) -> list[int] | None:
    """Draw the points and return those that the user has just picked: None for nothing new."""
    groups, group_names = colours.groups, list(colours.group_names)
    if groups is None and colours.values is None:
        names = [name_of(documents, chunk) for chunk in drawing.chunks]
        group_names = sorted(set(names))
        number = {name: i for i, name in enumerate(group_names)}
        groups = [number[name] for name in names]
    event = scatter_map(
        drawing.points,
        key=key,
        groups=groups,
        group_names=group_names,
        values=colours.values,
        value_label=colours.value_label,
        value_scale=colours.value_scale,
        labels=[point_label(documents, chunk) for chunk in drawing.chunks],
        question=drawing.question,
        hits=drawing.hit_places,
        neighbours=drawing.neighbours,
        marked=marked,
        height=height,
        sig=drawing.key,
    )
    return [event.point] if event.point is not None else event.lasso


@st.fragment
def _map(label: str, drawing: Drawing, colours: Colours, documents: Mapping[str, DocumentRow]) -> None:
    """Draw the map and what was picked: a fragment, so that picking sends the choice only."""
    new = drawn_points(drawing, colours, documents, "map")
    if new is not None:
        st.session_state[PICKED] = (drawing.key, new)
    key, picked = st.session_state.get(PICKED, ("", []))
    by_id = {hit.chunk.id: hit for hit in drawing.hits}
    if key == drawing.key and picked:
        chunks = [drawing.chunks[i] for i in picked]
        if len(picked) > 1:
            scope_buttons({label: [chunk.id for chunk in chunks]})
        chunk_list(f"{counted(len(picked), 'chunk')} picked", chunks, documents, by_id)
    elif drawing.hits:
        title = f"The {len(drawing.hits)} nearest chunks" if len(drawing.hits) > 1 else "The nearest chunk"
        chunk_list(title, [hit.chunk for hit in drawing.hits], documents, by_id)
    else:
        st.caption(
            "Click a point, or draw around several, to read the chunks. Lines lead to a point's ten true neighbours."
        )


def trust_line(trusted: Trust | None, name: str = "") -> None:
    """Say how far the picture can be trusted."""
    if trusted is None:
        return
    of = f" of {name}" if name else ""
    sampled = f" Judged by {trusted.rows:,} chunks drawn at random." if trusted.rows == 2_000 else ""
    st.caption(
        f"How far the picture{of} can be trusted: **{trusted.kept_share:.0%}** of a chunk's {trusted.neighbours} true "
        f"nearest neighbours are its nearest on the picture, too; trustworthiness **{trusted.trustworthiness:.2f}**.{sampled}",
        help=term_help("trustworthiness"),
    )
