"""What a sync would do: a pure function of what the sources list and what the ledger knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from workbench.counts import counted
from workbench.ingest.entries import WRITTEN, Failure, Item, Key, Moved, State
from workbench.ingest.expected import Expectation, Expected
from workbench.ingest.standings import Standing
from workbench.ingest.steps import IDLE, Action, Step, Steps
from workbench.records import SourceItem, digest

GONE = "gone"
"""The kind of failure of an item that its source lists and yet calls gone when it is read: it may come back."""


@dataclass(frozen=True, slots=True)
class Listed:
    """How the sources were listed."""

    complete: Set[str] = frozenset()
    """Keys of the sources that were listed to the end, if need be but for faults, and of those that the config names
    no longer."""
    removed: Set[Key] = frozenset()
    """Items that a source itself calls gone."""
    up_to_date: Set[str] = frozenset()
    """Keys of the complete ones, and of those of which all changes are known: what of them is there has an item."""


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
    hiding: Mapping[str, int] = field(default_factory=dict)
    """Source → about how many items of it could not be listed and may be known ones: what is missing may be these."""
    price_per_million_tokens: float = 0.0
    most_known: Mapping[str, int] = field(default_factory=dict)
    """Source → how many items of it were known at once lately: what is missing is measured against that."""
    tokens_a_document: Callable[[], float | None] = lambda: None
    """What another table of the pipeline knows, asked while this one is empty."""
    chunk_tokens: int | None = None
    """The size that the chunker aims at, where it has one."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A document that is to go, with the item it came from."""

    document_id: str
    key: Key


@dataclass(frozen=True, slots=True)
class RefusedRemoval:
    """A source in which too much is missing at once: that looks more like a fault than like a clean-up.

    Or one of which ``hidden`` items could not be listed, so that nobody knows what of it is missing at all.
    """

    source: str
    known: int
    present: int
    ratio: float
    missing: tuple[Removal, ...] = ()
    hidden: int = 0

    @property
    def sentence(self) -> str:
        """What is said about it."""
        if self.hidden:
            count = self.known - self.present
            return (
                f"{self.source}: {count:,} known {'item is' if count == 1 else 'items are'} missing, and"
                f" {self.hidden:,} that could not be listed may be the same: nothing was deleted; mend"
                f" {'it' if self.hidden == 1 else 'them'}, or confirm if what is missing is meant to go"
            )
        return (
            f"{self.source}: only {self.present:,} of {counted(self.known, 'known item')} {'is' if self.present == 1 else 'are'} there, fewer than"
            f" min_present_ratio ({self.ratio:g}) asks for: nothing is deleted but what is found unchanged at another"
            " place, so that what was moved and changed may answer twice; confirm if they are meant to go"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sync would do."""

    steps: Steps
    removals: tuple[Removal, ...]
    refused: tuple[RefusedRemoval, ...]
    counts: Mapping[Action, int]
    expected: Expected
    gone_failures: tuple[Key, ...] = ()
    """Failed items that are not in their source any more."""
    known_counts: Mapping[str, int] = field(default_factory=dict)
    """Source → how many of its items are known."""
    moved: tuple[Moved, ...] = ()
    set_aside: int = 0
    """How many of those that wait should be in the table: what its source calls gone is not among them."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.steps or self.removals)


def plan(standings: Iterable[Standing], listed: Listed, rules: Rules) -> Plan:
    """Return what brings the table to what the sources hold; the items are looked at one by one as they come.

    Nothing is removed because a listing lacks it, unless that listing is complete; and, unless ``confirmed``, nothing of
    a source in which fewer than ``min_present_ratio`` of the known items are left, or of which something could not be
    listed that may be a known item.
    """
    steps = Steps()
    counts: Counter[Action] = Counter()
    leaving = _Leaving(listed)
    expected = Expectation()
    gone_failures: list[Key] = []
    moved: list[Moved] = []
    set_aside = 0
    for one in standings:
        expected.learn(one.state)
        gone = leaving.take(one)
        if one.listed is not None:
            step = _step(one.key, one.listed, one, rules)
            if step.action is Action.KEEP and one.state is not None and _has_moved(one.listed, one.state):
                moved.append(Moved(one.key, one.state.document_id, one.listed.uri))
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
            steps.add(step)
            expected.add(_size(one))
        elif step.action is Action.WAIT and one.failure is not None:
            set_aside += one.failure.kind != GONE
    removals, refused, staying = leaving.settled(rules)
    for step, size in staying:
        counts[step.action] += 1
        if step.action not in IDLE:
            steps.add(step)
            expected.add(size)
    counts[Action.REMOVE] = len(removals)
    return Plan(
        steps,
        removals,
        refused,
        dict(counts),
        expected.of(len(steps), rules.price_per_million_tokens, rules.chunk_tokens, rules.tokens_a_document),
        tuple(gone_failures),
        dict(leaving.known_counts),
        tuple(moved),
        set_aside,
    )


def gone_removals(
    plan: Plan, gone: Iterable[Removal], moved: Set[Key], rules: Rules
) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...]]:
    """Return what is to go beside the plan's removals, and what is refused, now that reading showed some listed items
    to be gone as well, and missing ones to be there under another id: these have moved.

    Counted is what was known when the plan was made: what the run added since makes nothing good.
    """
    hidden = {one.source: one for one in plan.refused if one.hidden}
    going: dict[str, list[Removal]] = {
        one.source: list(one.missing) for one in plan.refused if not one.hidden
    }
    for removal in gone:
        going.setdefault(removal.key[0], []).append(removal)
    everything = [*going.values(), *(one.missing for one in hidden.values())]
    removals = [one for some in everything for one in some if one.key in moved]
    before = Counter(removal.key[0] for removal in plan.removals)
    refused: list[RefusedRemoval] = []
    for source, one in hidden.items():
        if missing := tuple(removal for removal in one.missing if removal.key not in moved):
            refused.append(_hidden(source, one.known, missing, one.hidden))
            before[source] += len(missing)
    for source, some in going.items():
        missing = tuple(one for one in some if one.key not in moved)
        known = plan.known_counts.get(source, 0)
        found = _refused(source, known, known - before[source] - len(missing), missing, rules)
        if found is not None:
            refused.append(found)
        else:
            removals += missing
    return tuple(removals), tuple(refused)


def _step(key: Key, item: SourceItem, known: Standing, rules: Rules) -> Step:
    here, failed = known.item, known.failure
    same = here is not None and item.version != "" and here.version == item.version
    if failed is not None:
        due = _is_due(failed, item.version, rules) or _has_other_size(failed, item, here)
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


def _has_moved(listed: SourceItem, state: State) -> bool:
    # Of files only: a page may be told by one address and read from another.
    return listed.uri != state.uri and listed.uri.startswith("file:") and state.uri.startswith("file:")


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


def content_hash_in(full_recipe: str) -> str:
    """Return the hash of the content that a document's rows were made from."""
    return full_recipe.split(":")[1]


def _is_due(failed: Failure, version: str, rules: Rules) -> bool:
    if rules.retry_all or failed.version != version or failed.recipe != rules.failure_recipe:
        return True
    if failed.last_at_utc > rules.now_utc:
        return True  # it failed in the future: the clock was set back since, and its next try says nothing
    # Without a version nobody can tell whether a damaged file was mended: it is looked at again, ever more rarely.
    return (failed.retryable or version == "") and (failed.next_try_utc or "") <= rules.now_utc


def _has_other_size(failed: Failure, item: SourceItem, here: Item | None) -> bool:
    """Return whether an item without a version shows by its size that what failed was mended since.

    Files that were written a moment ago have no version: half an upload and the whole file a little later.
    """
    sizes = item.size_bytes, here.size_bytes if here is not None else None
    # What could not be read left the size of an earlier content behind.
    return item.version == "" and failed.stage != "read" and None not in sizes and sizes[0] != sizes[1]


def _is_gone(key: Key, listed: Listed) -> bool:
    return key in listed.removed or key[0] in listed.complete


def _refused(
    source: str, known: int, present: int, missing: tuple[Removal, ...], rules: Rules
) -> RefusedRemoval | None:
    most = max(known, rules.most_known.get(source, 0))
    if rules.confirmed or present >= rules.min_present_ratio * most:
        return None
    return RefusedRemoval(source, most, present, rules.min_present_ratio, missing)


def _hidden(source: str, known: int, missing: tuple[Removal, ...], hidden: int) -> RefusedRemoval:
    return RefusedRemoval(source, known, known - len(missing), 0, missing, hidden)


class _Leaving:
    """Counts the known items of each source, and keeps those that are not there any more."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed
        self.known_counts: Counter[str] = Counter()
        self._gone: dict[str, list[Removal]] = {}
        self._let_go: list[Removal] = []
        self._staying: dict[str, list[tuple[Step, int | None]]] = {}

    def take(self, one: Standing) -> bool:
        """Note an item and return whether its document is to go, if that is not refused."""
        gone = one.is_known and one.listed is None and _is_gone(one.key, self._listed)
        if one.item is not None:
            self.known_counts[one.key[0]] += 1
            if gone:
                self._gone.setdefault(one.key[0], []).append(Removal(one.item.document_id, one.key))
        elif one.state is not None and one.listed is None and self._is_let_go(one.key):
            # Let go of already, when another table of the pipeline was synced: only these rows are left.
            self._let_go.append(Removal(one.state.document_id, one.key))
        elif one.state is not None:
            self.known_counts[one.key[0]] += 1
        return gone

    def _is_let_go(self, key: Key) -> bool:
        return _is_gone(key, self._listed) or key[0] in self._listed.up_to_date

    def if_it_stays(self, step: Step, size_bytes: int | None) -> None:
        """Note what becomes of the item if its source may delete nothing."""
        self._staying.setdefault(step.key[0], []).append((step, size_bytes))

    def settled(
        self, rules: Rules
    ) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...], list[tuple[Step, int | None]]]:
        """Return what is to go, what is refused, and what becomes of the items that stay therefore."""
        removals = list(self._let_go)
        refused: list[RefusedRemoval] = []
        staying: list[tuple[Step, int | None]] = []
        for source, gone in self._gone.items():
            known = self.known_counts[source]
            hidden = 0 if rules.confirmed else rules.hiding.get(source, 0)
            found = (
                _hidden(source, known, tuple(gone), hidden)
                if hidden
                else _refused(source, known, known - len(gone), tuple(gone), rules)
            )
            if found is not None:
                refused.append(found)
                staying += self._staying.get(source, ())
            else:
                removals += gone
        return tuple(removals), tuple(refused), staying


def _size(one: Standing) -> int | None:
    if one.listed is not None and one.listed.size_bytes is not None:
        return one.listed.size_bytes
    return one.item.size_bytes if one.item is not None else None
