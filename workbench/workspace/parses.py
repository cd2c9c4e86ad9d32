"""Parsed files on disk: one ``.npz`` each, written whole, read without running anything that is in it."""

from __future__ import annotations

import io
import json
import threading
import zipfile
import zlib
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.contracts import Parser
from workbench.files import touch, write_atomically, writing
from workbench.records import (
    Box,
    Document,
    Heading,
    Layout,
    OmittedText,
    Page,
    PageLetters,
    ParsedFile,
    digest,
)


def parse_key(parser: Parser, content_hash: str, name: str) -> str:
    """Return the key of what a parser reads in a file; the name is part of it because a title may come from there."""
    return f"{content_hash}-{digest([parser.key(content_hash), name])}"


def packed(parsed: ParsedFile) -> bytes:
    """Return the bytes of a parsed file: arrays for the layout, UTF-8 for the text, JSON for the rest."""
    document, layout = parsed.document, parsed.layout
    about = {
        "title": document.title,
        "pages": [[p.number, p.start, p.end, p.width, p.height] for p in document.pages],
        "headings": [[h.start, h.end, h.level] for h in document.headings],
        "metadata": dict(document.metadata),
        "empty_pages": parsed.empty_pages,
        "failed_pages": parsed.failed_pages,
        "warnings": parsed.warnings,
        "letters": [[one.page, one.kept, one.on_page] for one in parsed.letters],
        "omitted": [[_box_values(one.box), one.text, one.reason] for one in parsed.omitted],
        "incomplete": parsed.incomplete,
    }
    return _archive(
        text=np.frombuffer(document.text.encode("utf-8", "surrogatepass"), np.uint8),
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        starts=layout.starts,
        ends=layout.ends,
        pages=layout.pages,
        lines=layout.lines,
        boxes=layout.boxes,
    )


def _box_values(box: Box) -> list[float]:
    # As Python's own numbers: parsers measure with NumPy, whose numbers JSON does not take.
    return [int(box.page), *(float(one) for one in (box.x0, box.y0, box.x1, box.y1))]


def _archive(**arrays: npt.NDArray[Any]) -> bytes:
    """Return an ``.npz`` of the arrays, packed fast: numpy's own way takes three times as long for a seventh less."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return buffer.getvalue()


def unpacked(data: bytes, document_id: str, uri: str) -> ParsedFile:
    """Return the parsed file in ``data`` under the given id."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        document = Document(
            id=document_id,
            text=arrays["text"].tobytes().decode("utf-8", "surrogatepass"),
            pages=tuple(Page(*p) for p in about["pages"]),
            title=about["title"],
            uri=uri,
            headings=tuple(Heading(*h) for h in about["headings"]),
            metadata=about["metadata"],
        )
        layout = Layout(arrays["starts"], arrays["ends"], arrays["pages"], arrays["lines"], arrays["boxes"])
    return ParsedFile(
        document,
        layout,
        tuple(about["empty_pages"]),
        tuple(about["failed_pages"]),
        tuple(about["warnings"]),
        # Files written by earlier versions have none of these.
        letters=tuple(PageLetters(*one) for one in about.get("letters", ())),
        omitted=tuple(OmittedText(Box(*box), text, why) for box, text, why in about.get("omitted", ())),
        incomplete=about.get("incomplete", ""),
    )


DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a damaged file may raise while it is unpacked."""


class ParsedFiles:
    """Parsed files by key; the last few stay in memory."""

    def __init__(self, folder: Path, held: int = 24) -> None:
        self._folder = folder
        self._limit = held
        self._held: OrderedDict[str, ParsedFile] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, document_id: str, uri: str) -> ParsedFile | None:
        """Return what is kept under ``key``, or None; a damaged file counts as absent."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
        if found is None:
            path = self._folder / f"{key}.npz"
            try:
                found = unpacked(path.read_bytes(), document_id, uri)
            except DAMAGED:
                return None
            touch(path)
            self._hold(key, found)
        if found.document.id == document_id:
            return found
        return replace(found, document=replace(found.document, id=document_id, uri=uri))

    def put(self, key: str, parsed: ParsedFile) -> None:
        """Keep ``parsed``; raises ``ServiceError`` when the disk refuses."""
        with writing(self._folder):
            write_atomically(self._folder / f"{key}.npz", packed(parsed))
        self._hold(key, parsed)

    def _hold(self, key: str, parsed: ParsedFile) -> None:
        with self._lock:
            self._held[key] = parsed
            while len(self._held) > self._limit:
                self._held.popitem(last=False)
