"""Which kinds of file the parsers read, by the ending of the name."""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath

from workbench import plugins
from workbench.contracts import Parser


@cache
def readable_suffixes() -> frozenset[str]:
    """Return the endings of all parsers, in lower case with the dot."""
    classes = (plugins.plugin_class("parsers", name) for name in plugins.names("parsers"))
    return frozenset(suffix for cls in classes if issubclass(cls, Parser) for suffix in cls.suffixes)


def is_readable(path: str) -> bool:
    """Say whether a parser reads a file of this name."""
    return PurePosixPath(path).suffix.lower() in readable_suffixes()
