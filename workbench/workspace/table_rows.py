"""A table as the list of tables shows it, and what it lacks."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from workbench.config import Config
from workbench.contracts import TableInfo
from workbench.counts import counted
from workbench.workspace.current_states import CurrentStates, ListedDocuments
from workbench.workspace.stores import OpenStore
from workbench.workspace.table_facts import TableFacts
from workbench.workspace.write_times import WriteTimes


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table as the list shows it."""

    name: str
    config: Config | None
    config_name: str
    rows: int
    documents: int
    missing_documents: int
    """Documents of the workspace that the table does not hold in their present state."""
    size_bytes: int
    model_title: str
    fingerprint: str
    built_at_utc: str
    written_at_utc: str
    """When chunks were last added, at its first build or at a later one."""
    index_note: str
    store_key: str
    """Which of the workspace's stores it is in."""
    store_title: str
    """The store as messages name it, "" for the default one."""
    outdated_documents: int = 0
    """How many of the missing documents the table holds as its config would not give them any more."""
    damage: str = ""
    """What is wrong with the table's files, as a sentence, "" for nothing; then its documents count as missing."""
    gone_documents: int = 0
    """How many documents the table holds that are not in the workspace: it came from a backup, or their deletion is due."""

    @property
    def lack(self) -> str:
        """What is missing in words, "" where nothing is."""
        absent = self.missing_documents - self.outdated_documents
        return self.damage or lack(absent, self.outdated_documents, self.gone_documents)


@dataclass(frozen=True, slots=True)
class TableListing:
    """The tables that can be reached, and what has to be said of the others."""

    rows: tuple[TableRow, ...]
    unreachable: tuple[str, ...]
    """A sentence on each store or table that cannot be reached."""
    due: tuple[str, ...]
    """A sentence on each store in which deleted documents still have rows."""


def lack(absent: int, outdated: int, gone: int) -> str:
    """Return in words what a table lacks, or holds too much, "" where that is nothing.

    >>> lack(1, 0, 0), lack(0, 2, 0)
    ('1 document is not in its table', 'its table is out of date (2 documents): build it again')
    """
    parts = []
    if gone:
        parts.append(
            f"its table holds {counted(gone, 'document that is', 'documents that are')} not here any more: build it again"
        )
    if outdated:
        parts.append(f"its table is out of date ({counted(outdated, 'document')}): build it again")
    if absent:
        parts.append(f"{counted(absent, 'document is', 'documents are')} not in its table")
    return "; ".join(parts)


def table_row(
    info: TableInfo,
    store: OpenStore,
    config: Config | None,
    facts: TableFacts,
    documents: ListedDocuments,
    current_states: CurrentStates,
    write_times: WriteTimes,
) -> TableRow:
    """Return what the list shows of a table, with the ``documents`` that are in the workspace."""
    states = facts.states
    outdated = _outdated(info.name, config, facts, documents, current_states)
    built_at_utc = info.about.get("built_at_utc", "")
    return TableRow(
        name=info.name,
        config=config,
        config_name=config.name if config else info.name,
        rows=facts.row_count,
        documents=len(states),
        missing_documents=len(documents.ids - states.keys()) + len(outdated),
        size_bytes=facts.size_bytes,
        model_title=info.about.get("model_title", ""),
        fingerprint=info.about.get("fingerprint", "")[:12],
        built_at_utc=built_at_utc,
        # The file of a table that was deleted may be older than the one that was built anew.
        written_at_utc=max(built_at_utc, write_times.of(info.name)),
        index_note=info.about.get("index_note", ""),
        store_key=store.key,
        store_title=store.store.title if store.store.place() or store.store.name != "lancedb" else "",
        outdated_documents=len(outdated),
        damage=facts.damage,
        gone_documents=len(states.keys() - documents.ids),
    )


def _outdated(
    name: str,
    config: Config | None,
    facts: TableFacts,
    documents: ListedDocuments,
    current_states: CurrentStates,
) -> Set[str]:
    if config is None:
        return set()
    if config.table_name != name:
        # Made by plug-ins of another version: what the config gives now belongs in a table of another name.
        return documents.ids & facts.states.keys()
    return current_states.outdated_at(config, facts, documents)
