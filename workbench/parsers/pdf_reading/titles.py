"""The title of a PDF: from its metadata, else the largest type on its first page, else its file name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.parsers._letters import cleaned
from workbench.parsers._pdf_assembly import Placed
from workbench.parsers._pdf_headings import LARGE, body_size, size_step
from workbench.parsers._whole_text import stem
from workbench.records import Heading

_MOST_CHARACTERS, _MOST_LINES = 200, 4
_FILE_NAME = re.compile(
    r".*\.(?:docx?|indd|tex|dvi|pdf|pptx?|xlsx?|qxd|rtf|odt|html?|ps|txt|md)",
    re.I,
)
_CODE_SIGN = re.compile(r"_|\d")
_PLACEHOLDER = re.compile(
    r"(?:untitled|unbenannt|sans titre|sin título|title|titel|document|dokument|slide|folie|presentation|präsentation"
    r"|powerpoint[- ]präsentation|powerpoint presentation|print|doc)[\s_-]*\d*",
    re.I,
)
_WRITER = re.compile(
    r"microsoft\s+(?:office\s+)?(?:word|powerpoint|excel|publisher)\b\s*[-–—:].*", re.I | re.S
)
_CONTENTS = re.compile(
    r"(?:table of )?contents|index|inhalt(?:sverzeichnis|sübersicht)?|sommaire|table des matières|índice|contenido"
    r"|sumário|indice|inhoud(?:sopgave)?|spis treści|obsah|innehåll|indhold|sisältö",
    re.I,
)
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})*\.?")
# Whoever publishes a paper in an office's name sets that name at its head, often larger than the title.
_AUTHORITY = re.compile(
    r"\b(?:ministry|department|commission|agency|authority|council|parliament|government|office of|bureau|court"
    r"|bundesministerium|ministerium|bundesamt|landesamt|behörde|bundesrat|senatsverwaltung|ministère|préfecture"
    r"|ministerio|ministero|ministério|kommission|federal republic|united states|united nations|european union)\b",
    re.I,
)


def find_title(
    metadata_title: str, found: Sequence[Heading], text: str, lines: Sequence[Placed], name: str
) -> str:
    """Return a document's title; ``found`` are its headings in order, ``name`` is its file name."""
    own = " ".join(cleaned(metadata_title).split())
    if not _is_junk(own, name):
        return own[:_MOST_CHARACTERS]
    largest = _largest(text, lines)
    if largest:
        return largest
    for heading in sorted(found[:5], key=lambda heading: heading.level):
        said = " ".join(text[heading.start : heading.end].split())
        if not _CONTENTS.fullmatch(said):
            return said[:_MOST_CHARACTERS]
    return stem(name)


def _is_junk(title: str, name: str) -> bool:
    """Say whether a title from the metadata was set by a program and not by a person."""
    return (
        sum(letter.isalpha() for letter in title) < 3
        or title.casefold() == stem(name).casefold()
        or any(pattern.fullmatch(title) for pattern in (_FILE_NAME, _PLACEHOLDER, _WRITER))
        or _is_code(title)
    )


def _is_code(title: str) -> bool:
    """Say whether a title is one word of parts with figures, as ``annual_report_7`` or ``a4-b``.

    One regular expression for it would take cubic time for a word that is followed by another.
    """
    sign = _CODE_SIGN.search(title)
    if sign is None or len(title.split()) != 1:
        return False
    rest = title[sign.end() :]
    return "_" in rest or "-" in rest or rest[-1:].isdecimal()


def _largest(text: str, lines: Sequence[Placed]) -> str:
    """Return what is set largest on the first page with text, "" where nothing is larger than the text."""
    if not lines:
        return ""
    first_page = [line for line in lines if line.page == lines[0].page]
    least = LARGE * body_size(lines)
    candidates: list[tuple[float, str]] = []
    for group in _groups([line for line in first_page if not (line.repeated or line.turned)]):
        size = size_step(group[0].size)
        said = _said(text, group)
        is_title = len(said) <= _MOST_CHARACTERS and sum(letter.isalpha() for letter in said) >= 3
        if size >= least and is_title and len(group) <= _MOST_LINES and not _CONTENTS.fullmatch(said):
            candidates.append((size, said))
    others = [entry for entry in candidates if not _AUTHORITY.search(entry[1])]
    best = max(others or candidates, key=lambda entry: entry[0], default=(0.0, ""))
    return best[1]


def _groups(lines: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Yield runs of neighbouring lines in one type size; a gap between paragraphs ends a run, too."""
    group: list[Placed] = []
    for line in lines:
        if group and (size_step(line.size) != size_step(group[-1].size) or _begins_apart(line, group[-1])):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _begins_apart(line: Placed, above: Placed) -> bool:
    return line.begins and line.start - above.end > 1


def _said(text: str, group: Sequence[Placed]) -> str:
    said = ""
    for line in group:
        # A word that was cut at the end of the line above goes on without a blank.
        said += " " * text[line.start - 1 : line.start].isspace() + _title_cell(text, line)
    return said.strip()


def _title_cell(text: str, line: Placed) -> str:
    """Return the first cell of a line that holds a word, with the heading's number if that stands before it.

    A date or a page number may stand beside a title, in another cell.
    """
    cells = text[line.start : line.end].split("\t")
    for before, cell in zip(["", *cells], cells, strict=False):
        if sum(letter.isalpha() for letter in cell) >= 3:
            return f"{before} {cell}" if _NUMBER.fullmatch(before) else cell
    return ""
