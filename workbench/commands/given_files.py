"""The files that a command was given: paths, and what is in folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workbench import pipeline
from workbench.errors import InputError


def files_under(paths: Sequence[str], say: Callable[[str], None]) -> Iterator[str]:
    """Yield files: those named, and in folders all of a kind that is read here, in the order of their names.

    Each is written as it was given, or as its folder was given and the way from there. A link that is named is read
    wherever it leads; one in a folder only if it stays inside, and not if what it leads to is read anyway. ``say`` is
    told of every link that leads out.
    """
    for name in paths:
        if not name:
            # Python takes it for the current folder, which nobody has named.
            raise InputError("a path is empty: name a file or a folder, or . for this one", "empty")
        if not Path(name).is_dir():
            yield name
            continue
        folder = _Folder(Path(name), frozenset(pipeline.suffixes()))
        for link in sorted(folder.leading_out):
            say(
                f"{_joined(name, link)} is a link that leads out of {name}, so it is not read: name it to have it read"
            )
        for path in sorted(folder.files.values()):
            yield _joined(name, path)


class _Folder:
    """The files of a folder that are read, by where they really are, and the links in it that lead out.

    All paths but the real ones are written from the folder on.
    """

    def __init__(self, root: Path, suffixes: frozenset[str]) -> None:
        self.files: dict[Path, Path] = {}
        self.leading_out: list[Path] = []
        self._root, self._real_root, self._suffixes = root, root.resolve(), suffixes
        self._seen: set[Path] = set()
        self._links: list[Path] = []
        self._look_into(Path())
        # Behind all that is there itself, so that a link to it adds nothing. What is linked may hold further links.
        for link in self._links:
            if (root / link).is_dir():
                self._look_into(link)
            else:
                self.files.setdefault((root / link).resolve(), link)

    def _look_into(self, folder: Path) -> None:
        """Take what is in a folder and below, but for what is hidden; nothing of one that was seen before."""
        real = (self._root / folder).resolve()
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            entries = sorted(os.scandir(self._root / folder), key=lambda entry: entry.name)
        except OSError:
            return  # this user may not look into it
        for entry in entries:
            if not entry.name.startswith("."):
                self._take(entry, folder / entry.name)

    def _take(self, entry: os.DirEntry[str], path: Path) -> None:
        try:
            is_folder = entry.is_dir()
            if not is_folder and not (entry.is_file() and path.suffix.lower() in self._suffixes):
                return
        except OSError:
            return  # a link to itself, or into what this user may not see
        if not entry.is_symlink():
            if is_folder:
                self._look_into(path)
            else:
                self.files.setdefault((self._root / path).resolve(), path)
        elif (self._root / path).resolve().is_relative_to(self._real_root):
            self._links.append(path)
        else:
            self.leading_out.append(path)


def _joined(folder: str, path: Path) -> str:
    # As text: Path would make “docs/a.txt” of “./docs” and “a.txt”.
    return folder + ("" if folder.endswith(os.sep) else os.sep) + str(path)
