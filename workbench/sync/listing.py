"""What the sources hold now, and the plan that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import Fault, SourceAccess, SourceConnection
from workbench.counts import counted
from workbench.errors import Cancelled, ContractError, QuotaError, WorkbenchError
from workbench.ingest.entries import Key
from workbench.ingest.plan import Listed, Plan, RefusedRemoval, Removal, Rules, gone_removals, plan
from workbench.ingest.standings import Standings
from workbench.ingest.steps import Step
from workbench.sections import Budget, Deletes
from workbench.sync.cursors import settings, starts
from workbench.sync.events import SourceListed
from workbench.sync.isolation import isolated
from workbench.sync.place import Place, stamp
from workbench.sync.preparing import NotPrepared, Prepared, Task

SENTENCES_A_MESSAGE = 5
LATELY = timedelta(days=7)
"""What is missing is measured against the most that was known in this time: else half may go each day unasked."""


@dataclass
class Sources:
    """The sources of a config while a run lasts: what they list, and the way to read it."""

    standings: Standings
    """What they list, beside what the ledger knows."""
    complete: set[str] = field(default_factory=set)
    to_the_end: set[str] = field(default_factory=set)
    """The complete ones, and those whose changes since a cursor came to their end: nothing of them is unknown."""
    removed: set[Key] = field(default_factory=set)
    connections: dict[str, SourceConnection] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    quota_used_up: str = ""
    """The sentence of a service whose quota no waiting heals; "" while there is none."""
    cursors: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Source → its settings, and the cursor that may be kept once everything listed here is safely in."""
    incomplete: list[str] = field(default_factory=list)
    """Sentences about sources that answered, and yet could not list everything."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """Source → what of it could not be listed, for each that came to its end."""
    hiding: dict[str, int] = field(default_factory=dict)
    """Sources that were listed but for faults which may hide a known item → about how many items those are."""
    read: set[Key] = field(default_factory=set)
    """What was read for the published table: for the config's own it is not fetched again."""
    unreadable: dict[Key, WorkbenchError | ContractError] = field(default_factory=dict)
    """What could not be read then: nor is it asked for again."""

    def task(self, step: Step) -> Task:
        """Return an item of the plan with all that is known of it now."""
        now = self.standings.of(step.key)
        return Task(
            replace(step, fetch=False) if step.key in self.read else step,
            now.listed,
            now.item,
            now.trusted,
            self.connections.get(step.key[0]),
            self.unreadable.get(step.key),
        )

    def note(self, key: Key, found: Prepared | NotPrepared) -> None:
        """Keep in mind how reading an item went."""
        if isinstance(found, NotPrepared) and found.item is None:
            self.unreadable[key] = found.error
        else:
            self.read.add(key)

    def listed(
        self,
        place: Place,
        published: Place | None,
        access: SourceAccess,
        stack: ExitStack,
        *,
        anew: bool = False,
    ) -> Iterator[SourceListed]:
        """Ask every source what it holds, or what changed since its cursor; one that fails stops no other.

        ``published`` is the place of the published table, where that is another.
        """
        cursors = {} if anew else starts(place, published)
        for source in place.config.sources:
            start = cursors.get(source.key, "")
            message = ""
            complete = False
            count = self.standings.listed_count
            try:
                with isolated(f"the source {source.name}", source.key):
                    connection = stack.enter_context(source.connection(access))
                    self.connections[source.key] = connection
                    listing = connection.items(start)
                    self.standings.take(source.key, listing)
                self.removed |= {(source.key, item_id) for item_id in listing.removed}
                complete = listing.complete
                if listing.complete_but_for_faults or (start and listing.finished):
                    self.to_the_end.add(source.key)
                if listing.finished:
                    self.faults[source.key] = listing.faults
                if listing.complete_but_for_faults and not complete:
                    self.hiding[source.key] = sum(one.items for one in listing.faults if one.hides)
                if listing.cursor and not listing.problem_count:
                    self.cursors[source.key] = settings(source), listing.cursor
                sentences = ([str(listing.failure)] if listing.failure else []) + listing.problems
                message = _shortened(sentences)
                if isinstance(listing.failure, QuotaError):
                    self.quota_used_up = str(listing.failure)
                if listing.failure:
                    self.failures.append(f"{source.key}: {listing.failure}")
                elif source.key not in self.to_the_end:
                    why = f": {message}" if message else ""
                    self.incomplete.append(f"{source.key}: not everything could be listed{why}")
            except Cancelled:
                raise
            except (WorkbenchError, ContractError) as error:
                message = str(error)
                if isinstance(error, QuotaError):
                    self.quota_used_up = message
                self.failures.append(f"{source.key}: {error}")
            if complete:
                self.complete.add(source.key)
            found = self.standings.listed_count - count
            unlisted = sum(one.items for one in self.faults.get(source.key, ()))
            but_for_faults = complete or source.key in self.hiding
            yield SourceListed(source.key, found, complete, message, bool(start), unlisted, but_for_faults)

    @property
    def unlisted(self) -> list[str]:
        """Sentences about the sources with something in them that could not be listed."""
        return [
            f"{source}: {counted(sum(one.items for one in faults), 'item')} could not be listed:"
            f" {_shortened([one.message for one in faults])}"
            for source, faults in self.faults.items()
            if faults
        ]

    @property
    def unlisted_count(self) -> int:
        """How many items could not be listed, about."""
        return sum(one.items for faults in self.faults.values() for one in faults)


def keep_unlisted(place: Place, sources: Sources, run_id: int) -> None:
    """Keep what could not be listed, and forget it of the sources that the config names no longer."""
    named = {source.key for source in place.config.sources}
    before = {one.source for one in place.ledger.unlisted.all(place.name)}
    found = {**{source: [] for source in before - named}, **sources.faults}
    place.ledger.unlisted.keep(place.name, found, place.now_utc(), run_id)


def standings(place: Place) -> Standings:
    """Return where the listing is laid beside the ledger; close it after use."""
    return place.ledger.standings(place.name, place.table_name, pipeline.document_id)


def planned(place: Place, sources: Sources, *, confirmed: bool, retry_all: bool, stored: bool) -> Plan:
    """Return the plan; with ``stored`` the sources were not asked, and nothing is taken as gone."""
    rules = _rules(place, sources, confirmed=confirmed, retry_all=retry_all)
    return plan(sources.standings, _listed(place, sources, stored), rules)


def removals_now(
    place: Place,
    sources: Sources,
    plan: Plan,
    gone: Sequence[Removal],
    moved: Set[Key],
    *,
    confirmed: bool,
) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...]]:
    """Return what is to go beside the plan's removals, and what is refused, once reading showed that some listed items
    are gone, and others only moved."""
    return gone_removals(plan, gone, moved, _rules(place, sources, confirmed=confirmed, retry_all=False))


def _listed(place: Place, sources: Sources, stored: bool) -> Listed:
    named = {source.key for source in place.config.sources}
    no_longer = sources.standings.sources() - named
    heard = sources.complete | sources.hiding.keys() | no_longer
    if stored:
        return Listed()
    return Listed(heard, sources.removed, heard | sources.to_the_end)


def lately(place: Place) -> str:
    """Return the day from which on what was known counts."""
    return stamp(place.clock() - LATELY)[:10]


def _rules(place: Place, sources: Sources, *, confirmed: bool, retry_all: bool) -> Rules:
    config = place.config
    return Rules(
        recipe=place.recipe,
        failure_recipe=place.failure_recipe,
        now_utc=place.now_utc(),
        min_present_ratio=(config.deletes or Deletes()).min_present_ratio,
        confirmed=confirmed,
        retry_all=retry_all,
        hiding=sources.hiding,
        most_known=place.ledger.most_known(place.name, lately(place)),
        tokens_a_document=partial(place.ledger.tokens_a_document, place.name),
        price_per_million_tokens=(config.budget or Budget()).price_per_million_tokens,
        chunk_tokens=_chunk_tokens(config),
    )


def _chunk_tokens(config: Config) -> int | None:
    size = getattr(config.chunker, "size_tokens", None)
    return size if isinstance(size, int) else None


def _shortened(sentences: list[str]) -> str:
    more = len(sentences) - SENTENCES_A_MESSAGE
    return "; ".join(sentences[:SENTENCES_A_MESSAGE]) + (f"; and {more:,} more" if more > 0 else "")
