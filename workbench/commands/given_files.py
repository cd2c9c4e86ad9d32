"""The files that a command was given: paths, and what is in folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workbench import pipeline
from workbench.errors import InputError


def files_under(paths: Sequence[str], say: Callable[[str], None]) -> Iterator[str]:
    """Yield the files that are named, and all files in named folders that some parser reads, sorted by name.

    A path begins as it was given. A link that is named is read wherever it leads; one inside a folder only if it does
    not lead out of it, and not if its target is read anyway. ``say`` is called with a sentence on every link that
    leads out.
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
                f"{_joined(name, link)} is a link that leads out of {name}, so it is not read: "
                "to read it, give its own path, too"
            )
        for path in sorted(folder.files.values()):
            yield _joined(name, path)


class _Folder:
    """The files of a folder that are read, each once, and the links in it that lead out.

    ``files`` maps a resolved path to the path below the folder; ``leading_out`` holds paths below the folder.
    """

    def __init__(self, root: Path, suffixes: frozenset[str]) -> None:
        self.files: dict[Path, Path] = {}
        self.leading_out: list[Path] = []
        self._root, self._real_root, self._suffixes = root, root.resolve(), suffixes
        self._seen: set[Path] = set()
        self._links: list[Path] = []
        self._look_into(Path())
        # Links come last, so that one to a file that is there anyway adds nothing. A linked folder may add more links.
        for link in self._links:
            if (root / link).is_dir():
                self._look_into(link)
            else:
                self.files.setdefault((root / link).resolve(), link)

    def _look_into(self, folder: Path) -> None:
        """Collect all that is in a folder and below, but for hidden files; a folder counts once."""
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
