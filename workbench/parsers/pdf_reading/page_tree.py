"""The pages that a PDF counts, and those that it holds: MuPDF reads as many as the file says that it has."""

from __future__ import annotations

import re
from typing import Any

_REFERENCE = re.compile(r"(\d{1,10}) \d+ R")
_MOST_NODES = 200_000


def uncounted_pages(document: Any) -> int:
    """Correct the counts of a ``pymupdf.Document`` that holds more pages than it says; return how many more.

    What is corrected is the open document, never its file. 0 for a file that counts all its pages, or too many: those
    that are missing are told where they are read.
    """
    kind, value = document.xref_get_key(document.pdf_catalog(), "Pages")
    root = _REFERENCE.fullmatch(value) if kind == "xref" else None
    if root is None:
        return 0
    counts = _leaves(document, int(root[1]))
    more = counts.get(int(root[1]), 0) - int(document.page_count)
    if more <= 0:
        return 0
    for node, count in counts.items():
        document.xref_set_key(node, "Count", str(count))
    return more


def _leaves(document: Any, root: int) -> dict[int, int]:
    """Return node of the page tree → how many pages stand below it; nothing where the tree is endless or a circle."""
    children: dict[int, list[int]] = {}
    pages: set[int] = set()
    waiting = [root]
    beyond = int(document.xref_length())
    while waiting:
        node = waiting.pop()
        if node in children or node in pages or len(children) + len(pages) > _MOST_NODES:
            return {}
        kind, value = document.xref_get_key(node, "Kids")
        if kind == "array":
            below = map(int, _REFERENCE.findall(value))
            children[node] = [number for number in below if 0 < number < beyond]
            waiting += children[node]
        elif document.xref_get_key(node, "Type")[1] == "/Page":
            pages.add(node)
    counts: dict[int, int] = {}
    # A node is met before those below it, so that backwards each finds its children counted.
    for node in reversed(children):
        counts[node] = sum(counts.get(child, child in pages) for child in children[node])
    return counts
