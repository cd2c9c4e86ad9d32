"""A grid made into configs: every combination that can work, each once, under a readable name of its own."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from workbench import plugins
from workbench.config import Config
from workbench.contracts import Chunker, Embedder, Parser, Plugin, Retriever
from workbench.errors import SettingsError
from workbench.records import digest
from workbench.sweep.grid import MOST_COMBINATIONS, Sweep

AXES = ("size_tokens", "overlap_tokens", "overlap_sentences")
"""Settings of chunkers that are factors of their own."""

T = TypeVar("T")
_Parts = tuple[Parser, Chunker, dict[str, int], Embedder, Retriever]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A combination that cannot work, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Expansion:
    """The configs of a grid, in its order."""

    configs: tuple[Config, ...]
    dropped: tuple[Dropped, ...]
    merged: int
    """How many combinations gave a config that is there already."""


def expansion(sweep: Sweep) -> Expansion:
    """Return the configs of a sweep; raises ``SettingsError`` for more combinations than anybody can run.

    Two configs are the same when their tables and their retrievers are; how many hits a retriever shows is no
    difference, since every measure asks for as many as it needs.
    """
    _check_size(sweep)
    names = _Names(sweep)
    found: dict[str, Config] = {}
    dropped: list[Dropped] = []
    merged = 0
    combinations = _full(sweep) if sweep.mode == "full" else _one_at_a_time(sweep)
    for parser, entry, axes, embedder, retriever in combinations:
        name = names.of(parser, entry, axes, embedder, retriever)
        given = {key: getattr(entry, key) for key in entry.model_fields_set}
        try:
            chunker = plugins.build("chunkers", entry.name, {**given, **axes})
        except SettingsError as error:
            dropped.append(Dropped(name, str(error).removeprefix(f"{entry.name}: ")))
            continue
        config = Config(name, chunker, embedder, parser, sweep.base.store, retriever)
        if found.setdefault(same_key(config), config) is not config:
            merged += 1
    return Expansion(_told_apart(found.values()), tuple(dropped), merged)


def same_key(config: Config) -> str:
    """Return what two configs that score the same have in common: table and retriever, not the number of hits."""
    asked = {key: value for key, value in config.retriever.identity().items() if key != "top_k"}
    return digest([config.fingerprint, asked])


def _full(sweep: Sweep) -> Iterator[_Parts]:
    factors, base = sweep.factors, sweep.base
    for parser, entry in itertools.product(
        factors.parsers or (base.parser,), factors.chunkers or (open_chunker(base.chunker),)
    ):
        lists = [(axis, _values(sweep, entry, axis)) for axis in AXES]
        used = [(axis, values) for axis, values in lists if values]
        for combination in itertools.product(*(values for _, values in used)):
            axes = {axis: value for (axis, _), value in zip(used, combination, strict=True)}
            for embedder, retriever in itertools.product(
                factors.embedders or (base.embedder,), factors.retrievers or (base.retriever,)
            ):
                yield parser, entry, axes, embedder, retriever


def _one_at_a_time(sweep: Sweep) -> Iterator[_Parts]:
    base, factors = sweep.base, sweep.factors
    entry = open_chunker(base.chunker)
    axes = _base_axes(sweep, entry)
    yield base.parser, entry, axes, base.embedder, base.retriever
    for parser in factors.parsers:
        yield parser, entry, axes, base.embedder, base.retriever
    for chunker in factors.chunkers:
        yield base.parser, chunker, _base_axes(sweep, chunker), base.embedder, base.retriever
    for axis in AXES:
        if axis in type(entry).model_fields:
            for value in getattr(factors, axis):
                yield base.parser, entry, {**axes, axis: value}, base.embedder, base.retriever
    for embedder in factors.embedders:
        yield base.parser, entry, axes, embedder, base.retriever
    for retriever in factors.retrievers:
        yield base.parser, entry, axes, base.embedder, retriever


def open_chunker(chunker: Chunker) -> Chunker:
    """Return the base's chunker without its sizes and overlaps, so that those of the grid can take their place."""
    kept = {key: value for key, value in chunker if key not in AXES}
    return type(chunker).model_construct(_fields_set=set(kept), **dict(chunker))


def _values(sweep: Sweep, entry: Chunker, axis: str) -> Sequence[int]:
    """Return what an axis takes with a chunker: nothing where it has no such setting, or states it itself."""
    if axis not in type(entry).model_fields or axis in entry.model_fields_set:
        return ()
    given: Sequence[int] = getattr(sweep.factors, axis)
    return given or tuple(_base_axes(sweep, entry, axis).values())


def _base_axes(sweep: Sweep, entry: Chunker, *wanted: str) -> dict[str, int]:
    """Return the base's sizes and overlaps that a chunker knows and does not state itself."""
    return {
        axis: getattr(sweep.base.chunker, axis)
        for axis in wanted or AXES
        if axis in type(entry).model_fields
        and axis not in entry.model_fields_set
        and axis in type(sweep.base.chunker).model_fields
    }


def _check_size(sweep: Sweep) -> None:
    factors = sweep.factors
    if sweep.mode != "full":
        return
    # An overlap counts in tokens or in sentences, never in both.
    overlaps = max(1, len(factors.overlap_tokens), len(factors.overlap_sentences))
    sizes = [factors.parsers, factors.chunkers, factors.size_tokens, factors.embedders, factors.retrievers]
    count = overlaps * math.prod(max(1, len(values)) for values in sizes)
    if count > MOST_COMBINATIONS:
        raise SettingsError(
            f"{count:,} combinations are too many ({MOST_COMBINATIONS:,} at most): "
            "leave values out, or take mode: one_at_a_time"
        )


class _Names:
    """Names after what a sweep varies: plug-ins, sizes, overlaps, and the settings in which they differ."""

    def __init__(self, sweep: Sweep) -> None:
        factors, base = sweep.factors, sweep.base
        alone = sweep.mode != "full"
        self._parsers = _distinct([*([base.parser] if alone else []), *factors.parsers])
        self._chunkers = _distinct([*([open_chunker(base.chunker)] if alone else []), *factors.chunkers])
        self._embedders = _distinct([*([base.embedder] if alone else []), *factors.embedders])
        self._retrievers = _distinct([*([base.retriever] if alone else []), *factors.retrievers])

    def of(
        self,
        parser: Parser,
        entry: Chunker,
        axes: dict[str, int],
        embedder: Embedder,
        retriever: Retriever,
    ) -> str:
        size = axes.get("size_tokens", getattr(entry, "size_tokens", None))
        words = [entry.name, "" if size is None else str(size)]
        for axis in AXES[1:]:
            overlap = axes.get(axis, getattr(entry, axis, 0))
            words.append(f"overlap {overlap}" if overlap else "")
        words += [_differing(entry, self._chunkers)]
        for plugin, among in (
            (parser, self._parsers),
            (embedder, self._embedders),
            (retriever, self._retrievers),
        ):
            if len(among) > 1:
                words += [plugin.name, _differing(plugin, among)]
        text = re.sub(r"[^A-Za-z0-9 ._+-]+", " ", " ".join(filter(None, words)))
        return " ".join(text.split())[:80].rstrip()


def _distinct(values: Sequence[Plugin]) -> list[Plugin]:
    return list({digest(value.identity()): value for value in values}.values())


def _differing(plugin: Plugin, among: Sequence[Plugin]) -> str:
    """Return the settings in which a plug-in differs from others of its name, a model by its last name."""
    others = [other for other in among if other.name == plugin.name]
    words = []
    for key, value in plugin:
        if key not in AXES and any(getattr(other, key) != value for other in others):
            words.append(str(value).rpartition("/")[2] if key == "model" else f"{key} {_said(value)}")
    return " ".join(words)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)


def _told_apart(configs: Any) -> tuple[Config, ...]:
    taken: set[str] = set()
    result = []
    for config in configs:
        name, number = config.name, 2
        while name in taken:
            name = f"{config.name[:75].rstrip()} {number}"
            number += 1
        taken.add(name)
        result.append(config if name == config.name else replace(config, name=name))
    return tuple(result)
