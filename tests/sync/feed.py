"""A drive held in memory, listed as drives are: pages with tokens, then a feed of changes with moves and a bin."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from workbench.contracts import ItemPage, Source, SourceAccess, SourceConnection
from workbench.errors import InputError, ServiceError
from workbench.records import RawItem, SourceItem

PAGE = 2


@dataclass(frozen=True)
class File:
    """What a drive knows of a file; every change of any of it is another version."""

    text: str
    folder: str = "inbox"
    version: int = 1
    trashed: bool = False


@dataclass
class Drive:
    """Files by id. ``log`` holds the id of every change in order; ``asked`` the token of every page asked for."""

    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    files: dict[str, File] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    breaks_after: int | None = None
    """So many pages come; then the service is down."""
    forgets_before: int = 0
    """Changes before this one are not told any more."""
    unreadable: set[str] = field(default_factory=set)

    def put(self, file_id: str, text: str) -> None:
        before = self.files.get(file_id, File("", version=0))
        self._change(file_id, replace(before, text=text, version=before.version + 1, trashed=False))

    def move(self, file_id: str, folder: str) -> None:
        before = self.files[file_id]
        self._change(file_id, replace(before, folder=folder, version=before.version + 1))

    def trash(self, file_id: str, trashed: bool = True) -> None:
        before = self.files[file_id]
        self._change(file_id, replace(before, trashed=trashed, version=before.version + 1))

    def delete(self, file_id: str) -> None:
        del self.files[file_id]
        self.log.append(file_id)

    def _change(self, file_id: str, file: File) -> None:
        self.files[file_id] = file
        self.log.append(file_id)


DRIVES: dict[str, Drive] = {}


class DriveSource(Source):
    """Files of a drive in memory."""

    drive: str
    folder: str = ""

    def place(self) -> str:
        return self.drive

    def connection(self, access: SourceAccess) -> SourceConnection:
        return _Connection(self)


class _Connection(SourceConnection):
    def __init__(self, settings: DriveSource) -> None:
        super().__init__("drive")
        self._settings = settings

    @property
    def drive(self) -> Drive:
        return DRIVES[self._settings.drive]

    def pages(self, cursor: str) -> Iterator[ItemPage]:
        """Cursors: ``list AFTER SINCE`` while all files are listed, ``changes N`` in the feed."""
        kind, *rest = cursor.split() or ["new"]
        if kind == "changes" and int(rest[0]) >= self.drive.forgets_before:
            yield from self._changes(int(rest[0]))
        elif kind == "list":
            yield from self._all(rest[0], int(rest[1]), whole=False)
        else:
            yield from self._all("", len(self.drive.log), whole=True)

    def _all(self, after: str, since: int, whole: bool) -> Iterator[ItemPage]:
        """What changes while the files are listed comes in the feed, which begins where the listing began."""
        left = sorted(file_id for file_id in self.drive.files if file_id > after)
        for start in range(0, len(left), PAGE):
            some = left[start : start + PAGE]
            self._ask(f"list {some[0]}")
            items = tuple(self._item(file_id) for file_id in some if not self.drive.files[file_id].trashed)
            yield ItemPage(items, cursor=f"list {some[-1]} {since}")
        yield ItemPage(cursor=f"changes {since}", complete=whole)

    def _changes(self, since: int) -> Iterator[ItemPage]:
        for start in range(since, len(self.drive.log), PAGE):
            self._ask(f"changes {start}")
            some = dict.fromkeys(self.drive.log[start : start + PAGE])
            there = [file_id for file_id in some if not self._is_gone(file_id)]
            yield ItemPage(
                tuple(self._item(file_id) for file_id in there),
                removed=tuple(file_id for file_id in some if file_id not in there),
                cursor=f"changes {min(start + PAGE, len(self.drive.log))}",
            )

    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        self.drive.reads.append(item.item_id)
        if item.item_id in self.drive.unreadable:
            raise ServiceError("the drive answers 503")
        if self._is_gone(item.item_id):
            raise InputError("it is gone", "gone")
        file = self.drive.files[item.item_id]
        uri = f"drive://{file.folder}/{item.item_id}.txt"
        return RawItem(file.text.encode(), f"{item.item_id}.txt", uri, version=str(file.version))

    def _item(self, file_id: str) -> SourceItem:
        file = self.drive.files[file_id]
        return SourceItem(file_id, str(file.version), f"{file.folder}/{file_id}.txt")

    def _is_gone(self, file_id: str) -> bool:
        file = self.drive.files.get(file_id)
        return file is None or file.trashed

    def _ask(self, page: str) -> None:
        if self.drive.breaks_after is not None:
            if self.drive.breaks_after == 0:
                raise ServiceError("the drive is down")
            self.drive.breaks_after -= 1
        self.drive.asked.append(page)
