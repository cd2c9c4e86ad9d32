"""The sources of a pipeline: each with its place, a way to try it, and a form made from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pydantic import ValidationError

from workbench import plugins
from workbench.config import environment_names
from workbench.contracts import Source
from workbench.errors import SettingsError, WorkbenchError
from workbench.ui.pipelines.pipeline_files import PipelineFile, saved, with_sources
from workbench.ui.sources import preview
from workbench.ui.sources.preview import trial_key
from workbench.ui.widgets.labels import field_label, label_of, refusal
from workbench.ui.widgets.messages import guarded, plain, shown_error
from workbench.ui.widgets.settings_form import fields_form
from workbench.workspace import Workspace

EDITED = "sources.edited"
"""Session key: which source of which pipeline has its form open, as (pipeline, place in the list); −1 is a new one."""
NEW = -1
FIRST_KIND = "pdf_folder"


def show(here: Workspace, file: PipelineFile) -> None:
    """Draw the sources with what can be done with each."""
    st.subheader("Where the documents come from")
    sources = file.config.sources
    if not sources:
        st.caption("No source yet: add a folder, a table, a web site or a bucket.")
    if names := environment_names(file.config):
        # A config may come from somebody else, and so may the address that a value is sent to.
        st.caption(
            f"Uses variables of this computer's environment when it runs: {plain(', '.join(names))}. Their values go to the "
            "places that the config names."
        )
    for number, source in enumerate(sources):
        with st.container(border=True):
            _row(here, file, number, source)
            if _edited(file) == number:
                _form(here, file, number, source)
            preview.show(trial_key(file, source), folded=True)
    if _edited(file) == NEW:
        with st.container(border=True):
            st.markdown("**New source**")
            _form(here, file, NEW, None)
    elif st.button("Add a source", icon=":material/add:", type="secondary" if sources else "primary"):
        _edit(file, NEW)
        st.rerun()


def _row(here: Workspace, file: PipelineFile, number: int, source: Source) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**{plain(label_of('sources', source.name))}**  \n:small[{plain(source.place())}]",
            width="stretch",
        )
        if st.button(
            "Try it",
            icon=":material/cable:",
            key=f"try-{number}",
            help="Lists its first items and reads some.",
        ):
            with guarded():
                preview.start(file, source)
        if st.button("Change", icon=":material/edit:", key=f"edit-{number}", type="tertiary"):
            _edit(file, None if _edited(file) == number else number)
            st.rerun()
        if st.button(
            "",
            icon=":material/delete:",
            key=f"drop-{number}",
            type="tertiary",
            help="Take this source out. The next sync removes its documents from the index.",
        ):
            _confirm_drop(here, file, source)


@st.dialog("Take this source out?")
def _confirm_drop(here: Workspace, file: PipelineFile, source: Source) -> None:
    st.markdown(f"**{plain(label_of('sources', source.name))}** {plain(source.place())}")
    st.caption("Its settings go now. The next sync removes its documents from the index.")
    with st.container(horizontal=True):
        if st.button(
            "Take it out", type="primary", icon=":material/delete:", on_click=_drop, args=(here, file, source)
        ) or st.button("Keep it"):
            st.rerun()


def _drop(here: Workspace, file: PipelineFile, source: Source) -> None:
    rest = [one for one in file.config.sources if one.key != source.key]
    with guarded():
        saved(here, with_sources(file.config, rest))
        _edit(file, None)


def _form(here: Workspace, file: PipelineFile, number: int, source: Source | None) -> None:
    kinds = list(plugins.names("sources"))
    key = f"source.{file.name}.{number}"
    if source is None:
        kind = st.selectbox(
            "Kind",
            kinds,
            index=kinds.index(FIRST_KIND) if FIRST_KIND in kinds else 0,
            format_func=lambda name: label_of("sources", name),
            key=f"{key}.kind",
        )
    else:
        kind = source.name
    fields = plugins.plugin_class("sources", kind).model_fields
    main = [name for name, field in fields.items() if field.is_required()]
    rest = [name for name in fields if name not in main]
    values = source.model_dump() if source is not None else {}
    typed = fields_form(fields, f"{key}.{kind}", values, main, commas=True)
    with st.expander("More settings", icon=":material/tune:"):
        half = -(-len(rest) // 2)
        for column, some in zip(st.columns(2), (rest[:half], rest[half:]), strict=True):
            with column:
                typed |= fields_form(fields, f"{key}.{kind}", values, some, commas=True)
    with st.container(horizontal=True, gap="small"):
        kept = st.button("Add it" if number == NEW else "Keep the change", type="primary", key=f"{key}.keep")
        tested = st.button("Try it first", icon=":material/cable:", key=f"{key}.try")
        if st.button("Leave it", type="tertiary", key=f"{key}.cancel"):
            _edit(file, None)
            st.rerun()
    try:
        if kept:
            _keep(here, file, number, made(kind, typed))
        elif tested:
            draft = made(kind, typed)
            st.session_state[f"{key}.tried"] = trial_key(file, draft)
            preview.start(file, draft)
    except WorkbenchError as error:
        shown_error(error)
    draft_key = st.session_state.get(f"{key}.tried", "")
    if draft_key and all(draft_key != trial_key(file, one) for one in file.config.sources):
        preview.show(draft_key, folded=False)


def made(kind: str, typed: Mapping[str, Any]) -> Source:
    """Return the source that a form describes; raises ``SettingsError`` in the form's words."""
    cls = plugins.plugin_class("sources", kind)
    empty = [
        name
        for name, field in cls.model_fields.items()
        if field.is_required() and typed.get(name) in ("", ())
    ]
    if empty:
        said = [
            (field_label(name, cls.model_fields[name]), cls.model_fields[name].description) for name in empty
        ]
        what = " and ".join(f"{label} ({description})" for label, description in said)
        raise SettingsError(f"still to be filled in: {what}")
    try:
        found: Source = cls(**typed)  # type: ignore[assignment]
    except ValidationError as error:
        raise SettingsError(refusal("sources", kind, error)) from error
    return found


def _keep(here: Workspace, file: PipelineFile, number: int, source: Source) -> None:
    sources = list(file.config.sources)
    if number == NEW:
        sources.append(source)
    else:
        sources[number] = source
    saved(here, with_sources(file.config, sources))
    _edit(file, None)
    st.rerun()


def _edited(file: PipelineFile) -> int | None:
    name, number = st.session_state.get(EDITED, ("", None))
    return number if name == file.name else None


def _edit(file: PipelineFile, number: int | None) -> None:
    # A form that is opened again shows what is saved, not what was typed and given up.
    for key in [key for key in st.session_state if str(key).startswith(f"source.{file.name}.")]:
        del st.session_state[key]
    st.session_state[EDITED] = (file.name, number)
