"""The files of a workspace as they are kept: by content, unlocked where they came with a password."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import ServiceError
from workbench.files import write_atomically, writing


class Originals:
    """One file for each content and kind of file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, stored_hash: str, suffix: str, data: bytes) -> None:
        """Keep a file, unless it is here; raises ``ServiceError`` when the disk refuses."""
        path = self._path(stored_hash, suffix)
        with writing(self._folder.parent):
            if not path.exists():
                write_atomically(path, data)

    def read(self, stored_hash: str, suffix: str) -> bytes:
        """Return a file; raises ``ServiceError`` when it is not here."""
        path = self._path(stored_hash, suffix)
        with writing(self._folder.parent):
            try:
                return path.read_bytes()
            except FileNotFoundError as error:
                raise ServiceError(
                    "its file is not kept here any more: add it again, or delete it"
                ) from error

    def _path(self, stored_hash: str, suffix: str) -> Path:
        return self._folder / f"{stored_hash}{suffix}"
