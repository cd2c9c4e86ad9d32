"""What a demo server offers its visitors: which tables are searched, how, and how often one may ask."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import streamlit as st

MAX_TABLES = 2
PER_VISITOR, PER_SERVER = 30, 300
"""Questions, votes and judgments a minute: of one visitor, and of all of them."""
_VISITOR_RATE = "demo visitor rate"


@dataclass
class Rate:
    """Counts what was admitted within the last minute."""

    max_per_minute: int
    clock: Callable[[], float] = time.monotonic
    _times: deque[float] = field(default_factory=deque)
    _lock: Lock = field(default_factory=Lock)

    def admit(self) -> bool:
        """Return whether one more may be done now, and count it if so."""
        with self._lock:
            now = self.clock()
            while self._times and self._times[0] <= now - 60:
                self._times.popleft()
            if len(self._times) >= self.max_per_minute:
                return False
            self._times.append(now)
            return True


@dataclass(frozen=True)
class Offer:
    """The tables that are searched, one or two for a blind comparison, and the retriever; "" for the config's own."""

    tables: tuple[str, ...] = ()
    retriever: str = ""
    rate: Rate = field(default_factory=lambda: Rate(PER_SERVER))


_current: Offer | None = None


def set_offer(offer: Offer | None) -> None:
    """Make this process a demo server, or again none."""
    global _current
    _current = offer


def current_offer() -> Offer | None:
    """Return what this process offers as a demo server; None in the workbench itself."""
    return _current


def admit() -> bool:
    """Return whether this visitor may ask, vote or judge once more; in the workbench itself everybody may."""
    if _current is None:
        return True
    own = st.session_state.setdefault(_VISITOR_RATE, Rate(PER_VISITOR))
    # A visitor in a hurry does not use up what is there for all.
    return bool(own.admit() and _current.rate.admit())
