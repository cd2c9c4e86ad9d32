"""What the rank flow sends to the browser."""

from __future__ import annotations

from workbench.evaluation.rank_flow import moves
from workbench.records import Chunk, Hit
from workbench.ui.components.rank_flow import GAP, HEAD, ROW, flow_data


def ranked(*places: int) -> list[Hit]:
    return [
        Hit(Chunk(f"c{p}", "d", p, 10 * p, 10 * p + 10, f"<b>{p}</b>", 1, 1, 1), rank, 1.0)
        for rank, p in enumerate(places, start=1)
    ]


def test_ranks_behind_what_is_shown_stand_after_a_gap() -> None:
    data = flow_data("A", "B", moves(ranked(1, 2, 3), ranked(3, 2, 1), 2), 2, {})
    assert {(move["left"], move["from"]) for move in data["moves"]} == {
        (1, HEAD),
        (2, HEAD + ROW),
        (3, HEAD + 2 * ROW + GAP),
    }
    assert data["height"] == HEAD + 3 * ROW + GAP
    assert [entry["cause"] for entry in data["legend"]] == ["same", "ranked"]


def test_a_rank_with_two_lines_is_named_once() -> None:
    wide = [Hit(Chunk("w", "d", 0, 0, 40, "wide", 1, 1, 1), 1, 1.0)]
    data = flow_data("A", "B", moves(wide, ranked(1, 2), 2), 2, {})
    assert [move["left"] for move in data["moves"]] == [1, 1]
    assert sum(bool(move["leftText"]) for move in data["moves"]) == 1


def test_a_passage_that_is_in_one_list_only_is_named_there() -> None:
    data = flow_data("A", "B", moves(ranked(1), ranked(2), 1), 1, {})
    assert [(move["left"], move["right"]) for move in data["moves"]] == [(1, None), (None, 1)]
    assert data["moves"][1]["rightText"].startswith("1 · a deleted document")
    assert "not found → rank 1, not among the hits compared" in data["moves"][1]["says"]
