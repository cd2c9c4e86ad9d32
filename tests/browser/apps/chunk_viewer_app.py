"""Three configurations on one text, and what came back."""

import streamlit as st

from workbench.records import Chunk
from workbench.ui.components.chunk_viewer import Column, chunk_viewer

SENTENCE = "The tram company keeps every vehicle for thirty years, and repairs it in its own halls. "
EXTRAS = "Ein größerer Satz mit 🚋 und 漢字が続く文。\n\nמשפט בעברית כאן.\n\n"
TEXT = "".join(
    # Further down they begin with a row of a table.
    SENTENCE * 4
    + f"Section {n} begins here.\n\n".replace(" ", "\t" if n >= 30 else " ")
    + (EXTRAS if n % 3 == 0 else "")
    for n in range(40)
)
OFFSET = 5_000


def chunks(size: int, overlap: int, gap: int = 0) -> list[Chunk]:
    """Return chunks of equal size over the whole text."""
    result: list[Chunk] = []
    for start in range(0, len(TEXT), size - overlap + gap):
        end = min(start + size, len(TEXT))
        place = OFFSET + start
        page = 3 + start // 4000
        result.append(
            Chunk(
                f"c{start}",
                "d",
                10 + len(result),
                place,
                OFFSET + end,
                TEXT[start:end],
                page,
                page,
                size // 4,
            )
        )
    return result


st.set_page_config(page_title="Chunks on text", layout="wide")
st.title("Chunks on text")
count = st.segmented_control("Columns", [1, 2, 4], default=4, key="columns")


@st.fragment
def drawn() -> None:
    """Draw the viewer and what it returns."""
    size = st.slider("Size of the first", 500, 900, 700, 100)
    columns = [
        Column("a", "Sentences, 250 tokens", chunks(size, 120)),
        Column("b", "Fixed size, 120", chunks(480, 0)),
        Column("c", "Headings", chunks(900, 0, 150), note="3 headings"),
        Column("d", "Recursive with a long descriptive name", chunks(260, 60)),
    ]
    event = chunk_viewer(
        TEXT,
        columns[: count or 4],
        key="viewer",
        offset=OFFSET,
        marks=[(OFFSET + 400, OFFSET + 520)],
        height=560,
    )
    if event.chunk:
        st.session_state["picked"] = f"{event.chunk.column} {event.chunk.ordinal}"
    if event.selection:
        found = event.selection
        right = TEXT[found.start - OFFSET : found.end - OFFSET] == found.text
        st.session_state["selected"] = f"{found.column} {found.start} {found.end} {right}"
    st.text(f"picked: {st.session_state.get('picked')}")
    st.text(f"selected: {st.session_state.get('selected')}")


drawn()
