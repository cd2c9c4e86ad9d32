"""Where the next listing of a source may begin: kept once nothing that was listed before has to be named again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.contracts import Source
from workbench.ingest.plan import RefusedRemoval
from workbench.records import digest
from workbench.sync.place import Place


def keep_cursors(
    place: Place,
    published: Place | None,
    listed: Mapping[str, tuple[str, str]],
    refused: Iterable[RefusedRemoval],
) -> None:
    """Keep the cursors of the sources that have to name nothing again: no failure to retry, no refused deletion."""
    held = {one.source for one in refused} | _to_name_again(place, published)
    settled = {source: found for source, found in listed.items() if source not in held}
    place.ledger.keep_cursors(place.name, settled, place.now_utc())


def forget_cursors(place: Place) -> None:
    """Forget the cursors of the sources that the config names no longer: their items are about to go."""
    named = {source.key for source in place.config.sources}
    place.ledger.forget_cursors(place.name, place.ledger.cursors(place.name).keys() - named)


def starts(place: Place, published: Place | None) -> dict[str, str]:
    """Return the cursors to list from."""
    anew = _to_name_again(place, published)
    now = {source.key: settings(source) for source in place.config.sources}
    return {
        source: cursor
        for source, (listed_with, cursor) in place.ledger.cursors(place.name).items()
        if source not in anew and now.get(source) == listed_with
    }


def _to_name_again(place: Place, published: Place | None) -> set[str]:
    """Return the sources with a failure that may be tried again as it is: only what is listed can be read.

    A damaged file waits for another version of it, which a feed names by itself, or for another config.
    """
    recipes = {one.table_name: one.failure_recipe for one in (place, published) if one is not None}
    return {
        failure.source
        for failure in place.ledger.all_failures(place.name)
        if failure.retryable or not failure.version or failure.recipe != recipes.get(failure.table_name)
    }


def settings(source: Source) -> str:
    """Return what a source is listed with: under other settings its cursor means something else."""
    return digest(source.identity())
