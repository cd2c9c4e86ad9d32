"""The list on the Documents page: what is here, deleting, and which document is read."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.records import digest
from workbench.ui.documents.shortfalls import list_note
from workbench.ui.session import url_state
from workbench.ui.session.state import choose_document, current_document
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import guarded, plain
from workbench.workspace import DocumentRow

LONGEST_WITHOUT_SCROLLING = 12


def totals(documents: list[DocumentRow]) -> str:
    """Return a line such as ``12 documents · 214 pages · 640,000 characters``."""
    pages = sum(row.page_count for row in documents)
    characters = sum(row.character_count for row in documents)
    return f"{counted(len(documents), 'document')} · {counted(pages, 'page')} · {counted(characters, 'character')}"


def table(documents: list[DocumentRow]) -> list[DocumentRow]:
    """Draw the list and return the rows that are ticked."""
    notes = [_note(row) for row in documents]
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


def _note(row: DocumentRow) -> str:
    return list_note(row.warnings, row.incomplete, bool(row.short_pages))


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
        workspace().delete(document_ids)  # what is due of it is shown above the list


def choice(documents: list[DocumentRow]) -> DocumentRow:
    """Draw the box that chooses the document to read; the address may ask for one by its name."""
    by_id = {row.id: row for row in documents}
    current = current_document(list(by_id))
    url_state.entered("doc", "doc", current, lambda texts: _meant(texts[-1], documents))
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
    show_in_address(doc=row.name if same_name == 1 else row.id)
    return row


def _meant(text: str, documents: list[DocumentRow]) -> str | None:
    return next((row.id for row in documents if text in (row.name, row.id)), None)


def show_in_address(**parameters: str) -> None:
    """Put these into the address bar beside what this page has put there."""
    own = {name: st.query_params[name] for name in ("doc", "page") if name in st.query_params}
    url_state.shown({**own, **parameters})


def _forget_page() -> None:
    # The page in the address is one of the document before.
    st.query_params.pop("page", None)
