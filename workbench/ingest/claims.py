"""Which keys somebody in this process is working out, so that nobody else does it at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager

POLLED_S = 0.2


class Claims:
    """Keys under way.

    Nobody waits for ever: who waits for keys of one kind holds none of that kind, and vectors of passages, which wait for
    those of sentences, are never waited for by sentences.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: set[Hashable] = set()

    @contextmanager
    def taken(self, keys: Iterable[Hashable]) -> Iterator[set[Hashable]]:
        """Yield those of ``keys`` that nobody is working on; they are the caller's until the block ends."""
        with self._changed:
            mine = {key for key in keys if key not in self._under_way}
            self._under_way |= mine
        try:
            yield mine
        finally:
            with self._changed:
                self._under_way -= mine
                self._changed.notify_all()

    def wait(self, keys: Sequence[Hashable], tick: Callable[[], None]) -> None:
        """Return when nobody works on any of ``keys`` any more; ``tick`` is called meanwhile and may raise."""
        while True:
            with self._changed:
                if self._under_way.isdisjoint(keys):
                    return
                self._changed.wait(POLLED_S)
            tick()
