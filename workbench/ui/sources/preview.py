"""Trying a source as a background job, and what came of it: how many items, the first of them, and their texts."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench import plugins
from workbench.contracts import Source
from workbench.counts import counted
from workbench.table_cells import cells_apart
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.sources.probe import Preview, Tried, tried
from workbench.ui.widgets.job_panel import active_row
from workbench.ui.widgets.labels import labelled
from workbench.ui.widgets.messages import guarded, plain, sentence

TRY = "source test"
SHOWN_PROBLEMS = 5
LONGEST_TAB_CHARACTERS = 28


def start(file: PipelineFile, source: Source) -> None:
    """Start trying a source and draw the page anew; raises ``BusyError`` while it is being tried."""

    def work(job: Job) -> Tried:
        job.tick(0, 0, "listing its items")
        found = tried(
            source,
            file.config.parser,
            file.path.parent,
            job.cancel_asked,
            lambda done, total: job.tick(done, total, "reading the first items"),
        )
        job.summary, job.trouble = "tried", bool(found.failure)
        return found

    key = trial_key(file, source)
    for old in jobs().listing([TRY]):
        if old.key == key:
            jobs().dismiss(old)
    jobs().start(f"Try {source.place()}", TRY, work, unit="items", key=key, heavy=False)
    st.rerun()


def show(key: str, folded: bool) -> None:
    """Draw the trial of this key, while it runs and afterwards; nothing where there is none."""
    job = next((job for job in jobs().listing([TRY]) if job.key == key), None)
    if job is None:
        return
    if job.active:
        st.fragment(_under_way, run_every=0.5)(job)
    elif isinstance(job.result, Tried):
        _result(job.result, job, folded)
    elif job.error:
        _headline(job, st.error, plain(sentence(job.error)), ":material/error:")


def trial_key(file: PipelineFile, source: Source) -> str:
    """Return what names the trial of a source with exactly these settings."""
    return f"{TRY} {file.name} {source.name} {source.model_dump_json()}"


def _under_way(job: Job) -> None:
    if not job.active:
        st.rerun()
    with guarded():
        active_row(job, "source-test")


def _headline(job: Job, message: object, text: str, icon: str) -> None:
    # Columns, as in a row the button would go below each message of more than a line.
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        message(text, icon=icon)  # type: ignore[operator]
    with right.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Dismiss",
            key=f"dismiss-{job.id}",
            type="tertiary",
            icon=":material/close:",
            on_click=jobs().dismiss,
            args=(job,),
        )


def _result(found: Tried, job: Job, folded: bool) -> None:
    fields = plugins.plugin_class("sources", found.kind).model_fields

    def said(text: str) -> str:
        return plain(sentence(labelled(text, fields)))

    if found.failure:
        _headline(job, st.error, said(found.failure), ":material/link_off:")
    elif not found.items:
        text = "It can be reached, and lists nothing that can be read. Are its patterns right?"
        _headline(job, st.warning, text, ":material/search_off:")
    else:
        count = f"{'more than ' if found.more else ''}{counted(found.count, 'item')}"
        _headline(job, st.success, f"It can be reached: {count}.", ":material/check:")
    if found.problems:
        lines = [said(problem) for problem in found.problems[:SHOWN_PROBLEMS]]
        if (more := len(found.problems) - SHOWN_PROBLEMS) > 0:
            lines.append(f"and {more:,} more")
        if not (found.complete or found.more or found.failure):
            until = ", unless you tell it to" if found.listed_but_for_faults else ""
            lines.append(f"As long as this is so, a sync removes no document of this source{until}.")
        st.warning("  \n".join(lines), icon=":material/warning:")
    if not found.items:
        return
    if folded:
        with st.expander("Its first items", icon=":material/list:"):
            _first(found)
    else:
        _first(found)


def _first(found: Tried) -> None:
    tabs = st.tabs(["First items", *(_shortened(preview.name) for preview in found.previews)])
    with tabs[0]:
        _items(found)
    for tab, preview in zip(tabs[1:], found.previews, strict=True):
        with tab:
            _preview(preview)


def _items(found: Tried) -> None:
    table = pd.DataFrame(
        {"Item": i.path or i.item_id, "Title": i.title, "Bytes": i.size_bytes, "Version": i.version}
        for i in found.items
    )
    same = all(i.title == i.item_id for i in found.items)
    hidden = [
        name for name in ("Title", "Bytes", "Version") if not table[name].any() or (name == "Title" and same)
    ]
    st.dataframe(
        table.drop(columns=hidden),
        hide_index=True,
        height="content",
        column_config={
            "Bytes": st.column_config.NumberColumn(format="localized", width="small"),
            "Version": st.column_config.TextColumn(
                help="What the source says of the item's state: as long as it is the same, the item is not read again."
            ),
        },
    )


def _preview(preview: Preview) -> None:
    if preview.trouble:
        st.warning(plain(sentence(preview.trouble)), icon=":material/warning:")
        return
    pages = f"{preview.pages:,} pages, " if preview.pages > 1 else ""
    shown = (
        f", of which these are the first {len(preview.text):,}"
        if preview.characters > len(preview.text)
        else ""
    )
    st.caption(f"{plain(preview.name)}: {pages}{counted(preview.characters, 'character')}{shown}")
    with st.container(height=260 if len(preview.text) > 600 else "content", border=True):
        st.text(cells_apart(preview.text))


def _shortened(name: str) -> str:
    # The end tells files and rows apart.
    short = name if len(name) <= LONGEST_TAB_CHARACTERS else f"…{name[1 - LONGEST_TAB_CHARACTERS :]}"
    return plain(short)
