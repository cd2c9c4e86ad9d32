"""What a sync would do: a pure function of what the sources list and what the ledger knows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from workbench.ingest.entries import WRITTEN, Failure, Item, Key, State
from workbench.records import SourceItem, digest

GONE = "gone"
"""The kind of failure of an item that its source lists and yet calls gone when it is read: it may come back."""

BYTES_A_TOKEN = 4.5
"""Of English text; a rough guess until the first documents are in."""


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


@dataclass(frozen=True, slots=True)
class Listed:
    """What the sources say."""

    items: Mapping[Key, SourceItem]
    complete: Set[str] = frozenset()
    """Keys of the sources that were listed to the end, and of those that the config names no longer."""
    removed: Set[Key] = frozenset()
    """Items that a source itself calls gone."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of one pipeline and one table."""

    items: Mapping[Key, Item] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    failures: Mapping[Key, Failure] = field(default_factory=dict)


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
class Expected:
    """What the work will come to, None where nothing is known yet. ``money`` is in the unit of the price."""

    chunks: int | None
    tokens: int | None
    money: float | None


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

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.steps or self.removals)


def plan(listed: Listed, known: Known, rules: Rules) -> Plan:
    """Return what brings the table to what the sources hold.

    Nothing is removed because a listing lacks it, unless that listing is complete; and nothing of a source in
    which fewer than ``min_present_ratio`` of the known items are left, unless ``confirmed``.
    """
    by_key = {state.key: state for state in known.states.values()}
    steps: list[Step] = []
    counts: Counter[Action] = Counter()
    for key, item in listed.items.items():
        step = _step(key, item, known, by_key.get(key), rules)
        counts[step.action] += 1
        if step.action not in (Action.KEEP, Action.WAIT):
            steps.append(step)
    removals, refused = _removals(listed, known, by_key, rules)
    going = {removal.key for removal in removals}
    for key, content in known.items.items():
        # Not listed this time, and not gone for sure: what the table lacks of it is made from what is here.
        if key not in listed.items and key not in going:
            failed = known.failures.get(key)
            stale = not _is_current(by_key.get(key), content, rules)
            waits = failed is not None and not _is_due(failed, failed.version, rules)
            action = (Action.WAIT if waits else Action.REBUILD) if stale else Action.KEEP
            counts[action] += 1
            if action is Action.REBUILD:
                steps.append(Step(action, key, fetch=False))
    counts[Action.REMOVE] = len(removals)
    gone = tuple(
        key
        for key in known.failures
        if key not in listed.items and _is_gone(key, listed) and key not in known.items
    )
    return Plan(
        tuple(steps),
        tuple(removals),
        tuple(refused),
        dict(counts),
        _expected(steps, listed, known, rules),
        gone,
    )


def gone_removals(
    gone: Set[Key], listed: Listed, known: Known, rules: Rules
) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...]]:
    """Return what is to go, and what is refused, now that reading showed some listed items to be gone as well."""
    left = {key: item for key, item in listed.items.items() if key not in gone}
    by_key = {state.key: state for state in known.states.values()}
    now = Listed(left, listed.complete, listed.removed | gone)
    removals, refused = _removals(now, known, by_key, rules)
    return tuple(removals), tuple(refused)


def _step(key: Key, item: SourceItem, known: Known, state: State | None, rules: Rules) -> Step:
    here = known.items.get(key)
    same = here is not None and item.version != "" and here.version == item.version
    failed = known.failures.get(key)
    if failed is not None:
        due = _is_due(failed, item.version, rules)
        return Step(Action.RETRY if due else Action.WAIT, key, fetch=not same)
    if here is None:
        return Step(Action.ADD, key, fetch=True)
    if not same:
        return Step(Action.CHANGE, key, fetch=True)
    return Step(Action.KEEP if _is_current(state, here, rules) else Action.REBUILD, key, fetch=False)


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


def _removals(
    listed: Listed, known: Known, by_key: Mapping[Key, State], rules: Rules
) -> tuple[list[Removal], list[RefusedRemoval]]:
    documents = {key: item.document_id for key, item in known.items.items()}
    documents.update({key: state.document_id for key, state in by_key.items()})
    of_source: dict[str, list[Key]] = defaultdict(list)
    for key in documents:
        of_source[key[0]].append(key)
    removals: list[Removal] = []
    refused: list[RefusedRemoval] = []
    for source, keys in of_source.items():
        gone = [key for key in keys if key not in listed.items and _is_gone(key, listed)]
        present = len(keys) - len(gone)
        if gone and present < rules.min_present_ratio * len(keys) and not rules.confirmed:
            refused.append(RefusedRemoval(source, len(keys), present, rules.min_present_ratio))
        else:
            removals += [Removal(documents[key], key) for key in gone]
    return removals, refused


def _expected(steps: list[Step], listed: Listed, known: Known, rules: Rules) -> Expected:
    if not steps:
        return Expected(0, 0, 0.0)
    written = [state for state in known.states.values() if state.status == WRITTEN]
    chunks: float | None
    tokens: float | None
    if written:
        chunks = len(steps) * sum(state.chunk_count for state in written) / len(written)
        tokens = len(steps) * sum(state.token_count for state in written) / len(written)
    else:
        sizes = [_size(step.key, listed, known) for step in steps]
        found = [size for size in sizes if size is not None]
        tokens = len(steps) * sum(found) / len(found) / BYTES_A_TOKEN if found else None
        chunks = (
            None if tokens is None or not rules.chunk_tokens else max(len(steps), tokens / rules.chunk_tokens)
        )
    money = None if tokens is None else tokens * rules.price_per_million_tokens / 1e6
    return Expected(
        None if chunks is None else round(chunks), None if tokens is None else round(tokens), money
    )


def _size(key: Key, listed: Listed, known: Known) -> int | None:
    item = listed.items.get(key)
    if item is not None and item.size_bytes is not None:
        return item.size_bytes
    here = known.items.get(key)
    return here.size_bytes if here is not None else None
