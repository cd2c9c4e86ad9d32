"""Items → their documents: fetched if need be, parsed if need be, and both kept for the next config.

Small items go in batches: what is kept is read and written once per batch, and small texts travel to a worker
process in one piece. Each of them still fails alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workbench import pipeline
from workbench.contracts import Parser, SourceConnection
from workbench.counts import counted
from workbench.errors import Cancelled, ContractError, InputError, ServiceError, WorkbenchError
from workbench.files import shown_name
from workbench.ingest.entries import Item, Key, State
from workbench.ingest.plan import full_recipe
from workbench.ingest.steps import Step
from workbench.records import Document, ParsedFile, SourceItem, content_digest
from workbench.sync.isolation import isolated
from workbench.sync.place import Place, parse_key
from workbench.workspace.worker_pool import workers

READ, PARSE = "read", "parse"
SMALL_BYTES = 64_000
"""Up to here the way to a worker and back costs more than the reading of a plain text."""

BATCH_ITEMS, BATCH_BYTES = 64, 256_000


@dataclass(frozen=True, slots=True)
class Task:
    """An item of the plan with all that is known of it."""

    step: Step
    listed: SourceItem | None
    here: Item | None
    state: State | None
    """What the table surely holds of it."""
    connection: SourceConnection | None
    trouble: WorkbenchError | ContractError | None = None
    """Why it could not be read a moment ago, for another table."""

    @property
    def size_bytes(self) -> int | None:
        """How large its content is going to be, None where nobody knows."""
        known = self.listed if self.step.fetch else self.here
        return None if known is None else known.size_bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item with its text. ``document`` is None where the content is what the table was made from already."""

    step: Step
    item: Item
    document: Document | None
    parse_key: str
    seconds: Mapping[str, float]
    bytes_read: int
    incomplete: str = ""
    """Why the file is incomplete, as ``ParsedFile.incomplete`` says it; "" for a complete one."""
    failed_page_count: int = 0

    @property
    def partly_read(self) -> str:
        """Why only a part of the file was read, "" where all of it was."""
        failed = f"{counted(self.failed_page_count, 'page')} cannot be read" if self.failed_page_count else ""
        return self.incomplete or failed


@dataclass(frozen=True, slots=True)
class NotPrepared:
    """An item that could not be read or parsed."""

    step: Step
    stage: str
    error: WorkbenchError | ContractError
    item: Item | None = None
    """With its newest content, where that could be read: another config may make something of it."""
    is_incomplete: bool = False
    """Whether it was parsed, and left out because its file is incomplete."""


@dataclass(eq=False)
class _Content:
    """An item whose bytes are here."""

    task: Task
    item: Item
    data: bytes
    fetched: bool
    seconds: dict[str, float] = field(default_factory=dict)

    def prepared(self, parse_key: str, file: ParsedFile | None) -> Prepared:
        size = len(self.data) if self.fetched else 0
        if file is None:
            return Prepared(self.task.step, self.item, None, parse_key, self.seconds, size)
        document = named(file.document, self.item)
        failed = len(file.failed_pages)
        return Prepared(
            self.task.step, self.item, document, parse_key, self.seconds, size, file.incomplete, failed
        )


def prepared(
    place: Place, tasks: Sequence[Task], stop: Callable[[], bool], cancelled: Callable[[], bool]
) -> list[Prepared | NotPrepared]:
    """Return the items' documents in order; trouble is an answer, and so is ``Cancelled`` for what was not read any
    more once ``stop`` said so. What was read by then is parsed, unless ``cancelled``: that is raised."""
    contents, found = _contents(place, tasks, stop)
    unread: list[_Content] = []
    for content in contents:
        state, item = content.task.state, content.item
        # A document that moved keeps its rows; where it lives now is told to the ledger with its state.
        stays = state is not None and state.uri == item.uri
        if state is not None and stays and state.recipe == full_recipe(place.recipe(item.name), item):
            found[item.key] = content.prepared(state.parse_key, None)
        else:
            unread.append(content)
    try:
        found.update(_parsed(place, unread, cancelled))
    except Cancelled:
        raise
    except (WorkbenchError, ContractError) as error:
        found.update({one.item.key: NotPrepared(one.task.step, PARSE, error, one.item) for one in unread})
    return [found[task.step.key] for task in tasks]


def batches(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    """Yield the items in order, many small ones at once; one of unknown size alone, for it may be large."""
    batch: list[Task] = []
    size = 0
    for task in tasks:
        more = BATCH_BYTES if task.size_bytes is None else task.size_bytes
        if batch and (len(batch) == BATCH_ITEMS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(task)
        size += more
    if batch:
        yield batch


# ── read ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _contents(
    place: Place, tasks: Sequence[Task], stop: Callable[[], bool]
) -> tuple[list[_Content], dict[Key, Prepared | NotPrepared]]:
    """Return the contents, kept by now, and what could not be read."""
    trouble: dict[Key, Prepared | NotPrepared] = {}
    contents: list[_Content] = []
    try:
        kept = place.kept.contents([task.here.content_hash for task in tasks if task.here is not None])
        for task in tasks:
            try:
                if stop():
                    raise Cancelled("stopped while the sources were read")
                contents.append(_content(task, kept))
            except (WorkbenchError, ContractError) as error:
                trouble[task.step.key] = NotPrepared(task.step, READ, error)
        new = {one.item.content_hash: one.data for one in contents}
        place.kept.keep_contents({key: data for key, data in new.items() if key not in kept})
    except WorkbenchError as error:
        # The disk is to blame, for all of them.
        return [], {task.step.key: NotPrepared(task.step, READ, error) for task in tasks}
    return contents, trouble


def _content(task: Task, kept: Mapping[str, bytes]) -> _Content:
    if task.trouble is not None:
        raise task.trouble
    here = task.here
    before = None if here is None else kept.get(here.content_hash)
    if here is not None and before is not None and not task.step.fetch:
        return _Content(task, here, before, fetched=False)
    if task.listed is None or task.connection is None:
        raise ServiceError(
            "its content is not kept here any more, and its source does not list it now: sync with its source"
        )
    started = time.perf_counter()
    with isolated(f"the source {task.step.key[0]}", task.listed.path or task.listed.item_id):
        item, data = _fetched(task.step.key, task.listed, here, before, task.connection)
    return _Content(task, item, data, fetched=True, seconds={READ: time.perf_counter() - started})


def _fetched(
    key: Key, listed: SourceItem, here: Item | None, before: bytes | None, connection: SourceConnection
) -> tuple[Item, bytes]:
    raw = connection.read(listed, here.validator if here is not None and before is not None else "")
    if raw is None:
        if here is None or before is None:
            raise ContractError(f"{connection.name} said “not changed” of an item that was never read")
        return replace(here, version=listed.version), before
    if not raw.data:
        raise InputError("it is empty (0 bytes)", "damaged")
    uri = raw.uri or listed.uri
    item = Item(
        source=key[0],
        item_id=key[1],
        document_id=pipeline.document_id(*key),
        version=raw.version or listed.version,
        validator=raw.validator,
        content_hash=content_digest(raw.data),
        name=shown_name(raw.name),
        uri=uri.encode("utf-8", "backslashreplace").decode(),
        size_bytes=len(raw.data),
        about={"title": raw.title or listed.title, **listed.metadata, **raw.metadata},
    )
    return item, raw.data


# ── parse ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parsed(
    place: Place, contents: Sequence[_Content], cancelled: Callable[[], bool]
) -> dict[Key, Prepared | NotPrepared]:
    answers: dict[Key, Prepared | NotPrepared] = {}
    parsers: dict[Key, Parser] = {}
    for one in contents:
        try:
            parsers[one.item.key] = pipeline.parser_for(one.item.name, place.config.parser)
        except InputError as error:
            answers[one.item.key] = NotPrepared(one.task.step, PARSE, error)
    contents = [one for one in contents if one.item.key in parsers]
    keys = [parse_key(parsers[one.item.key], one.item) for one in contents]
    kept = place.kept.parses(
        [(key, one.item.document_id, one.item.uri) for key, one in zip(keys, contents, strict=True)]
    )
    files: dict[Key, ParsedFile | WorkbenchError] = {
        one.item.key: file for one, file in zip(contents, kept, strict=True) if file is not None
    }
    unread = [one for one in contents if one.item.key not in files]
    files.update(_read_by_workers(unread, parsers, cancelled))
    new: dict[str, ParsedFile] = {}
    for key, one in zip(keys, contents, strict=True):
        file = files[one.item.key]
        if isinstance(file, WorkbenchError):
            answers[one.item.key] = NotPrepared(one.task.step, PARSE, file, one.item)
            continue
        answers[one.item.key] = one.prepared(key, file)
        if one in unread:
            new[key] = file
    place.kept.keep_parses(new)
    return answers


def _read_by_workers(
    contents: Sequence[_Content], parsers: Mapping[Key, Parser], cancelled: Callable[[], bool]
) -> dict[Key, ParsedFile | WorkbenchError]:
    found: dict[Key, ParsedFile | WorkbenchError] = {}
    together: dict[str, list[_Content]] = {}
    for one in contents:
        parser = parsers[one.item.key]
        # A parser that shares out the pages of one file is asked file by file.
        if len(one.data) <= SMALL_BYTES and type(parser).parsed_by is Parser.parsed_by:
            together.setdefault(parser.name, []).append(one)
            continue
        started = time.perf_counter()
        try:
            found[one.item.key] = pipeline.parsed(*_file(one), parser, workers(), cancelled)
        except Cancelled:
            raise
        except WorkbenchError as error:
            found[one.item.key] = error
        one.seconds[PARSE] = time.perf_counter() - started
    for some in together.values():
        started = time.perf_counter()
        files = pipeline.parsed_together(
            [_file(one) for one in some], parsers[some[0].item.key], workers(), cancelled
        )
        share = (time.perf_counter() - started) / len(some)
        for one, file in zip(some, files, strict=True):
            found[one.item.key] = file
            one.seconds[PARSE] = share
    return found


def _file(one: _Content) -> tuple[bytes, str, str, str]:
    return one.data, one.item.name, one.item.document_id, one.item.uri


def named(document: Document, item: Item) -> Document:
    """Return a document with what its source says of it."""
    about = dict(item.about)
    title = about.pop("title", "") or document.title
    return replace(document, title=title, metadata={**document.metadata, **about})
