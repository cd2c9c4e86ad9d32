"""Plug-ins and settings in words: what stands in menus, labels and names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from workbench import plugins
from workbench.plugins import findings
from workbench.records import Document

UNITS = ("tokens", "characters", "sentences", "bytes", "s", "pages")


def pages_said(document: Document, start: int, end: int) -> str:
    """Return the pages of a range of a document: ``page 3``, or ``pages 3–4``."""
    first, last = document.page_at(start), document.page_at(max(start, end - 1))
    return f"page {first}" if first == last else f"pages {first}–{last}"


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


LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "below"),
}
"""Kind of a finding → where its limit stands, and how the limit is said."""


def refusal(family: str, name: str, error: ValidationError) -> str:
    """Return why settings cannot work, in the labels of the form instead of the keys of the YAML."""
    fields = plugins.plugin_class(family, name).model_fields
    said = []
    for (_, sentence), problem in zip(findings(error), error.errors(include_url=False), strict=True):
        setting = str(problem["loc"][0]) if problem["loc"] else ""
        if setting in fields and problem["type"] in LIMITS:
            key, words = LIMITS[problem["type"]]
            label = field_label(setting, fields[setting])
            said.append(f"{label} must be {words} {problem['ctx'][key]:,}; it is {problem['input']:,}")
        else:
            said.append(labelled(sentence, fields))
    return "; ".join(said)


def labelled(sentence: str, fields: Mapping[str, FieldInfo]) -> str:
    """Return a sentence with labels for the settings that it names; a value behind one takes its unit.

    A name of one word without a value behind it may be just a word, and stays.

    >>> labelled("size_tokens (8) is small", {"size_tokens": FieldInfo(annotation=int)})
    'Size (8 tokens) is small'
    """

    def label(found: re.Match[str]) -> str:
        if found[2] is None and "_" not in found[1]:
            return found[0]
        text, value = field_label(found[1], fields[found[1]]), found[2]
        stem, unit = re.fullmatch(r"(.*?)(?: \((\w+)\))?", text).groups()  # type: ignore[union-attr]
        return text if value is None else f"{stem} ({' '.join(filter(None, [value, unit]))})"

    names = "|".join(re.escape(name) for name in sorted(fields, key=len, reverse=True))
    return re.sub(rf"\b({names})\b(?: \(([^()]*)\))?", label, sentence) if names else sentence


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
