"""Which chunks a search may find, as options of a command."""

from __future__ import annotations

import argparse

from workbench.contracts import Filter
from workbench.errors import InputError
from workbench.workspace import Workspace


def add_narrowing(parser: argparse.ArgumentParser) -> None:
    """Declare the options; what is given must all hold, and any one of several documents."""
    parser.add_argument(
        "--document",
        action="append",
        default=[],
        metavar="NAME",
        help="search this document only; repeatable",
    )
    parser.add_argument(
        "--pages", type=pages_value, default=None, metavar="A-B", help="search these pages only"
    )
    parser.add_argument(
        "--metadata",
        type=pair_value,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="search documents with this metadata only; repeatable",
    )


def narrowing(workspace: Workspace, options: argparse.Namespace, has_sources: bool) -> Filter | None:
    """Return the filter that the options ask for, None when they ask for none.

    Raises ``InputError`` for a document that is not there.
    """
    if not (options.document or options.pages or options.metadata):
        return None
    ids = _document_ids(workspace, options.document, has_sources) if options.document else None
    return Filter(ids, options.pages, tuple(options.metadata))


def _document_ids(workspace: Workspace, names: list[str], has_sources: bool) -> tuple[str, ...]:
    if has_sources:
        raise InputError(
            "--document names documents that were added to the workspace, and this config reads sources: "
            "narrow it by --metadata or --pages",
            "unknown",
        )
    rows = workspace.documents()
    unknown = [name for name in names if name not in {row.name for row in rows}]
    if unknown:
        raise InputError(f"there is no document {unknown[0]}: `documents` lists what is there", "unknown")
    return tuple(row.id for row in rows if row.name in names)


def pages_value(text: str) -> tuple[int, int]:
    """Return the first and the last page.

    >>> pages_value("3-5"), pages_value("7")
    ((3, 5), (7, 7))
    """
    first, dash, last = text.partition("-")
    if not dash:
        last = first
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a range of pages like 3-5")
    return int(first), int(last)


def pair_value(text: str) -> tuple[str, str]:
    """Return a key and a value; the value may hold further signs of equality.

    >>> pair_value("note=a=b")
    ('note', 'a=b')
    """
    key, sign, value = text.partition("=")
    if not (key and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value
