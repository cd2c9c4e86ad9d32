"""The workspace: files in, documents out, and the shared caches behind every page and command."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from workbench import pipeline, plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.config import Config, read_config_file, written
from workbench.contracts import Embedder, EmbeddingModel, Parser
from workbench.errors import ConfigError, InputError, ServiceError, SettingsError
from workbench.files import shown_name, touch, write_atomically, writing
from workbench.ingest.vector_cache import VectorCache
from workbench.records import Chunk, Document, Layout, ParsedFile, digest
from workbench.workspace.disk import Disk
from workbench.workspace.documents import DocumentList, DocumentRow
from workbench.workspace.embedding_rates import EmbeddingRates
from workbench.workspace.evaluations import Evaluations
from workbench.workspace.intake import AddResult, Intake, file_content
from workbench.workspace.map_pairs import MapPairs
from workbench.workspace.maps import Maps
from workbench.workspace.originals import Originals
from workbench.workspace.parses import ParsedFiles, parse_key
from workbench.workspace.question_drafts import QuestionDrafts
from workbench.workspace.question_sets import QuestionSets
from workbench.workspace.search_history import SearchHistory
from workbench.workspace.store_catalog import DueDeletion
from workbench.workspace.stores import Stores
from workbench.workspace.sweeps import Sweeps
from workbench.workspace.tables import Tables
from workbench.workspace.tunings import Tunings
from workbench.workspace.votes import Votes
from workbench.workspace.worker_pool import workers

IMAGE_TIMEOUT_S = 30.0


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
        if not os.access(folder, os.R_OK | os.X_OK):
            raise ServiceError(f"{folder} cannot be read: give this user the right to read there")
        self.document_list = DocumentList(folder / "workspace.db")
        self.notices: list[str] = []
        """What has to be told about this workspace: what was lost and found again."""
        self.notice(self.document_list.notice)
        self.disk = Disk(self)
        self.originals = Originals(folder / "originals")
        self.parsed_files = ParsedFiles(folder / "parsed")
        self._intake = Intake(self)
        self.embedding_rates = EmbeddingRates(self.document_list)
        self.memo = Memo(folder / "memo")
        self.stores = Stores(self)
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

    def notice(self, text: str) -> None:
        """Have something told about this workspace, once."""
        if text and text not in self.notices:
            self.notices.append(text)

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
        beside: Collection[str] = (),
    ) -> AddResult:
        """Parse one file into the workspace and say what happened; trouble is a status, not an error.

        A bug, too, is told of this one file, and logged with its traceback: it harms no other file.

        ``uri`` says where the file lives: another content under the same one replaces the document. Without one the
        name says it, as long as one document has that name; where several have it, another content is a new document.
        ``beside`` are the hashes of other contents that were given under this name at once, for example of a batch
        whose file waited for its password: the file is no version of those.
        An incomplete file replaces nothing: the result is ``damaged``, and the earlier version stays. The password is
        used and forgotten; what is kept is an unlocked copy.
        """
        return self._intake.add(name, content, uri, password, cancelled, beside)

    def add_many(
        self,
        files: Iterable[tuple[str, Path | bytes, str | None]],
        cancelled: Callable[[], bool] = lambda: False,
        on_start: Callable[[int], None] = lambda index: None,
        beside: Mapping[int, Collection[str]] = MappingProxyType({}),
    ) -> Iterator[tuple[int, AddResult]]:
        """Yield ``(index, result)`` per ``(name, content, uri)`` as each is done; every core parses.

        One bad file harms no other. Two different files of one name, without a ``uri``, are two documents: the later
        one is listed with a number, as ``a (2).pdf``; ``beside`` tells by index what else came with a file whose batch was
        begun before, as for ``add``. After ``cancelled`` says so no file is begun, and those under way are stopped.
        Copies of another document are told last: it may get a new version in the same batch, and then the copy is a
        document of its own.
        """
        return self._intake.add_many(files, cancelled, on_start, beside)

    def delete(self, document_ids: Iterable[str]) -> list[DueDeletion]:
        """Remove documents from the list and from every table. Their files go when no other document needs them.

        So do their copies: whoever deletes a document means its text. Where a store cannot be reached the deletion is
        due: it is returned, shown, and tried again. Unknown ids are ignored.
        """
        rows = [self.document_list.row(document_id) for document_id in document_ids]
        names = {row.id: row.name for row in rows if row is not None}
        if not names:
            return []
        due = self.tables.drop_documents(names)
        for document_id in names:
            row = self.document_list.remove(document_id)
            if row is not None:
                self.disk.drop_content(row.stored_hash, row.content_hash)
        return due

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
        key = parse_key(own, row.content_hash, row.name)
        found = self.parsed_files.get(key, row.id, row.uri)
        if found is None:
            found = pipeline.parsed(self.original(row), row.name, row.id, row.uri, own, workers())
            self.parsed_files.put(key, found)
            usual = pipeline.parser_for(row.name, plugins.build("parsers", "pdf"))
            if key == parse_key(usual, row.content_hash, row.name):
                # Read anew by a later version of its parser. A full disk is no reason not to show the document.
                with suppress(ServiceError):
                    self.document_list.note_reading(row, found)
        return found

    def parse_key(self, row: DocumentRow, config: Config) -> str:
        """Return the key of a document's text as the config's parser reads it."""
        return parse_key(pipeline.parser_for(row.name, config.parser), row.content_hash, row.name)

    def read_before(self, row: DocumentRow, config: Config) -> Document | None:
        """Return a document as the config's parser has read it, None where it has not: nothing is parsed."""
        found = self.parsed_files.get(self.parse_key(row, config), row.id, row.uri)
        return None if found is None else found.document

    def parsed_file(self, path: Path, parser: Parser) -> ParsedFile:
        """Return a file as a document without adding it; raises ``InputError`` when it cannot be read."""
        uri = f"file:{path.resolve()}"
        document_id = pipeline.document_id("file", uri)
        return pipeline.parsed(file_content(path), shown_name(path.name), document_id, uri, parser, workers())

    def document(self, document_id: str, config: Config | None = None) -> Document:
        """Return a document as the config's parser reads it."""
        return self.parsed(document_id, config.parser if config else None).document

    def layout(self, document_id: str, config: Config | None = None) -> Layout:
        """Return where the document's words stand on its pages."""
        return self.parsed(document_id, config.parser if config else None).layout

    def original(self, row: DocumentRow) -> bytes:
        """Return the file as it is kept (unlocked, if it came with a password)."""
        return self.originals.read(row.stored_hash, row.suffix)

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
            with suppress(ConfigError):
                config = self.stores.facts.config(read_config_file(path, path.name), path.name)
                found += [] if config is None else [config]
        return sorted(found, key=lambda config: config.name.casefold())
