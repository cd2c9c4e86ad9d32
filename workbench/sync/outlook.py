"""What a sync would do: to the config's own table, and to what is published where that is another one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from workbench.config import check_environment
from workbench.contracts import SourceAccess
from workbench.errors import ServiceError
from workbench.ingest.plan import Plan
from workbench.sync.events import SourceListed
from workbench.sync.following import followed
from workbench.sync.listing import Sources, planned, standings
from workbench.sync.place import Place


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a sync would do now, and what the sources said."""

    plan: Plan
    sources: tuple[SourceListed, ...]
    release: Plan | None = None
    """For the published release's table; None where there is none but the config's own, or ``trouble``."""
    trouble: str = ""
    """Why the published release's table cannot be kept up to date."""

    @property
    def refused(self) -> list[str]:
        """A sentence for each source whose deletions are refused."""
        plans = [self.plan, *([self.release] if self.release else [])]
        return list(dict.fromkeys(one.sentence for plan in plans for one in plan.refused))


def outlook(place: Place, cancelled: Callable[[], bool], *, confirmed: bool, retry_all: bool) -> Outlook:
    """Return what a sync would do now; nothing is changed."""
    check_environment(place.config)
    with ExitStack() as stack:
        sources = Sources(stack.enter_context(standings(place)))
        access = SourceAccess(place.folder, cancelled)
        published, trouble = None, ""
        try:
            published = followed(place)
        except ServiceError as error:
            trouble = str(error)
        said = tuple(sources.listed(place, published, access, stack, anew=retry_all))

        def plan_of(there: Place) -> Plan:
            sources.standings.turn_to(there.table_name)
            return planned(there, sources, confirmed=confirmed, retry_all=retry_all, stored=False)

        own = plan_of(place)
        release = None if published is None else plan_of(published)
    return Outlook(own, said, release, trouble)
