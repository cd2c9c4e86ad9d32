"""The files of a folder and all folders in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

from pydantic import Field

from workbench.contracts import Fault, ItemPage, Source, SourceAccess, SourceConnection
from workbench.errors import InputError, ServiceError
from workbench.records import RawItem, SourceItem
from workbench.sources._globs import wanted
from workbench.sources._local_files import place_of, read_below, version
from workbench.sources._readable import is_readable

PAGE_ITEMS = 500


class PdfFolder(Source):
    """Read every file of a folder that a parser reads, PDF or not"""

    label: ClassVar[str] = "Folder"
    path: str = Field(
        min_length=1,
        examples=["/srv/handbook"],
        description="the folder; a relative path starts at the config's folder",
    )
    include: tuple[str, ...] = Field(
        (),
        strict=False,
        examples=["*.pdf, tariffs/**"],
        description="patterns of files to read, such as *.pdf or tariffs/**; empty means all that can be read",
    )
    exclude: tuple[str, ...] = Field(
        (),
        strict=False,
        examples=["**/drafts/**"],
        description="patterns of files to leave out, such as **/drafts/**",
    )
    hidden: bool = Field(
        False,
        title="Hidden files too",
        description="whether to read files and folders whose names begin with a dot",
    )
    largest_mb: int = Field(
        200, title="Largest file (MB)", ge=1, le=10_000, description="largest file to read, in megabytes"
    )

    def place(self) -> str:
        """Return the folder as the config writes it."""
        return PurePosixPath(self.path).as_posix()

    def connection(self, access: SourceAccess) -> SourceConnection:
        """Return the folder; it is looked for when it is listed."""
        return _Folder(self, access)


class _Folder(SourceConnection):
    def __init__(self, settings: PdfFolder, access: SourceAccess) -> None:
        super().__init__(settings.name)
        self._settings = settings
        self._access = access
        self._root = place_of(access.folder, settings.path)

    def pages(self, cursor: str = "") -> Iterator[ItemPage]:
        """Yield the files, folder by folder. Links are not followed: what they lead to inside is listed anyway,
        and what lies outside is none of this folder. An inner folder that stays shut is taken to be like the others."""
        fits = wanted(self._settings.include, self._settings.exclude)
        whole = True
        shut: dict[str, str] = {}
        count = folders = 0
        items: list[SourceItem] = []
        problems: list[str] = []
        faults: list[Fault] = []
        todo = [""]
        while todo:
            folder = todo.pop()
            try:
                entries = sorted(os.scandir(self._root / folder), key=lambda entry: entry.name)
            except OSError as error:
                if not folder:
                    raise _not_there(self._settings.path, error) from error
                # What is in it may still be there: without it the listing must not look like all.
                said = f"the folder {_shown(folder)} cannot be looked into: {error.strerror}"
                if isinstance(error, PermissionError):
                    shut[_shown(folder)] = said
                else:
                    whole = False
                    problems.append(said)
                continue
            folders += 1
            inner: list[str] = []
            for entry in entries:
                self._access.check()
                path = folder + entry.name
                if entry.name.startswith(".") and not self._settings.hidden:
                    continue
                try:
                    if entry.is_symlink():
                        if _is_text(path) and (outside := self._leads_out(path)) is not None:
                            problems.append(outside)
                    elif entry.is_dir(follow_symlinks=False):
                        if _is_text(path):
                            inner.append(f"{path}/")
                        else:
                            faults.append(_unnamed(path))
                    elif entry.is_file(follow_symlinks=False) and is_readable(path) and fits(path):
                        if _is_text(path):
                            items.append(self._item(path, entry))
                            count += 1
                        else:
                            faults.append(_unnamed(path))
                except FileNotFoundError:
                    continue  # It has just vanished.
                except OSError as error:
                    whole = False
                    problems.append(f"{path} cannot be looked at: {error.strerror}")
                if len(items) >= PAGE_ITEMS:
                    yield ItemPage(tuple(items), problems=tuple(problems))
                    items, problems = [], []
            todo += reversed(inner)
        each = max(1, round(count / max(1, folders)))
        faults += (Fault(path, said, each) for path, said in shut.items())
        yield ItemPage(tuple(items), problems=tuple(problems), faults=tuple(faults), complete=whole)

    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        """Return the file's bytes with the version they are of."""
        data, found = read_below(self._root, item.item_id, self._settings.largest_mb * 10**6)
        return RawItem(data, PurePosixPath(item.item_id).name, self._uri(item.item_id), version=found)

    def _item(self, path: str, entry: os.DirEntry[str]) -> SourceItem:
        now_ns = time.time_ns()
        found = entry.stat(follow_symlinks=False)
        return SourceItem(path, version(found, now_ns), path, self._uri(path), size_bytes=found.st_size)

    def _uri(self, path: str) -> str:
        return (self._root / path).as_uri()

    def _leads_out(self, path: str) -> str | None:
        """Return a sentence on a link that leads out of the folder or nowhere, None for one to something inside."""
        try:
            target = (self._root / path).resolve(strict=True)
        except (OSError, RuntimeError):
            return f"{path} is a link to nothing, or to itself"
        if target.is_relative_to(self._root):
            return None
        return f"{path} is a link that leads out of the folder; it is not read"


def _not_there(path: str, error: OSError) -> InputError | ServiceError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"there is no folder {path}; is the path right, and the disk there?", "gone")
    return ServiceError(f"the folder {path} cannot be looked into: {error.strerror}")


def _unnamed(path: str) -> Fault:
    # No known document hides behind it: what was listed once had another name.
    return Fault(_shown(path), f"{_shown(path)} has a name that is not UTF-8; rename it", hides=False)


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
