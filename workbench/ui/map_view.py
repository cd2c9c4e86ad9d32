"""The Map page: controls, the map that is there already, and the chunks that were picked on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from workbench.config import Config
from workbench.errors import InputError, WorkbenchError
from workbench.projection import FEWEST_FOR_UMAP, Points
from workbench.records import Chunk, Hit, digest
from workbench.ui import address
from workbench.ui.components.scatter_map import scatter_map
from workbench.ui.hit_text import STYLE, hit_text, origin
from workbench.ui.jobs import Job, job_panel, jobs
from workbench.ui.messages import plain, shown_error, term_help
from workbench.ui.resources import workspace
from workbench.ui.search_answers import labels_meant, pages_of
from workbench.workspace import DocumentRow, TableRow
from workbench.workspace.maps import Maps, MapSettings, Sample, TableMap

JOB_KIND = "map"
HITS = 10
CARDS_A_PAGE = 10
COLOURS = ("Document", "Page", "Length", "Density")
TABLE, COLOUR, QUESTION = "map table", "map colour", "map question"
NEIGHBOURS, DISTANCE = "map neighbours", "map distance"
DEFAULTS = MapSettings()
NEIGHBOUR_RANGE = (2, 100)
DISTANCE_RANGE = (0.0, 0.99)
PICKED = "map picked"
NEIGHBOURS_SHARE = 0.2


@dataclass(frozen=True)
class Choice:
    """What the controls say."""

    label: str
    config: Config
    colour: str
    question: str
    settings: MapSettings


@dataclass(frozen=True, eq=False)
class Drawing:
    """What is on the map: the sample's chunks, then hits that the sample lacks, with the question's place."""

    chunks: list[Chunk]
    points: Points
    question: tuple[float, float] | None
    hits: list[int]
    """Where the hits are in ``chunks``, in rank order."""
    values: list[float] | None
    """What the colour says of each chunk; None where it says the document."""
    value_label: str
    key: str


# ── controls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def controls(found: Mapping[str, TableRow]) -> Choice:
    """Draw the controls; the address bar holds them, and leaving the page keeps them."""
    labels = list(found)
    address.entered(NEIGHBOURS, "neighbours", DEFAULTS.neighbours, _neighbours_meant, anchor=TABLE)
    address.entered(DISTANCE, "distance", DEFAULTS.min_distance, _distance_meant, anchor=TABLE)
    address.entered(TABLE, "table", labels[0], lambda texts: next(iter(labels_meant(texts, found)), None))
    address.entered(COLOUR, "colour", COLOURS[0], lambda texts: _colour_meant(texts[-1]))
    address.entered(QUESTION, "q", "", lambda texts: texts[-1])
    # A table that was deleted meanwhile is no option any more.
    if st.session_state[TABLE] not in found:
        st.session_state[TABLE] = labels[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox("Table", labels, key=TABLE, help=term_help("table"))
        colour = st.segmented_control(
            "Colour",
            COLOURS,
            key=COLOUR,
            required=True,
            help=f"What a point's colour says. Density: {term_help('density')}",
        )
        with st.popover("Layout", icon=":material/tune:"):
            _layout_form()
    question = st.text_input(
        "Question",
        key=QUESTION,
        placeholder="Type a question to see where it lands, and what it finds",
        icon=":material/search:",
        label_visibility="collapsed",
        max_chars=None,
    )
    address.left(TABLE, COLOUR, QUESTION, NEIGHBOURS, DISTANCE)
    settings = _settings()
    address.shown(
        {
            "table": label if question or label != labels[0] else "",
            "colour": colour.lower() if colour and colour != COLOURS[0] else "",
            "q": question if question and len(question) <= address.LONGEST_TEXT else "",
            "neighbours": str(settings.neighbours) if settings.neighbours != DEFAULTS.neighbours else "",
            "distance": str(settings.min_distance) if settings.min_distance != DEFAULTS.min_distance else "",
        }
    )
    config = found[label].config
    if config is None:
        raise InputError(f"the config of {label} cannot be read", "damaged")
    return Choice(label, config, colour or COLOURS[0], (question or "").strip(), settings)


def _layout_form() -> None:
    """Draw the layout's settings. They are given as values: what is put into the state of a widget in a closed popover
    does not reach the browser.
    """
    settings = _settings()
    keys = [f"{name} {settings}" for name in (NEIGHBOURS, DISTANCE)]
    st.markdown("**How UMAP lays out the points**", help=term_help("UMAP"))
    with st.form("map layout", border=False):
        st.slider(
            "Neighbours",
            *NEIGHBOUR_RANGE,
            settings.neighbours,
            key=keys[0],
            help="How many neighbours of a chunk decide its place. Few show small groups, many the large picture.",
        )
        st.slider(
            "Min distance",
            *DISTANCE_RANGE,
            settings.min_distance,
            step=0.01,
            key=keys[1],
            help="How close two points may lie. 0 packs groups tightly; a larger one spreads them out.",
        )
        st.form_submit_button(
            "Draw", type="primary", icon=":material/refresh:", on_click=_take_layout, args=keys
        )
    st.caption("Every layout is computed once and kept.")


def _take_layout(neighbours: str, distance: str) -> None:
    st.session_state[NEIGHBOURS] = st.session_state[neighbours]
    st.session_state[DISTANCE] = st.session_state[distance]


def _settings() -> MapSettings:
    return MapSettings(int(st.session_state[NEIGHBOURS]), round(float(st.session_state[DISTANCE]), 2))


def _distance_meant(texts: list[str]) -> float | None:
    return address.number(texts, *DISTANCE_RANGE)


def _colour_meant(text: str) -> str | None:
    return next((colour for colour in COLOURS if colour.lower() == text.lower()), None)


def _neighbours_meant(texts: list[str]) -> int | None:
    value = address.number(texts, *NEIGHBOUR_RANGE)
    return None if value is None else int(value)


# ── the map that is there ────────────────────────────────────────────────────────────────────────────────────────


def current(choice: Choice) -> TableMap:
    """Return the UMAP map when it is there; else start computing it, say so, and return the one by PCA."""
    maps = workspace().maps
    sample = maps.sample(choice.config)
    if sample.total > len(sample.chunks):
        st.caption(
            f"{len(sample.chunks):,} of {sample.total:,} chunks are drawn, picked at random; the hits of a question "
            "are always among them."
        )
    if len(sample.chunks) < FEWEST_FOR_UMAP:
        if sample.chunks:
            st.caption(f"Drawn by PCA: UMAP needs {FEWEST_FOR_UMAP} chunks or more.", help=term_help("PCA"))
        return maps.quick(sample)
    finished = maps.finished(sample, choice.settings)
    if finished is None:
        _compute(maps, sample, choice)
    elif finished.method == "pca":
        st.caption("Drawn by PCA: too few chunks differ from each other for UMAP.", help=term_help("PCA"))
    job_panel(JOB_KIND, finished=0)
    return finished or maps.quick(sample)


def _compute(maps: Maps, sample: Sample, choice: Choice) -> None:
    """Start the job unless it runs or has failed; a failed one is started again only when the user asks."""
    key = maps.key(sample, choice.settings)
    last = next((job for job in jobs().listing([JOB_KIND]) if job.key == key), None)
    start = partial(_start, maps, sample, choice, key)
    if last is None or last.state == "done":
        start()
    elif not last.active:
        with st.container(horizontal=True, vertical_alignment="center"):
            problem = f": {plain(last.error)}" if last.error else "."
            st.warning(f"This map by UMAP was not computed{problem} The one below is by PCA.")
            st.button("Compute it", on_click=start, icon=":material/play_arrow:")
        return
    st.caption(
        "Drawn by PCA for the moment: the map by UMAP is being computed and will take its place.",
        help=f"{term_help('PCA')} {term_help('UMAP')}",
    )


def _start(maps: Maps, sample: Sample, choice: Choice, key: str) -> None:
    for job in jobs().active([JOB_KIND]):
        # The one that was waited for before the settings moved; other tables' maps go on.
        if job.key != key and job.name == _job_name(choice):
            job.cancel()
    if jobs().active_with(key) is None:
        jobs().start(_job_name(choice), JOB_KIND, _work, maps, sample, choice.settings, key=key, unit="%")


def _job_name(choice: Choice) -> str:
    return f"Map of {choice.label}"


def _work(job: Job, maps: Maps, sample: Sample, settings: MapSettings) -> str:
    def tick(done: int, total: int) -> None:
        job.tick(done, total, _stage(done, total))

    maps.compute(sample, settings, tick)
    return f"{len(sample.chunks):,} chunks"


def _stage(done: int, total: int) -> str:
    """Return what UMAP is doing: a fifth is for neighbours, and between that and the layout it is compiled once."""
    share = done / max(1, total)
    if share < NEIGHBOURS_SHARE:
        return "finding neighbours"
    if share == NEIGHBOURS_SHARE:
        return "loading UMAP, half a minute or more at its very first use"
    return "laying out the points"


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def draw(choice: Choice, found: TableMap) -> None:
    """Draw the map with the question's hits, and below it the chunks that were picked."""
    if not found.sample.chunks:
        st.info("This table is empty: build it again with documents.", icon=":material/inbox:")
        return
    hits = _hits(choice) if choice.question else []
    documents = {row.id: row for row in workspace().documents()}
    drawing = drawing_of(choice, found, hits)
    st.html(f"<style>{STYLE}</style>")
    _map(drawing, documents, {hit.chunk.id: hit for hit in hits})


def _hits(choice: Choice) -> Sequence[Hit]:
    try:
        return workspace().tables.search(choice.config, choice.question, HITS).hits
    except WorkbenchError as error:
        shown_error(error)
        return []


def drawing_of(choice: Choice, found: TableMap, hits: Sequence[Hit]) -> Drawing:
    """Return what is to be drawn: hits that the sample lacks are added to it, at the place the projection gives them."""
    here, sample = workspace(), found.sample
    place = {chunk.id: i for i, chunk in enumerate(sample.chunks)}
    extra = [hit.chunk for hit in hits if hit.chunk.id not in place]
    place.update((chunk.id, len(sample.chunks) + i) for i, chunk in enumerate(extra))
    points = found.points
    if extra:
        placed = here.maps.placed_chunks(choice.config, found, [chunk.id for chunk in extra])
        points = np.concatenate([points, placed])
    question = None
    if hits:
        model = here.model(choice.config.embedder)
        x, y = here.maps.placed(found, model.vectors([choice.question], query=True))[0]
        question = (float(x), float(y))
    chunks = [*sample.chunks, *extra]
    values, label = _values(choice.colour, sample, chunks)
    hit_places = [place[hit.chunk.id] for hit in hits]
    key = digest([found.key, [chunk.id for chunk in extra]])
    return Drawing(chunks, points, question, hit_places, values, label, key)


def _values(colour: str, sample: Sample, chunks: Sequence[Chunk]) -> tuple[list[float] | None, str]:
    if colour == "Page":
        return [float(chunk.page_start) for chunk in chunks], "page"
    if colour == "Length":
        return [float(chunk.token_count) for chunk in chunks], "tokens"
    if colour == "Density":
        with st.spinner("Counting neighbours …", show_time=True):
            density = workspace().maps.figures.neighbours(sample).density.tolist()
        # A hit from outside the sample was not counted.
        return density + [float(np.median(density))] * (len(chunks) - len(density)), "density"
    return None, ""


@st.fragment
def _map(drawing: Drawing, documents: Mapping[str, DocumentRow], hits: Mapping[str, Hit]) -> None:
    """Draw the map and what was picked: a fragment, so that picking sends the choice only."""
    chunks = drawing.chunks
    names = [_name(documents, chunk) for chunk in chunks]
    labels = [f"{name} · {pages_of(c)} · {c.text[:60]}" for name, c in zip(names, chunks, strict=True)]
    groups = sorted(set(names))
    number = {name: i for i, name in enumerate(groups)}
    event = scatter_map(
        drawing.points,
        key="map",
        groups=[number[name] for name in names] if drawing.values is None else None,
        group_names=groups,
        values=drawing.values,
        value_label=drawing.value_label,
        labels=labels,
        question=drawing.question,
        hits=drawing.hits,
        sig=drawing.key,
    )
    if event.point is not None:
        st.session_state[PICKED] = (drawing.key, [event.point])
    elif event.lasso is not None:
        st.session_state[PICKED] = (drawing.key, event.lasso)
    key, picked = st.session_state.get(PICKED, ("", []))
    if key == drawing.key and picked:
        noun = "chunk" if len(picked) == 1 else "chunks"
        _list(f"{len(picked):,} {noun} picked", [chunks[i] for i in picked], documents, hits)
    elif drawing.hits:
        _list(f"The {len(drawing.hits)} nearest chunks", [chunks[i] for i in drawing.hits], documents, hits)
    else:
        st.caption("Click a point, or draw around several, to read the chunks.")


def _list(
    title: str, chunks: Sequence[Chunk], documents: Mapping[str, DocumentRow], hits: Mapping[str, Hit]
) -> None:
    st.markdown(f"#### {title}")
    pages = -(-len(chunks) // CARDS_A_PAGE)
    shown = digest([chunk.id for chunk in chunks])[:12]
    page = st.pagination(pages, key=f"map cards {shown}") if pages > 1 else 1
    for chunk in chunks[(page - 1) * CARDS_A_PAGE : page * CARDS_A_PAGE]:
        _card(chunk, documents.get(chunk.document_id), hits.get(chunk.id))


def _card(chunk: Chunk, document: DocumentRow | None, hit: Hit | None) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            rank = f"**{hit.rank}** · " if hit else ""
            score = f" · score {hit.score:.3f}" if hit else ""
            st.markdown(
                f"{rank}{origin(chunk, document)} :gray[· {chunk.token_count:,} tokens{score}]",
                width="stretch",
            )
            if document is not None:
                st.page_link(
                    "pages/documents.py",
                    label="Open document",
                    icon=":material/description:",
                    query_params={"doc": document.name},
                    width="content",
                )
        hit_text(chunk.text)


def _name(documents: Mapping[str, DocumentRow], chunk: Chunk) -> str:
    found = documents.get(chunk.document_id)
    return found.name if found else "a deleted document"
