"""What a sync would do: a pure function of what the sources list and what the ledger knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from workbench.ingest.entries import WRITTEN, Failure, Item, Key, State
from workbench.ingest.expected import Expectation, Expected
from workbench.ingest.standings import Standing
from workbench.records import SourceItem, digest

GONE = "gone"
"""The kind of failure of an item that its source lists and yet calls gone when it is read: it may come back."""


class Action(StrEnum):
    """What is to be done with one item."""

    ADD = "add"
    CHANGE = "change"
    REBUILD = "rebuild"
    """Its content is here; this table does not hold it as this config makes it. Nothing is fetched."""
    RETRY = "retry"
    KEEP = "keep"
    WAIT = "wait"
    """It failed, and is not due yet."""
    REMOVE = "remove"


IDLE = (Action.KEEP, Action.WAIT)
"""Nothing is done."""


@dataclass(frozen=True, slots=True)
class Listed:
    """How the sources were listed."""

    complete: Set[str] = frozenset()
    """Keys of the sources that were listed to the end, and of those that the config names no longer."""
    removed: Set[Key] = frozenset()
    """Items that a source itself calls gone."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides beside the two. ``recipe`` gives, for a file name, what decides rows apart from the content."""

    recipe: Callable[[str], str]
    failure_recipe: str
    """Changes with the config: what failed under another one is tried again."""
    now_utc: str
    min_present_ratio: float = 0.5
    confirmed: bool = False
    retry_all: bool = False
    max_attempts: int = 8
    price_per_million_tokens: float = 0.0
    chunk_tokens: int | None = None
    """The size that the chunker aims at, where it has one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One item that needs work. ``fetch`` is False where its newest content is here already."""

    action: Action
    key: Key
    fetch: bool


@dataclass(frozen=True, slots=True)
class Removal:
    """A document that is to go, with the item it came from."""

    document_id: str
    key: Key


@dataclass(frozen=True, slots=True)
class RefusedRemoval:
    """A source in which too much is missing at once: that looks more like a fault than like a clean-up."""

    source: str
    known: int
    present: int
    ratio: float

    @property
    def sentence(self) -> str:
        """What is said about it."""
        return (
            f"{self.source}: only {self.present:,} of {self.known:,} known items are there, fewer than"
            f" min_present_ratio ({self.ratio:g}) asks for: nothing was deleted; confirm if they are meant to go"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do."""

    steps: tuple[Step, ...]
    removals: tuple[Removal, ...]
    refused: tuple[RefusedRemoval, ...]
    counts: Mapping[Action, int]
    expected: Expected
    gone_failures: tuple[Key, ...] = ()
    """Failed items that are not in their source any more."""
    known_counts: Mapping[str, int] = field(default_factory=dict)
    """Source → how many of its items are known."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.steps or self.removals)


def plan(standings: Iterable[Standing], listed: Listed, rules: Rules) -> Plan:
    """Return what brings the table to what the sources hold; the items are looked at one by one as they come.

    Nothing is removed because a listing lacks it, unless that listing is complete; and nothing of a source in
    which fewer than ``min_present_ratio`` of the known items are left, unless ``confirmed``.
    """
    steps: list[Step] = []
    counts: Counter[Action] = Counter()
    leaving = _Leaving(listed)
    expected = Expectation()
    gone_failures: list[Key] = []
    for one in standings:
        expected.learn(one.state)
        gone = leaving.take(one)
        if one.listed is not None:
            step = _step(one.key, one.listed, one, rules)
        elif one.item is not None:
            step = _unlisted_step(one.key, one.item, one, rules)
            if gone:
                leaving.if_it_stays(step, _size(one))
                continue
        else:
            if not one.is_known and _is_gone(one.key, listed):
                gone_failures.append(one.key)
            continue
        counts[step.action] += 1
        if step.action not in IDLE:
            steps.append(step)
            expected.add(_size(one))
    removals, refused, staying = leaving.settled(rules)
    for step, size in staying:
        counts[step.action] += 1
        if step.action not in IDLE:
            steps.append(step)
            expected.add(size)
    counts[Action.REMOVE] = len(removals)
    return Plan(
        tuple(steps),
        removals,
        refused,
        dict(counts),
        expected.of(len(steps), rules.price_per_million_tokens, rules.chunk_tokens),
        tuple(gone_failures),
        dict(leaving.known_counts),
    )


def gone_removals(
    plan: Plan, gone: Iterable[Removal], rules: Rules
) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...]]:
    """Return what is to go, and what is refused, now that reading showed some listed items to be gone as well.

    Counted is what was known when the plan was made: what the run added since makes nothing good.
    """
    going: dict[str, list[Removal]] = {}
    for removal in (*plan.removals, *gone):
        going.setdefault(removal.key[0], []).append(removal)
    refused = {one.source: one for one in plan.refused}
    removals: list[Removal] = []
    for source, some in going.items():
        known = plan.known_counts[source]
        present = (refused[source].present if source in refused else known) - len(some)
        if source in refused or _is_refused(known, present, rules):
            refused[source] = RefusedRemoval(source, known, present, rules.min_present_ratio)
        else:
            removals += some
    return tuple(removals), tuple(refused.values())


def _step(key: Key, item: SourceItem, known: Standing, rules: Rules) -> Step:
    here, failed = known.item, known.failure
    same = here is not None and item.version != "" and here.version == item.version
    if failed is not None:
        due = _is_due(failed, item.version, rules)
        return Step(Action.RETRY if due else Action.WAIT, key, fetch=not same)
    if here is None:
        return Step(Action.ADD, key, fetch=True)
    if not same:
        return Step(Action.CHANGE, key, fetch=True)
    return Step(Action.KEEP if _is_current(known.state, here, rules) else Action.REBUILD, key, fetch=False)


def _unlisted_step(key: Key, content: Item, known: Standing, rules: Rules) -> Step:
    """Return what becomes of an item that is not listed this time and stays: it is made from what is here."""
    if _is_current(known.state, content, rules):
        return Step(Action.KEEP, key, fetch=False)
    failed = known.failure
    waits = failed is not None and not _is_due(failed, failed.version, rules)
    return Step(Action.WAIT if waits else Action.REBUILD, key, fetch=False)


def _is_current(state: State | None, item: Item, rules: Rules) -> bool:
    return (
        state is not None
        and state.status == WRITTEN
        and state.recipe == full_recipe(rules.recipe(item.name), item)
    )


def full_recipe(recipe: str, item: Item) -> str:
    """Return everything that decides a document's rows: how they are made, and from what."""
    about = digest(dict(item.about))[:12] if item.about else ""
    return f"{recipe}:{item.content_hash}:{about}"


def _is_due(failed: Failure, version: str, rules: Rules) -> bool:
    if rules.retry_all or failed.version != version or failed.recipe != rules.failure_recipe:
        return True
    if failed.attempts >= rules.max_attempts and failed.kind != GONE:
        return False
    # Without a version nobody can tell whether a damaged file was mended: it is looked at again, ever more rarely.
    return (failed.retryable or version == "") and (failed.next_try_utc or "") <= rules.now_utc


def _is_gone(key: Key, listed: Listed) -> bool:
    return key in listed.removed or key[0] in listed.complete


def _is_refused(known: int, present: int, rules: Rules) -> bool:
    return present < rules.min_present_ratio * known and not rules.confirmed


class _Leaving:
    """Counts the known items of each source, and keeps those that are not there any more."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed
        self.known_counts: Counter[str] = Counter()
        self._gone: dict[str, list[Removal]] = {}
        self._staying: dict[str, list[tuple[Step, int | None]]] = {}

    def take(self, one: Standing) -> bool:
        """Note an item and return whether its document is to go, if that is not refused."""
        if not one.is_known:
            return False
        source = one.key[0]
        self.known_counts[source] += 1
        if one.listed is not None or not _is_gone(one.key, self._listed):
            return False
        held = one.state or one.item
        if held is not None:
            self._gone.setdefault(source, []).append(Removal(held.document_id, one.key))
        return True

    def if_it_stays(self, step: Step, size_bytes: int | None) -> None:
        """Note what becomes of the item if its source may delete nothing."""
        self._staying.setdefault(step.key[0], []).append((step, size_bytes))

    def settled(
        self, rules: Rules
    ) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...], list[tuple[Step, int | None]]]:
        """Return what is to go, what is refused, and what becomes of the items that stay therefore."""
        removals: list[Removal] = []
        refused: list[RefusedRemoval] = []
        staying: list[tuple[Step, int | None]] = []
        for source, gone in self._gone.items():
            known = self.known_counts[source]
            present = known - len(gone)
            if _is_refused(known, present, rules):
                refused.append(RefusedRemoval(source, known, present, rules.min_present_ratio))
                staying += self._staying.get(source, ())
            else:
                removals += gone
        return tuple(removals), tuple(refused), staying


def _size(one: Standing) -> int | None:
    if one.listed is not None and one.listed.size_bytes is not None:
        return one.listed.size_bytes
    return one.item.size_bytes if one.item is not None else None
