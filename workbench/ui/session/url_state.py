"""What the address bar says when a page is entered, and what the session remembers when it does not.

A link that is opened decides; without one the page is as it was left. While the page is on screen its widgets decide:
the browser may send a rerun with an older address, and taking that for a wish would undo the last move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import streamlit as st

T = TypeVar("T")

LONGEST_TEXT = 1_500
"""Characters of a typed text that go into a link: servers and browsers refuse addresses of several kilobytes."""


def entered(
    key: str, parameter: str, default: T, read: Callable[[list[str]], T | None], anchor: str | None = None
) -> None:
    """Give the widget ``key`` its value when the page is entered: from the address, from last time, or the default.

    ``read`` turns the parameter's texts into a value, or None for texts that mean nothing here. The state of a widget
    goes when its page is left: its absence says that the page is entered. For a ``key`` that is no widget's, ``anchor``
    is a widget of the page that says so, and is given its value afterwards.
    """
    if (anchor or key) in st.session_state:
        return
    asked = st.query_params.get_all(parameter)
    value = read(asked) if asked else None
    st.session_state[key] = st.session_state.get(_kept(key), default) if value is None else value


def left(*keys: str) -> None:
    """Remember the values of these widgets for the next time that the page is entered."""
    for key in keys:
        st.session_state[_kept(key)] = st.session_state[key]


def shown(parameters: Mapping[str, str | Sequence[str]]) -> None:
    """Put the page's state into the address bar; empty parameters are left out."""
    wanted = {
        name: [value] if isinstance(value, str) else list(value)
        for name, value in parameters.items()
        if value
    }
    if wanted != {name: st.query_params.get_all(name) for name in st.query_params}:
        st.query_params.from_dict(wanted)


def number(texts: list[str], low: float, high: float) -> float | None:
    """Return the number in a parameter, or None when it is none or out of bounds.

    >>> number(["5"], 1, 50), number(["-1"], 1, 50), number(["nan"], 1, 50)
    (5.0, None, None)
    """
    try:
        value = float(texts[-1])
    except ValueError:
        return None
    return value if low <= value <= high else None


def _kept(key: str) -> str:
    return f"kept {key}"
