"""Which documents of a table are not as its config would give them now, told without parsing or chunking.

What decides a document's rows is its parse and everything else (chunker, model, packages): the method. Both are kept
beside the state they gave. Where neither has changed the state is known, and another method always gives another one;
a text that its parser has not read yet cannot be known, so it counts as still to be done: a build finds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from workbench import pipeline
from workbench.config import Config
from workbench.errors import ServiceError, WorkbenchError
from workbench.records import Document

if TYPE_CHECKING:
    from workbench.workspace.documents import DocumentRow
    from workbench.workspace.workspace import Workspace

Known = tuple[str, str, str]
"""Method, parse key, and the state that they give."""


class CurrentStates:
    """The states of documents under configs, as far as they are known, in the list of documents."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def outdated(self, config: Config, states: Mapping[str, str]) -> set[str]:
        """Return which documents of a table with these ``states`` the config would write anew now.

        Nothing where the config's model cannot be had: nobody can tell then, and nobody can search either.
        """
        rows = [row for row in self._workspace.documents() if row.id in states]
        try:
            method = self._method(config)
        except WorkbenchError:
            return set()
        known, found, fresh = self._known(config.table_name), set(), []
        for row in rows:
            parse_key = self._workspace.parse_key(row, config)
            entry = known.get(row.id)
            if entry is None or entry[:2] != (method, parse_key):
                if entry is not None and entry[0] != method and entry[2] == states[row.id]:
                    found.add(row.id)
                    continue
                document = self._workspace.read_before(row, config)
                if document is None:
                    found.add(row.id)
                    continue
                model = self._workspace.model(config.embedder)
                entry = method, parse_key, pipeline.state_key(document, config, model)
                fresh.append((row.id, entry))
            if entry[2] != states[row.id]:
                found.add(row.id)
        # Kept to be quick the next time: a full disk is no reason not to answer.
        with suppress(ServiceError):
            self._keep(config.table_name, fresh)
        return found

    def note(self, config: Config, rows: Iterable[DocumentRow], states: Mapping[str, str]) -> None:
        """Keep that these documents gave these states, just now."""
        method = self._method(config)
        self._keep(
            config.table_name,
            [
                (row.id, (method, self._workspace.parse_key(row, config), states[row.id]))
                for row in rows
                if row.id in states
            ],
        )

    def _method(self, config: Config) -> str:
        # The state of no text at all changes with everything but texts.
        empty = Document("", "", (), "", "")
        return pipeline.state_key(empty, config, self._workspace.model(config.embedder))

    def _known(self, table_name: str) -> dict[str, Known]:
        with self._workspace.document_list.connection() as db:
            found = db.execute(
                "SELECT document_id, method, parse_key, state FROM states WHERE table_name = ?", (table_name,)
            )
            return {
                document_id: (method, parse_key, state) for document_id, method, parse_key, state in found
            }

    def _keep(self, table_name: str, entries: list[tuple[str, Known]]) -> None:
        if not entries:
            return
        with self._workspace.document_list.connection(write=True) as db:
            db.executemany(
                "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?)",
                [(table_name, document_id, *known) for document_id, known in entries],
            )
            db.execute("DELETE FROM states WHERE document_id NOT IN (SELECT id FROM documents)")
