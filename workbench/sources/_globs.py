"""Which paths are wanted: ``*`` and ``?`` inside a name, ``**`` across folders, upper and lower case alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def wanted(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Return what says of a path with ``/`` whether one of ``include`` fits it (all, if empty) and none of ``exclude``.

    A pattern without ``/`` is held against the name alone.

    >>> fits = wanted(["*.pdf", "notes/**"], ["**/old/**"])
    >>> [fits(path) for path in ("a/b.PDF", "notes/x.md", "a/old/b.pdf", "x.md")]
    [True, True, False, False]
    """
    inside = [_expression(pattern) for pattern in include]
    outside = [_expression(pattern) for pattern in exclude]

    def fits(path: str) -> bool:
        return (not inside or any(e.fullmatch(path) for e in inside)) and not any(
            e.fullmatch(path) for e in outside
        )

    return fits


def _expression(pattern: str) -> re.Pattern[str]:
    whole = pattern.removeprefix("./")
    whole = whole.removeprefix("/") if "/" in whole.removeprefix("/") else f"**/{whole.removeprefix('/')}"
    parts = (_MEANING.get(token) or re.escape(token) for token in _TOKEN.findall(whole))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
