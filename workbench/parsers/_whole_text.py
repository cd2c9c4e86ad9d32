"""What all parsers do with a finished text: refuse an empty or a boundless one, make it a document of one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from workbench.errors import InputError
from workbench.parsers._letters import cleaned
from workbench.records import Document, Heading, Layout, Page, ParsedFile

LARGEST_TEXT_CHARACTERS = 64_000_000


def check_length(length: int, name: str) -> None:
    """Raise ``InputError`` (too_large) for a text beyond the limit."""
    if length > LARGEST_TEXT_CHARACTERS:
        raise InputError(
            f"{name} holds more than {LARGEST_TEXT_CHARACTERS / 1e6:.0f} million characters of text; "
            "split it into several files",
            "too_large",
        )


def stem(name: str) -> str:
    """Return a file's name without folders and ending, for a title when the file has none."""
    return cleaned(PurePath(name.replace("\\", "/")).stem).strip() or "untitled"


def pageless(
    text: str,
    name: str,
    document_id: str,
    uri: str,
    title: str = "",
    headings: Sequence[Heading] = (),
    warnings: Sequence[str] = (),
) -> ParsedFile:
    """Return a parsed file of one page without size; raises ``InputError`` for no text and for too much."""
    check_length(len(text), name)
    if not text.strip():
        raise InputError(f"{name} holds no text", "no_text")
    document = Document(
        id=document_id,
        text=text,
        pages=(Page(1, 0, len(text)),),
        title=title.strip() or stem(name),
        uri=uri,
        headings=tuple(headings),
    )
    return ParsedFile(document, Layout.empty(), warnings=tuple(warnings))
