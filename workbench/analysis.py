"""What is measured on a text once and shared by every configuration: tokens, words, paragraphs, sentences.

A document is tokenised once per tokenizer and split once per splitter, whatever the number of configurations
and slider moves. ``Memo`` keeps the arrays, in memory up to a bound and, if it has a folder, on disk.
"""

from __future__ import annotations

import contextlib
import io
import threading
import tokenize
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from workbench.files import touch, write_atomically
from workbench.records import Heading, Vectors, digest, long_text_digest
from workbench.spans import Offsets

DAMAGED = (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError)
"""What ``numpy.load`` raises for a file that is not whole: its header is read as Python."""

Ranges = npt.NDArray[np.int64]
"""``(n, 2) int64``: half-open ranges, increasing."""


class Tokenizer(Protocol):
    """Says where the tokens of a text are, without special tokens and without truncation."""

    @property
    def id(self) -> str:
        """Names everything that changes the answer: it is part of keys."""

    def offsets(self, text: str) -> Ranges:
        """Return the tokens of ``text`` as ranges, increasing in both columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The tokens of one text, by their ranges. A measure of ranges: see ``spans.Measure``."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def lows(self, starts: Offsets) -> Offsets:
        """Return how many tokens are over before each place."""
        return np.searchsorted(self.ends, starts, side="right").astype(np.int64, copy=False)

    def highs(self, ends: Offsets) -> Offsets:
        """Return how many tokens have begun before each place."""
        return np.searchsorted(self.starts, ends, side="left").astype(np.int64, copy=False)

    def counts(self, starts: Offsets, ends: Offsets) -> Offsets:
        """Return ``count`` for many ranges at once."""
        counted: Offsets = np.maximum(self.highs(ends) - self.lows(starts), 0)
        return counted

    def count(self, start: int, end: int) -> int:
        """Return how many tokens the range touches; one that a cut divides counts on both sides.

        Equal to tokenising ``text[start:end]`` alone wherever the range starts and ends at blanks or
        sentence ends (measured on 4,183 ranges); an upper bound is not promised inside words.
        """
        first = int(np.searchsorted(self.ends, start, side="right"))
        last = int(np.searchsorted(self.starts, end, side="left"))
        return max(0, last - first)


ENTRY_BYTES = 500
"""What an array takes beside its numbers, with its key: of short texts that is the most of it."""


class Memo:
    """Arrays by key: the newest in memory up to ``size_bytes``, all of them in ``folder`` when there is one.

    Two threads that ask for one key compute it once. A file that cannot be read is computed anew, and a folder
    that cannot be written costs time, never an answer.
    """

    def __init__(self, folder: Path | None = None, size_bytes: int = 256 * 2**20) -> None:
        self._folder = folder
        self._size_bytes = size_bytes
        self._held: OrderedDict[str, Ranges] = OrderedDict()
        self._held_bytes = 0
        self._lock = threading.Lock()
        self._key_locks: dict[str, threading.Lock] = {}

    def ranges(self, key: str, compute: Callable[[], Ranges], *, on_disk: bool = True) -> Ranges:
        """Return the array kept under ``key``, computing it when it is not there.

        ``on_disk=False`` is for what is computed faster than it is read.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            key_lock = self._key_locks.setdefault(key, threading.Lock())
        try:
            with key_lock:
                with self._lock:
                    if key in self._held:
                        return self._held[key]
                found = self._read(key) if on_disk else None
                if found is None:
                    found = np.ascontiguousarray(compute(), np.int64).reshape(-1, 2)
                    if on_disk:
                        self._write(key, found)
                found.setflags(write=False)
                self._hold(key, found)
        finally:
            with self._lock:
                self._key_locks.pop(key, None)
        return found

    def _hold(self, key: str, array: Ranges) -> None:
        with self._lock:
            before = self._held.pop(key, None)
            self._held[key] = array
            self._held_bytes += _size_bytes(array) - (0 if before is None else _size_bytes(before))
            while self._held_bytes > self._size_bytes and len(self._held) > 1:
                self._held_bytes -= _size_bytes(self._held.popitem(last=False)[1])

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / key[:2] / f"{key}.npy"

    def _read(self, key: str) -> Ranges | None:
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            array: Ranges = np.load(path, allow_pickle=False)
        except DAMAGED:
            return None
        touch(path)
        return array if array.ndim == 2 and array.shape[1] == 2 and array.dtype == np.int64 else None

    def _write(self, key: str, array: Ranges) -> None:
        path = self._path(key)
        if path is None:
            return
        content = io.BytesIO()
        np.save(content, array)
        with contextlib.suppress(OSError):
            write_atomically(path, content.getvalue())


def _size_bytes(array: Ranges) -> int:
    return array.nbytes + ENTRY_BYTES


@dataclass(frozen=True, eq=False)
class TextAnalysis:
    """One text with its shared measurements: what a chunker is given.

    ``sentence_vectors`` gives ``(n, dim)`` unit vectors for texts; only chunkers that name ``vectors`` in their
    ``uses`` may call it.
    """

    text: str
    tokenizer: Tokenizer
    headings: Sequence[Heading] = ()
    memo: Memo = field(default_factory=Memo)
    sentence_vectors: Callable[[Sequence[str]], Vectors] | None = None

    @cached_property
    def text_hash(self) -> str:
        return long_text_digest(self.text)

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of the whole text, from one pass of the tokenizer."""
        found = self.ranges(f"tokens {self.tokenizer.id}", self.tokenizer.offsets)
        return Tokens(np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1]))

    def ranges(self, name: str, split: Callable[[str], Ranges], *, on_disk: bool = True) -> Ranges:
        """Return ``split(text)``, computed once per text and ``name``.

        ``name`` must hold everything that changes the answer: the splitter, its version, model and language.
        """
        return self.memo.ranges(digest([self.text_hash, name]), lambda: split(self.text), on_disk=on_disk)
