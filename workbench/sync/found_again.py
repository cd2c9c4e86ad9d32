"""Releases found again from the tables, where the ledger is lost and no copy of them is left."""

from __future__ import annotations

from contextlib import suppress

from workbench.config import parsed
from workbench.contracts import StoreConnection
from workbench.counts import counted
from workbench.errors import ConfigError, InputError, ServiceError
from workbench.ingest.ledger import Ledger

UNKNOWN_POINTER = (
    "the ledger was lost, and with it which table of {name} is published: sync and publish one of its configs"
)


def find_releases(ledger: Ledger, connection: StoreConnection, pipeline: str) -> str:
    """Note a release for every table of a pipeline that a lost ledger knew; return what to tell, "" for nothing.

    A table says its config. What was measured, and which table was published, it does not say.
    """
    if ledger.knows(pipeline) or ledger.releases.all(pipeline):
        return ""
    count = 0
    # Where nothing can be written they are found again later; until then nothing counts as published.
    with suppress(ServiceError):
        for info in connection.tables():
            about = info.about
            if about.get("pipeline") != pipeline:
                continue
            with suppress(ConfigError, InputError):
                parsed(about.get("config", ""), info.name)
                ledger.releases.find_again(
                    pipeline,
                    info.name,
                    about["config"],
                    about.get("model_title", ""),
                    about.get("built_at_utc", ""),
                )
                count += 1
    if not count:
        return ""
    return (
        f"the ledger was lost: {counted(count, 'release')} of {pipeline} found again from the tables, with config and"
        " table and without notes and figures; which one was published is not known: publish one"
    )
