"""The way of every passage between two lists of hits: lines from rank to rank, coloured by cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.evaluation.rank_flow import CAUSES, Move
from workbench.table_cells import one_line
from workbench.ui.components._source import source
from workbench.ui.widgets.chunk_labels import pages_of
from workbench.ui.widgets.highlighted_text import has_pages
from workbench.workspace import DocumentRow

ROW = 25
HEAD = 40
GAP = 14
"""Between the ranks that are shown and those behind them."""
NAME_CHARACTERS = 30
SAID_CHARACTERS = 160


def flow_data(
    left: str, right: str, found: Sequence[Move], shown: int, documents: Mapping[str, DocumentRow]
) -> dict[str, Any]:
    """Return what is sent to the browser. Ranks behind ``shown`` stand after a gap, in their order."""
    from_places = _places([move.left for move in found], shown)
    to_places = _places([move.right for move in found], shown)
    lowest = max([0, *from_places.values(), *to_places.values()])
    return {
        "left": _short(left, 40),
        "right": _short(right, 40),
        "label": f"Ranks in {left} and in {right}",
        "height": lowest + ROW,
        "moves": _moves(found, from_places, to_places, documents),
        "legend": [
            {"cause": cause, "text": text}
            for cause, text in CAUSES.items()
            if any(move.cause == cause for move in found)
        ],
    }


def rank_flow(
    left: str,
    right: str,
    found: Sequence[Move],
    shown: int,
    documents: Mapping[str, DocumentRow],
    key: str,
) -> None:
    """Draw the moves between two lists named ``left`` and ``right``."""
    _mount(key=key, data=flow_data(left, right, found, shown, documents))


def _moves(
    found: Sequence[Move],
    from_places: Mapping[int, int],
    to_places: Mapping[int, int],
    documents: Mapping[str, DocumentRow],
) -> list[dict[str, Any]]:
    result = []
    named_left: set[int] = set()
    named_right: set[int] = set()
    for move in found:
        row = documents.get(move.chunk.document_id)
        name = row.name if row else "a deleted document"
        page = f", {pages_of(move.chunk)}" if has_pages(row) else ""
        where = f"{_short(name, NAME_CHARACTERS)}{page}"
        opening = one_line(move.chunk.text[: 2 * SAID_CHARACTERS])[:SAID_CHARACTERS]
        # Several moves may begin or end at one rank: its name is written once.
        first_left = move.left is not None and move.left not in named_left
        first_right = move.right is not None and move.right not in named_right
        named_left.add(move.left or 0)
        named_right.add(move.right or 0)
        result.append(
            {
                "left": move.left,
                "right": move.right,
                "from": from_places.get(move.left or 0, 0),
                "to": to_places.get(move.right or 0, 0),
                "cause": move.cause,
                "leftText": f"{where} · {move.left}" if first_left else "",
                "rightText": _right_text(move, where) if first_right else "",
                "says": f"{name}{page}: {_rank(move.left)} → {_rank(move.right)}, {CAUSES[move.cause]}. {opening}",
            }
        )
    return result


def _right_text(move: Move, where: str) -> str:
    return f"{move.right} · {where}" if move.left is None else str(move.right)


def _places(ranks: Sequence[int | None], shown: int) -> dict[int, int]:
    present = sorted({rank for rank in ranks if rank is not None})
    return {rank: HEAD + ROW * place + (GAP if rank > shown else 0) for place, rank in enumerate(present)}


def _rank(rank: int | None) -> str:
    return "not found" if rank is None else f"rank {rank}"


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


_mount = st.components.v2.component(
    "workbench_rank_flow",
    html='<div class="flow"></div>',
    css=source("rank_flow.css"),
    js=source("rank_flow.js"),
)
