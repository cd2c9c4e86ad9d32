"""What the Map page is asked: table, second table, colour, question, layout. The address bar holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from workbench.config import Config
from workbench.errors import InputError
from workbench.ui.session import url_state
from workbench.ui.widgets.messages import term_help
from workbench.ui.widgets.table_picker import first_labels, labels_meant
from workbench.workspace import TableRow
from workbench.workspace.maps import MapSettings

COLOURS = ("Document", "Topic", "Page", "Length", "Density")
PAIR_COLOURS = ("Changed", "Document", "Page", "Length")
TABLE, OTHER, COLOUR, QUESTION = "map table", "map second table", "map colour", "map question"
NEIGHBOURS, DISTANCE = "map neighbours", "map distance"
ALONE = "no second table"
DEFAULTS = MapSettings()
NEIGHBOUR_RANGE = (2, 100)
DISTANCE_RANGE = (0.0, 0.99)


@dataclass(frozen=True)
class Choice:
    """What the controls say."""

    label: str
    config: Config
    colour: str
    question: str
    settings: MapSettings
    other_label: str = ""
    other: Config | None = None
    """The second table's config, where two are compared."""


def controls(found: Mapping[str, TableRow]) -> Choice:
    """Draw the controls; the address bar holds them, and leaving the page keeps them."""
    labels, (first,) = list(found), first_labels(found, 1)
    url_state.entered(NEIGHBOURS, "neighbours", DEFAULTS.neighbours, _neighbours_meant, anchor=TABLE)
    url_state.entered(DISTANCE, "distance", DEFAULTS.min_distance, _distance_meant, anchor=TABLE)
    url_state.entered(TABLE, "table", first, lambda texts: next(iter(labels_meant(texts, found)), None))
    url_state.entered(OTHER, "beside", ALONE, lambda texts: next(iter(labels_meant(texts, found)), None))
    usual = COLOURS[0] if st.session_state[OTHER] == ALONE else PAIR_COLOURS[0]
    url_state.entered(COLOUR, "colour", usual, lambda texts: _colour_meant(texts[-1]))
    url_state.entered(QUESTION, "q", "", lambda texts: texts[-1])
    # A table that was deleted meanwhile is no option any more, nor is one beside itself.
    if st.session_state[TABLE] not in found:
        st.session_state[TABLE] = first
    others = [ALONE, *(label for label in labels if label != st.session_state[TABLE])]
    if st.session_state[OTHER] not in others:
        st.session_state[OTHER] = ALONE
    colours = COLOURS if st.session_state[OTHER] == ALONE else PAIR_COLOURS
    if st.session_state[COLOUR] not in colours:
        st.session_state[COLOUR] = colours[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox("Table", labels, key=TABLE, help=term_help("table"))
        beside = st.selectbox(
            "Beside it",
            others,
            key=OTHER,
            help="A second table on aligned axes: the same text lies at the same place as far as it can. Colours then "
            "say how many of a chunk's nearest neighbours are others in the other table.",
            disabled=len(others) == 1,
            on_change=_take_usual_colour,
        )
        colour = st.segmented_control(
            "Colour",
            colours,
            key=COLOUR,
            required=True,
            help=_colour_help(colours),
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
    url_state.left(TABLE, OTHER, COLOUR, QUESTION, NEIGHBOURS, DISTANCE)
    settings = _settings()
    url_state.shown(
        {
            "table": label if question or label != first or beside != ALONE else "",
            "beside": beside if beside != ALONE else "",
            "colour": colour.lower() if colour and colour != colours[0] else "",
            "q": question if question and len(question) <= url_state.LONGEST_TEXT else "",
            "neighbours": str(settings.neighbours) if settings.neighbours != DEFAULTS.neighbours else "",
            "distance": str(settings.min_distance) if settings.min_distance != DEFAULTS.min_distance else "",
        }
    )
    config = _config(found, label)
    second = None if beside == ALONE else _config(found, beside)
    return Choice(
        label,
        config,
        colour or colours[0],
        (question or "").strip(),
        settings,
        beside if second else "",
        second,
    )


def _take_usual_colour() -> None:
    st.session_state[COLOUR] = COLOURS[0] if st.session_state[OTHER] == ALONE else PAIR_COLOURS[0]


def _config(found: Mapping[str, TableRow], label: str) -> Config:
    config = found[label].config
    if config is None:
        raise InputError(f"the config of {label} cannot be read", "damaged")
    return config


def _colour_help(colours: tuple[str, ...]) -> str:
    said = {
        "Density": f"Density: {term_help('density')}",
        "Topic": "Topic: chunks that speak of the same things, named by the words that set them apart.",
        "Changed": "Changed: the share of a chunk's ten nearest neighbours that are others in the other table.",
    }
    return " ".join(
        ["What a point's colour says.", *(text for name, text in said.items() if name in colours)]
    )


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
    return url_state.number(texts, *DISTANCE_RANGE)


def _colour_meant(text: str) -> str | None:
    return next((colour for colour in {*COLOURS, *PAIR_COLOURS} if colour.lower() == text.lower()), None)


def _neighbours_meant(texts: list[str]) -> int | None:
    value = url_state.number(texts, *NEIGHBOUR_RANGE)
    return None if value is None else int(value)
