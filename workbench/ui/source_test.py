"""A source tried out: its first items as it lists them, and the text of some of them. Nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from workbench import pipeline
from workbench.contracts import Parser, Source, SourceAccess, SourceConnection, Tick
from workbench.errors import Cancelled, WorkbenchError
from workbench.records import SourceItem
from workbench.workspace.workspace import workers

LISTED, READ = 10, 3
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

    key: str
    items: tuple[SourceItem, ...] = ()
    more: bool = False
    """Whether it lists more than these."""
    problems: tuple[str, ...] = ()
    failure: str = ""
    previews: tuple[Preview, ...] = ()
    seconds: float = 0.0


def tried(source: Source, parser: Parser, folder: Path, cancelled: Callable[[], bool], tick: Tick) -> Tried:
    """Return the first items of a source and the texts of the very first; foreseeable trouble is an answer."""
    started = time.perf_counter()
    try:
        with source.connection(SourceAccess(folder, cancelled)) as connection:
            listing = connection.items()
            found = list(islice(listing, LISTED + 1))
            items = found[:LISTED]
            previews = []
            if not listing.failure:
                for number, item in enumerate(items[:READ]):
                    tick(number, min(READ, len(items)))
                    previews.append(_preview(connection, source, parser, item, cancelled))
            return Tried(
                source.key,
                tuple(items),
                len(found) > LISTED,
                tuple(listing.problems),
                str(listing.failure or ""),
                tuple(previews),
                time.perf_counter() - started,
            )
    except Cancelled:
        raise
    except WorkbenchError as error:
        return Tried(source.key, failure=str(error), seconds=time.perf_counter() - started)


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
