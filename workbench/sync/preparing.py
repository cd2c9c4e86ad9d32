"""One item → its document: fetched if need be, parsed if need be, and both kept for the next config."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from workbench import pipeline
from workbench.contracts import SourceConnection
from workbench.errors import Cancelled, ContractError, InputError, WorkbenchError
from workbench.files import shown_name
from workbench.ingest.entries import Item, Key, State
from workbench.ingest.plan import Step, full_recipe
from workbench.records import Document, SourceItem, content_digest, digest
from workbench.sync.place import Place
from workbench.workspace.workspace import workers

READ, PARSE = "read", "parse"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item with its text. ``document`` is None where the content is what the table was made from already."""

    step: Step
    item: Item
    document: Document | None
    parse_key: str
    seconds: Mapping[str, float]
    bytes_read: int


@dataclass(frozen=True, slots=True)
class NotPrepared:
    """An item that could not be read or parsed."""

    step: Step
    stage: str
    error: WorkbenchError | ContractError


def prepared(
    place: Place,
    step: Step,
    listed: SourceItem | None,
    here: Item | None,
    state: State | None,
    connection: SourceConnection | None,
    cancelled: Callable[[], bool],
) -> Prepared | NotPrepared:
    """Return the item's document; foreseeable trouble is an answer, ``Cancelled`` and bugs are raised."""
    stage = READ
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    try:
        content = None if step.fetch or here is None else place.kept.content(here.content_hash)
        fetched = content is None
        if content is None:
            here, content = _fetched(place, step.key, listed, here, connection)
            seconds[READ] = time.perf_counter() - started
        assert here is not None
        size = len(content) if fetched else 0
        if state is not None and state.recipe == full_recipe(place.recipe(here.name), here):
            return Prepared(step, here, None, state.parse_key, seconds, size)
        stage, started = PARSE, time.perf_counter()
        document, parse_key = parsed(place, here, content, cancelled)
        seconds[PARSE] = time.perf_counter() - started
        return Prepared(step, here, document, parse_key, seconds, size)
    except Cancelled:
        raise
    except (WorkbenchError, ContractError) as error:
        return NotPrepared(step, stage, error)


def parsed(
    place: Place, item: Item, content: bytes, cancelled: Callable[[], bool] = lambda: False
) -> tuple[Document, str]:
    """Return the item's text as the config's parser reads it, and the key it is kept under."""
    parser = pipeline.parser_for(item.name, place.config.parser)
    key = digest([parser.key(item.content_hash), item.name])
    found = place.kept.parse(key, item.document_id, item.uri)
    if found is None:
        found = pipeline.parsed(content, item.name, item.document_id, item.uri, parser, workers(), cancelled)
        place.kept.keep_parse(key, found)
    about = dict(item.about)
    title = about.pop("title", "") or found.document.title
    return replace(found.document, title=title, metadata={**found.document.metadata, **about}), key


def _fetched(
    place: Place, key: Key, listed: SourceItem | None, here: Item | None, connection: SourceConnection | None
) -> tuple[Item, bytes]:
    if listed is None or connection is None:
        raise InputError(
            "its content is not kept here any more, and its source does not list it now: sync with its source",
            "gone",
        )
    before = None if here is None else place.kept.content(here.content_hash)
    raw = connection.read(listed, here.validator if here is not None and before is not None else "")
    if raw is None:
        if here is None or before is None:
            raise ContractError(f"{connection.name} said “not changed” of an item that was never read")
        return replace(here, version=listed.version), before
    content_hash = content_digest(raw.data)
    if not raw.data:
        raise InputError("it is empty (0 bytes)", "damaged")
    if here is None or here.content_hash != content_hash or before is None:
        place.kept.keep_content(content_hash, raw.data)
    uri = raw.uri or listed.uri
    item = Item(
        source=key[0],
        item_id=key[1],
        document_id=pipeline.document_id(*key),
        version=raw.version or listed.version,
        validator=raw.validator,
        content_hash=content_hash,
        name=shown_name(raw.name),
        uri=uri.encode("utf-8", "backslashreplace").decode(),
        size_bytes=len(raw.data),
        about={"title": raw.title or listed.title, **listed.metadata, **raw.metadata},
    )
    return item, raw.data
