"""What sentences share: numbers with their noun, lists of pages, several notes on one line."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_MOST_NAMED = 8


def counted(count: int, one: str, many: str = "") -> str:
    """Return the number and the noun in the form that it asks for; ``many`` adds an s unless it is given.

    >>> counted(1, "question"), counted(2400, "question"), counted(0, "question is", "questions are")
    ('1 question', '2,400 questions', '0 questions are')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed_pages(pages: Collection[int]) -> str:
    """Return page numbers as people say them, the first eight by name; commas stand only between them.

    >>> listed_pages([3]), listed_pages(range(1, 11))
    ('page 3', 'pages 1, 2, 3, 4, 5, 6, 7, 8 …')
    >>> listed_pages([1234, 1235])
    'pages 1234, 1235'
    """
    shown = ", ".join(str(page) for page in list(pages)[:_MOST_NAMED])
    return f"page{'s' if len(pages) > 1 else ''} {shown}{' …' if len(pages) > _MOST_NAMED else ''}"


def describe_short_page(page: int, kept: int, on_page: int) -> str:
    """Return a sentence on a page of which letters are missing: the same wherever it is told.

    >>> describe_short_page(3, 812, 1014)
    'Page 3: 812 of 1,014 letters are in the text; the rest is missing.'
    """
    return f"Page {page:,}: {kept:,} of {counted(on_page, 'letter is', 'letters are')} in the text; the rest is missing."


def joined_notes(notes: Iterable[str]) -> str:
    """Return notes on one line, parted by semicolons.

    >>> joined_notes(["parsed", "Page 3 is blank.", "Page 4 is damaged."])
    'parsed; Page 3 is blank; Page 4 is damaged.'
    """
    found = list(notes)
    return "; ".join([*(note.removesuffix(".") for note in found[:-1]), *found[-1:]])
