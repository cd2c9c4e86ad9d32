"""What other tables still show of a document whose newest content cannot be read: a table made later shows it as well."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from workbench import pipeline
from workbench.errors import InputError
from workbench.ingest.entries import WRITTEN, Item, State
from workbench.ingest.plan import content_hash_in
from workbench.sync.place import Place, parse_key
from workbench.sync.preparing import NotPrepared, Prepared, Task, named

LOOKED_BACK_RUNS = 20


class LastGood:
    """Looks for a document's last good text: in the published table first, then in those that were synced last."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def instead_of(self, found: NotPrepared, task: Task) -> Prepared | None:
        """Return what stands for a document that this table does not hold, None where nobody shows it.

        The text is that of the time; what its source says of it is of now. None, too, where another parser read it.
        """
        newest = found.item or task.here
        if newest is None or task.state is not None or getattr(found.error, "status", "") == "gone":
            return None
        for table in self._tables:
            state = self._place.ledger.state(self._place.name, table, newest.document_id)
            if state is None or state.status != WRITTEN or not state.recipe:
                continue
            if (prepared := self._prepared(task, newest, state)) is not None:
                return prepared
        return None

    @cached_property
    def _tables(self) -> list[str]:
        ledger, name = self._place.ledger, self._place.name
        published = ledger.releases.published(name)
        tables = [published.table_name] if published is not None else []
        tables += (run.table_name for run in ledger.runs.recent(name, LOOKED_BACK_RUNS))
        return [table for table in dict.fromkeys(tables) if table != self._place.table_name]

    def _prepared(self, task: Task, newest: Item, state: State) -> Prepared | None:
        content_hash = content_hash_in(state.recipe)
        item = newest
        if newest.content_hash != content_hash:
            # Without a version: whatever ends the run, the next one looks at its source again.
            item = replace(newest, content_hash=content_hash, version="", validator="")
        item = replace(item, uri=state.uri)
        with suppress(InputError):
            parser = pipeline.parser_for(item.name, self._place.config.parser)
            if parse_key(parser, item) == state.parse_key:
                kept = self._place.kept.parse(state.parse_key, state.document_id, state.uri)
                if kept is not None:
                    return Prepared(task.step, item, named(kept.document, item), state.parse_key, {}, 0)
        return None
