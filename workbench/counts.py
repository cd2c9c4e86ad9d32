"""A number with its noun, as it stands in sentences."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """Return the number and the noun in the form that it asks for; ``many`` adds an s unless it is given.

    >>> counted(1, "question"), counted(2400, "question"), counted(0, "question is", "questions are")
    ('1 question', '2,400 questions', '0 questions are')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
