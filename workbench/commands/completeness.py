"""How complete a document's text is, as the commands print it in JSON."""

from __future__ import annotations

from typing import Any

from workbench.workspace import AddResult, DocumentRow


def letter_fields(of: AddResult | DocumentRow) -> dict[str, Any]:
    """Return the JSON fields on kept letters: of the document, and of each page with too few.

    Both counts are 0 for formats whose letters are not counted.
    """
    return {
        "letters_kept": of.letters_kept,
        "letters_on_page": of.letters_on_page,
        "short_pages": [
            {"page": page.page, "letters_kept": page.kept, "letters_on_page": page.on_page}
            for page in of.short_pages
        ],
    }
