"""What the Search page is asked: question, tables, retrievers, number of hits, filter. The address bar holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from workbench import plugins
from workbench.config import Config
from workbench.contracts import Filter
from workbench.ui.search import filters
from workbench.ui.search.results import Column
from workbench.ui.session import url_state
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import term_help
from workbench.ui.widgets.search_options import OWN, RETRIEVERS
from workbench.ui.widgets.table_picker import first_labels, labels_meant
from workbench.workspace import TableRow
from workbench.workspace.search_history import filter_of, filter_values

MOST_COLUMNS, FIRST_TABLES = 4, 2
MOST_HITS = 50
HITS = 5
QUESTION, TABLES, K, WAYS = "search question", "search tables", "search k", "search retrievers"


@dataclass(frozen=True)
class SearchChoice:
    """What the controls say."""

    question: str
    k: int
    columns: tuple[Column, ...]
    where: Filter | None
    tables: tuple[str, ...]
    ways: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """What the history keeps, to ask the same again."""
        return {
            "k": self.k,
            "tables": list(self.tables),
            "retrievers": list(self.ways),
            "filter": filter_values(self.where),
        }


def controls(found: Mapping[str, TableRow], beside: Callable[[], None]) -> SearchChoice:
    """Draw the controls, and ``beside`` at their end; the address bar holds them, and leaving the page keeps them."""
    labels, first = list(found), first_labels(found, FIRST_TABLES)
    names = {row.name: row.id for row in workspace().documents()}
    filters.entered(names, QUESTION)
    url_state.entered(QUESTION, "q", "", lambda texts: texts[-1])
    url_state.entered(TABLES, "tables", first, lambda texts: labels_meant(texts, found) or None)
    url_state.entered(WAYS, "retrievers", [OWN], lambda texts: [t for t in texts if t in RETRIEVERS] or None)
    url_state.entered(K, "k", HITS, _hit_count)
    # A table that was deleted meanwhile is no option any more.
    st.session_state[TABLES] = [label for label in st.session_state[TABLES] if label in found][:MOST_COLUMNS]
    question = st.text_input(
        "Question",
        key=QUESTION,
        placeholder="Type a question and press Enter",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.multiselect(
            "Tables side by side",
            labels,
            max_selections=MOST_COLUMNS,
            key=TABLES,
            help=f"{term_help('table')} Up to four columns are searched with the same question.",
            width=430,
        )
        ways = st.multiselect(
            "Ways to search",
            list(RETRIEVERS),
            key=WAYS,
            format_func=RETRIEVERS.__getitem__,
            placeholder=RETRIEVERS[OWN],
            help="Each table is searched in each of these ways, in a column of its own. Meaning compares embeddings; "
            "keywords compare the words themselves (BM25); both together adds them up.",
            width=215,
        )
        k = st.number_input(
            "Hits", min_value=1, max_value=MOST_HITS, step=1, key=K, help=term_help("top-k"), width=100
        )
        where = filters.chosen(names, [found[label] for label in picked])
        beside()
    ways = ways or [OWN]
    url_state.left(QUESTION, TABLES, WAYS, K, *filters.KEYS)
    url_state.shown(
        {
            "q": question if question and len(question) <= url_state.LONGEST_TEXT else "",
            # The default depends on which tables are newest, so a link to an answer names its tables.
            "tables": picked if question or picked != first else [],
            "retrievers": ways if ways != [OWN] else [],
            "k": str(k) if k != HITS else "",
            **filters.parameters(),
        }
    )
    columns = _columns(picked, ways, found)
    if len(columns) > MOST_COLUMNS:
        st.caption(f"The first {MOST_COLUMNS} of {len(columns)} columns are shown.")
    return SearchChoice(
        question or "", int(k), tuple(columns[:MOST_COLUMNS]), where, tuple(picked), tuple(ways)
    )


def _columns(picked: Sequence[str], ways: Sequence[str], found: Mapping[str, TableRow]) -> list[Column]:
    result: list[Column] = []
    for label in picked:
        config = found[label].config
        if config is None:
            continue
        seen = []
        for way in ways:
            chosen = config if way == OWN else replace(config, retriever=plugins.build("retrievers", way))
            # The config's own way may be one of the others, too.
            identity = {**chosen.retriever.identity(), "top_k": 0}
            if identity in seen:
                continue
            seen.append(identity)
            named = RETRIEVERS.get(chosen.retriever.name, chosen.retriever.label)
            # The config may search in a chosen way with settings of its own.
            name = RETRIEVERS[OWN] if way == OWN and _differs(config, ways) else named
            result.append(Column(f"{label} · {name}" if len(ways) > 1 else label, chosen))
    return result


def _differs(config: Config, ways: Sequence[str]) -> bool:
    """Return whether a config searches in one of these ways, but not as that is offered."""
    own = config.retriever
    if own.name not in ways:
        return False
    return {**own.identity(), "top_k": 0} != {**plugins.build("retrievers", own.name).identity(), "top_k": 0}


def _hit_count(texts: list[str]) -> int | None:
    value = url_state.number(texts, 1, MOST_HITS)
    return None if value is None else int(value)


def suggestions(questions: Sequence[str]) -> None:
    """Draw questions to begin with, where there are any that these documents answer."""
    if not questions:
        st.caption(
            "Ask what your documents answer, in your own words: whole sentences and single names both work."
        )
        return
    st.caption("Some questions to begin with:")
    with st.container(gap=None):
        for text in questions:
            st.button(text, type="tertiary", icon=":material/north_west:", on_click=ask, args=(text,))


def ask(text: str, settings: Mapping[str, Any] | None = None) -> None:
    """Put a question into the controls, with the settings of an earlier one where they are given."""
    st.session_state[QUESTION] = text
    if settings is None:
        return
    st.session_state[K] = int(settings.get("k", HITS))
    st.session_state[TABLES] = list(settings.get("tables", []))
    st.session_state[WAYS] = [way for way in settings.get("retrievers", []) if way in RETRIEVERS] or [OWN]
    filters.take(filter_of(settings.get("filter") or {}))
