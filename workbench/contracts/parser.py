"""Bytes → text with pages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from workbench.contracts.plugin import Plugin
from workbench.errors import SettingsError
from workbench.records import ParsedFile, digest
from workbench.workers import Workers


class Parser(Plugin):
    """Bytes → text with pages. Runs in worker processes: it must not keep state between calls."""

    suffixes: ClassVar[tuple[str, ...]]
    """The file name endings it reads, in lower case with the dot."""

    @abstractmethod
    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        """Return the document in ``data``; ``name`` is the file's name, for titles and messages only.

        Raises ``InputError`` with its ``status`` when nothing can be read.
        """

    def parsed_by(
        self,
        workers: Workers,
        data: bytes,
        name: str,
        document_id: str,
        uri: str,
        *,
        timeout_s: float,
        memory_bytes: int,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> ParsedFile:
        """Return the same as ``parsed``, read by worker processes within limits; a parser may share out the pages."""
        found: ParsedFile = workers.result(
            self.parsed,
            data,
            name,
            document_id,
            uri,
            timeout_s=timeout_s,
            memory_bytes=memory_bytes,
            cancelled=cancelled,
        )
        return found

    def page_image(self, data: bytes, page: int, dpi: int = 110) -> bytes:
        """Return one page as WebP, as it is displayed. Raises ``InputError`` for formats without pages."""
        raise SettingsError(f"{self.label or self.name} has no page images")

    def unlocked(self, data: bytes, password: str | None) -> bytes:
        """Return ``data`` so that it opens without a password; formats without passwords return it as it is."""
        return data

    def key(self, content_hash: str) -> str:
        """Return the parse key: same bytes, same parser, same settings, same packages, same text."""
        return digest(["parse", content_hash, self.identity(), self.package_versions()])
