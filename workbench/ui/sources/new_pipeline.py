"""New pipelines: from a saved config, from a YAML file, or the sample library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from workbench.config import Config, parsed
from workbench.errors import ConfigError, SettingsError, WorkbenchError
from workbench.sync.place import ledger_of
from workbench.ui.pipelines.pipeline_files import CHOICE, PipelineFile, folder, placed, saved
from workbench.ui.session.workspace import SAMPLES
from workbench.ui.widgets.config_files import show_problems, text_of
from workbench.ui.widgets.messages import plain, shown_error
from workbench.ui.widgets.table_builds import choosable
from workbench.workspace import Workspace

SAMPLE = SAMPLES / "pipelines" / "library.yaml"
FROM_CONFIG, FROM_YAML, FROM_SAMPLE = "From a config", "From a YAML file", "The sample library"
CHOSEN_NEXT = "sources.chosen next"


def form(here: Workspace) -> None:
    """Draw the ways to make a pipeline."""
    way = st.segmented_control(
        "How to begin",
        [FROM_CONFIG, FROM_YAML, FROM_SAMPLE],
        default=FROM_CONFIG,
        required=True,
        key="sources.way",
        label_visibility="collapsed",
    )
    with st.container(border=False):
        try:
            if way == FROM_CONFIG:
                _from_config(here)
            elif way == FROM_YAML:
                _from_yaml(here)
            else:
                _from_sample(here)
        except ConfigError as error:
            show_problems(error)
        except WorkbenchError as error:
            shown_error(error)


def show_elsewhere(here: Workspace, known: Sequence[str]) -> None:
    """Say which pipelines have run here whose YAML is not among the ``known``, and how to bring one to this page."""
    others = [name for name in ledger_of(here).pipelines() if name not in known]
    if others:
        st.caption(
            f"Run from elsewhere, such as a command line: {plain(', '.join(others))}. "
            "Take its YAML file to see and change its sources here; its runs and releases are kept under its name."
        )


def take_up_choice() -> None:
    """Choose the pipeline that was just made; must run before the choice is drawn."""
    name = st.session_state.pop(CHOSEN_NEXT, None)
    if name is not None:
        st.session_state[CHOICE] = name


def _from_config(here: Workspace) -> None:
    configs = choosable(here)
    with st.form("pipeline from config", border=False):
        left, right = st.columns(2)
        picked = left.selectbox(
            "Config", list(configs), help="How documents are cut and embedded: saved configs and presets."
        )
        name = right.text_input(
            "Name of the pipeline", placeholder="handbook", help="Its runs and releases are kept under it."
        )
        if st.form_submit_button("Make it", type="primary", icon=":material/add:"):
            if not name.strip():
                raise SettingsError("the pipeline needs a name, such as handbook")
            _made(saved(here, replace(configs[picked], name=name.strip()), replaces=False))


def _from_yaml(here: Workspace) -> None:
    with st.form("pipeline from yaml", border=False):
        file = st.file_uploader("YAML file", type=["yaml", "yml"], max_upload_size=1)
        pasted = st.text_area("or paste it here", height=160, max_chars=200_000)
        start = st.text_input(
            "Folder at which its relative paths start",
            placeholder=str(folder(here)),
            help="The folder that the file came from. Relative paths of folders, tables and question files in it are "
            "then written out in full.",
        )
        replaces = st.toggle("Replace the pipeline of the same name", value=False)
        if st.form_submit_button("Check and take it", type="primary", icon=":material/fact_check:"):
            text = text_of(file.getvalue()) if file is not None else pasted
            if not text.strip():
                raise SettingsError("choose a file or paste a config first")
            config = parsed(text, file.name if file is not None else "the pasted text")
            _made(saved(here, _with_start(config, start.strip()), replaces))


def _with_start(config: Config, start: str) -> Config:
    if not start:
        return config
    path = Path(start).expanduser()
    if not path.is_absolute() or not path.is_dir():
        raise SettingsError(f"{start} is no folder on this computer; give its whole path, from / on")
    return placed(config, path)


def _from_sample(here: Workspace) -> None:
    st.markdown("The documents of the sample library as a source, and its judged questions as the gate.")
    if st.button("Take the sample library", type="primary", icon=":material/add:"):
        config = placed(parsed(SAMPLE.read_text(encoding="utf-8"), SAMPLE.name), SAMPLE.parent)
        _made(saved(here, config, replaces=False))


def _made(file: PipelineFile) -> None:
    st.session_state[CHOSEN_NEXT] = file.name
    st.rerun()
