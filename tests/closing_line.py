"""A parser that loses letters where a test wants it, in a module that worker processes can import."""

from __future__ import annotations

from dataclasses import replace

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
