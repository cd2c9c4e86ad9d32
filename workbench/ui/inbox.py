"""Uploaded files on their way into the workspace: on disk at once, parsed by a job, shown row by row.

Streamlit keeps uploads in memory and forgets them when the page changes, so they are written to the workspace's
``inbox/`` first. A file leaves the inbox when it is in the workspace or the user was told why not; what a killed
server leaves there is taken up again at the next start.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workbench.files import shown_name, write_atomically, writing
from workbench.workspace import AddResult, Workspace

LONGEST_LIST = 500


@dataclass
class Upload:
    """One file: waiting, being read, or done with a result."""

    name: str
    path: Path
    size_bytes: int
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
        taken: dict[str, str] = {}
        with writing(self._folder):
            for number, (name, data) in enumerate(files):
                path = batch / str(number)
                write_atomically(path, data)
                own_name = free_name(shown_name(name), hashlib.sha256(data).hexdigest(), taken)
                received.append(Upload(own_name, path, len(data)))
            names = [upload.name for upload in received]
            write_atomically(batch / "names.json", json.dumps(names).encode())
        self._list(received)
        return received

    def left_over(self) -> list[Upload]:
        """Return, as waiting, what an earlier process received and did not finish."""
        found = []
        known = {upload.path for upload in self.uploads()}
        for names_path in sorted(self._folder.glob("*/names.json")):
            try:
                names = json.loads(names_path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            for number, name in enumerate(names):
                path = names_path.parent / str(number)
                if path.is_file() and path not in known:
                    found.append(Upload(shown_name(str(name)), path, path.stat().st_size))
        self._list(found)
        return found

    def add(
        self, uploads: list[Upload], tick: Callable[[int, int, str], None], cancelled: Callable[[], bool]
    ) -> str:
        """Parse uploads into the workspace and return a sentence on how it went; ``tick`` gets (done, total, name)."""
        tick(0, len(uploads), "")

        def begin(index: int) -> None:
            uploads[index].begun = True

        files = ((upload.name, upload.path, None) for upload in uploads)
        finished = self._workspace.add_many(files, cancelled, begin)
        for done, (index, result) in enumerate(finished, start=1):
            upload = uploads[index]
            upload.result = result
            if result.status != "needs_password":
                self._discard(upload)
            tick(done, len(uploads), upload.name)
        return summary(uploads)

    def unlock(self, upload: Upload, password: str) -> AddResult:
        """Try a password on an upload; the password is used and forgotten."""
        upload.result = self._workspace.add(upload.name, upload.path, password=password)
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


def free_name(name: str, content: str, taken: dict[str, str]) -> str:
    """Return the name a file of a batch gets, and note it in ``taken`` (name → content).

    Files of one batch that share a name, as ``report.pdf`` of two folders do, are no versions of each other: unless
    their content is the same, too, the later ones are numbered.

    >>> taken = {}
    >>> [free_name("a.pdf", content, taken) for content in ("one", "two", "one", "two", "three")]
    ['a.pdf', 'a (2).pdf', 'a.pdf', 'a (2).pdf', 'a (3).pdf']
    """
    path = PurePosixPath(name)
    numbered = (
        name if number == 1 else f"{path.stem} ({number}){path.suffix}" for number in itertools.count(1)
    )
    found = next(own for own in numbered if taken.get(own, content) == content)
    taken[found] = content
    return found


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
