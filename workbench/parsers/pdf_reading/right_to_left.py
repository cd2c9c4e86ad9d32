"""Right-to-left lines, read by where their letters lie: files hold them in any order, browsers from left to right."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import isfinite
from typing import Any

from workbench.parsers._letters import cleaned, rtl_count
from workbench.parsers.pdf_reading.letter_counts import count_letters

Box4 = tuple[float, float, float, float]
Word = tuple[float, float, float, float, str]
"""Its box on the page and its letters."""

_NON_JOINER = "\u200c"
_GAP = 0.12
"""Blank between two words, in multiples of the type size, where the file has no blank of its own."""
_MOST_NEAR = 32
"""So many letters, or lines, on each side are looked at: a line of a hundred thousand would take hours otherwise."""
_IN_NUMBERS = frozenset(".,:/٫٬-−+$€£°")
_AFTER_NUMBERS = frozenset("%٪")


def is_right_to_left(text: str) -> bool:
    """Say whether most letters of a line are of scripts that run from right to left."""
    return 2 * rtl_count(text) > sum(letter.isalpha() for letter in text)


def right_to_left_chars(page: Any, text_page: Any) -> dict[tuple[int, int], list[dict[str, Any]]]:
    """Return the characters of the lines that run from right to left, by MuPDF's number of block and line.

    A text page spells ligatures out, and then drops a letter that seems to be drawn twice at one place: where more
    letters are drawn than it has, those that are drawn are given.
    """
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    lines = _LinesAtHeights()
    for block in text_page.extractRAWDICT()["blocks"]:
        for index, line in enumerate(block.get("lines", ())):
            chars = [char for span in line["spans"] for char in span["chars"]]
            if not chars or line["dir"][0] != 1 or not is_right_to_left("".join(char["c"] for char in chars)):
                continue
            key = (block["number"], index)
            found[key] = chars
            lines.add(key, line["bbox"], {char["origin"][1] for char in chars})
    drawn: dict[tuple[int, int], list[dict[str, Any]]] = {key: [] for key in found}
    for char in _drawn_chars(page) if found else ():
        own = lines.line_at((char["bbox"][0] + char["bbox"][2]) / 2, char["origin"][1])
        if own is not None:
            drawn[own].append(char)
    for key, chars in drawn.items():
        if _letter_count(chars) > _letter_count(found[key]):
            found[key] = chars + [char for char in found[key] if char["c"] == _NON_JOINER]
    return found


class _LinesAtHeights:
    """Finds the line in which a letter stands."""

    def __init__(self) -> None:
        self._at: dict[int, list[tuple[float, int]]] = {}
        """Left sides and numbers of the lines by the height of their letters."""
        self._lines: list[tuple[tuple[int, int], Box4]] = []
        self._is_sorted = True

    def add(self, key: tuple[int, int], box: Box4, heights: Iterable[float]) -> None:
        """Take in a line whose letters stand at these heights."""
        for height in {round(y) for y in heights if isfinite(y)}:
            self._at.setdefault(height, []).append((box[0], len(self._lines)))
        self._lines.append((key, box))
        self._is_sorted = False

    def line_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the key of the line whose box holds a place, None where no line does."""
        if not (isfinite(x) and isfinite(y)):
            return None
        if not self._is_sorted:
            for entries in self._at.values():
                entries.sort()
            self._is_sorted = True
        for height in (-1, 0, 1):
            entries = self._at.get(round(y) + height, [])
            end = bisect_right(entries, (x + 1, len(self._lines)))
            # The lines of one height lie beside each other: those that begin far to the left have ended.
            for number in sorted(number for _, number in entries[max(0, end - _MOST_NEAR) : end]):
                key, box = self._lines[number]
                if box[0] - 1 <= x <= box[2] + 1 and box[1] < y <= box[3]:
                    return key
        return None


def _drawn_chars(page: Any) -> Iterator[dict[str, Any]]:
    for span in page.get_texttrace():
        for code, _, origin, box in span["chars"]:
            yield {"c": chr(code), "origin": origin, "bbox": box}


def _letter_count(chars: Sequence[dict[str, Any]]) -> int:
    return count_letters(cleaned("".join(char["c"] for char in chars)))


def words_in_reading_order(chars: Sequence[dict[str, Any]], size: float) -> list[Word]:
    """Return the words of a line in the order in which they are read.

    ``chars`` are those of ``TextPage.extractRAWDICT`` with ``c`` and ``bbox``, in any order. Letters without a width
    of their own (the second part of a ligature, vowel marks) belong to the letter on which they stand.
    """
    units = sorted(_units(chars), key=lambda unit: -(unit[0] + unit[2]))
    words: list[list[Word]] = []
    for unit in units:
        if unit[4].isspace():
            words.append([])
        elif not words or not words[-1] or words[-1][-1][0] - unit[2] > _GAP * size:
            words.append([unit])
        else:
            words[-1].append(unit)
    read = [part for word in words if word for part in _parts(word)]
    result: list[Word] = []
    # Words of another script run from left to right among the others, and figures with them.
    for is_foreign, group in groupby(_with_figures(read), lambda entry: entry[1]):
        run = [word for word, _ in group]
        result += reversed(run) if is_foreign else run
    return result


def _units(chars: Sequence[dict[str, Any]]) -> list[Word]:
    """Return each letter with the marks that stand on it, in the box of the letter."""
    bases = [i for i, char in enumerate(chars) if not _is_attached(char)]
    followers: dict[int, list[int]] = {i: [] for i in bases}
    by_middle = sorted(bases, key=lambda base: _middle(chars[base]))
    middles = [_middle(chars[base]) for base in by_middle]
    for i, char in enumerate(chars):
        if i in followers or not bases:
            continue
        x = char["bbox"][0]
        place = bisect_left(middles, x)
        # The second part of a ligature stands at the right end of the first.
        near = min(
            sorted(by_middle[max(0, place - _MOST_NEAR) : place + _MOST_NEAR]),
            key=lambda base: (
                round(_distance(x, chars[base]["bbox"]), 1),
                chars[base]["c"].isspace(),
                abs(x - chars[base]["bbox"][2]),
                abs(base - i),
            ),
        )
        followers[near].append(i)
    units = []
    for base, own in followers.items():
        # Where the file runs backwards, the parts of a ligature do, too.
        own.sort(key=lambda i: (i < base, abs(i - base)))
        text = chars[base]["c"] + "".join(chars[i]["c"] for i in own)
        units.append((*chars[base]["bbox"], text))
    return units


def _is_attached(char: dict[str, Any]) -> bool:
    x0, _, x1, _ = char["bbox"]
    if unicodedata.combining(char["c"][0]):
        return True
    return x1 - x0 < 0.01 and not char["c"].isspace()


def _middle(char: dict[str, Any]) -> float:
    middle = float(char["bbox"][0] + char["bbox"][2]) / 2
    # Places that are no numbers, which a damaged file has, would not be in any order.
    return middle if isfinite(middle) else 0.0


def _distance(x: float, box: Box4) -> float:
    return max(box[0] - x, x - box[2], 0.0)


def _parts(word: Sequence[Word]) -> list[Word]:
    """Return a word, or its parts where figures or foreign letters touch letters that run from right to left."""
    parts: list[list[Word]] = []
    for unit in word:
        kind = _kind(unit[4])
        last = parts[-1] if parts else None
        if last is not None and (kind == _kind(last[-1][4]) or kind == "" or _kind(last[-1][4]) == ""):
            last.append(unit)
        else:
            parts.append([unit])
    return [_joined(part) for part in parts]


def _kind(text: str) -> str:
    if rtl_count(text) and text[0].isalpha():
        return "rtl"
    if text[0].isdigit() or text in _IN_NUMBERS:
        return "ltr" if text[0].isdigit() else ""
    return "ltr" if text[0].isalpha() else ""


def _joined(units: Sequence[Word]) -> Word:
    runs_left = any(_kind(unit[4]) == "rtl" for unit in units)
    ordered: Iterable[Word] = units if runs_left else list(reversed(units))
    if not runs_left:
        # Beside Arabic letters a percent sign lies left of its number, beside others right of it.
        ordered = sorted(ordered, key=lambda unit: unit[4] in _AFTER_NUMBERS)
    return (
        min(unit[0] for unit in units),
        min(unit[1] for unit in units),
        max(unit[2] for unit in units),
        max(unit[3] for unit in units),
        "".join(unit[4] for unit in ordered),
    )


def _with_figures(words: Sequence[Word]) -> list[tuple[Word, bool]]:
    """Return each word, and whether it is read from left to right: foreign words and the figures beside them."""
    foreign = [any(letter.isalpha() for letter in word[4]) and not rtl_count(word[4]) for word in words]
    figures = [
        not foreign[i] and word[4][:1].isascii() and word[4][:1].isdigit() for i, word in enumerate(words)
    ]
    for i in range(len(words)):
        beside = (i > 0 and foreign[i - 1]) or (i + 1 < len(words) and foreign[i + 1])
        if figures[i] and beside:
            foreign[i] = True
    return list(zip(words, foreign, strict=True))
