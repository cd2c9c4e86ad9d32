"""What no message may show: values that were secret when they were read from the environment."""

from __future__ import annotations

import threading
import traceback
from urllib.parse import quote, quote_plus

SHORTEST_CHARACTERS = 4
"""A shorter value would be found in every word."""

_lock = threading.Lock()
_shown_as: dict[str, str] = {}


def hide(value: str, shown: str) -> None:
    """Let ``redact`` put ``shown`` in the place of a secret value from now on, in each way that it is spelled."""
    spellings = {value, value.strip(), quote(value, safe=""), quote_plus(value), repr(value)[1:-1]}
    with _lock:
        for spelling in spellings:
            if len(spelling) >= SHORTEST_CHARACTERS:
                _shown_as[spelling] = shown


def redact(text: str) -> str:
    """Return the text without any value that was hidden before."""
    with _lock:
        known = sorted(_shown_as.items(), key=lambda pair: -len(pair[0]))
    for value, shown in known:
        text = text.replace(value, shown)
    return text


def failure_text() -> str:
    """Return the traceback of the exception that is being handled, for a log."""
    return redact(traceback.format_exc())
