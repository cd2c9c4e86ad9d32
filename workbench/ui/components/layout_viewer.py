"""A page's image beside its text: a block that is pointed at on one side lights up on the other.

All blocks may be drawn on both sides.

layout_viewer(image, page, text, blocks, key="page", offset=page.start, drawn=True)

All of it happens in the browser: nothing comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from workbench.page_blocks import PageBlock
from workbench.records import Page, content_digest, digest
from workbench.ui.components._source import source
from workbench.ui.components.page_viewer import image_uri

KINDS = {"heading": "Heading", "text": "Text", "table": "Table", "omitted": "Left out"}
LONGEST_TIP_CHARACTERS = 240


def layout_data(
    image: bytes,
    page: Page,
    text: str,
    blocks: Sequence[PageBlock],
    *,
    offset: int = 0,
    drawn: bool = False,
    title: str = "",
    caption: str = "",
) -> dict[str, Any]:
    """Return what is sent to the browser; ranges in it count from the start of ``text``.

    Of a page whose text is shown in parts, only the blocks that touch this part are there.
    """
    shown = [block for block in blocks if _touches(block, offset, offset + len(text))]
    body = {
        "width": float(page.width),
        "height": float(page.height),
        "text": text,
        "blocks": [_block_data(block, offset, len(text)) for block in shown],
        "title": title,
        "legend": [
            {"kind": kind, "name": name}
            for kind, name in KINDS.items()
            if any(block.kind == kind for block in shown)
        ],
    }
    return body | {
        "sig": digest(body),
        "image": image_uri(image),
        "image_sig": content_digest(image),
        "caption": caption,
        "alt": caption or "Image of the page",
        "drawn": drawn,
    }


def _touches(block: PageBlock, start: int, end: int) -> bool:
    return block.span is None or (block.span[0] < end and block.span[1] > start)


def _block_data(block: PageBlock, offset: int, length: int) -> dict[str, Any]:
    return {
        "kind": block.kind,
        "number": block.number,
        "span": [max(0, block.span[0] - offset), min(length, block.span[1] - offset)] if block.span else None,
        "rects": [[round(v, 2) for v in (box.x0, box.y0, box.x1, box.y1)] for box in block.boxes],
        "tip": _tip(block),
    }


def _tip(block: PageBlock) -> list[str]:
    if block.span is None:
        text = block.text[:LONGEST_TIP_CHARACTERS] + "…" * (len(block.text) > LONGEST_TIP_CHARACTERS)
        return [" ".join(filter(None, ["Left out:", block.reason])), *filter(None, [text])]
    start, end = block.span
    return [f"{block.number} · {KINDS[block.kind]}", f"characters {start:,}–{end:,}"]


_mount = st.components.v2.component(
    "workbench_layout_viewer",
    html='<div class="layout"><div class="legend"></div><div class="pair">'
    '<figure class="page"><div class="sheet"><img alt=""><svg role="group" tabindex="0"></svg></div>'
    '<figcaption dir="auto"></figcaption></figure>'
    '<div class="side"><section class="column"><header class="head"></header>'
    '<div class="text" dir="auto" tabindex="0" role="group"></div></section></div></div>'
    '<div class="silent" aria-live="polite"></div></div><div class="tip" role="presentation"></div>',
    css=source("tip.css", "page_sheet.css", "text_column.css", "layout_viewer.css"),
    js=source("tip.js", "page_shapes.js", "text_pieces.js", "layout_viewer.js"),
)


def layout_viewer(
    image: bytes,
    page: Page,
    text: str,
    blocks: Sequence[PageBlock],
    key: str,
    *,
    offset: int = 0,
    drawn: bool = False,
    title: str = "",
    caption: str = "",
) -> None:
    """Draw a page's image and, beside it or below it on a narrow screen, its text.

    ``image`` is WebP, PNG or JPEG. ``text`` begins at the document's ``offset``. With ``drawn`` the blocks are tinted by
    kind and numbered in reading order, and what was left out is hatched; without, a block is seen while it is pointed
    at. ``title`` stands over the text, ``caption`` under the image.
    """
    _mount(
        key=key,
        data=layout_data(image, page, text, blocks, offset=offset, drawn=drawn, title=title, caption=caption),
    )
