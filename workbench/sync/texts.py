"""The documents behind a table, in the very texts it was cut from."""

from __future__ import annotations

from workbench.errors import InputError
from workbench.ingest.entries import WRITTEN, State
from workbench.records import Document
from workbench.sync.place import Place


class Texts:
    """Documents of one table by id."""

    def __init__(self, place: Place, table_name: str) -> None:
        self._place = place
        found = place.ledger.states(place.name, table_name)
        self._states = {key: state for key, state in found.items() if state.status == WRITTEN}

    def document(self, document_id: str) -> Document:
        """Return one document; raises ``InputError`` when its text is not kept."""
        state = self._states.get(document_id)
        found = None if state is None else self._kept(state)
        if found is None:
            raise InputError(
                f"the text of {state.item_id if state else document_id} is not kept any more: sync first",
                "unknown",
            )
        return found

    def documents(self) -> list[Document]:
        """Return all of them; raises ``InputError`` when a text is not kept."""
        return [self.document(document_id) for document_id in self._states]

    def uri(self, document_id: str) -> str:
        """Return where a document lives, "" when nobody knows."""
        state = self._states.get(document_id)
        return "" if state is None else state.uri

    def _kept(self, state: State) -> Document | None:
        found = self._place.kept.parse(state.parse_key, state.document_id, state.uri)
        return None if found is None else found.document
