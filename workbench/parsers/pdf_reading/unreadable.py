"""Pages without readable letters: fonts that do not explain theirs, blank pages, drawings, pictures, XFA notices."""

from __future__ import annotations

from typing import Any, Literal

PageKind = Literal["text", "blank", "drawing", "picture"]

_FEWEST_CHARACTERS = 40
"""Fewer characters are too few to tell words from codes."""


def holds_glyph_codes(document: Any, page: Any, text: str, visible: int, letters: int) -> bool:
    """Say whether a page's text is codes of glyphs that only look like letters.

    ``visible`` is how many of its characters are no blanks, ``letters`` how many are letters or digits. In languages
    with Latin letters a third of the letters are vowels, and figures are digits; codes have few of either. True only
    where at least half of the fonts do not explain their letters.
    """
    if letters >= 0.65 * visible:
        return False
    # Leaders in tables of contents are no sign of codes.
    signs = sum(text.count(sign) for sign in ".,-–…")
    if visible - signs < _FEWEST_CHARACTERS or _mostly_beyond_ascii(text, visible):
        return False
    vowels = sum(text.count(vowel) for vowel in "aeiouAEIOU")
    if vowels >= 0.1 * visible or letters >= 0.65 * (visible - signs):
        return False
    fonts = page.get_fonts()
    return bool(fonts) and 2 * sum(not _is_explained(document, font) for font in fonts) >= len(fonts)


def _mostly_beyond_ascii(text: str, visible: int) -> bool:
    if text.isascii():
        return False
    beyond = len(text) - len(text.encode("ascii", "ignore")) - text.count("\ufffd")
    return 2 * beyond > visible


def _is_explained(document: Any, font: tuple[Any, ...]) -> bool:
    """Say whether a font, as ``Page.get_fonts`` gives it, tells which letters it draws."""
    xref, _, kind, _, _, encoding = font[:6]
    if kind not in ("Type3", "TrueType") or (kind == "TrueType" and encoding):
        return True
    return bool(xref > 0 and document.xref_get_key(xref, "ToUnicode")[0] != "null")


def page_kind(page: Any) -> PageKind:
    """Return what a page without text shows."""
    drawn = {kind for kind, *_ in page.get_bboxlog()}
    if any("image" in kind for kind in drawn):
        return "picture"
    return "drawing" if drawn else "blank"


def is_xfa_notice(document: Any, text: str) -> bool:
    """Say whether a file's only page just says that another program is needed: its form is in XFA.

    ``text`` is the text of that page.
    """
    catalog = document.pdf_catalog()
    if document.xref_get_key(catalog, "AcroForm/XFA")[0] == "null":
        return False
    needs_rendering = document.xref_get_key(catalog, "NeedsRendering") == ("bool", "true")
    said = text.casefold()
    says_to_wait = "adobe" in said and (
        "wait" in said or "warten" in said or "reader" in said or "acrobat" in said
    )
    return bool(document.page_count == 1 and (needs_rendering or says_to_wait))
