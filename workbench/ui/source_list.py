"""The sources of a pipeline: each with its place, a way to try it, and a form made from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from workbench import plugins
from workbench.contracts import Source
from workbench.errors import SettingsError, WorkbenchError
from workbench.ui.forms import fields_form
from workbench.ui.jobs import Job, job_panel, jobs
from workbench.ui.messages import guarded, plain, sentence, shown_error
from workbench.ui.source_files import PipelineFile, saved, with_sources
from workbench.ui.source_test import Preview, Tried, tried
from workbench.ui.wording import field_label, label_of, refusal
from workbench.workspace import Workspace

TRY = "source test"
EDITED = "sources.edited"
"""Session key: which source of which pipeline has its form open, as (pipeline, place in the list); −1 is a new one."""
NEW = -1
TEXT_PIXELS = 260
FIRST_KIND = "pdf_folder"


def show(here: Workspace, file: PipelineFile) -> None:
    """Draw the sources with what can be done with each."""
    st.subheader("Where the documents come from")
    job_panel(TRY, finished=0, key="source-tests")
    sources = file.config.sources
    if not sources:
        st.caption("No source yet: add a folder, a table, a web site or a bucket.")
    for number, source in enumerate(sources):
        with st.container(border=True):
            _row(here, file, number, source)
            if _edited(file) == number:
                _form(here, file, number, source)
            _tried(file, source.key)
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
                _start(here, file, source)
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
            rest = [one for one in file.config.sources if one.key != source.key]
            saved(here, with_sources(file.config, rest))
            _edit(file, None)
            st.rerun()


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
        typed |= fields_form(fields, f"{key}.{kind}", values, rest, commas=True)
    with st.container(horizontal=True, gap="small"):
        kept = st.button("Add it" if number == NEW else "Keep the change", type="primary", key=f"{key}.keep")
        tested = st.button("Try it first", icon=":material/cable:", key=f"{key}.try")
        if st.button("Cancel", type="tertiary", key=f"{key}.cancel"):
            _edit(file, None)
            st.rerun()
    try:
        if kept:
            _keep(here, file, number, made(kind, typed))
        elif tested:
            draft = made(kind, typed)
            st.session_state[f"{key}.tried"] = draft.key
            _start(here, file, draft)
    except WorkbenchError as error:
        shown_error(error)
    draft_key = st.session_state.get(f"{key}.tried", "")
    if draft_key and all(draft_key != one.key for one in file.config.sources):
        _tried(file, draft_key)


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


# ── trying ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _start(here: Workspace, file: PipelineFile, source: Source) -> None:
    def work(job: Job) -> Tried:
        found = tried(
            source,
            file.config.parser,
            file.path.parent,
            job.cancel_asked,
            lambda done, total: job.tick(done, total, "reading the first items"),
        )
        job.summary, job.trouble = "tried", bool(found.failure)
        return found

    key = _job_key(file, source.key)
    for old in jobs().listing([TRY]):
        if old.key == key:
            jobs().dismiss(old)
    jobs().start(f"Try {source.key}", TRY, work, unit="items", key=key, heavy=False)
    # The panel of jobs stands above: drawn again, it shows this one.
    st.rerun()


def _tried(file: PipelineFile, source_key: str) -> None:
    job = next((job for job in jobs().listing([TRY]) if job.key == _job_key(file, source_key)), None)
    if job is None or job.active:
        return
    if not isinstance(job.result, Tried):
        if job.error:
            st.error(plain(sentence(job.error)), icon=":material/error:")
        return
    _result(job.result, job)


def _result(found: Tried, job: Job) -> None:
    count = f"{len(found.items):,}{' or more' if found.more else ''}"
    with st.container(horizontal=True, vertical_alignment="center"):
        if found.failure:
            st.error(plain(sentence(found.failure)), icon=":material/link_off:")
        elif not found.items:
            st.warning(
                "It can be reached, and lists nothing that can be read. Are its patterns right?",
                icon=":material/search_off:",
            )
        else:
            st.success(
                f"It can be reached: {count} {'item' if count == '1' else 'items'} found in {found.seconds:.1f} s.",
                icon=":material/check:",
            )
        if st.button("Dismiss", key=f"dismiss-{job.id}", type="tertiary", icon=":material/close:"):
            jobs().dismiss(job)
            st.rerun()
    for problem in found.problems[:5]:
        st.warning(plain(sentence(problem)), icon=":material/warning:")
    if found.items:
        rows = [
            {"Item": i.path or i.item_id, "Title": i.title, "Bytes": i.size_bytes, "Version": i.version}
            for i in found.items
        ]
        table = pd.DataFrame(rows)
        hidden = [name for name in ("Title", "Bytes") if not table[name].any()]
        st.dataframe(
            table.drop(columns=hidden),
            hide_index=True,
            height="content",
            column_config={
                "Bytes": st.column_config.NumberColumn(format="localized"),
                "Version": st.column_config.TextColumn(
                    help="What the source says of the item's state: as long as it is the same, the item is not read again."
                ),
            },
        )
    for preview in found.previews:
        _preview(preview)


def _preview(preview: Preview) -> None:
    if preview.trouble:
        st.warning(f"{plain(preview.name)}: {plain(preview.trouble)}", icon=":material/warning:")
        return
    pages = f"{preview.pages:,} pages, " if preview.pages > 1 else ""
    with st.expander(
        f"{plain(preview.name)} :small[:gray[{pages}{preview.characters:,} characters]]",
        icon=":material/article:",
    ):
        st.text(preview.text)
        if preview.characters > len(preview.text):
            st.caption(f"The first {len(preview.text):,} of {preview.characters:,} characters.")


def _job_key(file: PipelineFile, source_key: str) -> str:
    return f"{TRY} {file.name} {source_key}"
