"""Packages that only some plug-ins need: loaded when they are needed, by one thread at a time."""

from __future__ import annotations

import threading
from importlib import import_module
from types import ModuleType

from workbench.errors import MissingPackageError

_LOADING = threading.RLock()
"""Python loads a part of a package without waiting for another thread that is still loading the package itself."""


def load(module: str, package: str, needed_for: str, install: str | None = None) -> ModuleType:
    """Return a module of another package; raises ``MissingPackageError`` that says what needs it and how to get it."""
    with _LOADING:
        try:
            # The package before its part, as a program would that does nothing else.
            import_module(module.partition(".")[0])
            return import_module(module)
        except ImportError as error:
            raise MissingPackageError(package, needed_for, install) from error
