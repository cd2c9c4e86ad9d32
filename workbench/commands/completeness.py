"""How complete a document's text is, as the commands print it."""

from __future__ import annotations

from typing import Any

from workbench.workspace import AddResult, DocumentRow


def letters(of: AddResult | DocumentRow) -> dict[str, Any]:
    """Return how many letters are kept, in all and on each page that falls short; 0 of 0 where nobody counts them."""
    return {
        "letters_kept": of.letters_kept,
        "letters_on_page": of.letters_on_page,
        "short_pages": [
            {"page": page.page, "letters_kept": page.kept, "letters_on_page": page.on_page}
            for page in of.short_pages
        ],
    }
