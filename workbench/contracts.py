"""What each family of plug-ins promises: Parser, Chunker, Embedder, VectorStore, Retriever.

A plug-in is a frozen pydantic model whose fields are its settings, each with bounds and a description: that one
line feeds the YAML check, the form and the fingerprint. Its file name is its name everywhere. The base classes
here do what must never differ between plug-ins (slicing, checking, keys); a plug-in only computes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from workbench.analysis import TextAnalysis, Tokenizer
from workbench.errors import ContractError, SettingsError
from workbench.records import Chunk, Document, Hit, ParsedFile, Query, Vectors, digest, text_digest
from workbench.spans import Span, trimmed
from workbench.workers import Workers

Tick = Callable[[int, int], None]
"""Called with (done, total) while work goes on; may raise ``Cancelled``."""


def no_tick(done: int, total: int) -> None:
    """Report progress to nobody."""


class Plugin(BaseModel, ABC):
    """Settings of one plug-in. ``VERSION`` rises whenever the same settings would give another answer.

    A field marked ``json_schema_extra={"identity": False}`` (a device, a batch size, an address) never changes
    the answer and stays out of every key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    VERSION: ClassVar[int] = 1
    label: ClassVar[str] = ""
    """A short human name, such as ``Sentences (spaCy)``."""

    @property
    def name(self) -> str:
        """The plug-in's file name, which is also its YAML name."""
        return type(self).__module__.rpartition(".")[2]

    def identity(self) -> dict[str, Any]:
        """Return name, version and every setting that can change the answer."""
        fields = type(self).model_fields
        kept = {
            key: value
            for key, value in self.model_dump(mode="json").items()
            if not (
                isinstance(fields[key].json_schema_extra, dict)
                and fields[key].json_schema_extra.get("identity") is False  # type: ignore[union-attr]
            )
        }
        return {"name": self.name, "version": self.VERSION, **kept}


# ── parsers ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Parser(Plugin):
    """Bytes → text with pages. Runs in worker processes: it must not keep state between calls."""

    suffixes: ClassVar[tuple[str, ...]]
    """The file name endings it reads, in lower case with the dot."""

    @abstractmethod
    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        """Return the document in ``data``; ``name`` is the file's name, for titles and messages only.

        Raises ``InputError`` with its ``status`` when nothing can be read.
        """

    def parsed_by(
        self,
        workers: Workers,
        data: bytes,
        name: str,
        document_id: str,
        uri: str,
        *,
        timeout_s: float,
        memory_bytes: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> ParsedFile:
        """Return the same as ``parsed``, read by worker processes within limits; a parser may share out the pages."""
        found: ParsedFile = workers.result(
            self.parsed,
            data,
            name,
            document_id,
            uri,
            timeout_s=timeout_s,
            memory_bytes=memory_bytes,
            cancelled=cancelled,
        )
        return found

    def page_image(self, data: bytes, page: int, dpi: int = 110) -> bytes:
        """Return one page as WebP, as it is displayed. Raises ``InputError`` for formats without pages."""
        raise SettingsError(f"{self.label or self.name} has no page images")

    def unlocked(self, data: bytes, password: str | None) -> bytes:
        """Return ``data`` so that it opens without a password; formats without passwords return it as it is."""
        return data

    def key(self, content_hash: str) -> str:
        """Return the parse key: same bytes, same parser, same settings, same text."""
        return digest(["parse", content_hash, self.identity()])


# ── chunkers ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Chunker(Plugin):
    """Text → ranges. Its author yields ranges only; slicing and numbering happen here.

    ``uses`` names what, beyond the text, changes the answer: ``tokens`` (of the embedder's tokenizer),
    ``headings`` (from the parser), ``vectors`` (of the embedder).
    """

    uses: ClassVar[frozenset[str]] = frozenset({"tokens"})
    packages: ClassVar[tuple[str, ...]] = ()
    """Installed packages that decide where it cuts: another version of one may give other chunks."""

    @abstractmethod
    def spans(self, analysis: TextAnalysis) -> Iterable[Span]:
        """Yield ranges of ``analysis.text``, increasing in start and in end; blanks at their ends are trimmed."""

    def chunks(self, document: Document, analysis: TextAnalysis) -> list[Chunk]:
        """Return the chunks of ``document`` in order, without blank ones."""
        text = document.text
        spans: list[Span] = []
        before: Span = (-1, -1)
        for raw_start, raw_end in self.spans(analysis):
            if not 0 <= raw_start <= raw_end <= len(text):
                raise ContractError(
                    f"{self.name} gave the range {raw_start}–{raw_end} of {len(text)} characters"
                )
            span = trimmed(text, raw_start, raw_end)
            if span is None or span == before:
                continue
            if span[0] < before[0] or span[1] < before[1]:
                raise ContractError(f"{self.name} gave {span[0]}–{span[1]} after {before[0]}–{before[1]}")
            before = span
            spans.append(span)
        ranges = np.array(spans, np.int64).reshape(-1, 2)
        counts = analysis.tokens.counts(ranges[:, 0], ranges[:, 1]).tolist()
        # The digest of ["chunk", document id, start, end, digest of the text]; json.dumps is slow for one chunk.
        prefix = f'["chunk",{json.dumps(document.id, ensure_ascii=False)}'
        result: list[Chunk] = []
        for (start, end), count in zip(spans, counts, strict=True):
            piece = text[start:end]
            result.append(
                Chunk(
                    id=text_digest(f'{prefix},{start},{end},"{text_digest(piece)}"]'),
                    document_id=document.id,
                    ordinal=len(result),
                    start=start,
                    end=end,
                    text=piece,
                    page_start=document.page_at(start),
                    page_end=document.page_at(end - 1),
                    token_count=count,
                )
            )
        return result

    def key(self, document: Document, tokenizer: Tokenizer, embedder_id: str) -> str:
        """Return the chunk key. Chunks carry a token count, so the tokenizer is always part of it."""
        return digest(
            [
                "chunks",
                document.text_hash,
                [[p.number, p.start, p.end] for p in document.pages],
                [[h.start, h.end, h.level] for h in document.headings] if "headings" in self.uses else None,
                self.identity(),
                tokenizer.id,
                embedder_id if "vectors" in self.uses else None,
                [[package, _installed(package)] for package in self.packages],
            ]
        )


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


# ── embedders ────────────────────────────────────────────────────────────────────────────────────────────────────


class Embedder(Plugin):
    """Settings of a model that turns texts into vectors."""

    @abstractmethod
    def embedding_model(self, folder: Path) -> EmbeddingModel:
        """Return the loaded model (one per process and settings); ``folder`` keeps converted files.

        Not named ``model``: that word is a setting of most embedders.

        Cheap until vectors are asked for: tokenizer, dimension and window are known without loading weights.
        """


class EmbeddingModel(ABC):
    """A model ready for use. Plug-ins give raw rows; checking and normalising happen here."""

    id: str
    """Digest of everything that changes a vector: model, revision, dimension, prefixes, normalising, window."""
    title: str
    """The model's name for people, such as ``all-MiniLM-L6-v2``."""
    dimension: int
    window_tokens: int | None
    """How many tokens of a text the model reads, special tokens not counted; None for no limit."""
    tokenizer: Tokenizer
    passage_prefix: str = ""
    query_prefix: str = ""

    @abstractmethod
    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        """Return ``(n, dim)`` numbers for the exact inputs (prefix included), in order."""

    def input_text(self, text: str, *, query: bool = False) -> str:
        """Return the exact text that is given to the model."""
        return (self.query_prefix if query else self.passage_prefix) + text

    def key(self, text: str) -> str:
        """Return the embed key of a passage."""
        return digest(["vector", self.input_text(text), self.id])

    def vectors(self, texts: Sequence[str], *, query: bool = False, tick: Tick = no_tick) -> Vectors:
        """Return ``(n, dim) float32``, rows of length 1; raises ``ContractError`` for rows that cannot be."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        raw = np.asarray(self.raw_vectors([self.input_text(t, query=query) for t in texts], tick), np.float32)
        return checked_vectors(raw, len(texts), self.dimension, self.title)

    def seen_end(self, text: str) -> int:
        """Return the offset in ``text`` up to which the model reads a passage; ``len(text)`` when it reads all."""
        if self.window_tokens is None:
            return len(text)
        prefix = len(self.passage_prefix)
        offsets = self.tokenizer.offsets(self.input_text(text))
        if len(offsets) <= self.window_tokens:
            return len(text)
        return max(0, int(offsets[self.window_tokens - 1, 1]) - prefix)


def checked_vectors(raw: np.ndarray[Any, Any], count: int, dimension: int, origin: str) -> Vectors:
    """Return ``raw`` with rows scaled to length 1, or raise for a wrong shape, NaN, infinity or a zero row."""
    if raw.shape != (count, dimension):
        raise ContractError(f"{origin} gave vectors of shape {raw.shape} instead of {(count, dimension)}")
    if not np.isfinite(raw).all():
        raise ContractError(f"{origin} gave a vector that is not finite")
    lengths = np.linalg.norm(raw.astype(np.float64), axis=1, keepdims=True)
    if (lengths == 0).any():
        raise ContractError(f"{origin} gave a zero vector")
    return np.ascontiguousarray(raw / lengths, dtype=np.float32)


# ── stores ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chunks may be found. None means any."""

    document_ids: tuple[str, ...] | None = None
    pages: tuple[int, int] | None = None
    """First and last page, both included; a chunk that touches one of them may be found."""


@dataclass(frozen=True, slots=True, eq=False)
class DocumentRows:
    """All chunks of one document with their vectors, and the key of what they were made from."""

    document_id: str
    state_key: str
    chunks: Sequence[Chunk]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a table is. ``about`` is kept with it: config YAML, fingerprint, model title, creation time."""

    name: str
    dimension: int
    about: Mapping[str, str] = field(default_factory=dict)


class Table(ABC):
    """One physical table: the chunks of one (parser, chunker, embedder)."""

    info: TableInfo

    @abstractmethod
    def replace_documents(self, batch: Sequence[DocumentRows]) -> None:
        """Make the rows of these documents exactly the given ones, in ONE commit: all or nothing."""

    @abstractmethod
    def drop_documents(self, document_ids: Sequence[str]) -> None:
        """Remove every row of these documents; unknown ids are ignored."""

    @abstractmethod
    def states(self) -> dict[str, str]:
        """Return document id → state key for every document that has rows."""

    @abstractmethod
    def row_count(self) -> int:
        """Return the number of chunks."""

    @abstractmethod
    def chunks(self, document_ids: Sequence[str] | None = None) -> list[Chunk]:
        """Return chunks ordered by document id and ordinal."""

    @abstractmethod
    def vectors(self, chunk_ids: Sequence[str] | None = None) -> tuple[list[str], Vectors]:
        """Return chunk ids and their vectors, ordered by document id and ordinal (or as the ids were given)."""

    @abstractmethod
    def nearest(self, vector: Vectors, k: int, where: Filter | None = None) -> list[tuple[Chunk, float]]:
        """Return up to ``k`` chunks with their cosine to ``vector``, best first.

        Ties are broken by document id, then ordinal: always the same order.
        """

    @abstractmethod
    def size_bytes(self) -> int:
        """Return the space the table takes."""

    def optimise(self) -> str | None:
        """Compact, and index when the table is large; return a sentence on what was measured, if anything."""
        return None


class StoreConnection(ABC):
    """The tables in one place."""

    @abstractmethod
    def create(self, info: TableInfo) -> Table:
        """Return the table, made now if it is not there; raises ``SettingsError`` if it has another dimension."""

    @abstractmethod
    def table(self, name: str) -> Table:
        """Return an existing table; raises ``InputError`` when there is none."""

    @abstractmethod
    def tables(self) -> list[TableInfo]:
        """Return all tables by name."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Remove a table and its files; an unknown name is ignored."""


class VectorStore(Plugin):
    """Settings of a store."""

    @abstractmethod
    def connection(self, folder: Path) -> StoreConnection:
        """Return the store's tables; a store that lives in files keeps them under ``folder``."""


# ── retrievers ───────────────────────────────────────────────────────────────────────────────────────────────────


class Retriever(Plugin):
    """Question → hits."""

    @abstractmethod
    def hits(
        self, query: Query, table: Table, model: EmbeddingModel, where: Filter | None = None
    ) -> list[Hit]:
        """Return hits, best first, ranks from 1; an empty table gives an empty list."""
