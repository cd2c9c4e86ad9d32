"""A source tried out: its first items as it lists them, and the text of some of them. Nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench import pipeline
from workbench.contracts import Listing, Parser, Source, SourceAccess, SourceConnection, Tick
from workbench.errors import Cancelled, WorkbenchError
from workbench.http import Http, Limits
from workbench.records import SourceItem
from workbench.workspace.worker_pool import workers

LISTED, READ = 10, 3
MOST_COUNTED, COUNTING_S = 5_000, 5.0
"""Listing goes on behind the items that are shown: what is wrong with a table stands further down."""
PATIENCE = Limits(total_s=30.0, attempts=3)
"""Somebody is waiting for the answer; a sync is more patient with a server in trouble."""
SHOWN_CHARACTERS = 3_000


@dataclass(frozen=True)
class Preview:
    """One item as parsed text; ``trouble`` says why there is none."""

    name: str
    text: str = ""
    pages: int = 0
    characters: int = 0
    trouble: str = ""


@dataclass(frozen=True)
class Tried:
    """What came of trying a source. ``failure`` says why it cannot be listed."""

    kind: str
    items: tuple[SourceItem, ...] = ()
    count: int = 0
    more: bool = False
    """Whether there may be more than were counted."""
    complete: bool = False
    """Whether the listing was whole: only then a sync removes what is missing in it."""
    listed_but_for_faults: bool = False
    problems: tuple[str, ...] = ()
    failure: str = ""
    previews: tuple[Preview, ...] = ()


def tried(source: Source, parser: Parser, folder: Path, cancelled: Callable[[], bool], tick: Tick) -> Tried:
    """Return the first items of a source and the texts of the very first; foreseeable trouble is an answer."""
    try:
        with (
            Http(limits=PATIENCE) as http,
            source.connection(SourceAccess(folder, cancelled, http)) as connection,
        ):
            listing = connection.items()
            items, count, more = _counted(listing)
            previews = []
            for number, item in enumerate(items[:READ]):
                tick(number, min(READ, len(items)))
                previews.append(_preview(connection, source, parser, item, cancelled))
        return Tried(
            source.name,
            tuple(items),
            count,
            more,
            listing.complete,
            listing.complete_but_for_faults,
            tuple(listing.problems),
            str(listing.failure or ""),
            tuple(previews),
        )
    except Cancelled:
        raise
    except WorkbenchError as error:
        return Tried(source.name, failure=str(error))


def _counted(listing: Listing) -> tuple[list[SourceItem], int, bool]:
    """Return the first items, how many were counted, and whether there may be more."""
    until = time.monotonic() + COUNTING_S
    items: list[SourceItem] = []
    count = 0
    for item in listing:
        if len(items) < LISTED:
            items.append(item)
        elif count >= MOST_COUNTED or time.monotonic() > until:
            return items, count, True
        count += 1
    return items, count, False


def _preview(
    connection: SourceConnection,
    source: Source,
    parser: Parser,
    item: SourceItem,
    cancelled: Callable[[], bool],
) -> Preview:
    name = item.path or item.item_id
    try:
        raw = connection.read(item)
        if raw is None:
            return Preview(name, trouble="the source says that nothing changed since it was read")
        document = pipeline.parsed(
            raw.data,
            raw.name,
            pipeline.document_id(source.key, item.item_id),
            raw.uri or item.uri,
            pipeline.parser_for(raw.name, parser),
            workers(),
            cancelled,
        ).document
    except Cancelled:
        raise
    except WorkbenchError as error:
        return Preview(name, trouble=str(error))
    return Preview(name, document.text[:SHOWN_CHARACTERS], len(document.pages), len(document.text))
