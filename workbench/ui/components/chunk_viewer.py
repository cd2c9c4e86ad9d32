"""Up to four configurations on the same text: coloured cuts, overlap striped, columns that scroll in step.

    picked = chunk_viewer(text, [Column("a", "Sentences, 250", chunks)], key="viewer")
    if picked.chunk: …  # ("a", 12): column id and Chunk.ordinal

Mount it inside ``@st.fragment``: then a click draws nothing else again. Whatever argument changes, the whole text is
sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from workbench.errors import SettingsError
from workbench.records import Chunk, digest
from workbench.spans import Span, merged
from workbench.ui.components._source import source

MOST_COLUMNS = 4

Segment = tuple[int, int, list[int]]
"""Start, end, and the indexes of the spans that cover it."""


class PickedChunk(NamedTuple):
    """A chunk that was clicked: the column's id and ``Chunk.ordinal``."""

    column: str
    ordinal: int


class PickedText(NamedTuple):
    """A range of the document that was selected with the mouse, and its text."""

    column: str
    start: int
    end: int
    text: str


class ViewerEvent(NamedTuple):
    """What the user just did; both None in every other run of the script."""

    chunk: PickedChunk | None
    selection: PickedText | None


@dataclass(frozen=True)
class Column:
    """One configuration's chunks of the document, in order; all of them, the viewer takes those on its text.

    ``note`` stands in the header after the count, ``colour`` is the index of the header's dot in the chart colours
    (the column's place when None). ``answers`` are judged answers: underlined, those among ``broken`` so that they
    stand out.
    """

    id: str
    title: str
    chunks: Sequence[Chunk]
    note: str = ""
    colour: int | None = None
    answers: Sequence[Span] = ()
    broken: Sequence[Span] = ()


def segments(spans: Sequence[Span]) -> list[Segment]:
    """Return the elementary pieces of ranges ordered by start: each with the indexes of the ranges that cover it.

    The pieces are disjoint, increasing, and together the union of the ranges; nothing is given for gaps.

    >>> segments([(0, 5), (3, 8)])
    [(0, 3, [0]), (3, 5, [0, 1]), (5, 8, [1])]
    """
    borders: dict[int, tuple[list[int], list[int]]] = {}
    for index, (start, end) in enumerate(spans):
        if start < end:
            borders.setdefault(start, ([], []))[0].append(index)
            borders.setdefault(end, ([], []))[1].append(index)
    result: list[Segment] = []
    owners: dict[int, None] = {}
    previous = 0
    for border in sorted(borders):
        if owners:
            result.append((previous, border, sorted(owners)))
        begins, ends = borders[border]
        for index in ends:
            del owners[index]
        owners |= dict.fromkeys(begins)
        previous = border
    return result


def clipped(chunks: Sequence[Chunk], start: int, end: int) -> list[Chunk]:
    """Return the chunks that touch the range."""
    return [chunk for chunk in chunks if chunk.start < end and chunk.end > start]


def checked_selection(text: str, offset: int, value: Mapping[str, Any] | None) -> PickedText | None:
    """Return what the browser says was selected, or None when it is not exactly what stands there in ``text``.

    >>> checked_selection("abc", 10, {"column": "a", "start": 11, "end": 13, "text": "bc"})
    PickedText(column='a', start=11, end=13, text='bc')
    >>> checked_selection("abc", 10, {"column": "a", "start": 10, "end": 12, "text": "bc"})
    """
    if not value:
        return None
    start, end = int(value["start"]), int(value["end"])
    if offset <= start < end and text[start - offset : end - offset] == value["text"]:
        return PickedText(str(value["column"]), start, end, str(value["text"]))
    return None


def viewer_data(
    text: str,
    columns: Sequence[Column],
    *,
    offset: int = 0,
    marks: Sequence[Span] = (),
    height: int = 520,
    selected: PickedChunk | None = None,
    scroll_to: int | None = None,
    in_step: bool = True,
) -> dict[str, Any]:
    """Return what is sent to the browser; ranges in it count from the start of ``text``."""
    if len(columns) > MOST_COLUMNS:
        raise SettingsError(f"{len(columns)} columns do not fit: {MOST_COLUMNS} are the most")
    end = offset + len(text)
    body = {
        "text": text,
        "offset": offset,
        "columns": [_column_data(column, place, offset, end) for place, column in enumerate(columns)],
        "marks": [
            [max(a, offset) - offset, min(b, end) - offset]
            for a, b in merged(marks)
            if a < end and b > offset
        ],
    }
    return body | {
        "sig": digest(body),
        "height": height,
        "selected": list(selected) if selected else None,
        "scroll_to": None if scroll_to is None else min(max(scroll_to - offset, 0), len(text)),
        "in_step": in_step,
    }


def _column_data(column: Column, place: int, start: int, end: int) -> dict[str, Any]:
    chunks = clipped(column.chunks, start, end)
    spans = [(max(c.start, start) - start, min(c.end, end) - start) for c in chunks]
    return {
        "id": column.id,
        "title": column.title,
        "note": column.note,
        "colour": place if column.colour is None else column.colour,
        "count": len(column.chunks),
        "segments": [list(segment) for segment in segments(spans)],
        "chunks": [[c.ordinal, c.start, c.end, c.token_count, c.page_start, c.page_end] for c in chunks],
        "marks": _answer_marks(column, start, end),
    }


def _answer_marks(column: Column, start: int, end: int) -> list[list[int]]:
    """Return disjoint ``[start, end, broken]`` from the start of the text; where answers overlap, broken wins."""
    ranges = sorted([(a, b, 0) for a, b in column.answers] + [(a, b, 1) for a, b in column.broken])
    here = [
        (max(a, start) - start, min(b, end) - start, broken)
        for a, b, broken in ranges
        if a < end and b > start
    ]
    pieces = segments([(a, b) for a, b, _ in here])
    return [[a, b, max(here[index][2] for index in owners)] for a, b, owners in pieces]


_mount = st.components.v2.component(
    "workbench_chunk_viewer",
    html='<div class="viewer"><div class="columns"></div><div class="silent" aria-live="polite"></div></div>'
    '<div class="tip" role="presentation"></div>',
    css=source("tip.css", "text_column.css", "chunk_viewer.css"),
    js=source("tip.js", "text_pieces.js", "chunk_viewer.js"),
)


def chunk_viewer(
    text: str,
    columns: Sequence[Column],
    key: str,
    *,
    height: int = 520,
    offset: int = 0,
    selected: PickedChunk | None = None,
    scroll_to: int | None = None,
    marks: Sequence[Span] = (),
    in_step: bool = True,
    on_click: Callable[[], None] | None = None,
    on_selection: Callable[[], None] | None = None,
) -> ViewerEvent:
    """Draw the columns side by side and return what was clicked or selected.

    ``text`` is a window of the document, at most some 40,000 characters, that begins at the document's ``offset``;
    every other range is in the document's own characters. ``marks`` are underlined in every column. ``scroll_to`` is a
    character that is brought to the top whenever it changes. ``selected`` is marked, and brought into view where it was
    not clicked here. ``height`` is the height of the text in pixels.
    ``on_click`` and ``on_selection`` are called before the script runs again and find the value in
    ``st.session_state[key]["clicked"]`` (``{"column", "ordinal"}``) and ``["selection"]`` (``{"column", "start", "end",
    "text"}``, unchecked). Raises ``SettingsError`` for more than four columns.
    """
    data = viewer_data(
        text,
        columns,
        offset=offset,
        marks=marks,
        height=height,
        selected=selected,
        scroll_to=scroll_to,
        in_step=in_step,
    )
    result = _mount(
        key=key,
        data=data,
        on_clicked_change=on_click or _nothing,
        on_selection_change=on_selection or _nothing,
    )
    clicked = result.get("clicked")
    return ViewerEvent(
        PickedChunk(str(clicked["column"]), int(clicked["ordinal"])) if clicked else None,
        checked_selection(text, offset, result.get("selection")),
    )


def _nothing() -> None:
    """The events are in the result; Streamlit lists only those that have a callback."""
