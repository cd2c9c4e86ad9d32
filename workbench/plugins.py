"""Find, load and build a plug-in by its file name. Adding a plug-in is adding one file to its family's folder."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from workbench.contracts import Chunker, Embedder, Parser, Plugin, Retriever, Source, VectorStore
from workbench.errors import ContractError, SettingsError

FAMILIES: dict[str, type[Plugin]] = {
    "sources": Source,
    "parsers": Parser,
    "chunkers": Chunker,
    "embedders": Embedder,
    "stores": VectorStore,
    "retrievers": Retriever,
}


@cache
def names(family: str) -> tuple[str, ...]:
    """Return the names of a family's plug-ins in alphabetical order; nothing is imported but the folder.

    A sub-package holds the helpers of one plug-in and is none itself.

    >>> "fixed_size" in names("chunkers")
    True
    """
    package = importlib.import_module(f"workbench.{family}")
    modules = (m for m in pkgutil.iter_modules(package.__path__) if not m.ispkg)
    return tuple(sorted(m.name for m in modules if not m.name.startswith("_")))


@cache
def plugin_class(family: str, name: str) -> type[Plugin]:
    """Return the class in ``workbench/<family>/<name>.py``; raises ``SettingsError`` with the nearest names."""
    known = names(family)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"there is no {family[:-1]} named {name!r}{hint} (there are: {', '.join(known)})")
    module = importlib.import_module(f"workbench.{family}.{name}")
    found = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, FAMILIES[family])
        and member.__module__ == module.__name__
        and not inspect.isabstract(member)
    ]
    if len(found) != 1:
        raise ContractError(
            f"workbench/{family}/{name}.py must hold one {FAMILIES[family].__name__}, not {len(found)}"
        )
    return found[0]


def build(family: str, name: str, settings: Mapping[str, Any] | None = None) -> Any:
    """Return the plug-in with these settings; raises ``SettingsError`` that lists every wrong one."""
    try:
        return plugin_class(family, name)(**dict(settings or {}))
    except ValidationError as error:
        raise SettingsError(f"{name}: " + "; ".join(message for _, message in findings(error))) from error


def findings(error: ValidationError) -> list[tuple[str, str]]:
    """Return (setting, sentence) for every finding of a check; an empty setting stands for the whole plug-in."""
    result = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            text = f"{where} is not a setting here"
        elif problem["type"] == "missing":
            text = f"{where} is missing"
        elif problem["type"] == "value_error":
            text = str(problem["ctx"]["error"]) if "ctx" in problem else problem["msg"]
        else:
            detail = problem["msg"][0].lower() + problem["msg"][1:]
            text = f"{where} ({problem['input']!r:.40}): {detail}" if where else detail
        result.append((where, text))
    return result
