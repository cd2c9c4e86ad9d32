"""A mark that one browser keeps, so that one person's votes from several tabs count once."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from workbench.ui.components._source import source

_MARK = re.compile(r"[0-9a-f]{32}")


def voter_mark(key: str) -> str | None:
    """Return the browser's mark: 32 hex digits, drawn by chance and kept in its local storage, sent nowhere else.

    None until the browser has told it. One that keeps nothing has another mark in every tab.
    """
    known = marked(st.session_state.get(key))
    _mount(key=key, data={"known": known is not None}, on_mark_change=_nothing)
    return known


def marked(value: Any) -> str | None:
    """Return the mark in what a browser sent, or None for anything else."""
    found = value.get("mark") if value else None
    return found if isinstance(found, str) and _MARK.fullmatch(found) else None


def _nothing() -> None:
    """The mark is in the state; Streamlit lists only what has a callback."""


_mount = st.components.v2.component(
    "workbench_voter_mark", html="<span hidden></span>", js=source("voter_mark.js")
)
