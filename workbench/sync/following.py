"""The published release's table, where it is another than the config's own: a sync keeps both true to the sources.

They part when the gate refuses a new config, while it waits to be published, and after going back to an earlier
release: what answers questions must not grow stale because the config says something else.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.config import parsed
from workbench.errors import ServiceError, SettingsError, WorkbenchError
from workbench.ingest.entries import Release
from workbench.sections import Budget
from workbench.sync.place import Place


def followed(place: Place) -> Place | None:
    """Return the place of the published table, None where nothing is published or the config itself writes it.

    Raises ``ServiceError`` where it cannot be kept up to date: its plug-ins or its model are not to be had here, or
    are others now.
    """
    release = place.ledger.releases.published(place.name)
    if release is None or release.table_name == place.table_name:
        return None
    try:
        return _there(place, release)
    except WorkbenchError as error:
        raise ServiceError(
            f"release {release.id} is published, and its table is not kept up to date any more: {error}"
        ) from error


def _there(place: Place, release: Release) -> Place:
    config = parsed(release.config, "its config")
    own = place.config
    there = place.beside(
        replace(
            config,
            sources=own.sources,
            deletes=own.deletes,
            failures=own.failures,
        )
    )
    if there.table_name != release.table_name:
        raise SettingsError(
            f"{release.model_title}, or what cuts its texts, is another one here now than when it was published"
        )
    if config.embedder == own.embedder:
        return replace(there, config=replace(there.config, budget=own.budget))
    # The price in the config is of the config's own model.
    price = release.price_per_million_tokens
    if price is None:
        price = there.model.price_usd_per_million_tokens or 0.0
    budget = (own.budget or Budget()).model_copy(update={"price_per_million_tokens": price})
    return replace(there, config=replace(there.config, budget=budget))
