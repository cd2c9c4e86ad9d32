"""What the sources hold now, and the plan that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import SourceAccess, SourceConnection
from workbench.errors import Cancelled, WorkbenchError
from workbench.ingest.entries import Key
from workbench.ingest.plan import Listed, Plan, RefusedRemoval, Removal, Rules, gone_removals, plan
from workbench.ingest.standings import Standings
from workbench.sections import Budget, Deletes, Failures
from workbench.sync.events import SourceListed
from workbench.sync.place import Place

SENTENCES_A_MESSAGE = 5


@dataclass
class Sources:
    """The sources of a config while a run lasts: what they list, and the way to read it."""

    standings: Standings
    """What they list, beside what the ledger knows."""
    complete: set[str] = field(default_factory=set)
    removed: set[Key] = field(default_factory=set)
    connections: dict[str, SourceConnection] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def listed(self, place: Place, access: SourceAccess, stack: ExitStack) -> Iterator[SourceListed]:
        """Ask every source what it holds; one that fails stops no other.

        Each is listed from its start. The cursor of a feed of changes is not kept between runs: none of the sources
        has a feed yet, and only a complete listing tells what is missing.
        """
        for source in place.config.sources:
            message = ""
            complete = False
            count = self.standings.listed_count
            try:
                connection = stack.enter_context(source.connection(access))
                self.connections[source.key] = connection
                listing = connection.items()
                self.standings.take(source.key, listing)
                self.removed |= {(source.key, item_id) for item_id in listing.removed}
                complete = listing.complete
                sentences = ([str(listing.failure)] if listing.failure else []) + listing.problems
                message = _shortened(sentences)
                if listing.failure:
                    self.failures.append(f"{source.key}: {listing.failure}")
            except Cancelled:
                raise
            except WorkbenchError as error:
                message = str(error)
                self.failures.append(f"{source.key}: {error}")
            if complete:
                self.complete.add(source.key)
            yield SourceListed(source.key, self.standings.listed_count - count, complete, message)


def standings(place: Place) -> Standings:
    """Return where the listing is laid beside the ledger; close it after use."""
    return place.ledger.standings(place.name, place.table_name, pipeline.document_id)


def planned(place: Place, sources: Sources, *, confirmed: bool, retry_all: bool, stored: bool) -> Plan:
    """Return the plan; with ``stored`` the sources were not asked, and nothing is taken as gone."""
    rules = _rules(place, confirmed=confirmed, retry_all=retry_all)
    return plan(sources.standings, _listed(place, sources, stored), rules)


def removals_now(
    place: Place, plan: Plan, gone: Sequence[Removal], *, confirmed: bool
) -> tuple[tuple[Removal, ...], tuple[RefusedRemoval, ...]]:
    """Return what is to go, and what is refused, once reading showed that these listed items are gone."""
    return gone_removals(plan, gone, _rules(place, confirmed=confirmed, retry_all=False))


def _listed(place: Place, sources: Sources, stored: bool) -> Listed:
    named = {source.key for source in place.config.sources}
    no_longer = sources.standings.sources() - named
    return Listed(set() if stored else sources.complete | no_longer, sources.removed)


def _rules(place: Place, *, confirmed: bool, retry_all: bool) -> Rules:
    config = place.config
    return Rules(
        recipe=place.recipe,
        failure_recipe=place.failure_recipe,
        now_utc=place.now_utc(),
        min_present_ratio=(config.deletes or Deletes()).min_present_ratio,
        confirmed=confirmed,
        retry_all=retry_all,
        max_attempts=(config.failures or Failures()).max_attempts,
        price_per_million_tokens=(config.budget or Budget()).price_per_million_tokens,
        chunk_tokens=_chunk_tokens(config),
    )


def _chunk_tokens(config: Config) -> int | None:
    size = getattr(config.chunker, "size_tokens", None)
    return size if isinstance(size, int) else None


def _shortened(sentences: list[str]) -> str:
    more = len(sentences) - SENTENCES_A_MESSAGE
    return "; ".join(sentences[:SENTENCES_A_MESSAGE]) + (f"; and {more:,} more" if more > 0 else "")
