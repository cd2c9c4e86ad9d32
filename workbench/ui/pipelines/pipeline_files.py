"""The pipelines of this workspace: one YAML file each, which pages and command line run alike."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.config import Config, parsed, read_config_file
from workbench.contracts import Source
from workbench.errors import ConfigError, InputError, SettingsError
from workbench.files import write_atomically, writing
from workbench.records import digest
from workbench.sync import Pipeline
from workbench.ui.session import url_state
from workbench.ui.session.workspace import ROOT
from workbench.ui.widgets.config_files import file_name, yaml_of
from workbench.ui.widgets.messages import plain
from workbench.workspace import Workspace

CHOICE = "pipeline"
"""Session key of the choice that the pages of the group Run share."""


@dataclass(frozen=True)
class PipelineFile:
    """A pipeline's config and where it lies; relative paths in it start at the file's folder."""

    path: Path
    config: Config

    @property
    def name(self) -> str:
        """The pipeline's name, which is the config's."""
        return self.config.name

    def pipeline(self, here: Workspace) -> Pipeline:
        """Return what the file describes, ready to plan and to run."""
        return Pipeline(here, self.config, self.path.parent)


def folder(here: Workspace) -> Path:
    """Return where the files lie."""
    return here.folder / "pipelines" / "configs"


def files(here: Workspace) -> tuple[list[PipelineFile], list[ConfigError]]:
    """Return the pipelines by name, and what is wrong with files that are none."""
    found, wrong = [], []
    for path in sorted(folder(here).glob("*.yaml")):
        try:
            found.append(PipelineFile(path, parsed(read_config_file(path, path.name), path.name)))
        except ConfigError as error:
            wrong.append(error)
    return sorted(found, key=lambda file: file.name.casefold()), wrong


def show_wrong(here: Workspace, wrong: Sequence[ConfigError]) -> None:
    """Draw what is wrong with the files that are no pipelines; nothing where all of them are."""
    if not wrong:
        return
    lines = [f"- **{plain(error.origin)}**: {plain('; '.join(error.problems))}" for error in wrong]
    one = len(wrong) == 1
    st.warning(
        f"{len(wrong):,} {'file that is no pipeline lies' if one else 'files that are no pipelines lie'} in "
        f"{plain(str(folder(here)))}; mend or delete {'it' if one else 'them'}:\n\n" + "\n".join(lines),
        icon=":material/rule:",
    )


def saved(here: Workspace, config: Config, replaces: bool = True) -> PipelineFile:
    """Write a pipeline's file; raises ``InputError`` when its name is taken and it ``replaces`` none."""
    text = yaml_of(config)
    known, _ = files(here)
    path = next((file.path for file in known if file.name == config.name), None)
    if path is not None and not replaces:
        raise InputError(f"there is a pipeline named {config.name} already: choose another name", "taken")
    if path is None:
        path = folder(here) / file_name(config.name)
        if path.exists():  # of a name that differs in signs that files cannot have
            path = path.with_stem(f"{path.stem}-{digest([config.name])[:6]}")
    with writing(here.folder):
        write_atomically(path, text.encode())
    return PipelineFile(path, config)


def forgotten(here: Workspace, file: PipelineFile) -> None:
    """Delete a pipeline's file; its runs, releases and tables stay."""
    with writing(here.folder):
        file.path.unlink(missing_ok=True)


def with_sources(config: Config, sources: Sequence[Source]) -> Config:
    """Return the config with these sources; raises ``SettingsError`` when two of them are the same place."""
    keys = [source.key for source in sources]
    double = next((key for key in keys if keys.count(key) > 1), None)
    if double is not None:
        raise SettingsError(f"{double} is a source of this pipeline already: change that one instead")
    return replace(config, sources=tuple(sources))


def placed(config: Config, start: Path) -> Config:
    """Return the config with its relative paths made absolute, read from the folder ``start``."""

    def absolute(path: str) -> str:
        return str((start / path).resolve())

    sources: list[Any] = []
    for source in config.sources:
        path = getattr(source, "path", None)
        change = {"path": absolute(path)} if isinstance(path, str) else {}
        sources.append(source.model_copy(update=change))
    gate = config.evaluate
    if gate is not None:
        gate = gate.model_copy(update={"questions": absolute(gate.questions)})
    return replace(config, sources=tuple(sources), evaluate=gate)


def command(name: str, file: PipelineFile, here: Workspace) -> str:
    """Return the command line that does the same as a page, from any folder."""
    return f'cd "{ROOT}" && "{sys.executable}" -m workbench --workspace "{here.folder}" {name} "{file.path}"'


def chosen_name(names: Sequence[str]) -> str:
    """Draw the choice of a pipeline and return its name; a link, or another page, may have made it already."""
    url_state.entered(CHOICE, "pipeline", names[0], lambda texts: texts[-1] if texts[-1] in names else None)
    if st.session_state[CHOICE] not in names:
        st.session_state[CHOICE] = names[0]
    name: str = st.selectbox("Pipeline", names, key=CHOICE)
    url_state.left(CHOICE)
    url_state.shown({"pipeline": name})
    return name
