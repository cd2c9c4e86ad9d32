"""Plain text, kept to the letter: line ends, control characters and all; only the encoding is undone."""

from __future__ import annotations

from typing import ClassVar

from workbench.contracts import Parser
from workbench.errors import InputError
from workbench.parsers._decoded import decoded
from workbench.parsers._whole_text import pageless
from workbench.records import ParsedFile

_NOT_TEXT = (
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x7fELF",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
)


class PlainText(Parser):
    """Read text files as they are."""

    label: ClassVar[str] = "Plain text"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    packages: ClassVar[tuple[str, ...]] = ("charset-normalizer",)

    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        if data.startswith(_NOT_TEXT):
            raise InputError(
                f"{name} is not a text file although named so; give it its real ending", "unsupported"
            )
        text, warnings = decoded(data)
        return pageless(text, name, document_id, uri, warnings=warnings)
