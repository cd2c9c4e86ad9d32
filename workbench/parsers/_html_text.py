"""The text of a web page as it grows, element by element: paragraphs, lines, rows of tables, headings."""

from __future__ import annotations

import re
from itertools import accumulate, islice, pairwise
from typing import Any

import regex
from lxml import etree

from workbench.parsers._html_rows import Row, Table
from workbench.parsers._letters import before_mark, cleaned
from workbench.records import Heading
from workbench.spans import trimmed

_HIDDEN_STYLE = re.compile(r"(?<![\w-])(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)
_MARK = re.compile(r"\s*\[?(?:\d{1,3}|[*†‡§¶]{1,3})\]?\s*")
_EXPONENT = re.compile(r"\s*[+\-−–]?\d{1,3}\s*")
_WHOLE_NUMBER = re.compile(r"(?<![\d.,])(?:\d{3,}|\d{1,3}(?:[.,]\d{3})+)$")
_RAISED = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_MOST_MARK_NODES = 8
# Putting marks into order takes quadratic time in their number; no letter has more than a few.
_MANY_MARKS = regex.compile(r"[^\p{ccc=0}]{32}")
_LEFT_OUT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "canvas",
        "audio",
        "video",
        "button",
        "select",
        "datalist",
        "dialog",
        "head",
    ]
)
_PARAGRAPHS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "details",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "ul",
    ]
)
_LINES = frozenset(["br", "dd", "dt", "li", "tr", "option", "caption"])
_CELLS = frozenset({"td", "th"})
_ROW_GROUPS = frozenset({"thead", "tbody", "tfoot"})
_BLOCKS_OF_CELLS = frozenset({"p", "div"})
"""Paragraphs that may be all that a cell of data holds; any other kind makes the table one of layout."""
_NOTHING, _SPACE, _TAB, _LINE, _PARAGRAPH = range(5)
_JOINTS = ("", " ", "\t", "\n", "\n\n")


def cleaned_text(text: str) -> str:
    """Return what ``cleaned`` does of the text, in linear time for any number of accents on one letter."""
    if text.isascii() or not (cuts := [run.end() for run in _MANY_MARKS.finditer(text)]):
        return cleaned(text)
    places = [0, *cuts, len(text)]
    return "".join(cleaned(text[a:b]) for a, b in pairwise(places))


class ReadableText:
    """The text of a page as it grows: what must stand before the next word is kept until a word comes."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        """What stands before words, and words, in turns."""
        self._headings: list[tuple[int, int, int]] = []
        """First part, part after the last, level."""
        self._joint = _NOTHING
        self._pre_depth = 0
        self._pre_blanks = 0
        self._heading: int | None = None
        self._tables: list[Table] = []
        self._raised: Any = None

    def finish(self) -> tuple[str, list[Heading]]:
        """Return the whole text and its headings."""
        text = "".join(self._parts)
        places = list(accumulate(map(len, self._parts), initial=0))
        headings = []
        for first, after, level in self._headings:
            span = trimmed(text, places[first], places[after])
            if span is not None:
                headings.append(Heading(*span, level))
        return text, headings

    def read(self, root: Any) -> None:
        """Add the text under ``root``. A walk without recursion: pages nest as deeply as they like."""
        walk = etree.iterwalk(root, events=("start", "end"))
        skipped = None
        for event, element in walk:
            tag = element.tag
            if event == "start":
                if tag in _LEFT_OUT or _is_hidden(element):
                    skipped = element
                    walk.skip_subtree()
                    continue
                self._open(tag, element)
                self._add(element.text)
                continue
            if element is skipped:
                skipped = None
            else:
                self._close(tag, element)
            if element is not root:
                self._add(element.tail)

    def _open(self, tag: str, element: Any) -> None:
        self._open_table_part(tag, element)
        self._break(tag)
        if tag == "pre":
            self._pre_depth += 1
        elif tag == "sup":
            self._open_raised(element)
        elif tag == "tr" and self._tables:
            self._tables[-1].open_row(self._joint)
        elif _is_heading(tag):
            self._heading = -1

    def _close(self, tag: str, element: Any) -> None:
        if element is self._raised:
            self._raised = None
        if tag == "pre":
            self._pre_depth -= 1
            self._pre_blanks = 0
        elif _is_heading(tag):
            if self._heading is not None and self._heading >= 0:
                self._headings.append((self._heading, len(self._parts), int(tag[1])))
            self._heading = None
        if tag in _CELLS and (row := self._row()):
            if row.alt and row.is_data and not row.cell_has_words:
                self._put(row.alt)
            row.close_cell()
        if tag in ("tr", "table"):
            self._close_row()
        if tag == "table" and self._tables:
            self._tables.pop()
        if tag != "br":
            self._break(tag)

    # ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _row(self) -> Row | None:
        return self._tables[-1].row if self._tables else None

    def _open_table_part(self, tag: str, element: Any) -> None:
        row = self._row()
        if row and row.in_cell and tag in _PARAGRAPHS and tag not in _BLOCKS_OF_CELLS:
            row.is_data = False
        if tag == "table":
            self._tables.append(Table())
        elif tag in _ROW_GROUPS and self._tables:
            self._close_row()
            self._tables[-1].spans.clear()
        elif tag == "tr":
            self._close_row()
        elif tag in _CELLS and self._tables:
            if row is None:
                row = self._tables[-1].open_row(max(self._joint, _LINE))
            row.open_cell(element)
        elif tag == "img" and row and row.in_cell and not row.alt:
            row.alt = re.sub(r"\s+", " ", cleaned_text(element.get("alt") or "")).strip()

    def _close_row(self) -> None:
        """Put the cells of a row of data side by side with a tab for each, an empty one too."""
        if not self._tables or (row := self._tables[-1].close_row()) is None or not row.is_table_row:
            return
        for place, joint, tabs in row.joints:
            self._parts[place] = (_JOINTS[joint] if place else "") + "\t" * tabs
        if row.tabs_left:
            self._parts += ["\t" * row.tabs_left, ""]
        self._joint = _LINE

    # ── words ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _open_raised(self, element: Any) -> None:
        """Keep a footnote mark apart from its word or number, and turn an exponent into raised figures."""
        if not self._parts or self._joint != _NOTHING:
            return
        before = self._parts[-1]
        mark = _short_text(element)
        is_mark = _MARK.fullmatch(mark) is not None
        if is_mark and (before_mark(before) or _WHOLE_NUMBER.search(before[-24:])):
            self._joint = _SPACE
        elif before[-1:].isdecimal():
            # 10 to the sixth must not become 106; raised figures are right for a footnote, too.
            if _EXPONENT.fullmatch(mark):
                self._raised = element
            elif is_mark:
                self._joint = _SPACE

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._joint = max(self._joint, _PARAGRAPH)
        elif tag == "br" and self._joint >= _LINE:
            # An empty line is how many pages part their paragraphs.
            self._joint = _PARAGRAPH
        elif tag in _LINES:
            self._joint = max(self._joint, _LINE)
        elif tag in _CELLS:
            self._joint = max(self._joint, _TAB)

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if self._pre_depth:
            self._add_lines(text)
            return
        kept = cleaned_text(text)
        words = kept.strip()
        if not words:
            self._joint = max(self._joint, _SPACE if kept else _NOTHING)
            return
        if kept[0].isspace():
            self._joint = max(self._joint, _SPACE)
        words = re.sub(r"\s+", " ", words)
        self._put(words if self._raised is None else words.translate(_RAISED))
        if kept[-1].isspace():
            self._joint = _SPACE

    def _add_lines(self, text: str) -> None:
        """Add preformatted text: blanks between its parts are kept, those at the end of a line are not."""
        for number, line in enumerate(text.expandtabs(4).split("\n")):
            if number:
                self._joint = _PARAGRAPH if self._joint >= _LINE else _LINE
                self._pre_blanks = 0
            words = line.rstrip()
            kept = words if words.isascii() and words.isprintable() else _cleaned_line(words)
            if kept.strip():
                self._put(" " * self._pre_blanks + kept)
                self._pre_blanks = 0
            self._pre_blanks += len(line) - len(words)

    def _put(self, words: str) -> None:
        row = self._row()
        if row:
            row.add_word(len(self._parts), self._joint, starts_paragraph=self._joint == _PARAGRAPH)
        joint = _JOINTS[self._joint] if self._parts else ""
        self._joint = _NOTHING
        if self._heading == -1:
            self._heading = len(self._parts) + 1
        self._parts += [joint, words]


def _cleaned_line(line: str) -> str:
    """Return a line with its letters cleaned and each of its blanks kept."""
    return re.sub(r"\s", " ", re.sub(r"\S+", lambda found: cleaned_text(found[0]), line))


def _short_text(element: Any) -> str:
    """Return the text of a small element, "" for one of many parts: marks are small, and sups may be nested."""
    nodes = list(islice(element.iter(), _MOST_MARK_NODES + 1))
    if len(nodes) > _MOST_MARK_NODES:
        return ""
    return "".join(element.itertext())


def _is_heading(tag: str) -> bool:
    return len(tag) == 2 and tag[0] == "h" and tag[1] in "123456"


def _is_hidden(element: Any) -> bool:
    # What a browser shows once somebody searches for it is meant to be found.
    if (hidden := element.get("hidden")) is not None and hidden.strip().lower() != "until-found":
        return True
    style = element.get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None
