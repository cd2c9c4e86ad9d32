"""A document, and a copy of one, as the list of documents shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workbench.records import PageLetters, ParsedFile


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as the list shows it. ``uri`` is a path, or ``upload:`` and the name."""

    id: str
    name: str
    uri: str
    content_hash: str
    stored_hash: str
    suffix: str
    size_bytes: int
    title: str
    page_count: int
    character_count: int
    empty_pages: tuple[int, ...]
    failed_pages: tuple[int, ...]
    warnings: tuple[str, ...]
    added_at_utc: str
    letters_kept: int = 0
    """Letters and digits in the text, of those counted on its pages; both are 0 where a format does not count them."""
    letters_on_page: int = 0
    short_pages: tuple[PageLetters, ...] = ()
    """The pages of which letters are missing in the text."""
    incomplete: str = ""
    """Why the file is incomplete, as ``ParsedFile.incomplete`` says it; "" for a complete one."""


def apply_reading(row: DocumentRow, found: ParsedFile) -> DocumentRow:
    """Return the row with the counts and notes of a parsed file; its title and date stay."""
    return replace(
        row,
        page_count=len(found.document.pages),
        character_count=len(found.document.text),
        empty_pages=found.empty_pages,
        failed_pages=found.failed_pages,
        warnings=found.warnings,
        letters_kept=sum(page.kept for page in found.letters),
        letters_on_page=sum(page.on_page for page in found.letters),
        short_pages=found.short_pages,
        incomplete=found.incomplete,
    )


@dataclass(frozen=True, slots=True)
class Copy:
    """A file with the content of a document that is here: of itself only its place is kept.

    It becomes a document once the other one is no more what it is a copy of. No id is in both lists.
    """

    id: str
    name: str
    uri: str
    content_hash: str
    suffix: str
