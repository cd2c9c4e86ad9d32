"""Blind votes: counted once a voter and question, from either side, with an interval."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.workspace.votes import VoteCount, Votes


def test_votes_are_counted_from_either_side(tmp_path: Path) -> None:
    votes = Votes(tmp_path / "votes.db")
    assert votes.count("a", "b") == VoteCount(0, 0, 0)
    votes.vote("me", "q1", "b", "a", "first")
    votes.vote("me", "q2", "a", "b", "first")
    votes.vote("you", "q1", "a", "b", "neither")
    assert votes.count("a", "b") == VoteCount(1, 1, 1)
    votes.vote("you", "q2", "b", "a", "second")
    assert votes.count("a", "b") == VoteCount(2, 1, 1)
    assert Votes(tmp_path / "votes.db").count("b", "a") == VoteCount(1, 2, 1)
    assert votes.count("a", "c") == VoteCount(0, 0, 0)


def test_who_votes_again_changes_their_mind(tmp_path: Path) -> None:
    votes = Votes(tmp_path / "votes.db")
    for winner in ("first", "neither", "second"):
        votes.vote("me", " q ", "a", "b", winner)  # type: ignore[arg-type]
    assert votes.count("a", "b") == VoteCount(0, 1, 0)


def test_the_share_is_of_decided_votes_with_wilsons_interval() -> None:
    # Wilson (1927) for 8 of 10: centre (0.8 + 1.92073/10) / (1 + 3.84146/10) = 0.716730,
    # half width 1.959964 · sqrt(0.16/10 + 3.84146/400) / 1.384146 = 0.226584.
    share = VoteCount(8, 2, 5).first_share
    assert (share.value, share.low, share.high) == pytest.approx((0.8, 0.490146, 0.943314), abs=2e-5)
    assert VoteCount(0, 0, 3).first_share.high == 1.0
