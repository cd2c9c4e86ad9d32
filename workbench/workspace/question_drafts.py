"""Drafts that wait for a person's decision, and which service writes them, kept under ``drafts/``; never a key."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from workbench.errors import SettingsError
from workbench.evaluation.drafts import Draft, DraftService
from workbench.files import write_atomically, writing
from workbench.records import digest


class QuestionDrafts:
    """The proposals for each question set of one workspace, in the order in which they came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changing = threading.Lock()

    def waiting(self, set_name: str) -> list[Draft]:
        """Return the drafts of a set that nobody has decided on; a damaged file counts as none."""
        try:
            return [Draft(**draft) for draft in json.loads(self._path(set_name).read_bytes())]
        except (OSError, ValueError, TypeError):
            return []

    def add(self, set_name: str, drafts: Iterable[Draft]) -> None:
        """Put drafts behind those that wait already."""
        with self._changing:
            self._write(set_name, [*self.waiting(set_name), *drafts])

    def decide(self, set_name: str, draft: Draft) -> None:
        """Take a draft off the list, whatever was decided on it."""
        with self._changing:
            self._write(set_name, [one for one in self.waiting(set_name) if one != draft])

    def forget(self, set_name: str) -> None:
        """Drop the drafts of a set that is deleted."""
        with self._changing, writing(self._folder):
            self._path(set_name).unlink(missing_ok=True)

    def service(self) -> DraftService | None:
        """Return the service that is configured, None where none is."""
        try:
            return DraftService(**json.loads((self._folder / "service.json").read_bytes()))
        except (OSError, ValueError, TypeError, SettingsError):
            return None

    def configure(self, service: DraftService) -> None:
        """Remember address, model and the name of the key's variable."""
        with writing(self._folder):
            write_atomically(self._folder / "service.json", json.dumps(asdict(service)).encode())

    def _write(self, set_name: str, drafts: list[Draft]) -> None:
        with writing(self._folder):
            write_atomically(self._path(set_name), json.dumps([asdict(draft) for draft in drafts]).encode())

    def _path(self, set_name: str) -> Path:
        return self._folder / f"{digest(['drafts', set_name])[:16]}.json"
