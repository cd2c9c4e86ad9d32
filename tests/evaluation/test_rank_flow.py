"""Where every passage went between two lists of hits, by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.evaluation.rank_flow import Move, moves
from workbench.records import Chunk, Hit


def chunk(start: int, end: int, document: str = "d") -> Chunk:
    return Chunk(f"{document}{start}-{end}", document, 0, start, end, "x" * (end - start), 1, 1, 1)


def ranked(*chunks: Chunk, also: dict[int, tuple[Chunk, ...]] | None = None) -> list[Hit]:
    return [
        Hit(one, rank, 1 / rank, also=(also or {}).get(rank, ())) for rank, one in enumerate(chunks, start=1)
    ]


A, B, C = chunk(0, 10), chunk(10, 20), chunk(20, 30)


def ways(found: list[Move]) -> list[tuple[int | None, int | None, str]]:
    return [(move.left, move.right, move.cause) for move in found]


def test_equal_lists_do_not_move() -> None:
    assert ways(moves(ranked(A, B), ranked(A, B), 2)) == [(1, 1, "same"), (2, 2, "same")]


def test_a_passage_that_was_outranked_is_found_behind_what_is_shown() -> None:
    found = moves(ranked(A, B), ranked(C, B, A), 2)
    assert ways(found) == [(1, 3, "ranked"), (None, 1, "beyond"), (2, 2, "same")]


def test_a_passage_that_is_cut_differently_says_so_even_at_the_same_rank() -> None:
    wide = chunk(0, 15)
    assert ways(moves(ranked(A), ranked(wide), 1)) == [(1, 1, "cut")]
    # 10–20 shares five of its ten characters with 0–15: half is enough.
    assert ways(moves(ranked(B), ranked(wide), 1)) == [(1, 1, "cut")]
    assert ways(moves(ranked(chunk(11, 21)), ranked(wide), 1)) == [(1, None, "beyond"), (None, 1, "beyond")]


def test_a_copy_that_is_shown_with_another_is_followed_to_it() -> None:
    copy = chunk(100, 110, "e")
    found = moves(ranked(copy, A), ranked(A, also={1: (copy,)}), 2)
    assert ways(found) == [(1, 1, "repeated"), (2, 1, "ranked")]


def test_a_passage_that_may_not_be_found_is_filtered() -> None:
    found = moves(ranked(A, B), ranked(B), 2, filtered_right=lambda one: one.start == 0)
    assert ways(found) == [(1, None, "filtered"), (2, 1, "ranked")]
    back = moves(ranked(B), ranked(A, B), 2, filtered_left=lambda one: one.start == 0)
    assert ways(back) == [(1, 2, "ranked"), (None, 1, "filtered")]


def test_the_same_place_of_another_document_is_another_passage() -> None:
    assert ways(moves(ranked(A), ranked(chunk(0, 10, "e")), 1)) == [(1, None, "beyond"), (None, 1, "beyond")]


places = st.lists(st.sampled_from([A, B, C, chunk(0, 15), chunk(15, 30)]), unique=True, max_size=5)


@given(places, places, st.integers(1, 5))
def test_every_shown_hit_has_a_move_and_turning_the_lists_turns_the_moves(
    left: list[Chunk], right: list[Chunk], shown: int
) -> None:
    found = moves(ranked(*left), ranked(*right), shown)
    assert {move.left for move in found} >= set(range(1, min(shown, len(left)) + 1))
    assert {move.right for move in found} >= set(range(1, min(shown, len(right)) + 1))
    back = moves(ranked(*right), ranked(*left), shown)
    assert {(move.right, move.left) for move in back} == {(move.left, move.right) for move in found}
