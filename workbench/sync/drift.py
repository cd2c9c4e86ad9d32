"""Where ledger and table may disagree: after a kill, a lost ledger, or hands that reached into the store."""

from __future__ import annotations

from workbench.contracts import Table
from workbench.ingest.entries import WRITTEN
from workbench.sync.place import Place

DOCUMENTS_A_LOOK = 500


def reconciled(place: Place, table: Table) -> tuple[dict[str, str], set[str]]:
    """Return what the table says of its documents, id → state key, and the documents that no ledger knows.

    Both are empty where the number of rows is right and no write was left unfinished: then nothing is read. What
    the ledger took for written and the table does not hold is doubted, so that the plan builds it again; and what
    has lost its text, so that it is read again.
    """
    without_text = place.kept.without_parse(place.ledger.texts_of(place.name, place.table_name))
    if without_text:
        place.ledger.doubt(place.name, place.table_name, without_text)
    _add_counts(place, table)
    balance = place.ledger.balance(place.name, place.table_name)
    if balance.trusted == balance.states and table.row_count() == balance.chunks:
        return {}, set()
    states = place.ledger.states(place.name, place.table_name)
    written = {key: state for key, state in states.items() if state.status == WRITTEN and state.recipe}
    in_table = table.states()
    lost = {key for key, s in written.items() if s.chunk_count and in_table.get(key) != s.state_key}
    rows = table.counts()
    partial = {
        key
        for key, state in states.items()
        if in_table.get(key) in ("", state.state_key) and rows.get(key, 0) != state.chunk_count
    }
    place.ledger.doubt(place.name, place.table_name, sorted(lost | partial))
    # Taken away, not only written over: of a row that is there twice both would stay.
    if partial:
        table.drop_documents(sorted(partial))
    trusted = {key: state_key for key, state_key in in_table.items() if key not in partial}
    return trusted, in_table.keys() - states.keys()


def _add_counts(place: Place, table: Table) -> None:
    """Make the rows of a table of an earlier version say how many rows their document has, as the ledger noted it.

    Where the table holds another number the document is not whole: it gets no count, and is written again.
    """
    if table.has_document_counts():
        return
    held = table.counts()
    states = place.ledger.states(place.name, place.table_name)
    table.add_document_counts(
        {
            key: state.chunk_count
            for key, state in states.items()
            if state.status == WRITTEN and held.get(key) == state.chunk_count
        }
    )
