"""A source held in memory, for tests: a shelf of texts that a test changes underfoot."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench import plugins
from workbench.config import Config
from workbench.contracts import Fault, ItemPage, Source, SourceAccess, SourceConnection
from workbench.errors import InputError, WorkbenchError
from workbench.records import RawItem, SourceItem, content_digest
from workbench.sync import Pipeline, events
from workbench.sync.run import Wishes
from workbench.workspace import Workspace

TEXTS = {
    "red": b"The tram stops at red. It goes at white.",
    "depot": b"The depot opens at four. It closes at one.",
    "fares": b"A ticket costs two crowns. Dogs travel free.",
}
SENTENCES = sorted(
    sentence + "." for data in TEXTS.values() for sentence in data.decode().rstrip(".").split(". ")
)


@dataclass
class Books:
    """What stands on one shelf, and what goes wrong there."""

    name: str
    texts: dict[str, bytes] = field(default_factory=dict)
    suffix: str = ".txt"
    versions: bool = True
    read_errors: dict[str, BaseException] = field(default_factory=dict)
    breaks_after: int | None = None
    reads: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    faults: tuple[Fault, ...] = ()
    lists_wrong: BaseException | None = None
    patient: bool = False
    """Whether the listing waits until somebody asks it to stop."""


SHELVES: dict[str, Books] = {}


def new_books() -> Books:
    """Return a shelf of three texts that nobody else sees."""
    made = Books(uuid.uuid4().hex, dict(TEXTS))
    SHELVES[made.name] = made
    return made


class Shelf(Source):
    """Texts in memory."""

    shelf: str
    largest_mb: int = 1

    def place(self) -> str:
        return self.shelf

    def connection(self, access: SourceAccess) -> SourceConnection:
        return _Connection(self.shelf, access)


class _Connection(SourceConnection):
    def __init__(self, name: str, access: SourceAccess) -> None:
        super().__init__(name)
        self._access = access

    @property
    def books(self) -> Books:
        return SHELVES[self.name]

    def pages(self, cursor: str) -> Iterator[ItemPage]:
        if self.books.lists_wrong is not None:
            raise self.books.lists_wrong
        while self.books.patient:
            self._access.check()
        for number, (name, data) in enumerate(list(self.books.texts.items())):
            if self.books.breaks_after == number:
                raise WorkbenchError("the shelf broke")
            version = content_digest(data) if self.books.versions else ""
            yield ItemPage((SourceItem(name, version, name, f"shelf:{name}", size_bytes=len(data)),))
        problem = self.books.problem
        yield ItemPage(problems=(problem,) if problem else (), faults=self.books.faults, complete=not problem)

    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        self.books.reads.append(item.item_id)
        error = self.books.read_errors.get(item.item_id)
        if error is not None:
            raise error
        try:
            data = self.books.texts[item.item_id]
        except KeyError as missing:
            raise InputError("it is gone", "gone") from missing
        return RawItem(
            data, f"{item.item_id}{self.books.suffix}", f"shelf:{item.item_id}", metadata=self.books.metadata
        )


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **times: float) -> None:
        self.now += timedelta(**times)


def made_config(books: Books, size: int = 8, store: str = "memory", **sections: Any) -> Config:
    """Return a config that cuts one sentence a chunk."""
    return Config(
        "library",
        plugins.build("chunkers", "nltk_sentences", {"size_tokens": size, "overlap_sentences": 0}),
        plugins.build("embedders", "hashing", {"dimension": 256}),
        plugins.build("parsers", "plain_text"),
        plugins.build("stores", store),
        sources=(Shelf(shelf=books.name),),
        **sections,
    )


def synced(pipeline: Pipeline, **wishes: Any) -> events.Finished:
    """Sync to the end."""
    finished = list(pipeline.sync(Wishes(**wishes)))[-1]
    assert isinstance(finished, events.Finished)
    return finished


def with_config(pipeline: Pipeline, **changes: Any) -> Pipeline:
    """Return the pipeline with another config."""
    place = pipeline.place
    return Pipeline(place.workspace, replace(place.config, **changes), place.folder, place.clock)


def rows(pipeline: Pipeline) -> dict[str, list[float]]:
    """Return chunk id → vector of everything in the pipeline's table."""
    place = pipeline.place
    ids, vectors = place.connection.table(place.table_name).vectors()
    return {chunk_id: vector.tolist() for chunk_id, vector in zip(ids, vectors, strict=True)}


def texts(pipeline: Pipeline) -> list[str]:
    """Return the texts of all chunks in the pipeline's table."""
    place = pipeline.place
    return sorted(chunk.text for chunk in place.connection.table(place.table_name).chunks())


def fresh(pipeline: Pipeline, folder: Path) -> dict[str, list[float]]:
    """Return what a build from scratch in an empty workspace gives."""
    place = pipeline.place
    other = Pipeline(Workspace(folder), place.config, place.folder, place.clock)
    synced(other)
    return rows(other)
