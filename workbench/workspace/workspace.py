"""The workspace: files in, documents out, and the shared caches behind every page and command."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path

from workbench import pipeline, plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.config import Config, parsed, written
from workbench.contracts import Embedder, EmbeddingModel, Parser
from workbench.errors import (
    Cancelled,
    ConfigError,
    InputError,
    ServiceError,
    SettingsError,
    WorkbenchError,
)
from workbench.files import shown_name, touch, write_atomically, writing
from workbench.ingest.vector_cache import VectorCache
from workbench.records import Chunk, Document, Layout, ParsedFile, content_digest, digest
from workbench.workers import TaskFault, Workers
from workbench.workspace.disk import Disk, DiskUse
from workbench.workspace.documents import AddResult, Copy, DocumentList, DocumentRow, Placed, now_utc
from workbench.workspace.evaluations import Evaluations
from workbench.workspace.map_pairs import MapPairs
from workbench.workspace.maps import Maps
from workbench.workspace.parses import ParsedFiles
from workbench.workspace.question_drafts import QuestionDrafts
from workbench.workspace.question_sets import QuestionSets
from workbench.workspace.search_history import SearchHistory
from workbench.workspace.sweeps import Sweeps
from workbench.workspace.tables import Tables
from workbench.workspace.tunings import Tunings
from workbench.workspace.votes import Votes

LARGEST_FILE_BYTES = 200 * 2**20
IMAGE_TIMEOUT_S = 30.0

_log = logging.getLogger(__name__)

File = tuple[str, Path | bytes]
"""A file's name and where it is, or what is in it."""


@cache
def workers() -> Workers:
    """Return this process's worker processes: one pool, whatever the number of sessions."""
    return Workers(preload=("workbench.pipeline", "workbench.parsers.pdf"))


class Workspace:
    """Everything that is kept in one folder. Safe for several sessions and processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if any("\ud800" <= c <= "\udfff" for c in str(folder.resolve())):
            raise SettingsError(
                f"the workspace {str(folder)!a} has a name that is not UTF-8, which tables cannot be kept "
                "under: give it another"
            )
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied", str(folder))
        self.document_list = DocumentList(folder / "workspace.db")
        self.disk = Disk(self)
        self._parses = ParsedFiles(folder / "parsed")
        self.memo = Memo(folder / "memo")
        self.tables = Tables(self)
        self.maps = Maps(self)
        self.map_pairs = MapPairs(self)
        self.question_sets = QuestionSets(folder / "questions")
        self.question_drafts = QuestionDrafts(folder / "drafts")
        self.evaluations = Evaluations(self)
        self.tunings = Tunings(self)
        self.search_history = SearchHistory(folder / "history.db")
        self.votes = Votes(folder / "votes.db")
        self.sweeps = Sweeps(self)

    @cached_property
    def vector_cache(self) -> VectorCache:
        """The vectors of every text ever embedded here."""
        return VectorCache(self.folder / "vectors")

    def model(self, embedder: Embedder) -> EmbeddingModel:
        """Return the loaded model of an embedder."""
        return embedder.embedding_model(self.folder / "models")

    # ── documents in ─────────────────────────────────────────────────────────────────────────────────────────────

    def add(
        self,
        name: str,
        content: Path | bytes,
        uri: str | None = None,
        password: str | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> AddResult:
        """Parse one file into the workspace and say what happened; trouble is a status, not an error.

        A bug, too, is told of this one file, and logged with its traceback: it harms no other file.

        ``uri`` says where the file lives: another content under the same one replaces the document. The password
        is used and forgotten; what is kept is an unlocked copy.
        """
        try:
            data = _content(content)
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
        content_hash = content_digest(data)
        document_id = pipeline.document_id("file", uri)
        before = self.document_list.row(document_id)
        if before is not None and before.content_hash == content_hash:
            return _unchanged(name, before, document_id)
        suffix = Path(name).suffix.lower()
        if self.document_list.with_content(content_hash, suffix) is not None:
            if before is not None:
                self.tables.drop_document(document_id)
            placed = self.document_list.note_copy(Copy(document_id, name, uri, content_hash, suffix))
            if placed is not None and placed.same is not None:
                return _unchanged(name, placed.same, document_id, self._settled(placed))
        parser = pipeline.parser_for(name, plugins.build("parsers", "pdf"))
        if password is not None:
            data = workers().result(parser.unlocked, data, password, cancelled=cancelled)
        found = pipeline.parsed(data, name, document_id, uri, parser, workers(), cancelled)
        stored_hash = content_digest(data)
        original = self._original(stored_hash, suffix)
        self._keep_original(original, data)
        self._parses.put(_parse_key(parser, content_hash, name), found)
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
            # Before the list says otherwise: whatever stops this here, no table holds a text that is not there.
            self.tables.drop_document(document_id)
        # Another session, or another file of the batch, may have added the same content while this one was parsed.
        placed = self.document_list.put_unless_here(row)
        if placed.same is not None:
            return _unchanged(name, placed.same, document_id, self._settled(placed))
        # Until the row stood there, the file belonged to no document and another process may have removed it.
        self._keep_original(original, data)
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

    def _settled(self, placed: Placed) -> list[str]:
        """Forget what a file was before it got its new content, and return what to say of a copy that stays."""
        if placed.before is not None:
            # A build that ran meanwhile may have written the old version anew.
            self.tables.drop_document(placed.before.id)
            self._forget_files(placed.before)
        if placed.heir is None:
            return []
        # A title may come from the file's name. One that cannot be had is no reason to call the file not added.
        with suppress(WorkbenchError):
            self.document_list.entitle(placed.heir, self.parsed(placed.heir.id).document.title)
        return [f"{placed.heir.name}, a copy of the old version, is a document of its own now"]

    def add_many(
        self,
        files: Iterable[tuple[str, Path | bytes, str | None]],
        cancelled: Callable[[], bool] = lambda: False,
        on_start: Callable[[int], None] = lambda index: None,
    ) -> Iterator[tuple[int, AddResult]]:
        """Yield ``(index, result)`` per ``(name, content, uri)`` as each is done; every core parses.

        One bad file harms no other. After ``cancelled`` says so no file is begun, and those under way are stopped.
        Copies of another document are told last: it may get a new version in the same batch, and then the copy is a
        document of its own.
        """

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

    def delete(self, document_ids: Iterable[str]) -> None:
        """Remove documents from the list and from every table. Their files go when no other document needs them.

        So do their copies: whoever deletes a document means its text.
        """
        for document_id in document_ids:
            if self.document_list.row(document_id) is None:
                continue
            self.tables.drop_document(document_id)
            row = self.document_list.remove(document_id)
            if row is not None:
                self._forget_files(row)

    def _forget_files(self, row: DocumentRow) -> None:
        """Remove original, page images and texts of a content that no document has any more."""
        with writing(self.folder):
            self.disk.drop_content(row.stored_hash, row.content_hash)

    def _keep_original(self, original: Path, data: bytes) -> None:
        with writing(self.folder):
            if not original.exists():
                write_atomically(original, data)

    def disk_use(self) -> list[DiskUse]:
        """Return what each kind of thing takes on the disk, the largest first."""
        with writing(self.folder):
            return self.disk.use()

    # ── documents out ────────────────────────────────────────────────────────────────────────────────────────────

    def documents(self) -> list[DocumentRow]:
        """Return all documents by name."""
        return self.document_list.rows()

    def row(self, document_id: str) -> DocumentRow:
        """Return one document's row; raises ``InputError`` when it is not here."""
        found = self.document_list.row(document_id)
        if found is None:
            raise InputError("this document is not in the workspace (any more)", "unknown")
        return found

    def parsed(self, document_id: str, parser: Parser | None = None) -> ParsedFile:
        """Return a document with its layout, parsed now if this parser has not read it yet."""
        row = self.row(document_id)
        own = pipeline.parser_for(row.name, parser or plugins.build("parsers", "pdf"))
        key = _parse_key(own, row.content_hash, row.name)
        found = self._parses.get(key, row.id, row.uri)
        if found is None:
            found = pipeline.parsed(self.original(row), row.name, row.id, row.uri, own, workers())
            self._parses.put(key, found)
        return found

    def parse_key(self, row: DocumentRow, config: Config) -> str:
        """Return the key of a document's text as the config's parser reads it."""
        return _parse_key(pipeline.parser_for(row.name, config.parser), row.content_hash, row.name)

    def read_before(self, row: DocumentRow, config: Config) -> Document | None:
        """Return a document as the config's parser has read it, None where it has not: nothing is parsed."""
        found = self._parses.get(self.parse_key(row, config), row.id, row.uri)
        return None if found is None else found.document

    def parsed_file(self, path: Path, parser: Parser) -> ParsedFile:
        """Return a file as a document without adding it; raises ``InputError`` when it cannot be read."""
        uri = f"file:{path.resolve()}"
        document_id = pipeline.document_id("file", uri)
        return pipeline.parsed(_content(path), shown_name(path.name), document_id, uri, parser, workers())

    def document(self, document_id: str, config: Config | None = None) -> Document:
        """Return a document as the config's parser reads it."""
        return self.parsed(document_id, config.parser if config else None).document

    def layout(self, document_id: str, config: Config | None = None) -> Layout:
        """Return where the document's words stand on its pages."""
        return self.parsed(document_id, config.parser if config else None).layout

    def original(self, row: DocumentRow) -> bytes:
        """Return the file as it is kept (unlocked, if it came with a password)."""
        with writing(self.folder):
            return self._original(row.stored_hash, row.suffix).read_bytes()

    def page_image(self, document_id: str, page: int, dpi: int = 110) -> bytes:
        """Return one page as WebP, drawn once and kept; raises ``InputError`` for formats without pages."""
        row = self.row(document_id)
        path = self.folder / "images" / f"{row.stored_hash}-{page}-{dpi}.webp"
        with suppress(FileNotFoundError):
            kept = path.read_bytes()
            touch(path)
            return kept
        parser = pipeline.parser_for(row.name, plugins.build("parsers", "pdf"))
        image: bytes = workers().result(
            parser.page_image,
            self.original(row),
            page,
            dpi,
            timeout_s=IMAGE_TIMEOUT_S,
            memory_bytes=pipeline.PARSE_MEMORY_BYTES,
        )
        with writing(self.folder):
            write_atomically(path, image)
        return image

    def analysis(self, document: Document, config: Config) -> TextAnalysis:
        """Return the shared measurements of a document under a config's tokenizer."""
        return pipeline.analysis(document, self.model(config.embedder), self.memo, self.vector_cache)

    def chunks(self, document_id: str, config: Config) -> list[Chunk]:
        """Return the chunks of one document under one config."""
        document = self.document(document_id, config)
        return config.chunker.chunks(document, self.analysis(document, config))

    def embedding_rate(self, model: EmbeddingModel) -> float | None:
        """Return the measured tokens per second of a model on this machine, or None before its first use."""
        return self.document_list.tokens_per_second(model.id)

    def note_rate(self, model: EmbeddingModel, tokens: int, seconds: float) -> None:
        """Remember a measured embedding speed."""
        self.document_list.note_rate(model.id, tokens, seconds)

    # ── configs ──────────────────────────────────────────────────────────────────────────────────────────────────

    def save_config(self, config: Config) -> Path:
        """Keep a config; one with the same name and the same content is the same file."""
        text = written(config)
        path = self.folder / "configs" / f"{digest([config.name])[:12]}.yaml"
        with writing(self.folder):
            write_atomically(path, text.encode())
        return path

    def configs(self) -> list[Config]:
        """Return the saved configs by name; a file that is no config is left out."""
        found = []
        for path in sorted((self.folder / "configs").glob("*.yaml")):
            try:
                found.append(parsed(path.read_text(encoding="utf-8"), path.name))
            except (ConfigError, OSError, UnicodeDecodeError):
                continue
        return sorted(found, key=lambda config: config.name.casefold())

    def _original(self, stored_hash: str, suffix: str) -> Path:
        return self.folder / "originals" / f"{stored_hash}{suffix}"


def _place(name: str, uri: str | None) -> str:
    # A path need not be Unicode; the database and JSON lines must be.
    return (uri or f"upload:{shown_name(name)}").encode("utf-8", "backslashreplace").decode()


def _parse_key(parser: Parser, content_hash: str, name: str) -> str:
    # The name is part of it because a parser may take the title from it.
    return f"{content_hash}-{digest([parser.key(content_hash), name])}"


def _unchanged(name: str, same: DocumentRow, document_id: str, notes: Iterable[str] = ()) -> AddResult:
    message = "already here" if same.id == document_id else f"same content already here as {same.name}"
    message = "; ".join([message, *notes])
    return AddResult(
        name, "unchanged", same.id, same.page_count, same.character_count, same.empty_pages, message
    )


def _content(content: Path | bytes) -> bytes:
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
