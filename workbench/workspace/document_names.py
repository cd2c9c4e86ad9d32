"""What the list of documents says of each, in a small file beside the kept files: the list can be made again from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.files import write_atomically, writing
from workbench.pipeline import document_id
from workbench.records import PageLetters, ParsedFile
from workbench.workspace.document_rows import Copy, DocumentRow, apply_reading
from workbench.workspace.parses import DAMAGED, unpacked

_TUPLES = ("empty_pages", "failed_pages", "warnings")


class DocumentNames:
    """One JSON file per document and copy, under ``names/``; its name begins with the hash of the kept file."""

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / "names"
        self._originals, self._parsed = workspace / "originals", workspace / "parsed"

    def note(self, row: DocumentRow) -> None:
        """Keep what the list says of a document; raises ``ServiceError`` when the disk refuses."""
        self._write(row.stored_hash, row.id, asdict(row))

    def note_copy(self, copy: Copy, stored_hash: str) -> None:
        """Keep that a file is a copy of the document that has its content."""
        self._write(stored_hash, copy.id, asdict(copy))

    def forget(self, stored_hash: str, document_id: str) -> None:
        """Drop what is kept of a document or copy that is no more."""
        with suppress(OSError):
            self._path(stored_hash, document_id).unlink()

    def without(self, rows: Iterable[DocumentRow]) -> list[DocumentRow]:
        """Return those documents of which nothing is kept here: they were added before this was kept."""
        here = set(_names(self._folder))
        return [row for row in rows if self._path(row.stored_hash, row.id).name not in here]

    def find_unlisted(
        self, listed: Callable[[], Collection[tuple[str, str]]]
    ) -> tuple[list[DocumentRow], list[Copy]]:
        """Return the documents whose files are kept and the copies that a list of (stored hash, id) does not name."""
        # The names first: what is noted and committed meanwhile is on the list that is read then.
        noted = {name.removesuffix(".json").partition("-")[::2] for name in _names(self._folder)}
        unlisted = noted - set(listed()) if noted else set()
        found = [values for _, _, values in sorted(self._noted(f"{a}-{b}.json" for a, b in unlisted))]
        rows = [_row(values) for values in found if "stored_hash" in values]
        copies = [Copy(**values) for values in found if "stored_hash" not in values]
        return [row for row in rows if self.has_original(row.stored_hash, row.suffix)], copies

    def has_original(self, stored_hash: str, suffix: str) -> bool:
        """Return whether the file of a document is kept."""
        return (self._originals / f"{stored_hash}{suffix}").is_file()

    def find_all(self) -> tuple[list[DocumentRow], list[Copy]]:
        """Return documents and copies as they were listed, and one under a made-up name for every other kept file."""
        found = {document_id: values for _, document_id, values in sorted(self._noted(_names(self._folder)))}
        rows = [_row(values) for values in found.values() if "stored_hash" in values]
        kept = set(_names(self._originals))
        rows = [row for row in rows if f"{row.stored_hash}{row.suffix}" in kept]
        named = {f"{row.stored_hash}{row.suffix}" for row in rows}
        rows += [self._unnamed(Path(name)) for name in sorted(kept - named) if not name.endswith(".partial")]
        contents = {(row.content_hash, row.suffix) for row in rows}
        copies = [Copy(**values) for values in found.values() if "stored_hash" not in values]
        return rows, [copy for copy in copies if (copy.content_hash, copy.suffix) in contents]

    def _noted(self, names: Iterable[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
        for name in names:
            path = self._folder / name
            # What was noted last is true of an id that stands in two files: a kill came between two steps.
            with suppress(OSError, ValueError, KeyError):
                values = json.loads(path.read_bytes())
                yield path.stat().st_mtime_ns, str(values["id"]), values

    def _unnamed(self, file: Path) -> DocumentRow:
        name = f"found-{file.stem[:8]}{file.suffix}"
        stat = (self._originals / file).stat()
        uri = f"upload:{name}"
        row = DocumentRow(
            id=document_id("file", uri),
            name=name,
            uri=uri,
            content_hash=file.stem,
            stored_hash=file.stem,
            suffix=file.suffix,
            size_bytes=stat.st_size,
            title=name,
            page_count=0,
            character_count=0,
            empty_pages=(),
            failed_pages=(),
            warnings=(),
            added_at_utc=_day(stat.st_mtime),
        )
        for path in sorted(self._parsed.glob(f"{file.stem}-*.npz")):
            with suppress(*DAMAGED):
                parsed: ParsedFile = unpacked(path.read_bytes(), row.id, uri)
                return apply_reading(row, parsed)
        return row  # its pages are counted when it is next read

    def _write(self, stored_hash: str, document_id: str, values: dict[str, Any]) -> None:
        with writing(self._folder):
            write_atomically(self._path(stored_hash, document_id), json.dumps(values).encode())

    def _path(self, stored_hash: str, document_id: str) -> Path:
        return self._folder / f"{stored_hash}-{document_id}.json"


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 names are all that is asked for
    except OSError:
        return []


def _row(values: dict[str, Any]) -> DocumentRow:
    lists = {name: tuple(values[name]) for name in _TUPLES}
    short = tuple(PageLetters(**one) for one in values["short_pages"])
    return DocumentRow(**{**values, **lists, "short_pages": short})


def _day(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
