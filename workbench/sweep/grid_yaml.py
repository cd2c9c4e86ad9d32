"""The YAML of a sweep: read with every problem named by line and key, written in one canonical form."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import yaml

from workbench.config import (
    CONFIG_VERSION,
    LARGEST_CONFIG_CHARACTERS,
    SECTIONS,
    Config,
    Reader,
    head_comment,
    limit_problems,
    misread_numbers,
    value_of,
)
from workbench.contracts import Plugin
from workbench.errors import ConfigError, SettingsError
from workbench.sweep.grid import MEASURES, MODES, MOST_FINALISTS, MOST_VALUES, Budget, Factors, Sweep

KEYS = ("version", "name", "mode", "measure", "screening", "finalists", "budget", "base", "factors")
PLUGIN_FACTORS = {
    "parsers": "parser",
    "chunkers": "chunker",
    "embedders": "embedder",
    "retrievers": "retriever",
}
"""Factor → section of a config."""
FACTORS = tuple(field.name for field in fields(Factors))
LARGEST_NUMBER = 1_000_000

T = TypeVar("T")
Found = tuple[int, yaml.Node]


def written(sweep: Sweep) -> str:
    """Return the sweep as canonical YAML: fixed order of keys, every setting of the base spelled out.

    Plug-ins among the factors have the settings that were given: what they leave open comes from the base.
    """
    base = {}
    for section in SECTIONS:
        plugin: Plugin = getattr(sweep.base, section)
        base[section] = {"name": plugin.name, **plugin.model_dump(mode="json")}
    factors = {}
    for factor in FACTORS:
        values = getattr(sweep.factors, factor)
        if values:
            factors[factor] = [_given(value) if isinstance(value, Plugin) else value for value in values]
    body: dict[str, Any] = {
        "version": CONFIG_VERSION,
        "name": sweep.name,
        "mode": sweep.mode,
        "measure": sweep.measure,
        "screening": sweep.screening,
        "finalists": sweep.finalists,
        "budget": {"configurations": sweep.budget.configurations, "minutes": sweep.budget.minutes},
        "base": base,
        "factors": factors,
    }
    comment = [f"# {line}".rstrip() for line in sweep.comment.splitlines()]
    text = yaml.dump(
        body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000
    )
    return "\n".join([*comment, text])


class _Dumper(yaml.SafeDumper):
    """Writes a value that occurs twice twice: aliases are not read here."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _given(plugin: Plugin) -> dict[str, Any]:
    dumped = plugin.model_dump(mode="json")
    return {"name": plugin.name, **{key: dumped[key] for key in dumped if key in plugin.model_fields_set}}


def parsed(text: str, origin: str = "sweep") -> Sweep:
    """Return the sweep in ``text``; raises ``ConfigError`` that names every problem with its line and key."""
    if len(text) > LARGEST_CONFIG_CHARACTERS:
        raise ConfigError([f"{len(text):,} characters are too many for a sweep"], origin)
    reader = _SweepReader(origin)
    sweep = reader.sweep(text)
    if reader.problems or sweep is None:
        raise ConfigError(limit_problems(reader.problems), origin)
    return sweep


class _SweepReader(Reader):
    """Reads a sweep as ``Reader`` reads a config."""

    def sweep(self, text: str) -> Sweep | None:
        """Return the sweep in ``text``, None where there are problems."""
        node = self.root(text, "a sweep is a list of keys such as name, base and factors")
        if node is None:
            return None
        nodes = self.keys(node, KEYS, "")
        self.problems += [f"{key} is missing" for key in ("name", "base", "factors") if key not in nodes]
        self.check_version(nodes.get("version"))
        name = self.name(nodes.get("name"))
        mode = self._value("mode", nodes.get("mode"), "full", _one_of(MODES))
        measure = self._value("measure", nodes.get("measure"), "recall@5", _one_of(MEASURES))
        screening = self._value("screening", nodes.get("screening"), True, _yes_or_no)
        finalists = self._value("finalists", nodes.get("finalists"), 5, _whole(1, MOST_FINALISTS))
        budget = self._budget(nodes.get("budget"))
        base = self._base(nodes.get("base"), name or "base")
        factors = self._factors(nodes.get("factors"))
        if self.problems or name is None or base is None:
            return None
        return Sweep(name, base, factors, mode, measure, screening, finalists, budget, head_comment(text))

    def _value(self, path: str, found: Found | None, default: Any, check: Callable[[Any], Any]) -> Any:
        if found is None:
            return default
        line, node = found
        misread = [sentence for _, sentence in misread_numbers(node)]
        if misread:
            self.problems.append(f"line {line}, {path}: {misread[0]}")
            return default
        try:
            return check(value_of(node))
        except SettingsError as error:
            self.problems.append(f"line {line}, {path}: {error}")
            return default

    def _mapping(self, path: str, found: Found | None, known: tuple[str, ...]) -> dict[str, Found]:
        if found is None:
            return {}
        line, node = found
        if not isinstance(node, yaml.MappingNode):
            self.problems.append(f"line {line}, {path}: write keys below it ({', '.join(known)})")
            return {}
        return self.keys(node, known, path)

    def _budget(self, found: Found | None) -> Budget:
        keys = self._mapping("budget", found, ("configurations", "minutes"))
        configurations = self._value(
            "budget.configurations", keys.get("configurations"), None, _or_none(_whole(1, LARGEST_NUMBER))
        )
        minutes = self._value("budget.minutes", keys.get("minutes"), None, _or_none(_minutes))
        return Budget(configurations, minutes)

    def _base(self, found: Found | None, name: str) -> Config | None:
        keys = self._mapping("base", found, tuple(SECTIONS))
        if found is None or not isinstance(found[1], yaml.MappingNode):
            return None
        for section in ("chunker", "embedder"):
            if section not in keys:
                self.problems.append(f"line {found[0]}, base.{section} is missing")
        built = {section: self.plugin(section, keys.get(section), f"base.{section}") for section in SECTIONS}
        return None if None in built.values() else Config(name=name, **built)

    def _factors(self, found: Found | None) -> Factors:
        values: dict[str, tuple[Any, ...]] = {}
        for factor, (line, node) in self._mapping("factors", found, FACTORS).items():
            path = f"factors.{factor}"
            if not isinstance(node, yaml.SequenceNode):
                self.problems.append(f"line {line}, {path}: write a list, such as [a, b]")
                continue
            if len(node.value) > MOST_VALUES:
                self.problems.append(f"line {line}, {path}: {len(node.value)} values; {MOST_VALUES} at most")
                continue
            read = [self._entry(factor, f"{path}[{i + 1}]", entry) for i, entry in enumerate(node.value)]
            values[factor] = tuple(value for value in read if value is not None)
        return Factors(**values)

    def _entry(self, factor: str, path: str, node: yaml.Node) -> Any:
        line = node.start_mark.line + 1
        if factor not in PLUGIN_FACTORS:
            low = 1 if factor == "size_tokens" else 0
            return self._value(path, (line, node), None, _whole(low, LARGEST_NUMBER))
        if isinstance(node, yaml.ScalarNode):
            # ``nltk_sentences`` is short for ``{name: nltk_sentences}``.
            key = yaml.ScalarNode("tag:yaml.org,2002:str", "name", node.start_mark, node.end_mark)
            node = yaml.MappingNode("tag:yaml.org,2002:map", [(key, node)], node.start_mark)
        return self.plugin(PLUGIN_FACTORS[factor], (line, node), path)


def _one_of(known: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in known:
            near = difflib.get_close_matches(str(value), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise SettingsError(f"{value!r:.40} is not known; {hint}")
        return str(value)

    return check


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{value!r:.40} is not true or false")
    return value


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SettingsError(f"{value!r:.40} is not a whole number from {low} to {high}")
        return value

    return check


def _minutes(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10_000:
        raise SettingsError(f"{value!r:.40} is not a number above 0 and at most 10000")
    return float(value)


def _or_none(check: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else check(value)
