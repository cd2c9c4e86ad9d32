"""Stores of the tests' own, put beside the real ones for as long as a test lasts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import workbench.stores
from workbench import plugins

FOLDER = str(Path(__file__).parent / "plugged")


@contextmanager
def plugged_in() -> Iterator[None]:
    """Let configs name the stores in ``tests/stores/plugged``, as they name those in the package's own folder."""
    workbench.stores.__path__.append(FOLDER)
    _forget()
    try:
        yield
    finally:
        workbench.stores.__path__.remove(FOLDER)
        _forget()


def one_place() -> Any:
    """Return the module of the store ``one_place`` as configs reach it, with the servers that a test can take down."""
    with plugged_in():
        return sys.modules[plugins.plugin_class("stores", "one_place").__module__]


def _forget() -> None:
    plugins.names.cache_clear()
    plugins.plugin_class.cache_clear()
