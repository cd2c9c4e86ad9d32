"""One card per config under comparison: how it cuts, its main settings, and everything else behind a button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import plugins
from workbench.config import NAME_PATTERN, Config
from workbench.ui.session import presets, state
from workbench.ui.session.state import LARGEST_COMPARISON, Draft
from workbench.ui.widgets import settings_form
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.labels import label_of
from workbench.ui.widgets.messages import plain, sentence, term_help


def add_menu(drafts: Sequence[Draft], saved: Sequence[Config]) -> None:
    """Draw the button that puts a preset or a saved config beside the others."""
    choices: dict[str, Draft] = {
        f"{found.label} · {found.reason}": found.draft() for found in presets.PRESETS
    }
    there = {draft.link() for draft in drafts}
    choices = {label: draft for label, draft in choices.items() if draft.link() not in there}
    choices |= {f"Saved: {plain(config.name)}": Draft.of(config) for config in saved}
    full = len(drafts) >= LARGEST_COMPARISON
    chosen = st.menu_button(
        "Add to comparison",
        list(choices),
        icon=":material/add:",
        disabled=full,
        help="Four are the most that fit: remove one first." if full else None,
        key="chunks.add",
    )
    if chosen:
        state.put_drafts([*drafts, choices[chosen]])
        st.rerun()


def cards(drafts: Sequence[Draft]) -> tuple[list[Draft], list[DeltaGenerator]]:
    """Draw the cards; return the drafts as they stand now, and a place in each card for its message."""
    result, places = [], []
    for draft, card in zip(drafts, card_row(len(drafts), "config-cards"), strict=True):
        with card:
            edited, place = _card(draft, alone=len(drafts) == 1)
        result.append(edited)
        places.append(place)
    return result, places


def show_problem(problem: str) -> None:
    """Draw why a config cannot be shown."""
    st.error(plain(sentence(problem)), icon=":material/tune:")


def _card(draft: Draft, alone: bool) -> tuple[Draft, DeltaGenerator]:
    key = f"config.{draft.id}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        chunker = _plugin_choice("chunkers", draft.plugin_name("chunker"), key, "Cut by", hidden=True)
        st.button(
            "",
            icon=":material/close:",
            type="tertiary",
            key=f"{key}.remove",
            help="Remove from the comparison",
            on_click=_remove,
            args=(draft,),
            disabled=alone,
        )
    values = (
        draft.settings("chunker") if chunker == draft.plugin_name("chunker") else _carried(draft, chunker)
    )
    main = settings_form.main_settings("chunkers", chunker, values)
    sizes = [setting for setting in main if setting.startswith("size")]
    settings = dict(values)
    for setting in sizes:
        settings[setting] = settings_form.size_slider("chunkers", chunker, setting, key, values[setting])
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="right", gap="small", wrap=False
    ):
        rest = [setting for setting in main if setting not in sizes]
        settings |= settings_form.settings_form("chunkers", chunker, key, values, only=rest)
        more = st.popover(
            "", icon=":material/tune:", help="All settings, model, name", key=f"{key}.more", on_change="rerun"
        )
    place = st.empty()
    draft = draft.with_section("chunker", chunker, settings)
    # A closed panel is not drawn: four of them would double the time of every slider move. Once more after it was
    # closed it is, since the last value typed may arrive together with the click that closes it.
    was_open = st.session_state.get(f"{key}.open", False)
    st.session_state[f"{key}.open"] = bool(more.open)
    if more.open or was_open:
        with more:
            draft = _everything_else(draft, key, shown=main)
    return draft, place


def _everything_else(draft: Draft, key: str, shown: Sequence[str]) -> Draft:
    """Draw the settings that are not in the card itself: of the chunker, the model, the parser, and the name."""
    chunker, settings = draft.plugin_name("chunker"), draft.settings("chunker")
    others = set(settings_form.used_settings("chunkers", chunker, settings)) - set(shown)
    settings |= settings_form.settings_form("chunkers", chunker, key, settings, only=others)
    draft = draft.with_section("chunker", chunker, settings)
    _problem(draft, "chunker")
    draft = _model_and_parser(draft, key)
    name_key = _seeded(f"{key}.name", draft.typed_name)
    typed = st.text_input("Name", key=name_key, placeholder=draft.name, max_chars=80)
    return _named(draft, typed or "")


def _model_and_parser(draft: Draft, key: str) -> Draft:
    """Draw the model, whose tokenizer counts the tokens, and how PDFs are read."""
    with st.expander("Embedding model", icon=":material/neurology:"):
        st.caption(term_help("embedder") + " It also counts the tokens.")
        name = _plugin_choice("embedders", draft.plugin_name("embedder"), key, "Kind")
        draft = draft.with_section(
            "embedder",
            name,
            settings_form.settings_form("embedders", name, key, _values(draft, "embedder", name)),
        )
        _problem(draft, "embedder")
    with st.expander("Reading the file", icon=":material/menu_book:"):
        name = draft.plugin_name("parser")
        st.caption("How PDF pages become one text." if name == "pdf" else label_of("parsers", name))
        draft = draft.with_section(
            "parser", name, settings_form.settings_form("parsers", name, key, _values(draft, "parser", name))
        )
        _problem(draft, "parser")
    return draft


def _problem(draft: Draft, section: str) -> None:
    """Say below the fields of a section why they cannot work: the card itself is hidden by the panel."""
    problem = draft.problem(section)
    if problem:
        st.caption(f":red[{plain(sentence(problem))}]")


def _plugin_choice(family: str, current: str, key: str, label: str, hidden: bool = False) -> str:
    names = plugins.names(family)
    widget = _seeded(f"{key}.{family}", current)
    return st.selectbox(
        label,
        names,
        format_func=lambda name: label_of(family, name),
        key=widget,
        label_visibility="collapsed" if hidden else "visible",
    )


def _values(draft: Draft, section: str, name: str) -> dict[str, Any]:
    return draft.settings(section) if draft.plugin_name(section) == name else {}


def _carried(draft: Draft, chunker: str) -> dict[str, Any]:
    """Return the defaults of another chunker, with the settings that it shares with the one before."""
    fields = plugins.plugin_class("chunkers", chunker).model_fields
    before = draft.settings("chunker")
    return {key: before.get(key, field.get_default()) for key, field in fields.items()}


def _named(draft: Draft, typed: str) -> Draft:
    typed = typed.strip()
    if typed and not NAME_PATTERN.fullmatch(typed):
        st.caption(
            ":red[A name has letters, digits, blanks and . _ + - and starts with a letter or a digit.]"
        )
        return replace(draft, typed_name="")
    return replace(draft, typed_name=typed)


def _seeded(key: str, value: Any) -> str:
    """Return the key of a widget after giving it its first value."""
    if key not in st.session_state:
        st.session_state[key] = value
    return key


def _remove(draft: Draft) -> None:
    state.put_drafts(other for other in state.drafts() if other.id != draft.id)
