"""What the chosen tables find for a question, and which hits of different tables show the same passage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from workbench.config import Config
from workbench.contracts import Filter
from workbench.errors import WorkbenchError
from workbench.evaluation.rank_flow import same_passage
from workbench.records import Hit
from workbench.spans import Span
from workbench.ui.session import state
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain

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
