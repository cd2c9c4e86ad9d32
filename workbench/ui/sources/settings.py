"""The rest of a pipeline's file: its YAML to change, the gate as a form, and the command that runs it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from pydantic import ValidationError

from workbench.config import parsed, written
from workbench.errors import ConfigError, InputError, SettingsError, WorkbenchError
from workbench.plugins import findings
from workbench.sections import Evaluate
from workbench.ui.pipelines import scheduler
from workbench.ui.pipelines.pipeline_files import PipelineFile, command, forgotten, saved
from workbench.ui.widgets.config_files import show_problems
from workbench.ui.widgets.job_panel import shown_duration
from workbench.ui.widgets.messages import guarded, shown_error
from workbench.ui.widgets.settings_form import fields_form
from workbench.workspace import Workspace


def show(here: Workspace, file: PipelineFile) -> None:
    """Draw the gate, the whole file as YAML, the commands, and the way to take the pipeline off the list."""
    st.subheader("Settings")
    schedule = file.config.schedule
    every = f"every {shown_duration(60 * schedule.every_minutes)}" if schedule is not None else "off"
    try:
        with st.expander(f"Sync by itself: {every}", icon=":material/schedule:", key=f"schedule.{file.name}"):
            scheduler.show(here, file)
        with st.expander("Gate: what must be measured before it is published", icon=":material/verified:"):
            _gate(here, file)
        with st.expander("The whole pipeline as YAML", icon=":material/code:"):
            _yaml(here, file)
    except ConfigError as error:
        show_problems(error)
    except WorkbenchError as error:
        shown_error(error)
    with st.expander("From a terminal", icon=":material/terminal:"):
        st.code(
            "\n".join(command(name, file, here) for name in ("plan", "sync", "publish", "roll-back")),
            language="bash",
            wrap_lines=True,
        )
    if st.button("Take this pipeline off the list", type="tertiary", icon=":material/delete:"):
        _confirm_forget(here, file)


def _gate(here: Workspace, file: PipelineFile) -> None:
    gate = file.config.evaluate
    st.caption(
        "Judged questions are asked before every publishing. Without a gate everything that was synced can be published."
    )
    values = gate.model_dump() if gate is not None else {}
    key = f"gate.{file.name}.{hash(gate)}"
    with st.form(key, border=False):
        typed = fields_form(Evaluate.model_fields, key, values)
        with st.container(horizontal=True, gap="small"):
            kept = st.form_submit_button("Keep the gate", type="primary")
            dropped = gate is not None and st.form_submit_button("No gate", type="tertiary")
    if dropped:
        saved(here, replace(file.config, evaluate=None))
        st.rerun()
    if kept:
        try:
            made = Evaluate(**typed)
        except ValidationError as error:
            raise SettingsError("; ".join(message for _, message in findings(error))) from error
        path = file.path.parent / made.questions
        if not path.is_file():
            raise InputError(f"there is no file {path}: give the whole path of a file with questions", "gone")
        saved(here, replace(file.config, evaluate=made))
        st.rerun()


def _yaml(here: Workspace, file: PipelineFile) -> None:
    text = written(file.config)
    # Another text is another box: it shows what the file holds now.
    with st.form(f"yaml.{file.name}", border=False):
        typed = st.text_area(
            "YAML",
            text,
            height=420,
            max_chars=200_000,
            key=f"yaml.{file.name}.{hash(text)}",
            label_visibility="collapsed",
        )
        asked = st.form_submit_button("Check and keep", type="primary", icon=":material/fact_check:")
    if asked:
        config = parsed(typed, file.path.name)
        if config.name != file.name:
            raise SettingsError(
                f"its name is {file.name}, and runs and releases are kept under it; make a new pipeline for another name"
            )
        saved(here, config)
        st.rerun()


@st.dialog("Take this pipeline off the list?")
def _confirm_forget(here: Workspace, file: PipelineFile) -> None:
    st.markdown("Its file goes. Its runs, its releases and what is published stay as they are.")
    with st.container(horizontal=True):
        if st.button(
            "Take it off", type="primary", icon=":material/delete:", on_click=_forget, args=(here, file)
        ) or st.button("Keep it"):
            st.rerun()


def _forget(here: Workspace, file: PipelineFile) -> None:
    with guarded():
        forgotten(here, file)
