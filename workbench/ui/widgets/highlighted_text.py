"""A chunk as text: where it comes from, and its words to the letter with the best sentence marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import streamlit as st

from workbench.records import Chunk
from workbench.spans import Span
from workbench.table_cells import escaped_cells
from workbench.ui.widgets.chunk_labels import pages_of
from workbench.ui.widgets.messages import plain
from workbench.workspace import DocumentRow

LONGEST_SHOWN_CHARACTERS = 1_800
STYLE = """
.hit-text { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5; font-size: 0.93rem; }
.hit-text mark { background: color-mix(in srgb, #e8a800 30%, transparent); color: inherit; border-radius: 0.2em;
  padding: 0.05em 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.hit-text u { text-decoration-thickness: 2px; text-underline-offset: 3px; text-decoration-color: #2a8f9f; }
.hit-text summary { cursor: pointer; opacity: 0.7; margin-top: 0.4rem; }
"""
"""Draw it once on a page that shows hits."""


def hit_text(text: str, best: Span | None = None, words: Sequence[Span] = ()) -> None:
    """Draw the text of a chunk. What could be markup in it is escaped."""
    st.html(marked(text, best, words))


def origin(chunk: Chunk, document: DocumentRow | None) -> str:
    """Return where a chunk comes from, in Markdown: the document's name, and its pages where it has some."""
    if document is None:
        return ":gray[a deleted document]"
    return plain(document.name) + (f" :gray[· {pages_of(chunk)}]" if has_pages(document) else "")


def title_and_name(title: str, name: str) -> str:
    r"""Return a bold title and the file name behind it, as Markdown; the name alone where both agree.

    >>> title_and_name("Rules", "rules.pdf"), title_and_name("The rules", "r7.pdf")
    ('**rules\\.pdf**', '**The rules** :gray[r7\\.pdf]')
    """
    if _letters(title) in ("", _letters(name), _letters(PurePath(name).stem)):
        return f"**{plain(name)}**"
    return f"**{plain(title)}** :gray[{plain(name)}]"


def _letters(text: str) -> str:
    # annual_report-2024 and Annual report 2024 say the same.
    return "".join(c for c in text.casefold() if c.isalnum())


def has_pages(document: DocumentRow | None) -> bool:
    """Return whether a document was on paper: there are images of its pages."""
    return document is not None and document.suffix == ".pdf"


def marked(text: str, best: Span | None, words: Sequence[Span] = ()) -> str:
    """Return HTML that shows ``text`` to the letter, with its best sentence marked; a long one opens around it.

    ``words`` are ranges that are underlined, increasing and disjoint.

    >>> marked("One <b>. Two.", (0, 8))
    '<div class="hit-text" dir="auto"><mark>One &lt;b&gt;.</mark> Two.</div>'
    """
    whole = _marked_range(text, best, words, 0, len(text))
    if len(text) <= LONGEST_SHOWN_CHARACTERS:
        return f'<div class="hit-text" dir="auto">{whole}</div>'
    start, end = _window(text, best or (0, 0))
    part = _marked_range(text, best, words, start, end)
    lead, trail = "… " if start else "", " …" if end < len(text) else ""
    more = f"<details><summary>All {len(text):,} characters</summary>{whole}</details>"
    return f'<div class="hit-text" dir="auto">{lead}{part}{trail}{more}</div>'


def _window(text: str, best: Span) -> Span:
    """Return the range to show of a long text: the best sentence with what stands around it, cut at blanks."""
    around = max(0, LONGEST_SHOWN_CHARACTERS - (best[1] - best[0])) // 2
    start, end = max(0, best[0] - around), min(len(text), best[1] + around)
    if start:
        start = text.find(" ", start, best[0]) + 1 or start
    if end < len(text):
        cut = text.rfind(" ", best[1], end)
        end = cut if cut >= 0 else end
    return start, end


def _marked_range(text: str, best: Span | None, words: Sequence[Span], start: int, end: int) -> str:
    first, last = best if best is not None else (end, end)
    before, middle, after = (
        _underlined(text, words, a, b) for a, b in ((start, first), (first, last), (last, end))
    )
    return f"{before}<mark>{middle}</mark>{after}" if middle else before + after


def _underlined(text: str, words: Sequence[Span], start: int, end: int) -> str:
    pieces, place = [], start
    for word_start, word_end in words:
        first, last = max(start, word_start), min(end, word_end)
        if first < last:
            pieces.append(f"{escaped_cells(text[place:first])}<u>{escaped_cells(text[first:last])}</u>")
            place = last
    return "".join([*pieces, escaped_cells(text[place : max(place, end)])])
