"""Documents by the names that question files call them, and quotes placed in them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from workbench.evaluation.anchoring import Anchors, Placement
from workbench.records import Document

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(//)?")


def document_name(document: Document) -> str:
    """Return the file name of a document: the last part of its address, else its title, else its id.

    >>> document_name(Document("1", "", (), "A report", "upload:report 2024.pdf"))
    'report 2024.pdf'
    >>> document_name(Document("1", "", (), "A report", "file:///srv/report%202024.pdf"))
    'report 2024.pdf'
    """
    path = _SCHEME.sub("", document.uri).replace("\\", "/").partition("?")[0]
    if "://" in document.uri:
        # Blanks and umlauts of a web or file address are encoded; people write the name as it is.
        path = unquote(path)
    return PurePosixPath(path).name or document.title or document.id


def corpus_id(document: Document) -> str:
    """Return the file name without its ending, which is what corpus_id columns hold."""
    name = document_name(document)
    return PurePosixPath(name).stem or name


class Library:
    """The documents that a question file may speak of."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = tuple(documents)
        self._by_id = {document.id: document for document in self.documents}
        self._by_name: dict[str, list[Document]] = defaultdict(list)
        for document in self.documents:
            name = document_name(document)
            for alias in {name, PurePosixPath(name).stem or name, document.title} - {""}:
                self._by_name[alias].append(document)
        self._blind: dict[str, list[Document]] = defaultdict(list)
        for alias, found in self._by_name.items():
            self._blind[alias.casefold()] += found
        self._anchors: dict[str, Anchors] = {}

    def named(self, name: str, document_id: str = "") -> list[Document]:
        """Return the document with this id, else those with this file name, with or without folder and ending."""
        if document_id in self._by_id:
            return [self._by_id[document_id]]
        if not name:
            return []
        if name in self._by_id:
            return [self._by_id[name]]
        last = PurePosixPath(name.replace("\\", "/")).name
        for alias in (name, last):
            found = self._by_name.get(alias) or self._blind.get(alias.casefold())
            if found:
                return list({document.id: document for document in found}.values())
        return []

    def anchors(self, document: Document) -> Anchors:
        """Return the document's text, ready to be searched; prepared once."""
        if document.id not in self._anchors:
            self._anchors[document.id] = Anchors(document.text)
        return self._anchors[document.id]

    def placed(
        self, quote: str, documents: Sequence[Document], near: int | None = None
    ) -> tuple[Document, Placement] | None:
        """Return the best place of ``quote`` in these documents: exact before blind before near, then in order.

        Last come parts of longer words.
        """
        best: tuple[Document, Placement] | None = None
        for document in documents:
            found = self.anchors(document).placed(quote, near)
            if found is not None and (best is None or _quality(found) > _quality(best[1])):
                best = document, found
                if found.how == "exact":
                    break
        return best

    @property
    def known_names(self) -> str:
        """The first few names, for messages."""
        names = sorted(document_name(document) for document in self.documents)
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _quality(found: Placement) -> tuple[int, float]:
    return ("inside a word", "other numbers", "near", "blanks and case", "exact").index(
        found.how
    ), found.similarity
