"""The Search page: controls that the address bar holds, and hits side by side with their common passages linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from workbench.config import Config
from workbench.errors import WorkbenchError
from workbench.records import Chunk, Hit
from workbench.spans import Span
from workbench.ui import address
from workbench.ui.components.page_viewer import page_chunks, page_viewer
from workbench.ui.hit_text import STYLE, has_pages, hit_text, origin
from workbench.ui.messages import plain, shown_error, term_help
from workbench.ui.resources import workspace
from workbench.ui.search_answers import Answer, labels_meant, where_else
from workbench.workspace import DocumentRow, TableRow

MOST_COLUMNS = 4
MOST_HITS = 50
HITS = 5
MOST_PAGES = 3
SAMPLE_QUESTIONS = (
    "How warm may a traction battery get before the bus is taken out of service?",
    "Can I get my money back when the tram is late?",
    "Who may look at the camera recordings, and for how long are they kept?",
)
QUESTION, TABLES, K = "search question", "search tables", "search k"

BADGES: tuple[Literal["blue", "orange", "green", "violet", "red", "yellow"], ...] = (
    "blue",
    "orange",
    "green",
    "violet",
    "red",
    "yellow",
)
EDGES = ("#3a6fb5", "#cf7a2c", "#35936f", "#8660b0", "#bd5068", "#a08a1e")
"""The badge colours as edges of the cards."""
_LAYOUT = """
.st-key-hit-columns [data-testid="stColumn"] { min-width: min(13.5rem, 100%); }
.st-key-hit-columns [data-testid="stMarkdownContainer"] p { overflow-wrap: anywhere; }
"""
_PASSAGE_STYLE = """
[class*="st-key-passage-{letter}-"] {{ border-left: 3px solid {colour}; }}
section:has([class*="st-key-passage-{letter}-"]:hover) [class*="st-key-passage-{letter}-"] {{
  box-shadow: 0 0 0 2px {colour}; }}
"""


# ── controls ─────────────────────────────────────────────────────────────────────────────────────────────────────


def controls(found: Mapping[str, TableRow]) -> tuple[str, int, dict[str, Config]]:
    """Draw question, tables and number of hits; the address bar holds them, and leaving the page keeps them."""
    labels = list(found)
    address.entered(QUESTION, "q", "", lambda texts: texts[-1])
    address.entered(TABLES, "tables", labels[:2], lambda texts: labels_meant(texts, found) or None)
    address.entered(K, "k", HITS, _hit_count)
    # A table that was deleted meanwhile is no option any more.
    st.session_state[TABLES] = [label for label in st.session_state[TABLES] if label in found][:MOST_COLUMNS]
    question = st.text_input(
        "Question",
        key=QUESTION,
        placeholder="Type a question and press Enter",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    picked = left.multiselect(
        "Tables side by side",
        labels,
        max_selections=MOST_COLUMNS,
        key=TABLES,
        help=f"{term_help('table')} Up to four are searched with the same question.",
    )
    k = right.number_input("Hits", min_value=1, max_value=MOST_HITS, step=1, key=K, help=term_help("top-k"))
    address.left(QUESTION, TABLES, K)
    address.shown(
        {
            "q": question if question and len(question) <= address.LONGEST_TEXT else "",
            # The default depends on which tables are newest, so a link to an answer names its tables.
            "tables": picked if question or picked != labels[:2] else [],
            "k": str(k) if k != HITS else "",
        }
    )
    configs = {label: found[label].config for label in picked}
    return question or "", int(k), {label: config for label, config in configs.items() if config is not None}


def _hit_count(texts: list[str]) -> int | None:
    value = address.number(texts, 1, MOST_HITS)
    return None if value is None else int(value)


def suggestions() -> None:
    """Draw questions to begin with."""
    st.caption("Some questions to begin with (they suit the sample library):")
    with st.container(gap=None):
        for text in SAMPLE_QUESTIONS:
            st.button(text, type="tertiary", icon=":material/north_west:", on_click=_ask, args=(text,))


def _ask(text: str) -> None:
    st.session_state[QUESTION] = text


# ── hits ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def columns(question: str, found: Sequence[Answer]) -> None:
    """Draw one column of hits per table; what every table says about the question is said once."""
    problems = {str(answer.problem) for answer in found if answer.problem is not None}
    if len(problems) == 1 and all(answer.problem is not None for answer in found):
        for answer in found[:1]:
            if answer.problem is not None:
                shown_error(answer.problem)
        return
    _notes(question, found)
    st.html(f"<style>{STYLE}{_LAYOUT}{_passage_styles(found)}</style>")
    documents = {row.id: row for row in workspace().documents()}
    with st.container(key="hit-columns"):
        for column, (place, answer) in enumerate(zip(st.columns(len(found)), found, strict=True)):
            with place:
                _column(column, answer, found, documents)


def _notes(question: str, found: Sequence[Answer]) -> None:
    if len(question) > address.LONGEST_TEXT:
        st.caption(
            f"The question has {len(question):,} characters: too many for the address bar, so a link to this page "
            "leaves it out."
        )
    read = [
        workspace().model(answer.config.embedder).text_model.seen_end(question.strip()) for answer in found
    ]
    if read and min(read) < len(question.strip()):
        st.caption(
            f"The model reads the first {min(read):,} characters of the question only.",
            help=term_help("model window"),
        )


def _passage_styles(found: Sequence[Answer]) -> str:
    letters = sorted({letter for answer in found for letter in answer.letters.values()})
    return "".join(_PASSAGE_STYLE.format(letter=letter, colour=EDGES[_colour(letter)]) for letter in letters)


def _colour(letter: str) -> int:
    return (ord(letter[0]) - ord("A")) % len(BADGES)


def _column(
    column: int, answer: Answer, found: Sequence[Answer], documents: Mapping[str, DocumentRow]
) -> None:
    if answer.problem is not None:
        st.markdown(f"**{plain(answer.label)}**")
        shown_error(answer.problem)
        return
    noun = "hit" if len(answer.hits) == 1 else "hits"
    taken = f"{len(answer.hits)} {noun} in {max(1, round(answer.seconds * 1000)):,} ms"
    st.markdown(f"**{plain(answer.label)}** :small[:gray[· {taken}]]")
    if not answer.hits:
        st.info("This table is empty: build it again with documents.", icon=":material/inbox:")
    for hit, best in zip(answer.hits, answer.best, strict=True):
        _card(column, answer, hit, best, documents.get(hit.chunk.document_id), found)


def _card(
    column: int,
    answer: Answer,
    hit: Hit,
    best: Span | None,
    document: DocumentRow | None,
    found: Sequence[Answer],
) -> None:
    letter = answer.letters.get(hit.rank, "")
    with st.container(border=True, gap="small", key=f"passage-{letter or 'alone'}-{column}-{hit.rank}"):
        badge = f" :{BADGES[_colour(letter)]}-badge[{letter}]" if letter else ""
        st.markdown(f"**{hit.rank}** · {origin(hit.chunk, document)}{badge}")
        hit_text(hit.chunk.text, best)
        if letter:
            st.caption(f"{letter}: also {_places(where_else(letter, answer, found))}")
        _foot(column, answer, hit, document)


def _places(places: Sequence[tuple[int, str]]) -> str:
    """Return ``hits 1 and 3 of Small, hit 2 of Large``, escaped."""
    ranks: dict[str, list[str]] = {}
    for rank, label in places:
        ranks.setdefault(label, []).append(str(rank))
    return ", ".join(
        f"{'hit' if len(own) == 1 else 'hits'} {' and '.join(own)} of {plain(label)}"
        for label, own in ranks.items()
    )


@st.fragment
def _foot(column: int, answer: Answer, hit: Hit, document: DocumentRow | None) -> None:
    """Draw the score, and on demand the page; a fragment, so that looking at a page does not search again."""
    parts = ", ".join(f"{part} {value:.4f}" for part, value in hit.parts.items())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"score {hit.score:.3f} · {hit.chunk.token_count:,} tokens",
            help=f"{term_help('score')} Here: {parts}.",
            width="stretch",
        )
        if has_pages(document) and st.button(
            "Show on page",
            key=f"page-{column}-{hit.rank}-{hit.chunk.id}",
            type="tertiary",
            icon=":material/pageview:",
        ):
            # The title is the document's name, so it cannot stand in a decorator.
            st.dialog(plain(document.name) if document else "", width="medium")(_on_page)(
                answer.config, hit.chunk
            )


def _on_page(config: Config, chunk: Chunk) -> None:
    """Draw the pages that hold a chunk, with the chunk on them and nothing else."""
    here = workspace()
    try:
        parsed = here.parsed(chunk.document_id, config.parser)
        for page in parsed.document.pages:
            if chunk.page_start <= page.number <= min(chunk.page_end, chunk.page_start + MOST_PAGES - 1):
                page_viewer(
                    here.page_image(chunk.document_id, page.number),
                    page.width,
                    page.height,
                    page_chunks([chunk], parsed.layout, page.number, hit_ids=[chunk.id]),
                    key=f"viewer-{chunk.id}-{page.number}",
                    caption=f"Page {page.number} of {len(parsed.document.pages)}",
                )
    except WorkbenchError as error:
        shown_error(error)
