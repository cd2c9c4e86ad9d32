"""The documents behind a table, in the very texts it was cut from."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.ingest.entries import WRITTEN, State
from workbench.records import Document
from workbench.sync.place import Place

Held = dict[tuple[str, str, str], Document]
"""Texts in memory by parse key, document id and address: several tables may be cut from the same ones."""


class Texts:
    """Documents of one table by id, looked up one by one: a ledger may know a hundred thousand.

    With ``held`` they stay in memory once they are read.
    """

    def __init__(self, place: Place, table_name: str, held: Held | None = None) -> None:
        self._place, self._table_name, self._held = place, table_name, held

    def document(self, document_id: str) -> Document:
        """Return one document; raises ``InputError`` when its text is not kept."""
        state = self._state(document_id)
        if state is None:
            raise InputError(f"the table holds no document {document_id}: sync first", "unknown")
        return self._text(state)

    def found(self, document_id: str) -> Document | None:
        """Return one document, or None when its text is not kept."""
        try:
            return self.document(document_id)
        except InputError:
            return None

    def documents(self) -> list[Document]:
        """Return all of them; raises ``InputError`` when a text is not kept."""
        states = self._place.ledger.states(self._place.name, self._table_name)
        return [self._text(state) for state in states.values() if state.status == WRITTEN]

    def uri(self, document_id: str) -> str:
        """Return where a document lives, "" when nobody knows."""
        state = self._state(document_id)
        return "" if state is None else state.uri

    def _state(self, document_id: str) -> State | None:
        found = self._place.ledger.state(self._place.name, self._table_name, document_id)
        return None if found is None or found.status != WRITTEN else found

    def _text(self, state: State) -> Document:
        key = state.parse_key, state.document_id, state.uri
        if self._held is not None and key in self._held:
            return self._held[key]
        found = self._place.kept.parse(*key)
        if found is None:
            raise InputError(
                f"the text of {state.item_id} is not kept any more: sync, or verify --repair, reads it again",
                "unknown",
            )
        if self._held is not None:
            self._held[key] = found.document
        return found.document
