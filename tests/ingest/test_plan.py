"""The plan is a pure function of what the sources list and what the ledger knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ingest.entries import WRITING, WRITTEN, Failure, Item, Key, State
from workbench.ingest.plan import Listed, Plan, Rules, full_recipe
from workbench.ingest.plan import plan as plan_of
from workbench.ingest.standings import Standing
from workbench.ingest.steps import Action
from workbench.records import SourceItem

NOW = "2026-03-01T12:00:00+00:00"
LATER = "2026-03-01T12:05:00+00:00"
RULES = Rules(recipe=lambda name: "r", failure_recipe="f", now_utc=NOW)


def item(name: str, version: str = "1", source: str = "s") -> Item:
    return Item(source, name, f"d-{source}-{name}", version, "", "h", f"{name}.txt", "", 90)


def state(name: str, status: str = WRITTEN, source: str = "s", recipe: str = "r:h:") -> State:
    return State(f"d-{source}-{name}", source, name, status, recipe, "k", "p", "", 4, 80)


def failure(name: str, version: str = "1", **changes: Any) -> Failure:
    values: dict[str, Any] = {
        "retryable": True, "attempts": 1, "last_at_utc": NOW, "next_try_utc": LATER, "recipe": "f", **changes,
    }  # fmt: skip
    return Failure(
        source="s", item_id=name, name=name, version=version, stage="read", kind="x", message="",
        first_at_utc=NOW, run_id=1, **values,
    )  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What the ledger knows, for a test to change."""

    items: dict[Key, Item]
    states: dict[str, State]
    failures: Mapping[Key, Failure] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What the sources say."""

    items: dict[Key, SourceItem]
    complete: set[str]
    removed: set[Key] = field(default_factory=set)


def standings(now: Told, before: Known) -> Iterator[Standing]:
    states = {one.key: one for one in before.states.values()}
    for key in dict.fromkeys([*now.items, *before.items, *states, *before.failures]):
        yield Standing(
            key, now.items.get(key), before.items.get(key), states.get(key), before.failures.get(key)
        )


def plan(now: Told, before: Known, rules: Rules) -> Plan:
    return plan_of(standings(now, before), Listed(now.complete, now.removed), rules)


def known(*names: str, failures: Mapping[Key, Failure] | None = None) -> Known:
    return Known(
        {("s", name): item(name) for name in names},
        {f"d-s-{name}": state(name) for name in names},
        failures or {},
    )


def listed(*items: SourceItem, complete: bool = True) -> Told:
    return Told({("s", one.item_id): one for one in items}, {"s"} if complete else set())


def here(*names: str, version: str = "1") -> list[SourceItem]:
    return [SourceItem(name, version, size_bytes=45) for name in names]


def actions(found: Plan) -> dict[str, str]:
    steps = {step.key[1]: step.action.value for step in found.steps}
    return {**steps, **{removal.key[1]: "remove" for removal in found.removals}}


def test_each_kind_of_item_gets_its_action() -> None:
    items = [*here("new", "same", "other_table"), *here("changed", version="2")]
    before = known("same", "changed", "other_table", "gone")
    del before.states["d-s-other_table"]
    found = plan(listed(*items), before, RULES)
    assert actions(found) == {"new": "add", "changed": "change", "other_table": "rebuild", "gone": "remove"}
    assert found.counts[Action.KEEP] == 1
    assert {step.key[1]: step.fetch for step in found.steps} == {
        "new": True,
        "changed": True,
        "other_table": False,
    }


def test_an_item_without_a_version_is_always_looked_at() -> None:
    assert actions(plan(listed(SourceItem("a")), known("a"), RULES)) == {"a": "change"}


@pytest.mark.parametrize("recipe", ["other:h:", "r:other:", "r:h:about", ""])
def test_rows_made_in_another_way_or_from_other_content_are_made_anew(recipe: str) -> None:
    before = Known({("s", "a"): item("a")}, {"d-s-a": state("a", recipe=recipe)})
    assert actions(plan(listed(*here("a")), before, RULES)) == {"a": "rebuild"}


def test_a_write_that_never_ended_is_done_again() -> None:
    before = Known({("s", "a"): item("a")}, {"d-s-a": state("a", WRITING)})
    assert actions(plan(listed(*here("a")), before, RULES)) == {"a": "rebuild"}


def test_nothing_is_removed_on_the_word_of_half_a_listing() -> None:
    found = plan(listed(*here("a"), complete=False), known("a", "b"), RULES)
    assert (actions(found), found.counts[Action.KEEP]) == ({}, 2)


def test_what_the_source_itself_calls_gone_is_removed_without_a_complete_listing() -> None:
    half = Told({("s", "a"): SourceItem("a", "1")}, set(), {("s", "b")})
    assert actions(plan(half, known("a", "b"), RULES)) == {"b": "remove"}


def test_what_is_not_listed_is_still_brought_to_another_table() -> None:
    before = Known({("s", "a"): item("a")}, {})
    found = plan(listed(complete=False), before, RULES)
    assert [(step.action, step.fetch) for step in found.steps] == [(Action.REBUILD, False)]


def test_the_ratio_counts_each_source_for_itself() -> None:
    names = ("a", "b", "c")
    items = {("s", n): item(n) for n in names} | {("t", n): item(n, source="t") for n in names}
    states = {f"d-{s}-{n}": state(n, source=s) for s in "st" for n in names}
    now = Told({("s", "a"): SourceItem("a", "1"), **{("t", n): SourceItem(n, "1") for n in "ab"}}, {"s", "t"})
    found = plan(now, Known(items, states), RULES)
    assert [removal.key for removal in found.removals] == [("t", "c")]
    assert [(one.source, one.known, one.present) for one in found.refused] == [("s", 3, 1)]


def test_exactly_the_ratio_is_enough() -> None:
    assert len(plan(listed(*here("a")), known("a", "b"), RULES).removals) == 1


def test_rows_of_what_another_table_let_go_are_removed_without_asking_again() -> None:
    before = Known({("s", "b"): item("b")}, {f"d-s-{name}": state(name) for name in "abcd"})
    found = plan(listed(*here("b")), before, RULES)
    assert (actions(found), found.refused) == ({"a": "remove", "c": "remove", "d": "remove"}, ())
    assert actions(plan(listed(complete=False), before, RULES)) == {}


@pytest.mark.parametrize(
    ("changes", "version", "now", "expected"),
    [
        ({}, "1", NOW, "wait"),
        ({}, "1", LATER, "retry"),
        ({}, "2", NOW, "retry"),
        ({"recipe": "another config"}, "1", NOW, "retry"),
        ({"retryable": False}, "1", LATER, "wait"),
        ({"retryable": False}, "2", NOW, "retry"),
        ({"attempts": 80}, "1", NOW, "wait"),
        ({"attempts": 80}, "1", LATER, "retry"),
        ({"last_at_utc": LATER}, "1", NOW, "retry"),
    ],
)
def test_a_failed_item_is_tried_again_when_it_may_succeed(
    changes: dict[str, Any], version: str, now: str, expected: str
) -> None:
    before = known(failures={("s", "a"): failure("a", **changes)})
    found = plan(listed(*here("a", version=version)), before, Rules(lambda n: "r", "f", now))
    assert found.counts.get(Action(expected)) == 1


def test_a_failed_item_that_is_gone_is_forgotten() -> None:
    before = known(failures={("s", "a"): failure("a")})
    assert plan(listed(), before, RULES).gone_failures == (("s", "a"),)
    assert plan(listed(complete=False), before, RULES).gone_failures == ()


def test_what_is_expected_follows_the_documents_that_are_in() -> None:
    # One document with 4 chunks and 80 tokens is in: three more are expected to be like it.
    rules = Rules(lambda n: "r", "f", NOW, price_per_million_tokens=1_000_000)
    found = plan(listed(*here("a", "x", "y", "z")), known("a"), rules)
    assert (found.expected.chunks, found.expected.tokens, found.expected.money) == (12, 240, 240.0)


def test_before_the_first_document_sizes_give_a_rough_guess() -> None:
    # 45 bytes are about 10 tokens: two documents, 20 tokens, 4 chunks of 5.
    rules = Rules(lambda n: "r", "f", NOW, chunk_tokens=5)
    assert plan(listed(*here("x", "y")), known(), rules).expected.chunks == 4
    assert plan(listed(SourceItem("x", "1")), known(), rules).expected.chunks is None


def test_before_the_first_document_of_a_new_model_the_other_table_knows_how_much_text_there_is() -> None:
    rules = replace(
        RULES, tokens_a_document=lambda: 300.0, price_per_million_tokens=1_000_000, chunk_tokens=50
    )
    expected = plan(listed(*here("x", "y")), Known({("s", n): item(n) for n in "xy"}, {}), rules).expected
    assert (expected.chunks, expected.tokens, expected.money) == (12, 600, 600.0)


names = st.sampled_from("abcdef")


@given(st.sets(names), st.sets(names), st.booleans(), st.booleans())
def test_every_item_is_counted_once_and_only_missing_ones_leave(
    now: set[str], before: set[str], complete: bool, confirmed: bool
) -> None:
    rules = Rules(lambda n: "r", "f", NOW, confirmed=confirmed)
    found = plan(listed(*here(*sorted(now)), complete=complete), known(*sorted(before)), rules)
    gone = {removal.key[1] for removal in found.removals}
    assert gone <= before - now
    assert gone == (
        before - now if complete and (confirmed or 2 * len(before & now) >= len(before)) else set()
    )
    refused = len(before - now) if found.refused else 0
    assert sum(found.counts.values()) == len(now | before)
    assert refused in (0, len(before - now))


def test_a_recipe_holds_the_content_and_what_is_said_of_it() -> None:
    plain = full_recipe("r", item("a"))
    assert plain == "r:h:"
    assert full_recipe("r", replace(item("a"), about={"product": "tram"})) != plain
