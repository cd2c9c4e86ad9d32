"""A config as a file: its name, its YAML, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from workbench.config import Config, parsed, written
from workbench.counts import counted
from workbench.errors import ConfigError, InputError
from workbench.ui.widgets.messages import plain

MEASURED = "Measured by the Retrieval Workbench"
"""The first words of the lines that a later export replaces."""


MOST_NAMES = 5


def with_comment(config: Config, lines: Sequence[str]) -> Config:
    """Return the config with these measured lines in place of those of an earlier export; other comments stay."""
    own = []
    for line in config.comment.splitlines():
        if line.startswith(MEASURED):
            break
        own.append(line)
    # A name of a file may hold what would end the comment's line.
    clean = [" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in lines]
    return replace(config, comment="\n".join([*own, *clean]))


def yaml_of(config: Config) -> str:
    """Return the YAML; raises ``ConfigError`` when it could not be read again, as with a secret in it."""
    text = written(config)
    parsed(text, config.name)
    return text


def file_name(name: str) -> str:
    """Return a file name for a config that every system takes.

    >>> file_name("Sentences 200 + 1"), file_name("..x")
    ('Sentences-200-1.yaml', 'x.yaml')
    """
    stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-._")
    return f"{stem or 'config'}.yaml"


def text_of(data: bytes) -> str:
    """Return an uploaded file as text; raises ``InputError`` for what is no text."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "this file is not text in UTF-8: a config is a small YAML file", "unsupported"
        ) from error


def show_problems(error: ConfigError) -> None:
    """Draw every problem of a config with its line and key."""
    count = len(error.problems)
    problems = "\n".join(f"- {plain(problem)}" for problem in sorted(error.problems, key=_line)[:50])
    st.error(
        f"{counted(count, 'thing is', 'things are')} wrong in {plain(error.origin)}; nothing was saved.\n\n{problems}",
        icon=":material/rule:",
    )


def _line(problem: str) -> int:
    found = re.match(r"line (\d+)", problem)
    return int(found[1]) if found else 0


def file_stem(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return kept.strip("-")[:60] or "questions"
