"""What was asked is kept, bounded, and comes back as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.contracts import Filter
from workbench.records import Chunk, Hit
from workbench.workspace import search_history
from workbench.workspace.search_history import PastColumn, SearchHistory, filter_of, filter_values

COPY = Chunk("c2", "d2", 0, 0, 4, "fare", 1, 1, 1)
HIT = Hit(Chunk("c1", "d1", 3, 5, 9, "fare", 2, 2, 1), 1, 0.5, also=(COPY,))
COLUMN = PastColumn("Small", "name: Small\n", "t1", (HIT,))


def test_a_search_comes_back_as_it_was(tmp_path: Path) -> None:
    history = SearchHistory(tmp_path / "history.db")
    assert history.searches() == []
    assert not (tmp_path / "history.db").exists()
    history.note("fare? 'x' ü", {"k": 5}, [COLUMN])
    found = SearchHistory(tmp_path / "history.db").searches()
    assert [(one.question, dict(one.settings), one.columns) for one in found] == [
        ("fare? 'x' ü", {"k": 5}, (COLUMN,))
    ]


def test_repeating_the_newest_search_keeps_one_of_it(tmp_path: Path) -> None:
    history = SearchHistory(tmp_path / "history.db")
    for question in ("a", "a", "b", "a"):
        history.note(question, {}, [COLUMN])
    assert [one.question for one in history.searches()] == ["a", "b", "a"]


def test_only_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_history, "MOST_KEPT", 3)
    history = SearchHistory(tmp_path / "history.db")
    for number in range(8):
        history.note(f"q{number}", {}, [])
    assert [one.question for one in history.searches()] == ["q7", "q6", "q5"]
    history.forget()
    assert history.searches() == []


def test_sessions_that_ask_at_once_lose_nothing(tmp_path: Path) -> None:
    histories = [SearchHistory(tmp_path / "history.db") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: histories[n % 4].note(f"q{n}", {}, [COLUMN]), range(24)))
    assert {one.question for one in histories[0].searches(99)} == {f"q{n}" for n in range(24)}


def test_a_question_too_long_to_read_is_not_kept(tmp_path: Path) -> None:
    history = SearchHistory(tmp_path / "history.db")
    history.note("x" * 2_001, {}, [])
    assert history.searches() == []


@pytest.mark.parametrize(
    "where", [None, Filter(("a",), (1, 3), (("kind", "x"),)), Filter(pages=(2, 2)), Filter(())]
)
def test_a_filter_comes_back_as_it_was(where: Filter | None) -> None:
    assert filter_of(filter_values(where)) == where
