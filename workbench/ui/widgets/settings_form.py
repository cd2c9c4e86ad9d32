"""A form for any plug-in, drawn from its settings: a new plug-in needs no line here.

A form never refuses a number by itself: what cannot work is said by the plug-in, in one sentence, and everything
around the form stays. Values live in the session under the widget's key, so they can be set from outside.
"""

from __future__ import annotations

import json
import types
from collections.abc import Collection, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import streamlit as st
from pydantic.fields import FieldInfo

from workbench import plugins
from workbench.contracts.plugin import holds_secret
from workbench.errors import SettingsError
from workbench.ui.widgets.labels import field_label, label_of, used_settings

__all__ = [
    "bounds",
    "field_label",
    "fields_form",
    "label_of",
    "main_settings",
    "settings_form",
    "size_slider",
    "used_settings",
]

SLIDER_STEPS = 40
BOX_WIDTH_PIXELS = 74


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Return the smallest and largest value of a number, None where there is no bound.

    An exclusive bound of a whole number moves by one; of a fraction it is shown as it is and checked later.
    """
    step = 1 if int in _kinds(field) else 0
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge):
            low = rule.ge
        elif isinstance(rule, annotated_types.Gt):
            low = rule.gt + step  # type: ignore[operator]
        elif isinstance(rule, annotated_types.Le):
            high = rule.le
        elif isinstance(rule, annotated_types.Lt):
            high = rule.lt - step  # type: ignore[operator]
    return low, high


def main_settings(family: str, name: str, values: Mapping[str, Any]) -> list[str]:
    """Return the settings that are moved most: the size and the overlap."""
    return [
        key for key in used_settings(family, name, values) if key.partition("_")[0] in ("size", "overlap")
    ]


def settings_form(
    family: str,
    name: str,
    key: str,
    values: Mapping[str, Any] | None = None,
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Draw one widget per setting and return their values, unchecked.

    ``values`` are the first ones shown; with ``only``, just those settings are drawn and returned.
    """
    fields = plugins.plugin_class(family, name).model_fields
    return fields_form(fields, f"{key}.{name}", values, only)


def fields_form(
    fields: Mapping[str, FieldInfo],
    key: str,
    values: Mapping[str, Any] | None = None,
    only: Collection[str] | None = None,
    *,
    commas: bool = False,
) -> dict[str, Any]:
    """Draw one widget per field of any settings. A field without default begins empty.

    With ``commas``, lists of texts are typed with commas between them, for texts that hold neither blanks at their ends
    nor line ends, such as patterns and names of columns.
    """
    return {
        setting: _widget(
            setting, field, f"{key}.{setting}", (values or {}).get(setting, _first(field)), commas=commas
        )
        for setting, field in fields.items()
        if only is None or setting in only
    }


def size_slider(family: str, name: str, setting: str, key: str, value: int) -> int:
    """Draw a slider and a box for one whole number, kept equal, and return it.

    The slider spans the useful sizes around the default; the box takes any number.
    """
    field = plugins.plugin_class(family, name).model_fields[setting]
    low, high, step = _slider_range(field)
    slider_key, box_key = f"{key}.{name}.{setting}.slider", f"{key}.{name}.{setting}"
    st.session_state.setdefault(box_key, value if _fits(value, int) else field.get_default())
    st.session_state[slider_key] = min(max(st.session_state[box_key] or low, low), high)

    def moved() -> None:
        st.session_state[box_key] = st.session_state[slider_key]

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", wrap=False):
        st.slider(
            field_label(setting, field),
            low,
            high,
            step=step,
            key=slider_key,
            on_change=moved,
            help=field.description,
            width="stretch",
        )
        typed = st.number_input(
            f"{field_label(setting, field)}, exactly",
            key=box_key,
            step=_step(value, whole=True),
            label_visibility="collapsed",
            width=BOX_WIDTH_PIXELS,
        )
    return int(typed) if typed is not None else 0


def _slider_range(field: FieldInfo) -> tuple[int, int, int]:
    """Return the first and last value of a slider and its step: round numbers around the default."""
    low, high = bounds(field)
    default = field.get_default()
    step = max((s for s in (1, 5, 10, 20, 50, 100) if s * SLIDER_STEPS <= default), default=1)
    first = -(-max(low or 1, 2 * step) // step) * step
    return first, min(high or default * 3, default * 3), step


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    annotation = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(a for a in get_args(annotation) if a is not type(None))
    return (annotation,)


def _fits(value: Any, kind: Any) -> bool:
    """Return whether a widget of this kind can show ``value``: links may hold anything."""
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float) and abs(value) < 1e15
    return isinstance(value, kind) and not (kind is int and abs(value) >= 2**53)


def _first(field: FieldInfo) -> Any:
    if not field.is_required():
        return field.get_default()
    kind = _kinds(field)[0]
    return () if get_origin(kind) is tuple else kind()


def _widget(name: str, field: FieldInfo, key: str, value: Any, *, commas: bool = False) -> Any:
    label, help_text = field_label(name, field), field.description
    kinds = _kinds(field)
    optional = len(get_args(field.annotation)) > len(kinds)
    if get_origin(kinds[0]) is Literal:
        options = list(get_args(kinds[0]))
        if st.session_state.get(key) not in options:
            st.session_state[key] = value if value in options else field.get_default()
        return st.selectbox(label, options, format_func=_words, key=key, help=help_text)
    if get_origin(kinds[0]) is tuple and commas:
        if key not in st.session_state:
            st.session_state[key] = ", ".join(value) if _is_list_of_texts(value) else ""
        typed = st.text_input(
            label, key=key, help=f"{help_text or ''} (commas between them)", placeholder=_example(name, field)
        )
        return tuple(part.strip() for part in typed.split(",") if part.strip())
    if get_origin(kinds[0]) is tuple:
        return _list_of_texts(label, key, help_text, value)
    kind = next((k for k in (bool, int, float, str) if k in kinds), None)
    if kind is None:
        raise SettingsError(f"the setting {name} has a type that forms cannot show: {field.annotation}")
    if key not in st.session_state:
        usable = _fits(value, kind) or (value is None and optional)
        st.session_state[key] = value if usable else _first(field)
    if kind is bool:
        return st.toggle(label, key=key, help=help_text)
    if kind is str:
        st.session_state[key] = st.session_state[key] or ""
        if holds_secret(name, field):
            help_text = (
                f"{help_text or ''} Never the secret itself: the variable of the environment that holds it."
            )
        typed = st.text_input(label, key=key, help=help_text, placeholder=_example(name, field))
        return (typed or None) if optional else typed
    whole = kind is int
    if not whole and st.session_state[key] is not None:
        # A link or a file may hold 1 where 1.0 is meant; one box shows one kind of number.
        st.session_state[key] = float(st.session_state[key])
    typed = st.number_input(
        label,
        key=key,
        step=_step(value, whole),
        format=None if whole else "%g",
        help=help_text,
        placeholder="not set" if optional else None,
    )
    # An emptied box of a number that must be there counts as 0: the plug-in says what it needs.
    return typed if typed is not None or optional else (0 if whole else 0.0)


def _example(name: str, field: FieldInfo) -> str | None:
    if holds_secret(name, field):
        return "${env:NAME}"
    return f"such as {field.examples[0]}" if field.examples else None


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


def _list_of_texts(label: str, key: str, help_text: str | None, value: Any) -> Any:
    # As JSON, because blanks and line ends are texts here.
    if key not in st.session_state:
        st.session_state[key] = json.dumps(value, ensure_ascii=False)
    typed = st.text_input(label, key=key, help=f'{help_text or ""} (as a list: `["a", "b"]`)')
    try:
        found = json.loads(typed)
    except (ValueError, RecursionError):
        return typed
    return tuple(found) if isinstance(found, list) else typed


def _step(value: Any, whole: bool) -> Any:
    if not whole:
        return 0.05
    return 10 if _fits(value, int) and value >= 50 else 1


def _words(option: Any) -> str:
    return str(option).replace("_", " ")
