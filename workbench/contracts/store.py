"""Tables of chunks and vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

from workbench.contracts.plugin import Plugin
from workbench.errors import SettingsError
from workbench.records import Chunk, Vectors

_NO_FULL_TEXT = "this store has no full-text index of its own: set index: memory for the retriever keyword"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chunks may be found. None means any; what is given must all hold."""

    document_ids: tuple[str, ...] | None = None
    pages: tuple[int, int] | None = None
    """First and last page, both included; a chunk that touches one of them may be found."""
    metadata: tuple[tuple[str, str], ...] = ()
    """Key and value; the chunk's document must have every one of them in its metadata, letter by letter."""
    chunk_ids: tuple[str, ...] | None = None
    """Only these chunks may be found."""
    without_chunk_ids: tuple[str, ...] = ()
    """These chunks may not be found."""

    def allows(self, chunk: Chunk, metadata: Mapping[str, str]) -> bool:
        """Return whether a chunk of a document with this metadata may be found."""
        if self.document_ids is not None and chunk.document_id not in self.document_ids:
            return False
        if self.pages is not None and not (
            chunk.page_start <= self.pages[1] and chunk.page_end >= self.pages[0]
        ):
            return False
        if self.chunk_ids is not None and chunk.id not in self.chunk_ids:
            return False
        if chunk.id in self.without_chunk_ids:
            return False
        return all(metadata.get(key) == value for key, value in self.metadata)


@dataclass(frozen=True, slots=True, eq=False)
class DocumentRows:
    """All chunks of one document with their vectors, and the key of what they were made from."""

    document_id: str
    state_key: str
    chunks: Sequence[Chunk]
    vectors: Vectors
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The document's metadata, by which a search can be narrowed."""


@dataclass(frozen=True, slots=True, eq=False)
class TableRows:
    """All rows of a table at one version, ordered by document id and ordinal."""

    version: str
    chunks: Sequence[Chunk]
    vectors: Vectors
    metadata: Mapping[str, Mapping[str, str]]
    """Document id → metadata; a document without any may be missing."""


class ChunkPlace(NamedTuple):
    """Where a chunk lies, without its text: for tables whose texts are too many to read."""

    document_id: str
    start: int
    end: int


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
        """Make the rows of these documents exactly the given ones, in one commit where the store can do that.

        Another store writes the new rows first and then deletes what they replace. Each row says how many rows its
        document has, so that ``states`` tells what a stop in between left.
        """

    @abstractmethod
    def drop_documents(self, document_ids: Sequence[str]) -> None:
        """Remove every row of these documents; unknown ids are ignored."""

    @abstractmethod
    def states(self, document_ids: Sequence[str] | None = None) -> dict[str, str]:
        """Return document id → state key for every document that has rows, or for those of them that are named.

        The key is "" where a document is not whole: its rows disagree, or are more or fewer than each of them says
        the document has. A store that dies within a write leaves such documents, and a build writes them again.
        """

    def counts(self, document_ids: Sequence[str] | None = None) -> dict[str, int]:
        """Return document id → how many rows it has, for every document that has any, or for those that are named."""
        return dict(Counter(chunk.document_id for chunk in self.chunks(document_ids)))

    def has_document_counts(self) -> bool:
        """Return whether rows say how many rows their document has; False only for tables of earlier versions."""
        return True

    def add_document_counts(self, counts: Mapping[str, int]) -> None:  # noqa: B027 (most stores have nothing to do)
        """Make the rows of a table of an earlier version say how many rows their document has, in one commit.

        A document that is not in ``counts`` is taken for one that is not whole. A table whose rows say it already is
        left alone.
        """

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

    def index_words(self, language: str) -> None:
        """Make the store's own full-text index of the texts, for words of this language, unless it is there.

        Raises ``SettingsError`` where the store has none, or not for the language; ``none`` is words as they are.
        """
        raise SettingsError(_NO_FULL_TEXT)

    def matching(
        self, question: str, language: str, k: int, where: Filter | None = None
    ) -> list[tuple[Chunk, float]]:
        """Return up to ``k`` chunks that share words with a question, by the store's own full-text index, best first.

        The store divides and weighs words in its own way. A question is text and never a query language; ties are
        broken by document id, then ordinal. An index that is missing is made now; ``SettingsError`` for one of
        another language, and where the store has none.
        """
        raise SettingsError(_NO_FULL_TEXT)

    @abstractmethod
    def version(self) -> str:
        """Return a word that changes with every write and that no other table ever has. Quick to get."""

    @abstractmethod
    def rows(self) -> TableRows:
        """Return all rows, read at one version: what is searched in memory is made from them."""

    def drawn(self, draw: Callable[[int], Sequence[int]]) -> tuple[TableRows, int]:
        """Return the rows at the places that ``draw`` picks, told how many rows there are; and that number.

        Places count from 0 in the order of ``rows``, and increase. Read at one version; stores may read no others.
        """
        every = self.rows()
        places = list(draw(len(every.chunks)))
        chunks = [every.chunks[place] for place in places]
        return replace(every, chunks=chunks, vectors=every.vectors[places]), len(every.chunks)

    def places(self) -> list[ChunkPlace]:
        """Return where every chunk lies, in the order of ``rows``; stores may read no texts for it."""
        return [ChunkPlace(chunk.document_id, chunk.start, chunk.end) for chunk in self.chunks()]

    def token_counts(self) -> list[int]:
        """Return how many tokens every chunk has, in no order; stores may read no texts for it."""
        return [chunk.token_count for chunk in self.chunks()]

    def metadata(self) -> Mapping[str, Mapping[str, str]]:
        """Return document id → metadata, as ``rows`` does, for what narrows a search; stores may read less for it."""
        return self.rows().metadata

    @abstractmethod
    def size_bytes(self) -> int:
        """Return the space the table takes."""

    def damage(self) -> str:
        """Return which of its files is missing or another one than was written, "" for none; no row is read."""
        return ""

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

    full_text: ClassVar[bool] = False
    """Whether its tables have a full-text index of their own."""

    @abstractmethod
    def place(self) -> str:
        """Return what tells where the tables lie, such as a server's address and database; never a secret.

        Settings of one plug-in with equal places reach the same tables. "" for a store whose place is the folder alone.
        """

    @abstractmethod
    def connection(self, folder: Path, namespace: str = "") -> StoreConnection:
        """Return the store's tables. Files go under ``folder``; a server keeps to its own ``namespace``.

        A namespace is up to 40 of the characters a–z 0–9 _ and begins with a letter. A server refuses an empty one:
        two workspaces would meet there.
        """

    @property
    def title(self) -> str:
        """The store as messages name it."""
        place = self.place()
        return f"{self.name} ({place})" if place else self.name
