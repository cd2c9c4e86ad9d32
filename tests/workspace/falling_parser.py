"""A parser with a bug, in a module that worker processes can import."""

from __future__ import annotations

from workbench.parsers.plain_text import PlainText
from workbench.records import ParsedFile


class FallingParser(PlainText):
    """Reads texts, and falls over one of them."""

    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        if name.endswith("odd.txt"):
            raise ZeroDivisionError("a line of no height")
        return super().parsed(data, name, document_id, uri, password)
