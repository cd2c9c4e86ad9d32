"""The upper part of the Sweep page: a grid opened, imported, or built in a form."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.errors import ConfigError, SettingsError, WorkbenchError
from workbench.evaluation.questions import QuestionSet
from workbench.sweep import Sweep, parsed, written
from workbench.sweep.grid import MEASURES, MODES
from workbench.ui.session import state, url_state
from workbench.ui.session.workspace import SAMPLES, workspace
from workbench.ui.sweep import grid_model
from workbench.ui.sweep.grid_model import Choices
from workbench.ui.widgets.config_files import file_name, show_problems, text_of
from workbench.ui.widgets.messages import shown_error, term_help
from workbench.ui.widgets.verdict import MEASURES as MEASURES_IN_WORDS

SET = "grid set"
SEED, CURRENT, TURN, SEED_ERROR = "grid seed", "grid current", "grid turn", "grid error"
FIRST_GRID = SAMPLES / "sweeps" / "splitters-and-sizes.yaml"
MODES_IN_WORDS = {"full": "Every combination", "one_at_a_time": "One factor at a time"}
NUMBERS = {
    "size_tokens": ("Sizes (tokens)", "Largest chunk. A chunker that states its own size keeps it."),
    "overlap_tokens": ("Overlaps (tokens)", "For chunkers that count overlap in tokens."),
    "overlap_sentences": ("Overlaps (sentences)", "For chunkers that join whole sentences."),
}
PLUGINS = {
    "chunkers": ("Chunkers", "chunker"),
    "embedders": ("Embedders", "embedder"),
    "retrievers": ("Search by", "hit"),
    "parsers": ("PDF read with", "reading order"),
}


def first_grid() -> Sweep:
    """Return what a newcomer sees: four splitters, three sizes, with and without overlap."""
    return parsed(FIRST_GRID.read_text(encoding="utf-8"), FIRST_GRID.name)


def open_or_import() -> None:
    """Draw the ways to another grid, and what was wrong with the last file."""
    kept = {sweep.name: sweep for sweep in workspace().sweeps.grids()}
    with st.popover("Open a grid", icon=":material/folder_open:"):
        name = st.selectbox(
            "Grids that were run here",
            list(kept),
            index=None,
            placeholder="Choose a grid" if kept else "None yet",
            disabled=not kept,
            key=f"grid-kept-{_turn()}",
        )
        if name is not None:
            _open(kept[name])
        if st.button("The sample grid", icon=":material/grid_on:", help="24 configurations"):
            _open(first_grid())
        file = st.file_uploader(
            "Import YAML", type=["yaml", "yml"], max_upload_size=1, key=f"grid-upload-{_turn()}"
        )
        if file is not None:
            _import(file.getvalue(), file.name)
    error = st.session_state.get(SEED_ERROR)
    if isinstance(error, ConfigError):
        show_problems(error)
    elif isinstance(error, WorkbenchError):
        shown_error(error)


def _import(data: bytes, name: str) -> None:
    try:
        _open(parsed(text_of(data), name))
    except WorkbenchError as error:
        st.session_state[SEED_ERROR] = error
        st.session_state[TURN] = _turn() + 1
        st.rerun()


def _open(sweep: Sweep) -> None:
    """Show a grid in the form, which starts anew."""
    st.session_state.pop(SEED_ERROR, None)
    st.session_state[SEED] = st.session_state[CURRENT] = sweep
    st.session_state[TURN] = _turn() + 1
    st.rerun()


def _turn() -> int:
    return int(st.session_state.get(TURN, 0))


def controls(sets: Sequence[QuestionSet]) -> tuple[Sweep, QuestionSet] | None:
    """Draw the form and return the sweep with the set that it is run on; None while it cannot work."""
    if _key("name") not in st.session_state:
        # The page is entered: the form shows what it showed last.
        st.session_state[SEED] = st.session_state.get(CURRENT) or first_grid()
    seed: Sweep = st.session_state[SEED]
    here = workspace()
    options = grid_model.options(here.configs(), [seed, *here.sweeps.grids()])
    before = grid_model.choices(seed)
    questions = _question_set(sets)
    found = _form(before, options)
    try:
        # Untouched it is the grid that was opened, to the last byte.
        sweep = seed if found == before else grid_model.made(found, options, seed.base)
    except SettingsError as error:
        shown_error(error)
        return None
    st.session_state[CURRENT] = sweep
    st.download_button(
        "Download the grid (YAML)",
        written(sweep),
        file_name=file_name(sweep.name),
        mime="application/yaml",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
        help="The same file runs on the command line: python -m workbench sweep GRID.yaml --questions FILE",
    )
    return sweep, questions


def _key(name: str) -> str:
    return f"grid-{name}-{_turn()}"


def _question_set(sets: Sequence[QuestionSet]) -> QuestionSet:
    by_name = {one.name: one for one in sets}
    url_state.entered(SET, "set", state.current_question_set(sets), lambda texts: texts[-1])
    if st.session_state[SET] not in by_name:
        st.session_state[SET] = state.usual_question_set(sets)
    name = st.selectbox("Question set", list(by_name), key=SET)
    state.choose_question_set(name)
    url_state.shown({"set": name if name != state.usual_question_set(sets) else ""})
    return by_name[name]


def _form(before: Choices, options: grid_model.Options) -> Choices:
    with st.container(border=True):
        top = st.columns([2, 3])
        name = top[0].text_input("Name of the grid", before.name, max_chars=80, key=_key("name"))
        measure = top[1].selectbox(
            "What counts",
            MEASURES,
            index=MEASURES.index(before.measure),
            format_func=lambda one: MEASURES_IN_WORDS.get(one, one),
            key=_key("measure"),
            help="Configurations are ordered by it, and the best ones are confirmed.",
        )
        chosen = {"chunkers": _several(before, options, "chunkers")}
        columns = st.columns(3)
        typed = {
            axis: place.text_input(words, before.typed(axis), max_chars=300, key=_key(axis), help=about)
            for place, (axis, (words, about)) in zip(columns, NUMBERS.items(), strict=True)
        }
        places = dict(zip(("embedders", "retrievers", "parsers"), st.columns(3), strict=True))
        for factor, place in places.items():
            with place:
                chosen[factor] = _several(before, options, factor)
        mode = st.segmented_control(
            "Combine",
            MODES,
            default=before.mode,
            format_func=MODES_IN_WORDS.__getitem__,
            key=_key("mode"),
            required=True,
            help="One at a time: the first value of each factor, then each other value alone in its place.",
        )
        with st.expander("Screening and budget", icon=":material/tune:"):
            screening, finalists, most, minutes = _spending(before)
    return Choices(
        " ".join(name.split()),
        tuple((factor, chosen[factor]) for factor, _ in before.plugins),
        tuple((axis, typed[axis].strip()) for axis, _ in before.numbers),
        mode,
        measure,
        screening,
        finalists,
        most,
        minutes,
    )


def _several(before: Choices, options: grid_model.Options, factor: str) -> tuple[str, ...]:
    words, term = PLUGINS[factor]
    return tuple(
        st.multiselect(
            words,
            list(options[factor]),
            default=list(before.labels(factor)),
            key=_key(factor),
            help=term_help(term),
        )
    )


def _spending(before: Choices) -> tuple[bool, int, int | None, float | None]:
    screening = st.toggle(
        "Screen first",
        before.screening,
        key=_key("screening"),
        help="A chunk gets the mean of its sentences' embeddings, so that every sentence is embedded once for all "
        "configurations. The order agrees well with the real one; the figures are not the real ones.",
    )
    columns = st.columns(3)
    finalists = columns[0].number_input(
        "Finalists to confirm", 1, 1000, before.finalists, key=_key("finalists"), disabled=not screening
    )
    most = columns[1].number_input(
        "At most so many new configurations",
        1,
        1_000_000,
        before.configurations,
        key=_key("configurations"),
        placeholder="no limit",
        help="A run stops after these; another run goes on.",
    )
    minutes = columns[2].number_input(
        "At most so many minutes",
        0.1,
        10_000.0,
        before.minutes,
        step=1.0,
        format="%g",
        key=_key("minutes"),
        placeholder="no limit",
    )
    return screening, int(finalists), None if most is None else int(most), minutes
