"""Chunks on the image of a page: one group of rectangles per chunk, to hover, to click, to mark by dragging.

event = page_viewer(image, page.width, page.height, [PageChunk(3, rectangles)], key="page")
if event.chunk is not None: …  # the id that was clicked
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import streamlit as st

from workbench.records import Chunk, Layout, content_digest, digest
from workbench.ui.components._source import source

Rectangle = tuple[float, float, float, float]
"""``x0, y0, x1, y1`` in points of the displayed page."""

_FORMATS = {b"\x89PNG": "image/png", b"RIFF": "image/webp", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class PageChunk:
    """A chunk as rectangles on one page, one per printed line.

    ``id`` comes back on a click. ``label`` and ``tokens`` stand in the tip. ``colour`` is an index, the place in the
    list when None. ``dim`` draws it faintly, ``hit`` strongly; where one is a hit, the others are dimmed. ``mark`` is
    written in the margin where the chunk begins.
    """

    id: int | str
    rects: Sequence[Rectangle]
    label: str = ""
    tokens: int | None = None
    colour: int | None = None
    dim: bool = False
    hit: bool = False
    mark: str = ""


class PageEvent(NamedTuple):
    """What the user just did: the id of the chunk clicked, the rectangle marked; None in every other run."""

    chunk: int | str | None
    rectangle: Rectangle | None


def page_chunks(
    chunks: Iterable[Chunk], layout: Layout, page: int, *, hit_ids: Iterable[str] = ()
) -> list[PageChunk]:
    """Return the chunks that stand on a page, with ``Chunk.ordinal`` as their id; ``hit_ids`` are ``Chunk.id``."""
    hits = set(hit_ids)
    result = []
    for chunk in chunks:
        if not chunk.page_start <= page <= chunk.page_end:
            continue
        rects = rectangles_on(layout, page, chunk.start, chunk.end)
        if rects:
            number, hit = f"{chunk.ordinal + 1:,}", chunk.id in hits
            label = f"Chunk {number}\ncharacters {chunk.start:,}–{chunk.end:,}"
            result.append(
                PageChunk(
                    chunk.ordinal,
                    rects,
                    label,
                    chunk.token_count,
                    chunk.ordinal,
                    hit=hit,
                    # One that goes on from the page before has its number there.
                    mark=number if chunk.page_start == page else "",
                )
            )
    return result


def rectangles_on(layout: Layout, page: int, start: int, end: int) -> list[Rectangle]:
    """Return the part of a range that stands on a page: one rectangle per printed line."""
    return [(b.x0, b.y0, b.x1, b.y1) for b in layout.rectangles(start, end) if b.page == page]


def clamped(rectangle: Sequence[float], width: float, height: float) -> Rectangle | None:
    """Return a rectangle with its corners in order and inside the page, or None when nothing is left of it.

    >>> clamped([50, 10, 20, 900], 600, 800)
    (20.0, 10.0, 50.0, 800.0)
    """
    x = sorted(min(max(float(v), 0.0), float(width)) for v in (rectangle[0], rectangle[2]))
    y = sorted(min(max(float(v), 0.0), float(height)) for v in (rectangle[1], rectangle[3]))
    return (x[0], y[0], x[1], y[1]) if x[0] < x[1] and y[0] < y[1] else None


def image_uri(image: bytes) -> str:
    """Return a WebP, PNG or JPEG image as a data URI; raises ``ValueError`` for anything else."""
    for magic, mime in _FORMATS.items():
        if image.startswith(magic):
            return f"data:{mime};base64,{base64.b64encode(image).decode('ascii')}"
    raise ValueError("a page image must be WebP, PNG or JPEG")


def page_data(
    image: bytes,
    width: float,
    height: float,
    chunks: Sequence[PageChunk | Mapping[str, Any]],
    *,
    caption: str = "",
    alt: str = "",
    marks: Sequence[Rectangle] = (),
    markable: bool = False,
    selected: int | str | None = None,
    max_width: int | None = 820,
    scroll_to_hit: bool = False,
) -> dict[str, Any]:
    """Return what is sent to the browser."""
    shown = [c if isinstance(c, PageChunk) else PageChunk(**c) for c in chunks]
    some_hit = any(c.hit for c in shown)
    body = {
        "width": float(width),
        "height": float(height),
        "chunks": [
            {
                **asdict(chunk),
                "rects": [[round(float(v), 2) for v in rect] for rect in chunk.rects],
                "colour": place if chunk.colour is None else chunk.colour,
                "dim": chunk.dim or (some_hit and not chunk.hit),
            }
            for place, chunk in enumerate(shown)
        ],
        "marks": [[round(float(v), 2) for v in rect] for rect in marks],
    }
    return body | {
        "sig": digest(body),
        "image": image_uri(image),
        "image_sig": content_digest(image),
        "caption": caption,
        "alt": alt or caption or "Image of the page",
        "markable": markable,
        "selected": selected,
        "max_width": max_width,
        "scroll_to_hit": scroll_to_hit,
    }


_mount = st.components.v2.component(
    "workbench_page_viewer",
    html='<figure class="page"><div class="sheet"><img alt=""><svg role="group"></svg></div>'
    '<figcaption dir="auto"></figcaption></figure><div class="tip" role="presentation"></div>',
    css=source("tip.css", "page_sheet.css", "page_viewer.css"),
    js=source("tip.js", "page_shapes.js", "page_viewer.js"),
)


def page_viewer(
    image: bytes,
    width: float,
    height: float,
    chunks: Sequence[PageChunk | Mapping[str, Any]],
    key: str,
    *,
    caption: str = "",
    alt: str = "",
    marks: Sequence[Rectangle] = (),
    markable: bool = False,
    selected: int | str | None = None,
    max_width: int | None = 820,
    scroll_to_hit: bool = False,
    on_click: Callable[[], None] | None = None,
    on_rectangle: Callable[[], None] | None = None,
) -> PageEvent:
    """Draw a page image with chunks on it and return what was clicked or marked.

    ``image`` is WebP, PNG or JPEG; ``width`` and ``height`` are the page's in points. A chunk may be given as a mapping
    of ``PageChunk``'s fields. ``marks`` are framed. With ``markable`` a drag gives a rectangle. ``max_width`` in pixels
    keeps a page from filling a wide screen; None lets it. With ``scroll_to_hit`` the first hit is brought into view. The callbacks find the values in
    ``st.session_state[key]["clicked"]`` (``{"id"}``) and ``["rectangle"]`` (``[x0, y0, x1, y1]``).
    """
    data = page_data(
        image,
        width,
        height,
        chunks,
        caption=caption,
        alt=alt,
        marks=marks,
        markable=markable,
        selected=selected,
        max_width=max_width,
        scroll_to_hit=scroll_to_hit,
    )
    result = _mount(
        key=key,
        data=data,
        on_clicked_change=on_click or _nothing,
        on_rectangle_change=on_rectangle or _nothing,
    )
    clicked, rectangle = result.get("clicked"), result.get("rectangle")
    return PageEvent(
        clicked["id"] if clicked else None,
        clamped(rectangle, width, height) if rectangle else None,
    )


def _nothing() -> None:
    """The events are in the result; Streamlit lists only those that have a callback."""
