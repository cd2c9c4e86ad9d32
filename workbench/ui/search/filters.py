"""Which chunks the Search page may find: documents, pages, metadata. The address bar holds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench.contracts import Filter
from workbench.errors import WorkbenchError
from workbench.ui.session import url_state
from workbench.ui.session.workspace import workspace
from workbench.workspace import TableRow

LAST_PAGE = 100_000
DOCUMENTS, FIRST_PAGE, FINAL_PAGE = "search documents", "search first page", "search last page"
METADATA = "search metadata"
KEYS = (DOCUMENTS, FIRST_PAGE, FINAL_PAGE, METADATA)
MOST_PAIRS = 500
"""Pairs of metadata that are offered; others can be typed."""
MOST_CHOSEN = 8
LONGEST_PAIR_CHARACTERS = 200


def entered(names: Mapping[str, str], anchor: str) -> None:
    """Take the filter from the address when the page is entered."""
    nothing: list[str] = []
    url_state.entered(DOCUMENTS, "documents", nothing, lambda texts: [t for t in texts if t in names], anchor)
    url_state.entered(FIRST_PAGE, "from", 1, _page_meant, anchor)
    url_state.entered(FINAL_PAGE, "to", LAST_PAGE, _page_meant, anchor)
    url_state.entered(METADATA, "metadata", nothing, _pairs_meant, anchor)


def parameters() -> dict[str, str | Sequence[str]]:
    """Return the filter as it stands in the address."""
    first, last = st.session_state[FIRST_PAGE], st.session_state[FINAL_PAGE]
    return {
        "documents": st.session_state[DOCUMENTS],
        "from": str(first) if first != 1 else "",
        "to": str(last) if last != LAST_PAGE else "",
        "metadata": st.session_state[METADATA],
    }


def take(where: Filter | None) -> None:
    """Make a filter the one that is chosen."""
    where = where or Filter()
    names = {row.id: row.name for row in workspace().documents()}
    st.session_state[DOCUMENTS] = [names[one] for one in where.document_ids or () if one in names]
    st.session_state[FIRST_PAGE], st.session_state[FINAL_PAGE] = where.pages or (1, LAST_PAGE)
    st.session_state[METADATA] = [_text(key, value) for key, value in where.metadata][:MOST_CHOSEN]


def chosen(names: Mapping[str, str], tables: Sequence[TableRow]) -> Filter | None:
    """Draw the filter and return it. It is a form, so that half of it does not search."""
    picked, first, last, pairs = (st.session_state[key] for key in KEYS)
    active = bool(picked) or bool(pairs) or first != 1 or last != LAST_PAGE
    with (
        st.popover("Filter", icon=":material/filter_alt:", type="primary" if active else "secondary"),
        st.form("search filter", border=False),
    ):
        # Given as values: what is put into the state of a widget in a closed popover does not reach the browser.
        mark = f"{picked}{first}{last}{pairs}"
        keys = [f"{key} {mark}" for key in KEYS]
        st.multiselect(
            "Documents",
            sorted(names),
            default=[p for p in picked if p in names],
            key=keys[0],
            placeholder="All",
        )
        left, right = st.columns(2)
        left.number_input("From page", 1, LAST_PAGE, first, key=keys[1])
        right.number_input(
            "To page",
            1,
            LAST_PAGE,
            None if last == LAST_PAGE else last,
            key=keys[2],
            placeholder="the last",
        )
        offered = [pair for pair in offered_pairs(tables) if pair not in pairs]
        if offered or pairs:
            st.multiselect(
                "Metadata",
                [*pairs, *offered],
                default=pairs,
                key=keys[3],
                placeholder="Any",
                accept_new_options=True,
                max_selections=MOST_CHOSEN,
                select_all=False,  # a document must have all of them, and none has
                help="What files and sources say of a document, as key=value; a document must have all that are chosen. "
                "A pair that is not in the list can be typed.",
            )
        st.form_submit_button("Apply", type="primary", on_click=_take_form, args=keys)
    if active:
        st.button("No filter", icon=":material/filter_alt_off:", on_click=take, args=(None,))
    if not active:
        return None
    ids = tuple(names[name] for name in picked if name in names) if picked else None
    pages = (first, last) if first != 1 or last != LAST_PAGE else None
    return Filter(ids, pages, tuple(pair for pair in map(_pair, pairs) if pair))


def offered_pairs(tables: Sequence[TableRow]) -> list[str]:
    """Return the metadata of these tables' documents as ``key=value``, sorted; of very many the commonest."""
    counts: Counter[str] = Counter()
    for row in tables:
        for metadata in documents_metadata(row).values():
            counts.update(_text(key, value) for key, value in metadata.items() if "=" not in key)
    common = (pair for pair, _ in counts.most_common() if len(pair) <= LONGEST_PAIR_CHARACTERS)
    return sorted(pair for pair, _ in zip(common, range(MOST_PAIRS), strict=False))


def documents_metadata(row: TableRow) -> Mapping[str, Mapping[str, str]]:
    """Return document id → metadata of a table's documents; nothing for a table that is gone."""
    if row.config is None:
        return {}
    try:
        table = workspace().tables.table(row.config)
        return _metadata(table.info.name, table.version(), table)
    except WorkbenchError:
        return {}


@st.cache_data(max_entries=16, show_spinner=False)
def _metadata(name: str, version: str, _table: Any) -> dict[str, dict[str, str]]:
    return {key: dict(values) for key, values in _table.metadata().items()}


def _take_form(*keys: str) -> None:
    for own, key in zip(KEYS, keys, strict=True):
        # The box for metadata is only there where documents have some.
        st.session_state[own] = st.session_state.get(key, [])
    first, last = st.session_state[FIRST_PAGE], st.session_state[FINAL_PAGE] or LAST_PAGE
    st.session_state[FIRST_PAGE], st.session_state[FINAL_PAGE] = min(first, last), max(first, last)
    st.session_state[METADATA] = _pairs_meant(st.session_state[METADATA])


def _pairs_meant(texts: Sequence[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if _pair(text)][:MOST_CHOSEN]


def _text(key: str, value: str) -> str:
    return f"{key}={value}"


def _pair(text: str) -> tuple[str, str] | None:
    """Return the key and the value, None for a text without both.

    >>> _pair("author=Ada = Eve"), _pair("author")
    (('author', 'Ada = Eve'), None)
    """
    key, sign, value = text.partition("=")
    return (key, value) if key and sign else None


def _page_meant(texts: list[str]) -> int | None:
    value = url_state.number(texts, 1, LAST_PAGE)
    return None if value is None else int(value)
