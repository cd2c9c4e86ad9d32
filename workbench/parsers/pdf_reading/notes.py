"""What users are told of a PDF: notes beside its text, or why there is no text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.counts import counted, describe_short_page, listed_pages
from workbench.errors import InputError
from workbench.parsers._pdf_pages import PageText
from workbench.records import PageLetters

_MOST_NAMED = 8
UNREADABLE_SHARE, NO_TEXT_SHARE = 0.2, 0.5
"""Shares of characters that no font explains: above the first a page is not readable, above the second a file."""
_KINDS = {
    "blank": ("is blank", "are blank"),
    "drawing": ("shows only a drawing", "show only drawings"),
    "picture": ("is a picture that needs OCR", "are pictures that need OCR"),
}


def is_unreadable(page: PageText) -> bool:
    """Say whether the fonts of a page leave more than a fifth of its characters, or all of them, unexplained."""
    return page.glyph_codes or page.unexplained > UNREADABLE_SHARE * page.visible > 0


def check_has_text(name: str, pages: Sequence[PageText], incomplete: str = "") -> None:
    """Raise ``InputError`` (damaged or no_text) for a file without a page that can be read as text.

    ``incomplete`` says why the file is incomplete: then nobody can say that its pages are blank.
    """
    count = len(pages)
    failed = sum(page.failed for page in pages)
    if failed == count:
        which = "its only page cannot" if count == 1 else f"none of its {count} pages can"
        raise InputError(f"{name} is damaged: {which} be read; save it anew with another program", "damaged")
    visible = sum(page.visible for page in pages)
    unexplained = sum(page.visible if page.glyph_codes else page.unexplained for page in pages)
    is_unexplained = unexplained > NO_TEXT_SHARE * visible
    has_text = any(page.text for page in pages)
    if incomplete and (is_unexplained or not has_text):
        # Half of a locked file is no longer known to be locked: what it draws are random letters.
        raise InputError(
            f"{name} is not complete: {incomplete}, and no text can be read in it; download or copy it again",
            "damaged",
        )
    if is_unexplained:
        raise InputError(
            f"{name} cannot be read: its fonts do not say which letters they draw; it needs OCR (text recognition)",
            "no_text",
        )
    if has_text:
        return
    kinds = {page.kind for page in pages if not page.failed}
    if kinds == {"blank"}:
        what = "its only page is blank" if count == 1 else f"all of its {count} pages are blank"
        raise InputError(f"nothing is written in {name}: {what}", "no_text")
    if "picture" not in kinds:
        raise InputError(
            f"{name} holds only drawings and no text; if they show letters, it needs OCR (text recognition)",
            "no_text",
        )
    raise InputError(f"{name} holds pictures of pages and no text; it needs OCR first", "no_text")


def file_notes(incomplete: str, *, is_repaired: bool, is_xfa_notice: bool) -> list[str]:
    """Return what is said of the file as a whole; ``incomplete`` is the reason, as ``ParsedFile`` has it."""
    found = []
    if incomplete:
        found.append(f"The file is incomplete: {incomplete}.")
    elif is_repaired:
        found.append(
            "The file was damaged and was repaired while it was read; nothing was found to be missing."
        )
    if is_xfa_notice:
        found.append(
            "The page only says that another program is needed: the form itself is in XFA, which is not read here. "
            "Print it to a PDF with that program and add the result."
        )
    return found


def uncounted_note(count: int, uncounted: int) -> str:
    """Return what is said of a file that holds more pages than it counts: all ``count`` of them were read."""
    return f"The file says that it has {counted(count - uncounted, 'page')}, and holds {count:,}: all of them were read."


def page_notes(pages: Sequence[PageText], incomplete: str) -> list[str]:
    """Return what is said of pages that are damaged, without text or not readable.

    Of an ``incomplete`` file nobody can say that a page is blank: its contents may be what is missing.
    """
    found = []
    failed = [page.number for page in pages if page.failed]
    if failed:
        found.append(
            f"{len(pages) - len(failed)} of {counted(len(pages), 'page')} read; damaged: {listed_pages(failed)}."
        )
    for kind, (one, many) in _KINDS.items():
        numbers = [page.number for page in pages if page.kind == kind and not page.failed]
        if numbers:
            if kind == "blank" and incomplete:
                one, many = "has nothing on it in this file", "have nothing on them in this file"
            verb = one if len(numbers) == 1 else many
            found.append(f"{len(numbers)} of {counted(len(pages), 'page')} {verb}: {listed_pages(numbers)}.")
    codes = [page.number for page in pages if page.glyph_codes]
    if codes:
        found.append(
            f"Not readable: {listed_pages(codes)}; the fonts do not say which letters they draw, so the text is codes "
            "instead of letters. OCR (text recognition) helps."
        )
    unreadable = [page.number for page in pages if is_unreadable(page) and not page.glyph_codes]
    if unreadable:
        found.append(
            f"Not readable: {listed_pages(unreadable)}; the fonts do not say what more than a fifth of the characters is. "
            "OCR (text recognition) helps."
        )
    lost = sum(page.unexplained for page in pages)
    if lost:
        found.append(
            f"{counted(lost, 'character was', 'characters were')} left out because the file does not say "
            f"which {'it is' if lost == 1 else 'they are'}."
        )
    return found


def letter_notes(letters: Iterable[PageLetters]) -> list[str]:
    """Return a sentence with both figures for each page that falls short, the first few by name."""
    short = [page for page in letters if page.is_short]
    found = [describe_short_page(page.page, page.kept, page.on_page) for page in short[:_MOST_NAMED]]
    if len(short) > _MOST_NAMED:
        more = short[_MOST_NAMED:]
        kept, on_page = sum(page.kept for page in more), sum(page.on_page for page in more)
        found.append(
            f"On {counted(len(more), 'more page')}, {kept:,} of {on_page:,} letters are in the text: "
            f"{listed_pages([page.page for page in more])}."
        )
    return found
