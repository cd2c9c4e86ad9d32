"""Which documents of a table are not as its config would give them now, told without parsing or chunking.

What decides a document's rows is its parse and everything else (chunker, model, packages): the method. Both are kept
beside the state they gave. Where neither has changed the state is known, and another method always gives another one;
a text that its parser has not read yet cannot be known, so it counts as still to be done: a build finds out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from typing import TYPE_CHECKING

from workbench import pipeline
from workbench.config import Config
from workbench.errors import ServiceError, WorkbenchError
from workbench.records import Document, content_digest

if TYPE_CHECKING:
    from workbench.workspace.documents import DocumentRow
    from workbench.workspace.table_facts import TableFacts
    from workbench.workspace.workspace import Workspace

MOST_TOLD = 256
Known = tuple[str, str, str]
"""Method, parse key, and the state that they give."""


class ListedDocuments:
    """The documents of a workspace as one listing of its tables sees them."""

    def __init__(self, rows: Sequence[DocumentRow]) -> None:
        self.rows = rows
        self.ids = frozenset(row.id for row in rows)
        text = repr([(row.id, row.name, row.content_hash) for row in rows])
        self.contents = content_digest(text.encode("utf-8", "surrogatepass"))
        """Changes with every name and content, and with the number of documents."""
        self.of_each_kind = [row for _, row in sorted({row.suffix: row for row in rows}.items())]
        """One document of each ending."""


class CurrentStates:
    """The states of documents under configs, as far as they are known, in the list of documents."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._told: OrderedDict[object, frozenset[str]] = OrderedDict()

    def outdated_at(self, config: Config, facts: TableFacts, documents: ListedDocuments) -> Set[str]:
        """Return the same as ``outdated``, looked up only where the table, a document or a plug-in has changed."""
        try:
            method = self._method(config)
        except WorkbenchError:
            return set()
        # Such a key holds the parser's settings, version and packages.
        readers = tuple(self._workspace.parse_key(row, config) for row in documents.of_each_kind)
        key = facts.version, config.table_name, method, readers, documents.contents
        held = self._told.get(key)
        if held is not None:
            return held
        found, unread = self._look(config, method, facts.states, documents.rows)
        # A text that is not read yet may be read at any time, without a trace in the key.
        if not unread:
            self._told[key] = frozenset(found)
            while len(self._told) > MOST_TOLD:
                with suppress(KeyError):  # another session was quicker
                    self._told.popitem(last=False)
        return found

    def outdated(
        self, config: Config, states: Mapping[str, str], documents: Sequence[DocumentRow]
    ) -> set[str]:
        """Return which documents of a table with these ``states`` the config would write anew now.

        Nothing where the config's model cannot be had: nobody can tell then, and nobody can search either.
        """
        try:
            method = self._method(config)
        except WorkbenchError:
            return set()
        return self._look(config, method, states, documents)[0]

    def _look(
        self, config: Config, method: str, states: Mapping[str, str], documents: Sequence[DocumentRow]
    ) -> tuple[set[str], bool]:
        """Return the outdated documents, and whether one of them counts only because its parser has not read it yet."""
        rows = [row for row in documents if row.id in states]
        known, unread = self._known(config.table_name), False
        found: set[str] = set()
        fresh: list[tuple[str, Known]] = []
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
                    unread = True
                    continue
                model = self._workspace.model(config.embedder)
                entry = method, parse_key, pipeline.state_key(document, config, model)
                fresh.append((row.id, entry))
            if entry[2] != states[row.id]:
                found.add(row.id)
        # Kept to be quick the next time: a full disk is no reason not to answer.
        with suppress(ServiceError):
            self._keep(config.table_name, fresh)
        return found, unread

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
