"""Parsers that can tell a file that was cut off, in a module that worker processes can import."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from workbench.parsers.pdf import Pdf
from workbench.parsers.plain_text import PlainText
from workbench.records import PageLetters, ParsedFile

END = "The end."
CUT_OFF = "the file was cut off"


class ClosingLine(PlainText):
    """Reads texts that end with a closing line: one without it was cut off. Letters after ``|`` count as lost."""

    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        found = super().parsed(data, name, document_id, uri, password)
        kept, _, lost = found.document.text.partition("|")
        letters = sum(map(str.isalnum, kept))
        return replace(
            found,
            letters=(PageLetters(1, letters, letters + sum(map(str.isalnum, lost))),),
            incomplete="" if found.document.text.rstrip().endswith(END) else CUT_OFF,
        )


class NextClosingLine(ClosingLine):
    """A later version of it: texts that the earlier one has read do not count as read by this one."""

    VERSION: ClassVar[int] = 2


class TrailingPdf(Pdf):
    """Reads PDFs, and takes one without the address of its table of objects for cut off."""

    def parsed_by(self, workers: Any, data: bytes, *about: Any, **limits: Any) -> ParsedFile:
        found = super().parsed_by(workers, data, *about, **limits)
        return replace(found, incomplete="" if b"startxref" in data[-1_024:] else CUT_OFF)
