"""What a listing promises whatever its source does: when it is complete, what is gone, where the next one begins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.contracts import Fault, ItemPage, Listing
from workbench.contracts.source import KEPT_FAULTS, KEPT_PROBLEMS
from workbench.errors import Cancelled, ContractError, ServiceError
from workbench.records import SourceItem


def page(*ids: str, removed: tuple[str, ...] = (), cursor: str = "", complete: bool = False) -> ItemPage:
    return ItemPage(tuple(SourceItem(i, path=i) for i in ids), removed, cursor, complete=complete)


def ids(listing: Listing) -> list[str]:
    return [item.item_id for item in listing]


def test_only_a_listing_whose_last_page_says_so_is_complete() -> None:
    for last, complete in ((True, True), (False, False)):
        listing = Listing(iter([page("a"), page("b", complete=last)]), "made")
        assert ids(listing) == ["a", "b"]
        assert (listing.complete, listing.finished) == (complete, True)


def test_a_listing_without_pages_is_finished_and_not_complete() -> None:
    listing = Listing(iter([]), "made")
    assert ids(listing) == []
    assert (listing.complete, listing.finished) == (False, True)


def test_a_failure_ends_a_listing_and_keeps_the_cursor_of_the_last_whole_page() -> None:
    def pages() -> Iterator[ItemPage]:
        yield page("a", cursor="1")
        yield page("b", cursor="2")
        raise ServiceError("it broke")

    listing = Listing(pages(), "made")
    assert ids(listing) == ["a", "b"]
    assert (listing.complete, listing.finished, str(listing.failure)) == (False, False, "it broke")
    assert listing.cursor == "2"


def test_a_cursor_counts_only_once_all_items_of_its_page_were_taken() -> None:
    listing = Listing(iter([page("a", "b", cursor="1")]), "made")
    taken = iter(listing)
    next(taken)
    assert listing.cursor == ""


@pytest.mark.parametrize("error", [Cancelled("stop"), ZeroDivisionError()])
def test_stops_and_bugs_are_raised(error: Exception) -> None:
    def pages() -> Iterator[ItemPage]:
        yield page("a")
        raise error

    listing = Listing(pages(), "made")
    with pytest.raises(type(error)):
        list(listing)
    assert (listing.complete, listing.finished) == (False, False)


def test_a_page_after_the_complete_one_is_a_bug_of_the_source() -> None:
    listing = Listing(iter([page("a", complete=True), page("b")]), "made")
    with pytest.raises(ContractError, match="after the complete one"):
        list(listing)
    assert not listing.complete


@pytest.mark.parametrize("item_id", ["", "x" * 5_000, "a\x00", "\ud800"])
def test_an_id_that_cannot_be_kept_is_a_bug_of_the_source(item_id: str) -> None:
    with pytest.raises(ContractError, match="gave the item id"):
        list(Listing(iter([page(item_id)]), "made"))


def test_an_id_that_comes_again_is_a_problem_and_not_an_item() -> None:
    listing = Listing(iter([page("a"), page("a", "b", complete=True)]), "made")
    assert ids(listing) == ["a", "b"]
    assert listing.problems == ["a is listed twice; the first one counts"]


def test_in_a_feed_of_changes_the_later_word_counts() -> None:
    feed = [page("a", "b"), page(removed=("a", "c")), page("c")]
    listing = Listing(iter(feed), "made")
    assert ids(listing) == ["a", "b", "c"]
    assert listing.removed == {"a"}
    assert not listing.complete


def test_of_many_problems_the_first_are_kept_and_all_are_counted() -> None:
    problems = tuple(f"problem {n}" for n in range(1_000))
    listing = Listing(iter([ItemPage(problems=problems, complete=True)]), "made")
    list(listing)
    assert listing.problem_count == 1_000
    assert listing.problems == list(problems[:KEPT_PROBLEMS])


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=6), st.integers(0, 7))
def test_a_source_that_breaks_anywhere_is_never_complete(pages: list[list[str]], at: int) -> None:
    def broken() -> Iterator[ItemPage]:
        for number, found in enumerate(pages):
            if number == at:
                raise ServiceError("it broke")
            yield page(*found, complete=number == len(pages) - 1)

    listing = Listing(broken(), "made")
    found = ids(listing)
    assert len(found) == len(set(found))
    assert listing.complete is (len(pages) > 0 and at >= len(pages))
    assert listing.complete is (
        set(found) == {i for one in pages for i in one} and listing.finished and bool(pages)
    )


@pytest.mark.parametrize("hides", [True, False])
def test_a_fault_that_may_be_a_known_item_makes_a_listing_complete_but_for_it(hides: bool) -> None:
    fault = Fault("row 7", "row 7 has no id", hides=hides)
    listing = Listing(iter([page("a"), ItemPage(faults=(fault,), complete=True)]), "made")
    assert ids(listing) == ["a"]
    assert (listing.complete, listing.complete_but_for_faults, listing.finished) == (not hides, True, True)
    assert (listing.faults, listing.problems) == ([fault], ["row 7 has no id"])


def test_with_faults_a_listing_that_ends_before_its_end_is_complete_in_no_way() -> None:
    listing = Listing(iter([ItemPage(faults=(Fault("row 7", "it has no id"),))]), "made")
    assert ids(listing) == []
    assert (listing.complete, listing.complete_but_for_faults) == (False, False)


def test_of_endless_faults_the_first_are_kept_and_all_are_counted() -> None:
    faults = tuple(Fault(f"row {n}", "it has no id", items=2, hides=False) for n in range(KEPT_FAULTS + 5))
    listing = Listing(iter([ItemPage(faults=faults, complete=True)]), "made")
    assert ids(listing) == []
    assert sum(fault.items for fault in listing.faults) == 2 * (KEPT_FAULTS + 5)
    assert listing.faults[-1] == Fault("10 more", "10 more cannot be listed", 10, hides=False)
