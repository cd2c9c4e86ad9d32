"""Plug-ins and settings in words: what stands in menus, labels and names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

from workbench import plugins

UNITS = ("tokens", "characters", "sentences", "bytes", "s", "pages")


def label_of(family: str, name: str) -> str:
    """Return a plug-in's human name."""
    return plugins.plugin_class(family, name).label or name.replace("_", " ").capitalize()


def field_label(name: str, field: FieldInfo) -> str:
    """Return a setting's label: ``size_tokens`` → ``Size (tokens)``.

    >>> field_label("size_tokens", FieldInfo(annotation=int))
    'Size (tokens)'
    """
    if field.title:
        return field.title
    words = name.split("_")
    unit = f" ({words.pop()})" if len(words) > 1 and words[-1] in UNITS else ""
    return " ".join(words).capitalize() + unit


def used_settings(family: str, name: str, values: Mapping[str, Any]) -> list[str]:
    """Return the settings that have an effect: with a ``unit``, those in another unit have none."""
    fields = plugins.plugin_class(family, name).model_fields
    unit = values.get("unit")
    if "unit" not in fields or unit not in UNITS:
        return list(fields)
    others = tuple(f"_{other}" for other in UNITS if other != unit)
    return [key for key in fields if not key.endswith(others)]


def config_name(family: str, name: str, settings: Mapping[str, Any]) -> str:
    """Return a short name for these settings, in the letters that a config's name may have.

    Its size always stands in it, every other setting where it differs from the default.
    """
    fields = plugins.plugin_class(family, name).model_fields
    words = [label_of(family, name)]
    for key in used_settings(family, name, settings):
        field, value = fields[key], settings.get(key)
        stem = key.partition("_")[0]
        if stem == "size" and value is not None:
            words.append(str(value))
        elif value != field.get_default():
            words.append(stem if value is True else f"no {stem}" if value is False else f"{stem} {value}")
    # A name holds letters, digits, blanks and . _ + - only.
    plain = re.sub(r"[^A-Za-z0-9 ._+-]+", " ", " ".join(words))
    return " ".join(plain.split())[:80].strip() or name
