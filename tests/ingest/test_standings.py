"""What sources list is laid beside the ledger item by item, and nothing of it piles up in memory."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import Cancelled
from workbench.ingest.entries import WRITING, WRITTEN, Failure, Item, Key, State
from workbench.ingest.ledger import Ledger
from workbench.ingest.plan import Listed, Rules, plan
from workbench.ingest.standings import Standing, Standings
from workbench.ingest.steps import Action, Step
from workbench.records import SourceItem

AT = "2026-03-01T12:00:00+00:00"
RULES = Rules(recipe=lambda name: "r", failure_recipe="f", now_utc=AT)


def listed(name: str) -> SourceItem:
    return SourceItem(name, "1", f"in/{name}.txt", "file:x", "“A” ü", 9, {"product": name}, "12:3")


def item(name: str, source: str = "s") -> Item:
    return Item(source, name, document_id(source, name), "1", "", "h", f"{name}.txt", "", 9, {"title": "ü"})


def state(name: str, status: str = WRITTEN) -> State:
    return State(document_id("s", name), "s", name, status, "r:h:", "k", "p", "", 2, 20)


def failure(name: str) -> Failure:
    return Failure("s", name, f"{name}.txt", "1", "f", "read", "X", "no", True, 1, AT, AT, AT, 1, "t")


def document_id(source: str, name: str) -> str:
    return f"d-{source}-{name}"


def standings(ledger: Ledger) -> Standings:
    return ledger.standings("p", "t", document_id)


names = st.sets(st.sampled_from(["a", "b", "ü", "名", "0", "~"]))


@settings(max_examples=30)
@given(names, names, names, names)
def test_every_item_stands_beside_all_that_is_known_of_it(
    now: set[str], items: set[str], states: set[str], failures: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.db")
        ledger.record("p", "t", [state(name) for name in states], [item(name) for name in items], AT)
        ledger.record("p", "other table", [state("a")])
        ledger.note_items("q", [item("b")], AT)
        for name in failures:
            ledger.note_failure("p", failure(name))
        with standings(ledger) as found:
            found.take("s", [listed(name) for name in now])
            got = list(found)
            for one in got:
                if one.state is None or one.item is not None:
                    assert found.of(one.key) == replace(one, state=found.of(one.key).state)
    joined: dict[Key, Standing] = {}
    for one in got:
        before = joined.get(one.key, Standing(one.key))
        joined[one.key] = replace(before, **{
            part: value
            for part in ("listed", "item", "state", "failure")
            if (value := getattr(one, part)) is not None
        })  # fmt: skip
    assert joined == {
        ("s", name): Standing(
            ("s", name),
            listed(name) if name in now else None,
            item(name) if name in items else None,
            state(name) if name in states else None,
            failure(name) if name in failures else None,
        )
        for name in now | items | states | failures
    }
    once = [one.key for one in got if one.is_known or one.listed]
    assert len(once) == len(set(once))


def test_what_is_listed_comes_first_and_in_the_order_of_the_listing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.note_items("p", [item("a")], AT)
    with standings(ledger) as found:
        found.take("s", [listed("z"), listed("b"), listed("m")])
        assert [one.key[1] for one in found] == ["z", "b", "m", "a"]
        assert found.listed_count == 3


@pytest.mark.parametrize(
    ("table", "status", "recipe", "moved"),
    [
        ("t", WRITTEN, "r:h:", True),
        ("other table", WRITTEN, "r:h:", False),
        ("t", WRITING, "r:h:", False),
        ("t", WRITTEN, "r:older:", False),
        ("t", WRITTEN, "", False),
    ],
)
def test_what_is_missing_has_moved_only_if_this_table_holds_its_content_in_another_place(
    tmp_path: Path, table: str, status: str, recipe: str, moved: bool
) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.record("p", "t", [state("old")], [item("old"), item("new")], AT)
    ledger.record("p", table, [replace(state("new", status), recipe=recipe)])
    with standings(ledger) as found:
        found.take("s", [listed("new")])
        assert found.moved() == ({("s", "old")} if moved else set())
    with standings(ledger) as found:
        assert found.moved() == set(), "the new place has to be listed"


def test_a_name_that_is_no_whole_text_comes_back_as_it_was(tmp_path: Path) -> None:
    odd = SourceItem("a", "1", path="in/\udcff.txt")
    with standings(Ledger(tmp_path / "ledger.db")) as found:
        found.take("s", [odd])
        assert next(iter(found)).listed == odd


def test_what_was_listed_before_a_listing_broke_off_is_there(tmp_path: Path) -> None:
    def broken() -> Iterator[SourceItem]:
        yield listed("a")
        raise Cancelled("stopped")

    with standings(Ledger(tmp_path / "ledger.db")) as found:
        with pytest.raises(Cancelled):
            found.take("s", broken())
        found.take("t", [listed("b")])
        assert [one.key for one in found] == [("s", "a"), ("t", "b")]


def test_only_a_finished_write_is_trusted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.intend("p", "t", [state("a", WRITING), state("b")], [item("a"), item("b")], AT)
    ledger.doubt("p", "t", [document_id("s", "b")])
    ledger.record("p", "t", [state("c")])
    with standings(ledger) as found:
        assert [one.trusted for one in (found.of(("s", name)) for name in "abc")] == [None, None, state("c")]
    assert (ledger.balance("p", "t").states, ledger.balance("p", "t").trusted) == (3, 1)
    assert (ledger.balance("p", "t").chunks, ledger.balance("p", "empty").states) == (2, 0)


def alive() -> int:
    return sum(type(one) in (SourceItem, Item, State, Standing) for one in gc.get_objects())


@pytest.mark.slow
def test_planning_holds_one_item_at_a_time_and_keeps_names_only(tmp_path: Path) -> None:
    count = 2_000
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.record("p", "t", [state(f"{n}") for n in range(count)], [item(f"{n}") for n in range(count)], AT)
    gc.collect()
    before = most = alive()

    def new() -> Iterator[SourceItem]:
        nonlocal most
        for number in range(0, 2 * count, 2):
            if number % 1_000 == 0:
                most = max(most, alive())
            yield listed(f"{number}")

    def watched(found: Standings) -> Iterator[Standing]:
        nonlocal most
        for number, one in enumerate(found):
            if number % 1_000 == 999:
                most = max(most, alive())
            yield one

    with standings(ledger) as found:
        # Half of them are known and as they should be, half are new; the other known ones are gone.
        found.take("s", new())
        made = plan(watched(found), Listed({"s"}), RULES)
    assert (made.counts[Action.REBUILD], made.counts[Action.ADD], made.counts[Action.REMOVE]) == (
        count // 2, count // 2, count // 2,
    )  # fmt: skip
    assert most - before <= 10
    assert alive() - before <= 10


@pytest.mark.slow
def test_what_a_first_sync_has_to_do_is_not_held_in_memory(tmp_path: Path) -> None:
    count = 2_000

    def steps_alive() -> int:
        return sum(type(one) is Step for one in gc.get_objects())

    # What other tests left behind is not of this plan.
    gc.collect()
    before = steps_alive()
    with standings(Ledger(tmp_path / "ledger.db")) as found:
        found.take("s", (listed(f"{number}") for number in range(count)))
        made = plan(found, Listed({"s"}), RULES)
    held = [steps_alive() - before for step in made.steps if step.key[1] == "1500"]
    assert (len(made.steps), len(held)) == (count, 1)
    assert held[0] <= 10
