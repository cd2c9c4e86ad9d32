"""Which chunk is looked at: one per column, kept while the slider moves, the view changes or the page is left.

The two boxes that show the choice get another key whenever the choice is made elsewhere. Setting the value of a box that
is on screen would not do: until the browser has heard of it, every rerun brings the old value back as if it were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from workbench.records import Chunk
from workbench.ui.chunks.chunkings import Cuts
from workbench.ui.components.chunk_viewer import PickedChunk
from workbench.ui.widgets.page_slices import Passage

COLUMN, COLUMN_TURN = "chosen column", "chosen column's turn"


@dataclass(frozen=True, slots=True)
class Held:
    """A column's choice, and what it was made on: a moved slider gives other chunks, its place in the text stays."""

    text_hash: str
    fingerprint: str
    passage: int
    ordinal: int
    start: int
    turn: int
    """How often the number changed in another way than in its box."""


def column_widget() -> str:
    """Return the key of the box that chooses the column."""
    return f"model input.column.{st.session_state.get(COLUMN_TURN, 0)}"


def number_widget(column_id: str) -> str:
    """Return the key of the box that holds the chosen chunk's number, from 1."""
    held: Held | None = st.session_state.get(_held(column_id))
    return f"model input.{column_id}.{held.turn if held else 0}"


def choose(column_id: str, ordinal: int) -> None:
    """Look at a chunk that was clicked, from the next ``settled`` on."""
    _look_at(column_id)
    st.session_state[_wish(column_id)] = (ordinal, False)


def take_typed() -> None:
    """Take what was chosen in the boxes, before they are drawn.

    No callbacks: the browser goes on sending the values of boxes that are gone, and their callbacks would be called.
    """
    column_id = st.session_state.get(column_widget())
    if column_id is not None:
        st.session_state[COLUMN] = column_id
    shown: str = st.session_state.get(COLUMN, "")
    held: Held | None = st.session_state.get(_held(shown))
    number = st.session_state.get(number_widget(shown))
    if held is not None and number is not None and number - 1 != held.ordinal:
        st.session_state[_wish(shown)] = (int(number) - 1, True)


def chosen_column(columns: Sequence[Cuts]) -> Cuts | None:
    """Return the column whose chunk is looked at, or None while no column has a chunk."""
    ready = [column for column in columns if column.result.parsed is not None and column.result.chunks]
    wanted = st.session_state.get(COLUMN)
    found = next((column for column in ready if column.draft.id == wanted), ready[0] if ready else None)
    if found is not None:
        _look_at(found.draft.id)
    return found


def settled(column: Cuts, index: int, passage: Passage) -> PickedChunk:
    """Return the chosen chunk of a column that has chunks.

    Another passage brings its first chunk, other settings the chunk that stands where the chosen one began.
    """
    assert column.result.parsed is not None
    assert column.config is not None
    chunks, column_id = column.result.chunks, column.draft.id
    text_hash, fingerprint = column.result.parsed.document.text_hash, column.config.fingerprint
    held: Held | None = st.session_state.get(_held(column_id))
    wished, typed = st.session_state.pop(_wish(column_id), (None, False))
    # Where the choice was made: a slider that goes to and fro comes back to the chunk that it started from.
    start: int | None = None
    if wished is not None:
        ordinal = min(max(0, wished), len(chunks) - 1)
    elif held is None or held.text_hash != text_hash:
        ordinal = _first_on(chunks, passage)
    else:
        ordinal = held.ordinal if held.fingerprint == fingerprint else _at(chunks, held.start)
        start = held.start
        if held.passage != index and not _touches(chunks[ordinal], passage):
            ordinal, start = _first_on(chunks, passage), None
    start = chunks[ordinal].start if start is None else start
    turn = held.turn + (ordinal != held.ordinal and not typed) if held else 0
    st.session_state[_held(column_id)] = Held(text_hash, fingerprint, index, ordinal, start, turn)
    return PickedChunk(column_id, ordinal)


def _look_at(column_id: str) -> None:
    if st.session_state.get(COLUMN) != column_id:
        st.session_state[COLUMN_TURN] = st.session_state.get(COLUMN_TURN, 0) + 1
    st.session_state[COLUMN] = column_id


def _held(column_id: str) -> str:
    return f"chosen chunk.{column_id}"


def _wish(column_id: str) -> str:
    return f"wished chunk.{column_id}"


def _touches(chunk: Chunk, passage: Passage) -> bool:
    return chunk.start < passage.end and chunk.end > passage.start


def _first_on(chunks: Sequence[Chunk], passage: Passage) -> int:
    """Return the first chunk that begins on the passage, else the first that touches it, else the first of all."""
    here = [chunk for chunk in chunks if _touches(chunk, passage)]
    begins = [chunk for chunk in here if chunk.start >= passage.start]
    return (begins or here or list(chunks))[0].ordinal


def _at(chunks: Sequence[Chunk], offset: int) -> int:
    """Return the last chunk that begins at or before ``offset``, else the first."""
    before = [chunk.ordinal for chunk in chunks if chunk.start <= offset]
    return before[-1] if before else 0
