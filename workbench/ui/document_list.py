"""The lower half of the Documents page: the list, deleting, and one document's pages beside their text."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.records import digest
from workbench.ui import address
from workbench.ui.components.chunk_viewer import Column, chunk_viewer
from workbench.ui.components.page_viewer import page_viewer
from workbench.ui.messages import guarded, plain, sentence, shown_error
from workbench.ui.pager import go_to_box, pager_pixels
from workbench.ui.passages import Passage, passages
from workbench.ui.resources import workspace
from workbench.ui.state import choose_document, current_document
from workbench.workspace import DocumentRow

LONGEST_WITHOUT_SCROLLING = 12


def totals(documents: list[DocumentRow]) -> str:
    """Return a line such as ``12 documents · 214 pages · 640,000 characters``."""
    pages = sum(row.page_count for row in documents)
    characters = sum(row.character_count for row in documents)
    return f"{counted(len(documents), 'document')} · {counted(pages, 'page')} · {counted(characters, 'character')}"


def table(documents: list[DocumentRow]) -> list[DocumentRow]:
    """Draw the list and return the rows that are ticked."""
    notes = ["; ".join(row.warnings) for row in documents]
    event = st.dataframe(
        pd.DataFrame(
            {
                "Name": [row.name for row in documents],
                # Beside the name, where a narrow screen shows it; without a note there is no column.
                **({"Notes": notes} if any(notes) else {}),
                "Pages": [row.page_count for row in documents],
                "Characters": [row.character_count for row in documents],
                "Size": [row.size_bytes for row in documents],
                "Added": [pd.Timestamp(row.added_at_utc) for row in documents],
                "Title": [row.title for row in documents],
            }
        ),
        hide_index=True,
        height="content" if len(documents) <= LONGEST_WITHOUT_SCROLLING else 460,
        # Ticks are row numbers: another list of documents is another table, with nothing ticked.
        key=f"documents-{digest([row.id for row in documents])[:12]}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Notes": st.column_config.TextColumn(width="medium"),
            "Pages": st.column_config.NumberColumn(format="localized", width=60),
            "Characters": st.column_config.NumberColumn(format="localized", width=90),
            "Size": st.column_config.NumberColumn(format="bytes", width=70),
            "Added": st.column_config.DatetimeColumn(format="distance", width=120),
            "Title": st.column_config.TextColumn(width="large"),
        },
    )
    return [documents[i] for i in event.selection.rows if i < len(documents)]


def actions(selected: list[DocumentRow]) -> None:
    """Draw what can be done with the ticked documents."""
    if not selected:
        st.caption("Tick rows to delete documents. Choose one below to read it.")
        return
    if st.button(f"Delete {counted(len(selected), 'document')} …", icon=":material/delete:"):
        _confirm_delete(selected)


@st.dialog("Delete documents?")
def _confirm_delete(selected: list[DocumentRow]) -> None:
    for row in selected[:8]:
        st.markdown(f"- {plain(row.name)}")
    if len(selected) > 8:
        st.markdown(f"- and {len(selected) - 8} more")
    st.caption("Their chunks leave every table too. The files that you uploaded from are not touched.")
    ids = [row.id for row in selected]
    with st.container(horizontal=True):
        if st.button(
            "Delete", type="primary", icon=":material/delete:", on_click=_delete, args=(ids,)
        ) or st.button("Keep them"):
            st.rerun()


def _delete(document_ids: list[str]) -> None:
    with guarded():
        workspace().delete(document_ids)


def choice(documents: list[DocumentRow]) -> DocumentRow:
    """Draw the box that chooses the document to read; the address may ask for one by its name."""
    by_id = {row.id: row for row in documents}
    current = current_document(list(by_id))
    address.entered("doc", "doc", current, lambda texts: _meant(texts[-1], documents))
    if st.session_state["doc"] not in by_id:  # deleted meanwhile
        st.session_state["doc"] = current
    found = st.selectbox(
        "Read",
        list(by_id),
        format_func=lambda document_id: by_id[document_id].name if document_id in by_id else "",
        key="doc",
        on_change=_forget_page,
    )
    row = by_id[found]
    choose_document(row.id)
    same_name = sum(other.name == row.name for other in documents)
    _show(doc=row.name if same_name == 1 else row.id)
    return row


def _meant(text: str, documents: list[DocumentRow]) -> str | None:
    return next((row.id for row in documents if text in (row.name, row.id)), None)


def _show(**parameters: str) -> None:
    """Put these into the address bar beside what this page has put there."""
    own = {name: st.query_params[name] for name in ("doc", "page") if name in st.query_params}
    address.shown({**own, **parameters})


def _forget_page() -> None:
    # The page in the address is one of the document before.
    st.query_params.pop("page", None)


def viewer(row: DocumentRow) -> None:
    """Draw one page's image beside its text, or a window of the text where there are no pages."""
    try:
        parsed = workspace().parsed(row.id)
    except WorkbenchError as error:
        shown_error(error)
        return
    document = parsed.document
    for warning in parsed.warnings:
        st.warning(plain(sentence(warning)), icon=":material/info:")
    found = passages(document)
    passage = found[_passage_number(row, found) - 1]
    text = document.text[passage.start : passage.end]
    page = next((p for p in document.pages if p.number == passage.page and p.width > 0), None)
    if page is None:
        _text(f"{passage.label} · {counted(len(text), 'character')}", text, passage.start, row.id)
        return
    left, right = st.columns(2)
    with left:
        try:
            image = workspace().page_image(row.id, page.number)
        except WorkbenchError as error:
            shown_error(error)
        else:
            page_viewer(image, page.width, page.height, [], key=f"page-image-{row.id}", caption=passage.label)
    with right:
        if text.strip():
            _text(counted(len(text), "character"), text, passage.start, row.id)
        else:
            st.info("There is no text on this page.", icon=":material/hide_image:")


def _passage_number(row: DocumentRow, found: Sequence[Passage]) -> int:
    """Draw the choice of a page and return the number of its passage; the address may ask for a page, and holds it."""
    if len(found) == 1:
        _show(page="")
        return 1
    key = f"page-{row.id}"

    def asked(texts: list[str]) -> int | None:
        page = address.number(texts, 1, 1e8)
        return next((number for number, passage in enumerate(found, 1) if passage.page == page), None)

    address.entered(key, "page", 1, asked)
    st.session_state[key] = min(st.session_state[key], len(found))

    def go(typed: int) -> None:
        st.session_state[key] = typed

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        number = st.pagination(len(found), key=key, width=pager_pixels(len(found)))
        go_to_box(len(found), number, key, go)
    address.left(key)
    page = found[number - 1].page
    _show(page=str(page) if page and number > 1 else "")
    return number


def _text(title: str, text: str, start: int, document_id: str) -> None:
    chunk_viewer(text, [Column("text", title, [])], key=f"text-{document_id}", height=640, offset=start)
