"""What the chosen tables find for a question, and which hits of different tables show the same passage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from workbench.config import Config
from workbench.contracts import Filter
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.evaluation.rank_flow import same_passage
from workbench.records import Chunk, Hit
from workbench.spans import Span
from workbench.ui import state
from workbench.ui.build_list import build_under_way
from workbench.ui.messages import plain
from workbench.ui.resources import workspace
from workbench.ui.store_status import show_due, show_unreachable
from workbench.workspace import TableRow

COMPARED = 50
"""Hits that are looked at behind those shown, to tell where a passage of another column went."""
ANSWERED = "search answered"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Column:
    """One column of hits: a table and a way to search it."""

    label: str
    config: Config


@dataclass(frozen=True)
class Answer:
    """What one table found: hits with the sentence that carries each, or a problem."""

    label: str
    config: Config
    hits: Sequence[Hit] = ()
    best: Sequence[Span | None] = ()
    seconds: float = 0.0
    problem: WorkbenchError | None = None
    letters: Mapping[int, str] = field(default_factory=dict)
    """Rank → letter of the passage, where another column shows the same one."""
    ranked: Sequence[Hit] = ()
    """The hits, and those that follow them."""


def searchable_tables(tells_troubles: bool = True) -> dict[str, TableRow]:
    """Return label → table for every table that can be searched, newest first; equal names get their fingerprint.

    What cannot be reached is said on the page, unless its readers have nothing to do with stores.
    """
    listing = workspace().tables.listing()
    if tells_troubles:
        show_unreachable(listing.unreachable)
        show_due(listing.due)
    rows = [row for row in listing.rows if row.config is not None]
    names = [row.config_name for row in rows]
    both = [(row.config_name, row.fingerprint) for row in rows]
    found = {}
    for row in rows:
        label = row.config_name
        if names.count(row.config_name) > 1:
            same = both.count((row.config_name, row.fingerprint)) > 1
            where = f", {row.store_title or row.store_key}" if same else ""
            label = f"{row.config_name} ({row.fingerprint[:6]}{where})"
        found[label] = row
    return found


def outdated_warning(found: Mapping[str, TableRow], labels: Sequence[str]) -> None:
    """Say which of the chosen tables are out of date: what they answer is not what their configs give now."""
    behind = [
        f"{plain(label)}: {found[label].outdated_documents:,} of {counted(found[label].documents, 'document')}"
        for label in labels
        if found[label].outdated_documents
    ]
    if behind:
        st.warning(
            f"Out of date: {'; '.join(behind)} would be cut or embedded differently now. Build again under Tables.",
            icon=":material/update:",
        )


def first_labels(found: Mapping[str, TableRow], count: int) -> list[str]:
    """Return the labels to begin with: the newest tables that hold chunks and are not being built."""
    ready = [
        label
        for label, row in found.items()
        if row.rows and row.config is not None and build_under_way(row.config) is None
    ]
    return (ready or list(found))[:count]


def labels_meant(texts: Sequence[str], found: Mapping[str, TableRow]) -> list[str]:
    """Return the labels that names in a link stand for: labels themselves, or names of configs; unknown ones drop out."""
    meant = []
    for text in texts:
        label = next(
            (label for label, row in found.items() if text in (label, row.config_name, row.name)), None
        )
        if label is not None and label not in meant:
            meant.append(label)
    return meant


def answers(columns: Sequence[Column], question: str, k: int, where: Filter | None = None) -> list[Answer]:
    """Return what each column finds; trouble with one leaves the others as they are."""
    kept: list[tuple[object, Answer]] = st.session_state.get(ANSWERED, [])
    now: list[tuple[object, Answer]] = []
    for column in columns:
        key = _key(column, question, k, where)
        # A page that draws itself again, as for a verdict on a hit, asks nothing new.
        before = None if key is None else next((one for other, one in kept if other == key), None)
        now.append((key, before or _answer(column, question, k, where)))
    # Troubles may pass: they are tried again.
    st.session_state[ANSWERED] = [(key, one) for key, one in now if one.problem is None]
    found = [answer for _, answer in now]
    letters = common_passages([answer.hits for answer in found])
    return [replace(answer, letters=own) for answer, own in zip(found, letters, strict=True)]


def _key(column: Column, question: str, k: int, where: Filter | None) -> object | None:
    """Return everything that decides an answer, None where that cannot be told."""
    if column.config.retriever.context == "section":
        return None  # sections are read from the documents, which the table's version does not speak of
    try:
        version = workspace().tables.table(column.config).version()
    except WorkbenchError:
        return None
    return column, version, question, k, where


def _answer(column: Column, question: str, k: int, where: Filter | None) -> Answer:
    tables = workspace().tables
    label, config = column.label, column.config
    try:
        with st.spinner(f"Searching {plain(label)} …", show_time=True):
            # More than is shown: where a passage of another column went is told from them.
            result = tables.search(config, question, max(k, COMPARED), where)
            hits = result.hits[:k]
            best = tables.best_sentences(config, question, hits)
    except WorkbenchError as error:
        return Answer(label, config, problem=error)
    state.note_search_time(config.table_name, result.seconds)
    return Answer(label, config, hits, best, result.seconds, ranked=result.hits)


def common_passages(columns: Sequence[Sequence[Hit]]) -> list[dict[int, str]]:
    """Return, per column, rank → letter for hits whose passage another column shows too.

    Letters follow the best rank of a passage. Two hits are one passage when they share half of the shorter one;
    that is carried on, so a long chunk can join several short ones.
    """
    hits = [(column, hit) for column, found in enumerate(columns) for hit in found]
    parent = list(range(len(hits)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, (column, hit) in enumerate(hits):
        for j in range(i):
            if hits[j][0] != column and same_passage(hits[j][1].chunk, hit.chunk):
                parent[root(i)] = root(j)
    groups: dict[int, list[tuple[int, Hit]]] = {}
    for i, entry in enumerate(hits):
        groups.setdefault(root(i), []).append(entry)
    shared = [members for members in groups.values() if len({column for column, _ in members}) > 1]
    shared.sort(key=lambda members: min((hit.rank, column) for column, hit in members))
    result: list[dict[int, str]] = [{} for _ in columns]
    for number, members in enumerate(shared):
        letter = LETTERS[number % 26] * (number // 26 + 1)
        for column, hit in members:
            result[column][hit.rank] = letter
    return result


def spread(answer: Answer, rank: int, found: Sequence[Answer]) -> str:
    """Return ``in all``, ``only here`` or nothing: which columns show a hit's passage."""
    working = [other for other in found if other.problem is None]
    if len(working) < 2:
        return ""
    letter = answer.letters.get(rank)
    if letter is None:
        return "only here"
    return "in all" if all(letter in other.letters.values() for other in working) else ""


def where_else(letter: str, answer: Answer, found: Sequence[Answer]) -> list[tuple[int, str]]:
    """Return rank and label of the same passage in the other columns."""
    return [
        (rank, other.label)
        for other in found
        if other is not answer
        for rank, own in other.letters.items()
        if own == letter
    ]


def pages_of(chunk: Chunk) -> str:
    """Return ``page 3`` or ``pages 3–4``."""
    if chunk.page_start == chunk.page_end:
        return f"page {chunk.page_start}"
    return f"pages {chunk.page_start}–{chunk.page_end}"
