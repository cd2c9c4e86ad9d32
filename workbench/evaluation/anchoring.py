"""Where a quoted text stands in a document: exactly, else blind to blanks and case, else nearly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]

LEAST_SIMILARITY = 0.8
"""Share of the quote's characters (blanks left out) that must survive the edits of a near match."""
LONGEST_NEAR_QUOTE = 8_000
SHORTEST_NEAR_QUOTE = 12
"""Below this many characters a near match, or a part of a longer word, is as likely an accident as a find."""
GRAM = 5
_NUMBERS = re.compile(r"\d|(?<=\d)[.,](?=\d{1,2}(?!\d))")
"""Digits, and the marks before decimal places; those between thousands are written or not."""
_BLANKS = np.array([code for code in range(0x10000) if chr(code).isspace()], np.uint32)


@dataclass(frozen=True, slots=True)
class Placement:
    """A found range; ``how`` is ``exact``, ``blanks and case``, ``near``, ``other numbers`` or ``inside a word``.

    ``similarity`` is 1 for all but ``near`` and ``other numbers``, a near match that may well be another answer: 45
    euros for 15 euros, or six for 6. ``inside a word`` is an exact find that is no word by itself, as ``no`` in
    ``know``: of a short quote without a better place.
    """

    start: int
    end: int
    how: str
    similarity: float = 1.0


@dataclass(frozen=True)
class Anchors:
    """One document's text, ready to be searched for quotes."""

    text: str

    def placed(self, quote: str, near: int | None = None) -> Placement | None:
        """Return where ``quote`` stands, or None. Of several equal places the one closest to ``near`` (else the
        first) is taken.

        Without ``near``, a quote below ``SHORTEST_NEAR_QUOTE`` characters is looked for as whole words first, and blind
        to blanks and case it is only found as such. The near match is the substring with the smallest edit distance d to the quote, both without blanks and
        case; it counts when 1 - d / len(quote) is at least ``LEAST_SIMILARITY``, and goes before those with other numbers.
        """
        if not quote:
            return None
        if near is not None and self.text.startswith(quote, near):
            return Placement(near, near + len(quote), "exact")
        starts = self.occurrences(quote)
        whole = [start for start in starts if self._is_whole(quote, start, start + len(quote))]
        chosen = starts if near is not None else whole
        if chosen:
            start = _closest(chosen, near)
            return Placement(start, start + len(quote), "exact")
        found = self._blind(quote, near) or self._near(quote, near)
        if found is None and starts:
            return Placement(starts[0], starts[0] + len(quote), "inside a word")
        return found

    def occurrences(self, quote: str) -> list[int]:
        """Return the start of every exact occurrence, overlapping ones included."""
        return _starts(self.text, quote)

    @cached_property
    def _folded(self) -> tuple[str, npt.NDArray[np.int64]]:
        return folded(self.text)

    @cached_property
    def _grams(self) -> npt.NDArray[np.uint64]:
        return _gram_hashes(_codes(self._folded[0]))

    def _blind(self, quote: str, near: int | None) -> Placement | None:
        text, offsets = self._folded
        wanted, _ = folded(quote)
        if not wanted:
            return None
        found = [
            at
            for at in _starts(text, wanted)
            if self._is_whole(wanted, int(offsets[at]), int(offsets[at + len(wanted) - 1]) + 1)
        ]
        if not found:
            return None
        at = _closest(found, None if near is None else int(np.searchsorted(offsets, near)))
        return Placement(int(offsets[at]), int(offsets[at + len(wanted) - 1]) + 1, "blanks and case")

    def _is_whole(self, quote: str, start: int, end: int) -> bool:
        """Return whether a range begins and ends where words do, or is of a quote too long to be there by accident."""
        return len(quote) >= SHORTEST_NEAR_QUOTE or not (joined(self.text, start) or joined(self.text, end))

    def _near(self, quote: str, near: int | None) -> Placement | None:
        text, offsets = self._folded
        wanted, _ = folded(quote)
        if not SHORTEST_NEAR_QUOTE <= len(wanted) <= LONGEST_NEAR_QUOTE or len(text) < GRAM:
            return None
        codes, query = _codes(text), _codes(wanted)
        best: tuple[bool, int, int, int, int] | None = None
        for low, high in _windows(self._grams, query, len(text)):
            distance, start, end = nearest_substring(query, codes[low:high])
            away = 0 if near is None else abs(int(offsets[low + start]) - near)
            if end == start or 1 - distance / len(wanted) < LEAST_SIMILARITY:
                continue
            start, end = low + start, low + end
            candidate = (not self._same_numbers(wanted, start, end), distance, away, start, end)
            if best is None or candidate < best:
                best = candidate
        if best is None:
            return None
        other, distance, _, start, end = best
        how = "other numbers" if other else "near"
        return Placement(int(offsets[start]), int(offsets[end - 1]) + 1, how, 1 - distance / len(wanted))

    def _same_numbers(self, wanted: str, start: int, end: int) -> bool:
        """Return whether a range of the folded text holds the numbers of a folded quote, none of them cut."""
        text, offsets = self._folded
        cut = any(
            0 < at < len(text)
            and text[at - 1].isdecimal()
            and text[at].isdecimal()
            and offsets[at] - offsets[at - 1] < 2
            for at in (start, end)
        )
        return not cut and _NUMBERS.findall(wanted) == _NUMBERS.findall(text[start:end])


def folded(text: str) -> tuple[str, npt.NDArray[np.int64]]:
    """Return ``text`` without blanks and case, and for each of its characters the offset it came from.

    >>> folded("A b")[0], folded("A b")[1].tolist()
    ('ab', [0, 2])
    """
    kept = np.flatnonzero(~np.isin(_codes(text), _BLANKS)).astype(np.int64)
    dense = "".join(text.split())
    lower = dense.casefold()
    if len(lower) == len(dense):  # folding only ever lengthens, so equal lengths mean one for one
        return lower, kept
    widths = np.fromiter((len(c.casefold()) for c in dense), np.int64, len(dense))
    return lower, np.repeat(kept, widths)


def joined(text: str, offset: int) -> bool:
    """Return whether the characters before and at ``offset`` belong to one word.

    Scripts without upper and lower case may write no blanks between words: there every place may be an end.

    >>> joined("know", 1), joined("no way", 2), joined("7 km", 1)
    (True, False, False)
    """
    pair = text[max(0, offset - 1) : offset + 1]
    return 0 < offset < len(text) and all(c.isnumeric() or c.lower() != c.upper() for c in pair)


def matched(few: Sequence[int], many: Sequence[int]) -> list[int]:
    """Return an index into ``many`` for each of ``few``, increasing, with the smallest sum of distances.

    Both are increasing, ``few`` not the longer one.

    >>> matched([100, 600], [1100, 1600, 9000])
    [0, 1]
    """
    if not few:
        return []
    places = np.array(many, np.float64)
    rows: list[npt.NDArray[np.float64]] = []
    before = np.zeros(len(many))
    for value in few:
        rows.append(before + np.abs(places - value))
        before = np.concatenate(([np.inf], np.minimum.accumulate(rows[-1])[:-1]))
    found: list[int] = []
    limit = len(many)
    for row in reversed(rows):
        limit = int(np.argmin(row[:limit]))
        found.append(limit)
    return found[::-1]


def nearest_substring(query: Codes, text: Codes) -> tuple[int, int, int]:
    """Return (edit distance, start, end) of the substring of ``text`` closest to ``query``.

    Sellers' algorithm (1980), one numpy row per character of the query. Of equally close ends the first is taken,
    then the longest substring that ends there.
    """
    last = _sellers_row(query, text)
    end = int(np.argmin(last))
    # The start is where the reversed query, aligned from that end backwards, is cheapest.
    back = _sellers_row(query[::-1], text[:end][::-1], anchored=True)
    distance = int(last[end])
    lengths = np.flatnonzero(back == distance)
    return distance, end - int(lengths[-1]), end


def _sellers_row(query: Codes, text: Codes, anchored: bool = False) -> npt.NDArray[np.int64]:
    columns = np.arange(len(text) + 1, dtype=np.int64)
    row = columns.copy() if anchored else np.zeros(len(text) + 1, np.int64)
    for number, code in enumerate(query, start=1):
        fresh = np.empty_like(row)
        fresh[0] = number
        fresh[1:] = np.minimum(row[:-1] + (text != code), row[1:] + 1)
        # Insertions run along the row: min over j <= i of fresh[j] + (i - j).
        row = np.minimum.accumulate(fresh - columns) + columns
    return row


def _windows(
    grams: npt.NDArray[np.uint64], query: Codes, length: int, most: int = 3
) -> list[tuple[int, int]]:
    """Return the stretches of the text that share most letter groups with the query, best first."""
    wanted = np.unique(_gram_hashes(query))
    shared = np.concatenate(([0], np.cumsum(np.isin(grams, wanted))))
    width = min(len(query), len(grams))
    votes = shared[width:] - shared[:-width]
    windows = []
    for _ in range(most):
        at = int(np.argmax(votes))
        if votes[at] <= 0:
            break
        margin = max(GRAM, len(query) // 4)
        windows.append((max(0, at - margin), min(length, at + len(query) + margin)))
        votes[max(0, at - len(query) // 2) : at + len(query) // 2 + 1] = 0
    return windows


def _gram_hashes(codes: Codes) -> npt.NDArray[np.uint64]:
    count = len(codes) - GRAM + 1
    hashes = np.zeros(max(0, count), np.uint64)
    for shift in range(GRAM):
        hashes = hashes * np.uint64(1_000_003) + codes[shift : shift + max(0, count)].astype(np.uint64)
    return hashes


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _starts(text: str, quote: str) -> list[int]:
    found, at = [], text.find(quote)
    while at >= 0:
        found.append(at)
        at = text.find(quote, at + 1)
    return found


def _closest(starts: list[int], near: int | None) -> int:
    return starts[0] if near is None else min(starts, key=lambda start: (abs(start - near), start))
