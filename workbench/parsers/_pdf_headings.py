"""The headings of a PDF: from its outline where that fits the text, else from type size and weight."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from workbench.parsers._letters import cleaned
from workbench.parsers._pdf_assembly import Placed
from workbench.records import Heading

_MOST_LINES, _MOST_CHARACTERS, _DEEPEST = 3, 200, 6
_LETTERS = re.compile(r"[\W_]+")
# A number set apart from its heading, as word processors do it.
_NUMBERED = re.compile(r"\d{1,3}(?:\.\d{1,3})*\.?\t[^\t]+")
LARGE = 1.15
"""How much larger than the text a heading is set, at least."""


def headings(text: str, lines: Sequence[Placed], outline: Sequence[tuple[int, str, int]]) -> list[Heading]:
    """Return the headings in order. The outline is believed when at least half of it stands on its pages."""
    told = _from_outline(text, lines, outline)
    if told and 2 * len(told) >= len(outline):
        return told
    return _from_type(text, lines)


def _from_outline(
    text: str, lines: Sequence[Placed], outline: Sequence[tuple[int, str, int]]
) -> list[Heading]:
    by_page: dict[int, list[Placed]] = defaultdict(list)
    wanted = {page for _, _, page in outline}
    for line in lines:
        if line.page in wanted and not line.repeated:
            by_page[line.page].append(line)
    bare_lines = {page: [_bare(text[line.start : line.end]) for line in own] for page, own in by_page.items()}
    result: dict[int, Heading] = {}
    for level, entry, page in outline:
        range_ = _place(by_page.get(page, []), bare_lines.get(page, []), _bare(entry))
        if range_ is not None and range_[0] not in result:
            result[range_[0]] = Heading(*range_, min(max(level, 1), _DEEPEST))
    return _disjoint(result[start] for start in sorted(result))


def _place(lines: list[Placed], bare_lines: list[str], entry: str) -> tuple[int, int] | None:
    """Return the range of one to three lines that say ``entry``, with or without a number before it."""
    if not entry:
        return None
    best: tuple[int, float, tuple[int, int]] | None = None
    for i, line in enumerate(lines):
        said = ""
        for last, bare in zip(lines[i : i + _MOST_LINES], bare_lines[i : i + _MOST_LINES], strict=True):
            said += bare
            if len(said) > len(entry) + 8:
                break
            apart = abs(len(said) - len(entry))
            if apart <= 8 and (
                said == entry or said.endswith(entry) or (entry.endswith(said) and len(said) > 3)
            ):
                # The same words may stand on the page twice: a heading is set larger than a mention.
                rank = (apart, -line.size, (line.start, last.end))
                best = rank if best is None else min(best, rank)
    return best[2] if best else None


def _bare(text: str) -> str:
    return _LETTERS.sub("", cleaned(text).casefold())


def _from_type(text: str, lines: Sequence[Placed]) -> list[Heading]:
    if not lines:
        return []
    body = body_size(lines)
    bold_letters = sum((line.end - line.start) * line.bold for line in lines)
    all_bold = 2 * bold_letters > sum(line.end - line.start for line in lines)
    found: list[tuple[int, int, float, bool]] = []
    for group in _paragraphs(lines):
        first, last = group[0], group[-1]
        said = text[first.start : last.end]
        size = max(line.size for line in group)
        large = size >= LARGE * body and size_step(size) > body
        heavy = not all_bold and all(line.bold for line in group) and size >= 0.92 * body
        if (
            len(group) <= _MOST_LINES
            and len(said) <= _MOST_CHARACTERS
            and any(letter.isalpha() for letter in said)
            and ("\t" not in said or (large and _NUMBERED.fullmatch(said)))
            and not any(line.repeated for line in group)
            and (large or (heavy and said[-1] not in ".,;"))
        ):
            found.append((first.start, last.end, size_step(size) if large else body, large))
    sizes = sorted({size for _, _, size, large in found if large}, reverse=True)
    levels = {size: level for level, size in enumerate(sizes, start=1)}
    # Where headings would be most of the text, they are no headings: a poster, a slide, a list of names.
    if 2 * sum(end - start for start, end, _, _ in found) > len(text):
        found = [entry for entry in found if entry[3] and entry[2] == sizes[0]][:1] if sizes else []
    return [
        Heading(start, end, min(levels[size] if large else len(sizes) + 1, _DEEPEST))
        for start, end, size, large in found
    ]


def body_size(lines: Sequence[Placed]) -> float:
    """Return the type size of most of the text."""
    by_size: dict[float, int] = {}
    for line in lines:
        by_size[line.size] = by_size.get(line.size, 0) + line.end - line.start
    letters: Counter[float] = Counter()
    for size, count in by_size.items():
        letters[size_step(size)] += count
    return letters.most_common(1)[0][0]


def size_step(size: float) -> float:
    return round(size * 2) / 2


def _paragraphs(lines: Sequence[Placed]) -> Iterator[list[Placed]]:
    group: list[Placed] = []
    for line in lines:
        if line.begins and group:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _disjoint(found: Iterator[Heading]) -> list[Heading]:
    result: list[Heading] = []
    for heading in found:
        if not result or heading.start >= result[-1].end:
            result.append(heading)
    return result
