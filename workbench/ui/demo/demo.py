"""The Demo page: one search box, answers as strips of the pages they stand on; for a presenter, two tables blind."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from workbench import plugins
from workbench.config import Config
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.records import Hit, digest
from workbench.spans import Span
from workbench.ui.components.page_viewer import rectangles_on
from workbench.ui.components.voter_mark import voter_mark
from workbench.ui.demo.offer import Offer, admit, current_offer
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.highlighted_text import STYLE, has_pages, hit_text, title_and_name
from workbench.ui.widgets.messages import plain, shown_error
from workbench.ui.widgets.page_crop import Rectangle, page_crop
from workbench.ui.widgets.search_options import PARAMETER, RETRIEVERS, WAY, suggested
from workbench.ui.widgets.table_picker import labels_meant
from workbench.workspace import DocumentRow, TableRow
from workbench.workspace.votes import Winner

logger = logging.getLogger(__name__)

QUESTION_PARAMETER = "q"
QUESTION, PRESENTER, VOTER, REVEALED = "demo question", "demo presenter", "demo voter", "demo revealed"
MARK = "demo voter mark"
ANSWERS, BLIND_ANSWERS = 5, 3
VOTED_SET, ANSWERS_GRADE = "Demo votes", 2
"""Where answers that an audience named are kept as judgments, and with which grade."""
LONGEST_QUESTION_CHARACTERS = 500
TOO_OFTEN = "That was much in a short time. Wait a minute, then go on."
DPI = 140
KEPT_STRIPS = 200
"""In memory, each of some 100 kB: a vote or a second look draws none again."""
_LOOK = """
[data-testid="stMainBlockContainer"] { max-width: 62rem; padding-top: 5.5rem; }
.st-key-demo-box input { font-size: 1.35rem; padding: 0.9rem 0.6rem; }
.st-key-demo-box [data-baseweb="input"] { border-radius: 1.6rem; }
[class*="st-key-demo-card"] { border-radius: 1rem; }
[class*="st-key-demo-card"] .hit-text { font-size: 1.08rem; line-height: 1.6; }
@media (min-width: 1600px) { [data-testid="stMainBlockContainer"] { max-width: 80rem; } }
"""


def demo(found: Mapping[str, TableRow], offer: Offer | None = None) -> None:
    """Draw the page for the tables that are offered.

    In the workbench the address names tables and retriever, and the newest table stands in where none of them is here;
    on a demo server the address has no say.
    """
    is_alone = offer is not None
    offer = offer or Offer(
        tuple(text for text in st.query_params.get_all(PARAMETER) if text), st.query_params.get(WAY, "")
    )
    meant = labels_meant(offer.tables, found)
    if is_alone and not meant:
        # Nobody has said that any other table may be shown.
        st.info("What this demo was made for is not here any more.", icon=":material/search:")
        return
    labels = meant or list(found)[:1]
    columns = [(label, _config(found[label], offer.retriever)) for label in labels[:2]]
    st.html(f"<style>{STYLE}{_LOOK}</style>")
    if QUESTION not in st.session_state:
        st.session_state[QUESTION] = st.query_params.get(QUESTION_PARAMETER, "")
    with st.container(key="demo-box"):
        question = st.text_input(
            "Ask the documents",
            key=QUESTION,
            placeholder="Ask a question …",
            icon=":material/search:",
            label_visibility="collapsed",
            max_chars=LONGEST_QUESTION_CHARACTERS,
        ).strip()
    if question:
        st.query_params[QUESTION_PARAMETER] = question
    elif QUESTION_PARAMETER in st.query_params:
        del st.query_params[QUESTION_PARAMETER]
    documents = {row.id: row for row in workspace().documents()}
    if not question:
        _suggestions(documents)
    elif len(question) > LONGEST_QUESTION_CHARACTERS:
        # The box takes no more, but an address may hold anything.
        st.warning(
            f"A question has {LONGEST_QUESTION_CHARACTERS} characters at most; this one has {len(question):,}.",
            icon=":material/short_text:",
        )
    elif not admit():
        st.warning(TOO_OFTEN, icon=":material/hourglass_top:")
    elif len(columns) > 1 and st.session_state.get(PRESENTER):
        _blind(question, columns, documents)
    else:
        _answers(question, columns[0][1], documents, ANSWERS, "one")
    _presenter(columns)
    if offer.tables and not meant:
        st.caption("What this link was made for is not here any more: these answers come from another index.")


def show_trouble(error: WorkbenchError) -> None:
    """Draw an error: in the workbench as it is, to visitors of a demo without names of this machine's folders and models."""
    if current_offer() is None:
        shown_error(error)
        return
    logger.warning("a visitor of the demo was not answered: %s", error)
    st.error(
        "This cannot be answered just now. Whoever runs the demo finds the reason in its log.",
        icon=":material/error:",
    )


def _config(row: TableRow, retriever: str) -> Config:
    if row.config is None:
        raise WorkbenchError(f"the config of {row.config_name} cannot be read")
    if retriever in RETRIEVERS and retriever in plugins.names("retrievers"):
        return replace(row.config, retriever=plugins.build("retrievers", retriever))
    return row.config


# ── questions to begin with ──────────────────────────────────────────────────────────────────────────────────────


def _suggestions(documents: Mapping[str, DocumentRow]) -> None:
    with st.container(horizontal=True, horizontal_alignment="center", gap="small"):
        for number, text in enumerate(suggested(documents)):
            st.button(text, key=f"demo suggestion {number}", on_click=_ask, args=(text,))


def _ask(text: str) -> None:
    st.session_state[QUESTION] = text


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _answers(
    question: str,
    config: Config,
    documents: Mapping[str, DocumentRow],
    count: int,
    key: str,
    judged: bool = False,
) -> list[Hit]:
    """Draw a card per answer and return the hits; ``judged`` ones have a button that keeps them as answers."""
    tables = workspace().tables
    try:
        with st.spinner("Looking it up …"):
            hits = tables.search(config, question, count).hits
            best = tables.best_sentences(config, question, hits)
    except WorkbenchError as error:
        show_trouble(error)
        return []
    if not hits:
        st.info("Nothing was found. Try other words.", icon=":material/search_off:")
    for hit, sentence in zip(hits, best, strict=True):
        document = documents.get(hit.chunk.document_id)
        with st.container(border=True, key=f"demo-card-{key}-{hit.rank}"):
            _card(config, hit, sentence, document)
            if judged and document is not None:
                _answer_button(question, hit, sentence, f"{key}-{hit.rank}")
    return list(hits)


def _answer_button(question: str, hit: Hit, sentence: Span | None, key: str) -> None:
    start = hit.chunk.start + (sentence[0] if sentence else 0)
    end = hit.chunk.start + (sentence[1] if sentence else len(hit.chunk.text))
    st.button(
        "This answers it",
        key=f"demo judge {key}",
        icon=":material/thumb_up:",
        type="tertiary",
        on_click=_judge,
        args=(question, hit.chunk.document_id, start, end),
    )


def _judge(question: str, document_id: str, start: int, end: int) -> None:
    here = workspace()
    if not admit():
        st.toast(TOO_OFTEN, icon=":material/hourglass_top:")
        return
    try:
        here.question_sets.judge(VOTED_SET, question, here.document(document_id), start, end, ANSWERS_GRADE)
    except WorkbenchError as error:
        show_trouble(error)
        return
    st.toast("Kept as an answer.", icon=":material/check:")


def _card(config: Config, hit: Hit, sentence: Span | None, document: DocumentRow | None) -> None:
    if document is None:
        st.caption("This document was removed.")
        return
    page, strip = _strip(config, hit, sentence) if has_pages(document) else (None, None)
    where = f" :gray[· page {page}]" if page is not None else ""
    st.markdown(f"{title_and_name(document.title, document.name)}{where}")
    if strip is None:
        hit_text(hit.chunk.text, sentence)
        return
    st.image(strip, width="stretch")
    with st.expander("As text"):
        hit_text(hit.chunk.text, sentence)


def _strip(config: Config, hit: Hit, sentence: Span | None) -> tuple[int | None, bytes | None]:
    """Return the page that carries the answer and its strip; the text alone is shown where there is none."""
    here, chunk = workspace(), hit.chunk
    try:
        parsed = here.parsed(chunk.document_id, config.parser)
        start = chunk.start + (sentence[0] if sentence else 0)
        end = chunk.start + (sentence[1] if sentence else len(chunk.text))
        page = next(p for p in parsed.document.pages if p.number == parsed.document.page_at(start))
        return page.number, _cropped(
            here.page_image(chunk.document_id, page.number, DPI),
            page.width,
            page.height,
            rectangles_on(parsed.layout, page.number, chunk.start, chunk.end),
            rectangles_on(parsed.layout, page.number, start, end) if sentence else (),
        )
    except (WorkbenchError, StopIteration):
        return None, None


@st.cache_data(max_entries=KEPT_STRIPS, show_spinner=False)
def _cropped(
    image: bytes,
    width: float,
    height: float,
    passage: Sequence[Rectangle],
    sentence: Sequence[Rectangle],
) -> bytes:
    return page_crop(image, width, height, passage, sentence)


# ── the presenter's blind comparison ─────────────────────────────────────────────────────────────────────────────


def _presenter(columns: Sequence[tuple[str, Config]]) -> None:
    if len(columns) < 2:
        return
    st.space("medium")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center"):
        st.toggle(
            "Compare two, blind",
            key=PRESENTER,
            help="For presenters: two configurations answer as A and B, in an order that changes with the question. "
            "The audience votes; names are shown at the end.",
        )


def contestant(label: str, config: Config) -> str:
    """Return the name under which votes for a column are kept: what is shown, and a mark of all its settings.

    Another table under the same name, or the same one searched with other weights, is another contestant.
    """
    settings = config.retriever.model_dump(mode="json", exclude={"top_k"})
    mark = digest([config.fingerprint, config.retriever.name, settings])[:8]
    return f"{shown_name(label, config)} · {mark}"


def shown_name(label: str, config: Config) -> str:
    """Return the name of a column that the audience is told at the end."""
    return f"{label} · {config.retriever.name}"


def swapped(voter: str, question: str) -> bool:
    """Return whether A is the second table for this voter and question: as good as a coin, and always the same."""
    return bool(hashlib.blake2b(f"{voter}\n{question.strip()}".encode("utf-8", "replace")).digest()[0] & 1)


def _blind(
    question: str, columns: Sequence[tuple[str, Config]], documents: Mapping[str, DocumentRow]
) -> None:
    # The order is this tab's, so that it does not turn when the browser's own mark arrives; the votes are the browser's.
    tab = st.session_state.setdefault(VOTER, uuid.uuid4().hex)
    order = [1, 0] if swapped(tab, question) else [0, 1]
    votes = st.container()
    for place, letter, number in zip(st.columns(2), "AB", order, strict=True):
        with place:
            st.markdown(f"### {letter}")
            _answers(question, columns[number][1], documents, BLIND_ANSWERS, letter, judged=True)
    voter = voter_mark(MARK)
    with votes:
        _votes(question, voter, [columns[number] for number in order])


def _votes(question: str, voter: str | None, columns: Sequence[tuple[str, Config]]) -> None:
    names = [contestant(*column) for column in columns]
    choices: dict[str, Winner] = {"A is better": "first", "No difference": "neither", "B is better": "second"}
    with st.container(horizontal=True, horizontal_alignment="center", gap="small"):
        for label, winner in choices.items():
            st.button(
                label,
                key=f"demo vote {winner}",
                on_click=_vote,
                args=(voter, question, *names, winner),
                disabled=voter is None,
            )
    count = workspace().votes.count(names[0], names[1])
    total = count.decided + count.neither
    with st.expander(f"{counted(total, 'vote')} so far: show the result and the names", key=REVEALED):
        if not count.decided:
            st.caption("No vote names a winner yet.")
            return
        share = count.first_share
        verdict = "which may be chance" if share.low <= 0.5 <= share.high else "more than chance explains"
        st.markdown(
            f"**A is {plain(shown_name(*columns[0]))}, B is {plain(shown_name(*columns[1]))}.** A was better in {count.first} of {count.decided} "
            f"decided votes: {share.value:.0%} [{share.low:.0%}, {share.high:.0%}], {verdict}; "
            f"{count.neither} saw no difference."
        )
        st.caption(
            "One vote for each question and browser. The mark by which a browser is known can be renewed, with a private "
            "window or by clearing its data: this is a show of hands, not a ballot."
        )


def voted_as(voter: str, question: str, *contestants: str) -> str:
    """Return the name under which a vote is kept: another one for every vote, so that no two lead to one person."""
    return digest(["voter", voter, question.strip(), *sorted(contestants)])


def _vote(voter: str, question: str, first: str, second: str, winner: Winner) -> None:
    if not admit():
        st.toast(TOO_OFTEN, icon=":material/hourglass_top:")
        return
    try:
        workspace().votes.vote(voted_as(voter, question, first, second), question, first, second, winner)
    except WorkbenchError as error:
        show_trouble(error)
        return
    st.toast("Thank you, the vote counts.", icon=":material/how_to_vote:")
