"""A sweep as its form shows it: labels and typed numbers instead of plug-ins and settings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench import plugins
from workbench.config import DEFAULTS, NAME_PATTERN, Config
from workbench.contracts import Chunker, Plugin
from workbench.errors import SettingsError
from workbench.sweep import Budget, Factors, Sweep
from workbench.sweep.expansion import AXES, open_chunker
from workbench.sweep.grid import Mode
from workbench.sweep.grid_yaml import PLUGIN_FACTORS
from workbench.ui.widgets.labels import label_of

MOST_NUMBERS = 50

Options = Mapping[str, Mapping[str, Plugin]]
"""Factor → label → plug-in."""


@dataclass(frozen=True)
class Choices:
    """What stands in the form. ``one_at_a_time`` starts from the first value of each factor."""

    name: str
    plugins: tuple[tuple[str, tuple[str, ...]], ...]
    """Factor → labels."""
    numbers: tuple[tuple[str, str], ...]
    """Factor → numbers as typed, with commas between them."""
    mode: Mode
    measure: str
    screening: bool
    finalists: int
    configurations: int | None
    minutes: float | None

    def labels(self, factor: str) -> tuple[str, ...]:
        """Return the labels of a factor of plug-ins."""
        return dict(self.plugins)[factor]

    def typed(self, factor: str) -> str:
        """Return the numbers of a factor as they are typed."""
        return dict(self.numbers)[factor]


def choices(sweep: Sweep) -> Choices:
    """Return what the form shows for a sweep."""
    base, factors = sweep.base, sweep.factors

    def with_base(values: Sequence[Any], first: Any) -> list[Any]:
        # In a full grid the base's values count only where none are given.
        return [first, *values] if sweep.mode == "one_at_a_time" or not values else list(values)

    firsts = {
        "parsers": base.parser,
        "chunkers": open_chunker(base.chunker),
        "embedders": base.embedder,
        "retrievers": base.retriever,
    }
    chosen = tuple(
        (factor, tuple(dict.fromkeys(label(factor, p) for p in with_base(getattr(factors, factor), first))))
        for factor, first in firsts.items()
    )
    numbers = []
    for axis in AXES:
        own = getattr(base.chunker, axis, None)
        values = getattr(factors, axis)
        shown = values if own is None else with_base(values, own)
        numbers.append((axis, ", ".join(str(n) for n in dict.fromkeys(shown))))
    return Choices(
        sweep.name,
        chosen,
        tuple(numbers),
        sweep.mode,
        sweep.measure,
        sweep.screening,
        sweep.finalists,
        sweep.budget.configurations,
        sweep.budget.minutes,
    )


def made(found: Choices, options: Options, base: Config) -> Sweep:
    """Return the sweep of a form; raises ``SettingsError`` that says what cannot work. The store is the base's."""
    if not NAME_PATTERN.fullmatch(found.name):
        raise SettingsError("give the grid a name of letters and digits, blanks and . _ + -")
    for factor, what in (("chunkers", "chunker"), ("embedders", "embedder")):
        if not found.labels(factor):
            raise SettingsError(f"choose at least one {what}")
    values: dict[str, Any] = {
        factor: tuple(options[factor][one] for one in found.labels(factor)) for factor in PLUGIN_FACTORS
    }
    values |= {axis: numbers(found.typed(axis), axis) for axis in AXES}
    chunker = _first(values) if found.mode == "one_at_a_time" else _without_axes(base.chunker)

    def one(factor: str) -> Any:
        section = PLUGIN_FACTORS[factor]
        return values[factor][0] if values[factor] else plugins.build(factor, DEFAULTS[section])

    parts = Config(found.name, chunker, one("embedders"), one("parsers"), base.store, one("retrievers"))
    return Sweep(
        found.name,
        parts,
        Factors(**values),
        found.mode,
        found.measure,
        found.screening,
        found.finalists,
        Budget(found.configurations, found.minutes),
    )


def _first(values: Mapping[str, Any]) -> Chunker:
    """Return what one factor at a time starts from."""
    first = values["chunkers"][0]
    stated = {key: getattr(first, key) for key in first.model_fields_set}
    axes = {axis: values[axis][0] for axis in AXES if values[axis] and axis in type(first).model_fields}
    found: Chunker = plugins.build("chunkers", first.name, {**axes, **stated})
    return found


def _without_axes(chunker: Chunker) -> Chunker:
    """Return a chunker with its default size and overlap: what a full grid takes where a field is left empty."""
    kept = {key: value for key, value in chunker if key not in AXES}
    found: Chunker = plugins.build("chunkers", chunker.name, kept)
    return found


def numbers(text: str, axis: str) -> tuple[int, ...]:
    """Return typed numbers, each once.

    >>> numbers("100, 200 300,100", "size_tokens")
    (100, 200, 300)
    """
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    for word in words:
        if not re.fullmatch(r"[0-9]{1,6}", word):
            raise SettingsError(f"{axis.replace('_', ' ')}: {word!r:.30} is not a whole number")
    if len(words) > MOST_NUMBERS:
        raise SettingsError(f"{axis.replace('_', ' ')}: {len(words)} numbers; {MOST_NUMBERS} at most")
    return tuple(dict.fromkeys(int(word) for word in words))


def label(factor: str, plugin: Plugin) -> str:
    """Return a plug-in's human name with the settings that differ from its defaults, ``top_k`` left out."""
    fields = type(plugin).model_fields
    stated = plugin.model_fields_set if factor == "chunkers" else set(fields)
    words = [
        f"{key.replace('_', ' ')} {'yes' if value is True else 'no' if value is False else value}"
        for key, value in plugin
        if key != "top_k"
        and ((value != fields[key].get_default() and key not in AXES) or (key in AXES and key in stated))
    ]
    return " · ".join([label_of(factor, plugin.name), *words])


def options(known: Sequence[Config], sweeps: Sequence[Sweep]) -> Options:
    """Return what can be chosen: every plug-in with its defaults, and what known configs and grids use."""
    found: dict[str, list[Plugin]] = {factor: [] for factor in PLUGIN_FACTORS}
    for factor in ("chunkers", "embedders", "retrievers"):
        for name in plugins.names(factor):
            try:
                found[factor].append(plugins.build(factor, name))
            except SettingsError:
                continue  # it needs settings first: a saved config brings them
    pdf = plugins.build("parsers", "pdf")
    found["parsers"].append(pdf)
    for key, value in pdf:
        if isinstance(value, bool):
            found["parsers"].append(plugins.build("parsers", "pdf", {key: not value}))
    for sweep in sweeps:
        for factor in PLUGIN_FACTORS:
            found[factor] += getattr(sweep.factors, factor)
    for config in [*known, *(sweep.base for sweep in sweeps)]:
        found["parsers"].append(config.parser)
        found["embedders"].append(config.embedder)
        found["retrievers"].append(config.retriever)
        found["chunkers"].append(open_chunker(config.chunker))
    by_label: dict[str, dict[str, Plugin]] = {factor: {} for factor in found}
    for factor, several in found.items():
        for plugin in several:
            # The first of a label stands: a plug-in with its defaults before one that states them.
            by_label[factor].setdefault(label(factor, plugin), plugin)
    return by_label
