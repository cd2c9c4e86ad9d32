"""The commands of ``python -m workbench``, one file each: ``add_arguments(parser)`` and ``run(workspace, options, out)``."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

PIPELINE = ("plan", "sync", "log", "verify", "publish", "releases", "roll-back")
NAMES = (
    "add",
    "documents",
    "chunks",
    "build",
    "search",
    "evaluate",
    "tune",
    "sweep",
    "delete",
    *PIPELINE,
    "serve-demo",
)
"""In the order in which a newcomer uses them; a file's name is the command, ``-`` written as ``_``."""


def modules() -> dict[str, ModuleType]:
    """Return command → its module."""
    return {name: import_module(f"workbench.commands.{name.replace('-', '_')}") for name in NAMES}
