"""When chunks were last written into a table, kept under ``builds/``: the store knows only when it made the table."""

from __future__ import annotations

from pathlib import Path

from workbench.files import write_atomically, writing
from workbench.workspace.documents import now_utc


class WriteTimes:
    """One small text file per table."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, table_name: str) -> None:
        """Keep that chunks were written just now."""
        with writing(self._folder):
            write_atomically(self._path(table_name), now_utc().encode())

    def of(self, table_name: str) -> str:
        """Return the time in ISO 8601, "" where none was kept."""
        try:
            return self._path(table_name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def _path(self, table_name: str) -> Path:
        return self._folder / f"{table_name}.written"
