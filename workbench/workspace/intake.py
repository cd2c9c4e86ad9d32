"""How a file becomes a document: read, parsed, and put on the list, alone or many at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import pipeline, plugins
from workbench.errors import Cancelled, InputError, ServiceError, WorkbenchError
from workbench.files import shown_name
from workbench.records import content_digest
from workbench.workers import TaskFault
from workbench.workspace.documents import Copy, DocumentRow, Placed, now_utc
from workbench.workspace.parses import parse_key
from workbench.workspace.worker_pool import workers

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

LARGEST_FILE_BYTES = 200 * 2**20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What happened to one file.

    ``status`` is one of added, unchanged, replaced, partly_read (it is in, some pages are not), needs_password,
    no_text, damaged, unsupported, too_large, timed_out, failed.
    """

    path: str
    status: str
    document_id: str | None
    pages: int
    characters: int
    empty_pages: tuple[int, ...]
    message: str

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
    ) -> AddResult:
        """Do what ``Workspace.add`` says."""
        try:
            data = file_content(content)
            return self._added(shown_name(name), data, _place(name, uri), password, cancelled)
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
        if documents.with_content(content_hash, suffix) is not None:
            if before is not None:
                # Before the list says otherwise, here and below: no stop leaves a text in a table that is not there.
                tables.drop_document(document_id)
            placed = documents.note_copy(Copy(document_id, name, uri, content_hash, suffix))
            if placed is not None and placed.same is not None:
                self._mend(placed.same, data)
                return _unchanged(name, placed.same, document_id, self._settled(placed))
        parser = pipeline.parser_for(name, plugins.build("parsers", "pdf"))
        if password is not None:
            data = workers().result(parser.unlocked, data, password, cancelled=cancelled)
        found = pipeline.parsed(data, name, document_id, uri, parser, workers(), cancelled)
        stored_hash = content_digest(data)
        self._workspace.originals.keep(stored_hash, suffix, data)
        self._workspace.parsed_files.put(parse_key(parser, content_hash, name), found)
        document = found.document
        row = DocumentRow(
            id=document_id,
            name=name,
            uri=uri,
            content_hash=content_hash,
            stored_hash=stored_hash,
            suffix=suffix,
            size_bytes=len(data),
            title=document.title,
            page_count=len(document.pages),
            character_count=len(document.text),
            empty_pages=found.empty_pages,
            failed_pages=found.failed_pages,
            warnings=found.warnings,
            added_at_utc=now_utc(),
        )
        if before is not None:
            tables.drop_document(document_id)
        # Another session, or another file of the batch, may have added the same content while this one was parsed.
        placed = documents.put_unless_here(row)
        if placed.same is not None:
            return _unchanged(name, placed.same, document_id, self._settled(placed))
        # Until the row stood there, the file belonged to no document and another process may have removed it.
        self._workspace.originals.keep(stored_hash, suffix, data)
        notes = self._settled(placed)
        status, message = "added", "parsed"
        if placed.before is not None:
            status, message = "replaced", f"new version of {placed.before.name}"
        if found.failed_pages:
            status = "partly_read"
        message = "; ".join([message, *notes, *found.warnings])
        return AddResult(
            name, status, document_id, row.page_count, row.character_count, row.empty_pages, message
        )

    def _mend(self, row: DocumentRow, data: bytes) -> None:
        """Keep a document's file where it is missing: a process that was killed may have listed it without one."""
        if row.stored_hash == content_digest(data):  # else it came with a password
            self._workspace.originals.keep(row.stored_hash, row.suffix, data)

    def _settled(self, placed: Placed) -> list[str]:
        """Forget what a file was before it got its new content, and return what to say of a copy that stays."""
        if placed.before is not None:
            # A build that ran meanwhile may have written the old version anew.
            self._workspace.tables.drop_document(placed.before.id)
            self._workspace.disk.drop_content(placed.before.stored_hash, placed.before.content_hash)
        if placed.heir is None:
            return []
        # A title may come from the file's name. One that cannot be had is no reason to call the file not added.
        with suppress(WorkbenchError):
            title = self._workspace.document(placed.heir.id).title
            self._workspace.document_list.entitle(placed.heir, title)
        return [f"{placed.heir.name}, a copy of the old version, is a document of its own now"]

    def add_many(
        self,
        files: Iterable[tuple[str, Path | bytes, str | None]],
        cancelled: Callable[[], bool],
        on_start: Callable[[int], None],
    ) -> Iterator[tuple[int, AddResult]]:
        """Do what ``Workspace.add_many`` says."""

        def one(index: int, name: str, content: Path | bytes, uri: str | None) -> tuple[int, AddResult]:
            on_start(index)
            return index, self.add(name, content, uri, None, cancelled)

        copies: dict[int, tuple[str, Path | bytes, str | None]] = {}

        def numbered() -> Iterator[tuple[int, tuple[str, Path | bytes, str | None]]]:
            for index, file in enumerate(files):
                copies[index] = file
                yield index, file

        with ThreadPoolExecutor(workers().size, thread_name_prefix="add") as pool:
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
                    own_id = pipeline.document_id("file", _place(name, uri))
                    if result.status != "unchanged" or result.document_id == own_id:
                        del copies[index]
                        yield index, result
        for index, (name, content, uri) in copies.items():
            yield index, self.add(name, content, uri, None, cancelled)


def _place(name: str, uri: str | None) -> str:
    # A path need not be Unicode; the database and JSON lines must be.
    return (uri or f"upload:{shown_name(name)}").encode("utf-8", "backslashreplace").decode()


def _unchanged(name: str, same: DocumentRow, document_id: str, notes: Iterable[str] = ()) -> AddResult:
    message = "already here" if same.id == document_id else f"same content already here as {same.name}"
    message = "; ".join([message, *notes])
    return AddResult(
        name, "unchanged", same.id, same.page_count, same.character_count, same.empty_pages, message
    )


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
