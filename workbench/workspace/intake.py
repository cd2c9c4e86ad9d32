"""How a file becomes a document: read, parsed, and put on the list, alone or many at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import pipeline, plugins
from workbench.counts import joined_notes
from workbench.errors import Cancelled, InputError, ServiceError, WorkbenchError
from workbench.files import shown_name
from workbench.records import PageLetters, content_digest
from workbench.workers import TaskFault
from workbench.workspace.documents import Copy, DocumentRow, Placed, apply_reading, now_utc
from workbench.workspace.parses import parse_key
from workbench.workspace.stores import describe_due
from workbench.workspace.upload_places import UploadPlace, place_batch, place_upload
from workbench.workspace.worker_pool import workers

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

LARGEST_FILE_BYTES = 200 * 2**20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What happened to one file. ``path`` is its name as it was given.

    ``status`` is one of added, unchanged, replaced, partly_read (it is in, some of it is not), needs_password,
    no_text, damaged, unsupported, too_large, timed_out, failed. ``damaged`` with a document id: the file is
    incomplete, and the document keeps its earlier version.
    """

    path: str
    status: str
    document_id: str | None
    pages: int
    characters: int
    empty_pages: tuple[int, ...]
    message: str
    letters_kept: int = 0
    """Letters and digits in the text, of those counted on its pages; both are 0 where a format does not count them."""
    letters_on_page: int = 0
    short_pages: tuple[PageLetters, ...] = ()
    """The pages of which letters are missing in the text."""

    @property
    def is_in(self) -> bool:
        """Whether the document is in the workspace now."""
        return self.status in ("added", "unchanged", "replaced", "partly_read")


class Intake:
    """Where files come into one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add(
        self,
        name: str,
        content: Path | bytes,
        uri: str | None,
        password: str | None,
        cancelled: Callable[[], bool],
        beside: Collection[str],
    ) -> AddResult:
        """Do what ``Workspace.add`` says."""
        return self._add(name, content, uri, None, password, cancelled, beside)

    def _add(
        self,
        name: str,
        content: Path | bytes,
        uri: str | None,
        place: UploadPlace | None,
        password: str | None,
        cancelled: Callable[[], bool],
        beside: Collection[str] = (),
    ) -> AddResult:
        """Add a file; ``place`` is where an upload belongs if that is known already."""
        try:
            data = file_content(content)
            if uri is not None:
                result = self._added(shown_name(name), data, _storable(uri), password, cancelled)
            else:
                place = place or place_upload(
                    self._workspace.document_list, shown_name(name), content_digest(data), beside
                )
                result = self._added(place.name, data, place.uri, password, cancelled)
                if place.number > 1 and result.status != "unchanged":
                    note = f"listed as {place.name}, for it shares its name with another document"
                    result = replace(result, message=f"{result.message}; {note}")
            return replace(result, path=name)
        except Cancelled:
            return AddResult(name, "cancelled", None, 0, 0, (), "stopped before it was read")
        except InputError as error:
            return AddResult(name, error.status, None, 0, 0, (), str(error))
        except WorkbenchError as error:
            return AddResult(name, "failed", None, 0, 0, (), str(error))
        except Exception as error:  # noqa: BLE001  (a fault of ours is no reason to lose the others)
            _log.exception("%s could not be added", shown_name(name))
            kind = error.kind if isinstance(error, TaskFault) else type(error).__name__
            message = (
                f"{shown_name(name)} could not be read because of a fault in this program ({kind}), not in the file; "
                "please report it with the log"
            )
            return AddResult(name, "failed", None, 0, 0, (), message)

    def _added(
        self, name: str, data: bytes, uri: str, password: str | None, cancelled: Callable[[], bool]
    ) -> AddResult:
        documents, tables = self._workspace.document_list, self._workspace.tables
        content_hash = content_digest(data)
        document_id = pipeline.document_id("file", uri)
        before = documents.row(document_id)
        if before is not None and before.content_hash == content_hash:
            self._mend(before, data)
            return _unchanged(name, before, document_id)
        suffix = Path(name).suffix.lower()
        same = documents.with_content(content_hash, suffix)
        if same is not None and same.incomplete:
            stays = documents.stored_version(document_id)
            if stays is not None and stays.id != same.id:
                return _stays(name, same.incomplete, stays)
        if same is not None:
            if before is not None:
                # Before the list says otherwise, here and below: no stop leaves a text in a table that is not there.
                tables.drop_documents({document_id: before.name})
            placed = documents.note_copy(Copy(document_id, name, uri, content_hash, suffix))
            if placed is not None and placed.stays is not None and placed.same is not None:
                return _stays(name, placed.same.incomplete, placed.stays)
            if placed is not None and placed.same is not None:
                self._mend(placed.same, data)
                return _unchanged(name, placed.same, document_id, self._settled(placed))
        parser = pipeline.parser_for(name, plugins.build("parsers", "pdf"))
        if password is not None:
            data = workers().result(parser.unlocked, data, password, cancelled=cancelled)
        found = pipeline.parsed(data, name, document_id, uri, parser, workers(), cancelled)
        if found.incomplete and (stays := documents.stored_version(document_id)) is not None:
            return _stays(name, found.incomplete, stays)
        stored_hash = content_digest(data)
        self._workspace.originals.keep(stored_hash, suffix, data)
        self._workspace.parsed_files.put(parse_key(parser, content_hash, name), found)
        row = DocumentRow(
            id=document_id,
            name=name,
            uri=uri,
            content_hash=content_hash,
            stored_hash=stored_hash,
            suffix=suffix,
            size_bytes=len(data),
            title=found.document.title,
            page_count=0,
            character_count=0,
            empty_pages=(),
            failed_pages=(),
            warnings=(),
            added_at_utc=now_utc(),
        )
        row = apply_reading(row, found)
        if before is not None:
            tables.drop_documents({document_id: before.name})
        # Another session, or another file of the batch, may have added the same content while this one was parsed.
        placed = documents.put_unless_here(row)
        if placed.stays is not None:
            self._workspace.disk.drop_content(stored_hash, content_hash)
            return _stays(name, found.incomplete, placed.stays)
        if placed.same is not None:
            return _unchanged(name, placed.same, document_id, self._settled(placed))
        # Until the row stood there, the file belonged to no document and another process may have removed it.
        self._workspace.originals.keep(stored_hash, suffix, data)
        notes = self._settled(placed)
        status, message = "added", "parsed"
        if placed.before is not None:
            status, message = "replaced", f"new version of {placed.before.name}"
        if found.failed_pages or found.incomplete:
            status = "partly_read"
        if found.incomplete:
            notes.append(
                f"{found.incomplete}, so only what could be read of it is here: add the whole file again"
            )
        # The note above has said already why the file is incomplete.
        told = [
            warning for warning in found.warnings if not found.incomplete or found.incomplete not in warning
        ]
        message = joined_notes([message, *notes, *told])
        return _result(name, status, row, message)

    def _mend(self, row: DocumentRow, data: bytes) -> None:
        """Keep a document's file where it is missing: a process that was killed may have listed it without one."""
        if row.stored_hash == content_digest(data):  # else it came with a password
            self._workspace.originals.keep(row.stored_hash, row.suffix, data)

    def _settled(self, placed: Placed) -> list[str]:
        """Forget what a file was before it got its new content, and return what to say of a copy that stays."""
        notes: list[str] = []
        if placed.before is not None:
            # A build that ran meanwhile may have written the old version anew.
            due = self._workspace.tables.drop_documents({placed.before.id: placed.before.name})
            notes += describe_due(due)
            self._workspace.disk.drop_content(placed.before.stored_hash, placed.before.content_hash)
        if placed.heir is None:
            return notes
        # A title may come from the file's name. One that cannot be had is no reason to call the file not added.
        with suppress(WorkbenchError):
            title = self._workspace.document(placed.heir.id).title
            self._workspace.document_list.entitle(placed.heir, title)
        return [*notes, f"{placed.heir.name}, a copy of the old version, is a document of its own now"]

    def add_many(
        self,
        files: Iterable[tuple[str, Path | bytes, str | None]],
        cancelled: Callable[[], bool],
        on_start: Callable[[int], None],
        beside: Mapping[int, Collection[str]],
    ) -> Iterator[tuple[int, AddResult]]:
        """Do what ``Workspace.add_many`` says."""

        def one(index: int, name: str, content: Path | bytes, uri: str | None) -> tuple[int, AddResult]:
            on_start(index)
            return index, self._add(name, content, uri, places[index], None, cut_off)

        given_up = False

        def cut_off() -> bool:
            return given_up or cancelled()

        copies: dict[int, tuple[str, Path | bytes, str | None]] = {}
        files = list(files)
        places = place_batch(self._workspace.document_list, files, file_content, beside)

        def numbered() -> Iterator[tuple[int, tuple[str, Path | bytes, str | None]]]:
            for index, file in enumerate(files):
                copies[index] = file
                yield index, file

        with ThreadPoolExecutor(workers().size, thread_name_prefix="add") as pool:
            try:
                todo = numbered()
                running: set[Future[tuple[int, AddResult]]] = set()
                while True:
                    while len(running) < workers().size and not cancelled():
                        item = next(todo, None)
                        if item is None:
                            break
                        index, (name, content, uri) = item
                        running.add(pool.submit(one, index, name, content, uri))
                    if not running:
                        break
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for index, result in (future.result() for future in done):
                        name, _, uri = copies[index]
                        place = places[index] or UploadPlace(shown_name(name), 1)
                        own_id = pipeline.document_id("file", place.uri if uri is None else _storable(uri))
                        if result.status != "unchanged" or result.document_id == own_id:
                            del copies[index]
                            yield index, result
            finally:
                # Whoever is interrupted does not wait for files that take long.
                given_up = True
        for index, (name, content, uri) in copies.items():
            yield index, self._add(name, content, uri, places[index], None, cancelled)


def _storable(uri: str) -> str:
    # A path need not be Unicode; the database and JSON lines must be.
    return uri.encode("utf-8", "backslashreplace").decode()


def _result(name: str, status: str, row: DocumentRow, message: str) -> AddResult:
    return AddResult(
        name,
        status,
        row.id,
        row.page_count,
        row.character_count,
        row.empty_pages,
        message,
        row.letters_kept,
        row.letters_on_page,
        row.short_pages,
    )


def _stays(name: str, why: str, row: DocumentRow) -> AddResult:
    """Return that a file is incomplete, and that its document keeps the earlier version ``row``."""
    message = f"{why}, so the version from {row.added_at_utc[:10]} stays: add the whole file again"
    return AddResult(name, "damaged", row.id, 0, 0, (), message)


def _unchanged(name: str, same: DocumentRow, document_id: str, notes: Iterable[str] = ()) -> AddResult:
    message = "already here" if same.id == document_id else f"same content already here as {same.name}"
    if same.incomplete:
        message += f", although {same.incomplete}"
    return _result(name, "unchanged", same, "; ".join([message, *notes]))


def file_content(content: Path | bytes) -> bytes:
    """Return what is in a file; raises ``InputError`` for what nobody need try to read."""
    if isinstance(content, Path):
        try:
            if not content.is_file():
                raise InputError("there is no such file", "failed")
            if content.stat().st_size > LARGEST_FILE_BYTES:
                raise InputError(_too_large(content.stat().st_size), "too_large")
            content = content.read_bytes()
        except OSError as error:
            raise ServiceError(f"the file cannot be read: {error.strerror or error}") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise InputError(_too_large(len(content)), "too_large")
    if not content:
        raise InputError("the file is empty (0 bytes): save it again and retry", "damaged")
    return content


def _too_large(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.0f} MB is too large; {LARGEST_FILE_BYTES // 2**20} MB is the limit: split the file"
