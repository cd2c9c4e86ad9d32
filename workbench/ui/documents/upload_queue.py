"""Uploaded files on their way into the workspace: on disk at once, parsed by a job, shown row by row.

Streamlit keeps uploads in memory and forgets them when the page changes, so they are written to the workspace's
``inbox/`` first. A file leaves the inbox when it is in the workspace or the user was told why not; what a killed
server leaves there is taken up again at the next start.
"""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.files import shown_name, write_atomically, writing
from workbench.records import content_digest
from workbench.workspace import AddResult, Workspace

LONGEST_LIST = 500


@dataclass
class Upload:
    """One file: waiting, being read, or done with a result."""

    name: str
    path: Path
    size_bytes: int
    beside: frozenset[str] = frozenset()
    """The hashes of the other contents that came under its name at once: it is no version of those."""
    begun: bool = False
    result: AddResult | None = None

    @property
    def state(self) -> str:
        """``waiting``, ``reading``, or the status of the result."""
        if self.result is not None:
            return self.result.status
        return "reading" if self.begun else "waiting"


class Inbox:
    """All uploads of this process, newest last. Safe for several sessions."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / "inbox"
        self._uploads: list[Upload] = []
        self._lock = threading.Lock()

    def uploads(self) -> list[Upload]:
        """Return the uploads that were not dismissed."""
        with self._lock:
            return list(self._uploads)

    def receive(self, files: Iterable[tuple[str, bytes]]) -> list[Upload]:
        """Write files to disk and list them as waiting; raises ``ServiceError`` when the disk refuses."""
        batch = self._folder / uuid.uuid4().hex
        received = []
        noted: list[tuple[str, str]] = []
        with writing(self._folder):
            for number, (name, data) in enumerate(files):
                path = batch / str(number)
                write_atomically(path, data)
                noted.append((shown_name(name), content_digest(data)))
                received.append(Upload(shown_name(name), path, len(data)))
            names = [{"name": name, "content": content} for name, content in noted]
            write_atomically(batch / "names.json", json.dumps(names).encode())
        for upload, beside in zip(received, _beside(noted), strict=True):
            upload.beside = beside
        self._list(received)
        return received

    def left_over(self) -> list[Upload]:
        """Return, as waiting, what an earlier process received and did not finish."""
        found = []
        known = {upload.path for upload in self.uploads()}
        for names_path in sorted(self._folder.glob("*/names.json")):
            try:
                noted = [_noted(entry) for entry in json.loads(names_path.read_text(encoding="utf-8"))]
            except (OSError, ValueError, TypeError):
                continue
            for number, ((name, _), beside) in enumerate(zip(noted, _beside(noted), strict=True)):
                path = names_path.parent / str(number)
                if path.is_file() and path not in known:
                    found.append(Upload(name, path, path.stat().st_size, beside))
        self._list(found)
        return found

    def add(
        self, uploads: list[Upload], tick: Callable[[int, int, str], None], cancelled: Callable[[], bool]
    ) -> str:
        """Parse uploads into the workspace and return a sentence on how it went; ``tick`` gets (done, total, name)."""
        tick(0, len(uploads), "")
        done = itertools.count(1)
        # One after the other: a file of a later batch may be a new version of one before.
        for batch in dict.fromkeys(upload.path.parent for upload in uploads):
            own = [upload for upload in uploads if upload.path.parent == batch]
            for upload in self._added(own, cancelled):
                tick(next(done), len(uploads), upload.name)
        return summary(uploads)

    def _added(self, uploads: list[Upload], cancelled: Callable[[], bool]) -> Iterator[Upload]:
        """Yield the uploads of one batch as each is done."""

        def begin(index: int) -> None:
            uploads[index].begun = True

        files = ((upload.name, upload.path, None) for upload in uploads)
        beside = {index: upload.beside for index, upload in enumerate(uploads)}
        for index, result in self._workspace.add_many(files, cancelled, begin, beside):
            upload = uploads[index]
            upload.result = result
            if result.status not in ("needs_password", "cancelled"):
                self._discard(upload)
            yield upload

    def unlock(self, upload: Upload, password: str) -> AddResult:
        """Try a password on an upload; the password is used and forgotten."""
        upload.result = self._workspace.add(upload.name, upload.path, password=password, beside=upload.beside)
        if upload.result.is_in:
            self._discard(upload)
        return upload.result

    def dismiss(self, upload: Upload) -> None:
        """Take an upload off the list and its file off the disk."""
        with self._lock:
            self._uploads = [u for u in self._uploads if u is not upload]
        self._discard(upload)

    def dismiss_done(self) -> None:
        """Take everything off the list that needs nobody any more."""
        for upload in self.uploads():
            if upload.result is not None:
                self.dismiss(upload)

    def _list(self, uploads: list[Upload]) -> None:
        with self._lock:
            self._uploads = (self._uploads + uploads)[-LONGEST_LIST:]

    def _discard(self, upload: Upload) -> None:
        upload.path.unlink(missing_ok=True)
        if not any(p.name != "names.json" for p in upload.path.parent.glob("*")):
            shutil.rmtree(upload.path.parent, ignore_errors=True)


def _noted(entry: object) -> tuple[str, str]:
    """Return the name and the content hash of an upload as ``names.json`` has them.

    >>> _noted({"name": "a.pdf", "content": "c0ffee"}), _noted("a.pdf")
    (('a.pdf', 'c0ffee'), ('a.pdf', ''))
    """
    # Earlier versions noted names alone.
    about = entry if isinstance(entry, dict) else {"name": entry}
    return shown_name(str(about.get("name", ""))), str(about.get("content", ""))


def _beside(batch: Sequence[tuple[str, str]]) -> list[frozenset[str]]:
    """Return, for each (name, content) of a batch, the other contents that came under its name.

    >>> [sorted(one) for one in _beside([("a.pdf", "x"), ("a.pdf", "y"), ("b.pdf", "z")])]
    [['y'], ['x'], []]
    """
    of_name: dict[str, set[str]] = defaultdict(set)
    for name, content in batch:
        of_name[name].add(content)
    return [frozenset(of_name[name] - {content, ""}) for name, content in batch]


def summary(uploads: Iterable[Upload]) -> str:
    """Return how many files are in and how many are not.

    >>> summary([])
    'nothing to add'
    """
    results = [upload.result for upload in uploads if upload.result is not None]
    if not results:
        return "nothing to add"
    new = sum(r.status in ("added", "replaced", "partly_read") for r in results)
    known = sum(r.status == "unchanged" for r in results)
    locked = sum(r.status == "needs_password" for r in results)
    failed = len(results) - new - known - locked
    parts = [
        (new, "added"),
        (known, "already here"),
        (locked, "waiting for a password"),
        (failed, "could not be read"),
    ]
    return ", ".join(f"{count} {words}" for count, words in parts if count)
