"""The Search page: hits side by side with their common passages linked, and the way of each passage between columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import streamlit as st

from workbench import pipeline
from workbench.config import Config
from workbench.counts import counted
from workbench.evaluation.rank_flow import moves
from workbench.records import Hit
from workbench.spans import Span
from workbench.ui.components.rank_flow import rank_flow
from workbench.ui.search.controls import SearchChoice
from workbench.ui.search.hit_dialog import open_hit
from workbench.ui.search.relevance_feedback import Grades, given_grades, judging, verdict_buttons
from workbench.ui.search.results import Answer, spread, where_else
from workbench.ui.session import url_state
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.highlighted_text import STYLE, hit_text, origin
from workbench.ui.widgets.messages import plain, shown_error, term_help
from workbench.ui.widgets.table_builds import why_empty
from workbench.workspace import DocumentRow

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


def columns(choice: SearchChoice, found: Sequence[Answer], beside: Callable[[], None]) -> None:
    """Draw one column of hits per answer; what every one says about the question is said once.

    ``beside`` is drawn above the hits, where there are any columns that work.
    """
    problems = {str(answer.problem) for answer in found if answer.problem is not None}
    if len(problems) == 1 and all(answer.problem is not None for answer in found):
        for answer in found[:1]:
            if answer.problem is not None:
                shown_error(answer.problem)
        return
    _notes(choice.question, found)
    st.html(f"<style>{STYLE}{_LAYOUT}{_passage_styles(found)}</style>")
    documents = {row.id: row for row in workspace().documents()}
    _flows(found, choice, documents)
    into = judging(beside)
    judged = None if into is None else (into, given_grades(into, choice.question))
    with st.container(key="hit-columns"):
        for column, (place, answer) in enumerate(zip(st.columns(len(found)), found, strict=True)):
            with place:
                _column(column, choice.question, answer, found, documents, judged)


def _notes(question: str, found: Sequence[Answer]) -> None:
    if len(question) > url_state.LONGEST_TEXT:
        st.caption(
            f"The question has {len(question):,} characters: too many for the address bar, so a link to this page "
            "leaves it out."
        )
    read = [workspace().model(answer.config.embedder).seen_end(question.strip()) for answer in found]
    if read and min(read) < len(question.strip()):
        st.caption(
            f"The model reads the first {min(read):,} characters of the question only.",
            help=term_help("model window"),
        )


def _flows(found: Sequence[Answer], choice: SearchChoice, documents: Mapping[str, DocumentRow]) -> None:
    """Draw the rank flow between neighbouring columns."""
    working = [answer for answer in found if answer.problem is None and answer.hits]
    if len(working) < 2:
        return
    with st.expander("Rank flow: where each passage went", icon=":material/swap_vert:", key="rank flow"):
        for number, (left, right) in enumerate(pairwise(working)):
            found_moves = moves(left.ranked, right.ranked, choice.k)
            rank_flow(left.label, right.label, found_moves, choice.k, documents, f"rank-flow-{number}")


def _passage_styles(found: Sequence[Answer]) -> str:
    letters = sorted({letter for answer in found for letter in answer.letters.values()})
    return "".join(_PASSAGE_STYLE.format(letter=letter, colour=EDGES[_colour(letter)]) for letter in letters)


def _colour(letter: str) -> int:
    return (ord(letter[0]) - ord("A")) % len(BADGES)


def _column(
    column: int,
    question: str,
    answer: Answer,
    found: Sequence[Answer],
    documents: Mapping[str, DocumentRow],
    judged: tuple[str, Grades] | None,
) -> None:
    if answer.problem is not None:
        st.markdown(f"**{plain(answer.label)}**")
        shown_error(answer.problem)
        return
    taken = f"{counted(len(answer.hits), 'hit')} in {max(1, round(answer.seconds * 1000)):,} ms"
    st.markdown(f"**{plain(answer.label)}** :small[:gray[· {taken}]]")
    if not answer.hits:
        _no_hits(answer)
    for hit, best in zip(answer.hits, answer.best, strict=True):
        _card(column, question, answer, hit, best, documents, found, judged)


def _no_hits(answer: Answer) -> None:
    if workspace().tables.table(answer.config).row_count():
        st.info("Nothing was found: loosen the filter, or search by meaning.", icon=":material/search_off:")
    else:
        why_empty(answer.config)


def _card(
    column: int,
    question: str,
    answer: Answer,
    hit: Hit,
    best: Span | None,
    documents: Mapping[str, DocumentRow],
    found: Sequence[Answer],
    judged: tuple[str, Grades] | None,
) -> None:
    letter = answer.letters.get(hit.rank, "")
    document = documents.get(hit.chunk.document_id)
    with st.container(border=True, gap="small", key=f"passage-{letter or 'alone'}-{column}-{hit.rank}"):
        badge = f" :{BADGES[_colour(letter)]}-badge[{letter}]" if letter else ""
        mark = spread(answer, hit.rank, found)
        badge += f" :gray-badge[{mark}]" if mark else ""
        st.markdown(f"**{hit.rank}** · {origin(hit.chunk, document)}{badge}")
        hit_text(hit.chunk.text, best, _matching(question, hit, answer.config))
        if letter:
            st.caption(f"{letter}: also {_places(where_else(letter, answer, found))}")
        if hit.also:
            st.caption(f"The same text {_copies(hit, documents)}")
        if hit.context is not None:
            st.caption(
                f"Given to the reader: {counted(hit.context.token_count, 'token')} around it "
                f"(characters {hit.context.start:,}–{hit.context.end:,})."
            )
        _foot(column, answer.config, hit, best, document)
        if judged is not None:
            verdict_buttons(judged[0], question, hit, best, f"{column}-{hit.rank}", judged[1])


def _matching(question: str, hit: Hit, config: Config) -> list[Span]:
    """Return the words of the hit that are the question's, where words count for the score."""
    by_words = "keyword" in hit.parts or any(name.startswith("word ") for name in hit.details)
    if not by_words:
        return []
    language = getattr(config.retriever, "language", "english")
    return pipeline.matching_words(question, hit.chunk.text, language)


def _copies(hit: Hit, documents: Mapping[str, DocumentRow]) -> str:
    """Return where near-identical texts stand, escaped."""
    shown = [origin(chunk, documents.get(chunk.document_id)) for chunk in hit.also[:3]]
    rest = len(hit.also) - len(shown)
    return "is also in " + ", ".join(shown) + (f" and {rest} more" if rest else "")


def _places(places: Sequence[tuple[int, str]]) -> str:
    """Return ``hits 1 and 3 of Small, hit 2 of Large``, escaped."""
    ranks: dict[str, list[str]] = {}
    for rank, label in places:
        ranks.setdefault(label, []).append(str(rank))
    return ", ".join(
        f"{'hit' if len(own) == 1 else 'hits'} {_listed(own)} of {plain(label)}"
        for label, own in ranks.items()
    )


def _listed(words: Sequence[str]) -> str:
    """Return ``1``, ``1 and 2``, ``1, 2 and 3``.

    >>> _listed(["1", "2", "5"])
    '1, 2 and 5'
    """
    head = ", ".join(words[:-1])
    return f"{head} and {words[-1]}" if head else words[-1]


def arithmetic(hit: Hit) -> str:
    """Return how the score came about, in Markdown.

    >>> from workbench.records import Chunk
    >>> chunk = Chunk("", "", 0, 0, 1, "x", 1, 1, 1)
    >>> arithmetic(Hit(chunk, 1, 0.75, {"vector": 0.5, "keyword": 0.25}, {"BM25": 7.0}))
    'vector 0.5000 + keyword 0.2500 = 0.7500. Made from: BM25 7.000.'
    """
    parts = " + ".join(f"{plain(name)} {value:.4f}" for name, value in hit.parts.items())
    total = f" = {hit.score:.4f}" if len(hit.parts) > 1 else ""
    details = ", ".join(f"{plain(name)} {value:.3f}" for name, value in hit.details.items())
    return f"{parts}{total}." + (f" Made from: {details}." if details else "")


@st.fragment
def _foot(column: int, config: Config, hit: Hit, best: Span | None, document: DocumentRow | None) -> None:
    """Draw the score, and on demand the page; a fragment, so that looking at a page does not search again."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"score {hit.score:.3f} · {counted(hit.chunk.token_count, 'token')}",
            help=f"{term_help('score')} Here: {arithmetic(hit)}",
            width="stretch",
        )
        if st.button(
            "Look closer",
            key=f"page-{column}-{hit.rank}-{hit.chunk.id}",
            type="tertiary",
            icon=":material/pageview:",
        ):
            open_hit(config, hit.chunk, document, best)
