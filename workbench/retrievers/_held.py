"""What retrievers keep in memory of a table: made once per version, bounded, the least used given up first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, TypeVar, cast

HELD_BYTES = 2**30
"""The sum of what this process keeps; a single larger thing is used and not kept."""


class Sized(Protocol):
    """Something that knows how much memory it takes."""

    @property
    def size_bytes(self) -> int:
        """The memory it takes, about."""


_T = TypeVar("_T", bound=Sized)
Key = tuple[str, ...]
"""What it is, the table's name, the table's version, and whatever else decides it."""


class Held:
    """Things by key. A key holds the table's version, so none can be stale."""

    def __init__(self, size_bytes: int) -> None:
        self._room = size_bytes
        self._kept: OrderedDict[Key, Sized] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Key, threading.Lock] = {}

    def thing(self, kind: type[_T], table: str, version: str, rest: Key, make: Callable[[], _T]) -> _T:
        """Return the thing of this version, made once however many ask at a time.

        Things of the same table at other versions are given up.
        """
        key = (kind.__name__, table, version, *rest)
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    self._making.pop(key, None)
                    return cast(_T, self._kept[key])
            try:
                made = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                for old in [k for k in self._kept if k[1] == table and k[2] != version]:
                    del self._kept[old]
                self._kept[key] = made
                while sum(thing.size_bytes for thing in self._kept.values()) > self._room:
                    self._kept.popitem(last=False)
        return made


HELD = Held(HELD_BYTES)
"""This process's; one for all retrievers, so that they share a table's rows."""
