"""Pages → one text: lines joined to paragraphs, words cut at line ends made whole, pages as touching ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.parsers._letters import is_cjk
from workbench.parsers._pdf_pages import PageText
from workbench.parsers._pdf_paragraphs import (
    NEW_LINE,
    NEW_PARAGRAPH,
    NEW_REGION,
    RUN_ON,
    ends_sentence,
)
from workbench.records import Layout, Page

_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*(?=[-\u2010]$)")
_HYPHENS = ("-", "\u2010")
# Addresses of the web and of mail are broken at hyphens of their own.
_ADDRESS = re.compile(r"://|www\.|\w@\w|\w\.\w{2,}/")
# Hyphens that writers keep: before an equal vowel (re-entry, co-operate), after well and self, in numbers (twenty-four).
# Not after ex, all or long: ex-ample, German all-gemein and long-ing would be kept apart far more often.
_KEPT = re.compile(
    r"well-(?!being|head|ness|spring)|self-(?!ish|less)|non-(?!etheless|sense)|(?:half|quasi)-|(?:re|pre|de)-e|co-o|(?:anti|semi|multi)-i"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty-(?:one|two|three|four|five|six|seven|eight|nine|first|second|third)"
)


@dataclass(slots=True)
class Placed:
    """One printed line in the finished text. ``begins`` says that a paragraph starts with it."""

    page: int
    index: int
    start: int
    end: int
    size: float
    bold: bool
    begins: bool
    repeated: bool
    turned: bool


@dataclass(slots=True)
class Assembled:
    """The finished text with everything that has a place in it."""

    text: str
    pages: list[Page]
    layout: Layout
    lines: list[Placed]


def assembled(
    pages: Sequence[PageText], repeated: Sequence[frozenset[int]], *, leave_out: bool, join_hyphens: bool
) -> Assembled:
    """Return the text of all pages; ``repeated`` holds, per page, the lines that are headers or footers."""
    words = _words(pages) if join_hyphens else frozenset()
    parts: list[str] = []
    length = 0
    placed: list[Placed] = []
    page_starts: list[int] = []
    above: tuple[str, PageText, int] | None = None
    for page, running in zip(pages, repeated, strict=True):
        fresh = True
        sizes = page.sizes.tolist()
        for index, line in enumerate(page.lines):
            is_repeated = index in running
            if leave_out and is_repeated:
                continue
            here = (line, page, index)
            joint = ""
            if above is not None:
                kind = page.before[index] if not fresh or above[1] is page else NEW_REGION
                drop, joint = _joint(above, here, kind, words, join_hyphens=join_hyphens)
                if drop:
                    parts[-1] = parts[-1][:-1]
                    length -= 1
                    placed[-1].end -= 1
            length += len(joint)
            if fresh:
                page_starts.append(length)
                fresh = False
            end = length + len(line)
            placed.append(
                Placed(
                    page.number,
                    index,
                    length,
                    end,
                    sizes[index],
                    page.bold[index] > 0,
                    joint == "\n\n" or above is None,
                    is_repeated,
                    page.turned[index] > 0,
                )
            )
            parts.append(joint)
            parts.append(line)
            length = end
            above = here
        if fresh:
            page_starts.append(-1)
    text = "".join(parts)
    return Assembled(text, _pages(pages, page_starts, length), _layout(pages, placed), placed)


def _pages(pages: Sequence[PageText], starts: list[int], length: int) -> list[Page]:
    """Return ranges that touch and cover the text; a page without text is an empty range."""
    result: list[Page] = []
    end = length
    for page, start in zip(reversed(pages), reversed(starts), strict=True):
        begin = end if start < 0 else start
        result.append(Page(page.number, begin, end, page.width, page.height))
        end = begin
    result.reverse()
    if result and result[0].start > 0:
        raise AssertionError("the first character is on no page")
    return result


def _layout(pages: Sequence[PageText], placed: list[Placed]) -> Layout:
    starts, ends, numbers, lines, boxes = [], [], [], [], []
    at = line_count = 0
    for page in pages:
        first = at
        while at < len(placed) and placed[at].page == page.number:
            at += 1
        if first == at:
            continue
        count = len(page.sizes)
        shift, limit = np.full(count, -1, np.int64), np.zeros(count, np.int64)
        for line in placed[first:at]:
            shift[line.index], limit[line.index] = line.start, line.end
        offset, last = shift[page.word_lines], limit[page.word_lines]
        kept = offset >= 0
        starts.append((page.word_ranges[:, 0] + offset)[kept])
        # The last word of a line may have lost its hyphen.
        ends.append(np.minimum(page.word_ranges[:, 1] + offset, last)[kept])
        numbers.append(np.full(int(kept.sum()), page.number, np.int32))
        lines.append((page.word_lines + line_count)[kept].astype(np.int32))
        boxes.append(page.boxes[kept])
        line_count += count
    if not starts:
        return Layout.empty()
    return Layout(
        np.concatenate(starts).astype(np.int64),
        np.concatenate(ends).astype(np.int64),
        np.concatenate(numbers),
        np.concatenate(lines),
        np.concatenate(boxes),
    )


# ── what stands between two lines ────────────────────────────────────────────────────────────────────────────────


def _joint(
    above: tuple[str, PageText, int],
    below: tuple[str, PageText, int],
    kind: int,
    words: frozenset[str],
    *,
    join_hyphens: bool,
) -> tuple[bool, str]:
    """Return whether the hyphen that ends ``above`` goes, and what comes between the two lines."""
    a, b = above[0], below[0]
    new_page = above[1] is not below[1]
    if kind == NEW_REGION:
        if not _runs_on(above, below):
            return False, "\n\n"
    elif kind == NEW_PARAGRAPH:
        return False, "\n\n"
    broken = len(a) > 1 and a[-1] in _HYPHENS and a[-2].isalnum() and b[0].isalnum() and "\t" not in a
    if kind == NEW_LINE and not (broken and b[0].islower()):
        return False, "\n"
    if broken:
        if not join_hyphens:
            return False, "\n"
        return _ADDRESS.search(a.rpartition(" ")[2]) is None and _is_typesetters(a, b, words), ""
    if is_cjk(a[-1]) and is_cjk(b[0]):
        return False, ""
    if (a[-1] == "—" and a[-2:-1] not in ("", " ")) or (b[0] == "—" and b[1:2] not in ("", " ")):
        return False, ""
    return False, "\n" if new_page else " "


def _runs_on(above: tuple[str, PageText, int], below: tuple[str, PageText, int]) -> bool:
    """Say whether a sentence goes on over the end of a column or a page."""
    a, page, i = above
    b, next_page, j = below
    size, next_size = float(page.sizes[i]), float(next_page.sizes[j])
    if abs(size - next_size) > 0.08 * size or ends_sentence(a) or "\t" in a or "\t" in b:
        return False
    if b[0].islower():
        return True
    inside = page.before[i] == RUN_ON and bool(page.full[i]) and page.bold[i] == next_page.bold[j]
    return inside and (b[0].isalpha() or is_cjk(b[0]))


def _is_typesetters(a: str, b: str, words: frozenset[str]) -> bool:
    """Say whether the hyphen at the end of ``a`` was only put in to break the word, as the document itself shows."""
    left, right = _LAST_WORD.search(a), _WORD.match(b)
    if left is None or right is None or not (a[-2].islower() and b[0].islower()):
        return False
    first, second = left[0].lower(), right[0].lower()
    if first + second in words:
        return True
    if f"{first}-{second}" in words or _KEPT.match(f"{first}-{second}"):
        return False
    # state-of-the-|art: its last part is a word of its own, cross-exami-|nation: it is not.
    return not ("-" in first and first.rpartition("-")[2] in words and second in words)


def _words(pages: Sequence[PageText]) -> frozenset[str]:
    """Return every word that stands whole on a line; empty when no line ends with a hyphen."""
    if not any(_broken(page) for page in pages):
        return frozenset()
    return frozenset(word for page in pages for line in page.lines for word in _whole_words(line))


def _broken(page: PageText) -> bool:
    return "-\n" in page.text or "\u2010\n" in page.text or page.text.endswith(_HYPHENS)


def _whole_words(line: str) -> Iterator[str]:
    """Yield the words of a line, without a last one that is cut."""
    end = len(line)
    if line.endswith(_HYPHENS):
        cut = _LAST_WORD.search(line)
        end = cut.start() if cut else end
    return (word.replace("\u2010", "-") for word in _WORD.findall(line[:end].lower()))
