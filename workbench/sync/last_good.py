"""What other tables still show of a document whose newest content cannot be read: a later table shows it, too.

An incomplete file counts as one that cannot be read, if there is an earlier version of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import chain

from workbench import pipeline
from workbench.errors import InputError
from workbench.ingest.entries import REMOVING, WRITTEN, Item, State
from workbench.ingest.plan import content_hash_in
from workbench.sync.place import Place, parse_key
from workbench.sync.preparing import PARSE, NotPrepared, Prepared, Task, named

LOOKED_BACK_RUNS = 20


class LastGood:
    """Looks for a document's last good text: in the published table first, then in those that were synced last."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def unless_incomplete(self, found: Prepared, task: Task) -> Prepared | NotPrepared:
        """Return ``found``, or a failure where its file is incomplete and there is an earlier version."""
        if not found.incomplete or not any(self._versions_before(found.item, found.parse_key, task)):
            return found
        message = f"{found.incomplete}, so the earlier version stays until the source has the whole file"
        return NotPrepared(found.step, PARSE, InputError(message), found.item, is_incomplete=True)

    def instead_of(self, found: NotPrepared, task: Task) -> Prepared | None:
        """Return what stands for a document that this table does not hold, None where nobody shows it.

        The text is that of the time; what its source says of it is of now. None, too, where another parser read it.
        """
        newest = found.item or task.here
        if newest is None or task.state is not None or getattr(found.error, "status", "") == "gone":
            return None
        states = self._shown(newest.document_id)
        if found.is_incomplete:
            states = (one for one in self._versions_before(newest, "", task) if one.recipe)
        for state in states:
            if (prepared := self._prepared(task, newest, state)) is not None:
                return prepared
        return None

    def _versions_before(self, newest: Item, parse_key: str, task: Task) -> Iterator[State]:
        """Yield what was made from another content of an item: in this table, else in the other ones."""
        if task.state is not None:
            states: Iterable[State] = [task.state]
        else:
            # What a run that was killed began to write is no less a version: it is written anew.
            own = self._place.ledger.state(self._place.name, self._place.table_name, newest.document_id)
            unsure = [own] if own is not None and own.status != REMOVING else []
            states = chain(unsure, self._shown(newest.document_id))
        for state in states:
            same = (
                content_hash_in(state.recipe) == newest.content_hash
                if state.recipe
                else state.parse_key == parse_key
            )
            if not same:
                yield state

    def _shown(self, document_id: str) -> Iterator[State]:
        """Yield what the other tables surely hold of a document."""
        for table in self._tables:
            state = self._place.ledger.state(self._place.name, table, document_id)
            if state is not None and state.status == WRITTEN and state.recipe:
                yield state

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
                    document = named(kept.document, item)
                    failed = len(kept.failed_pages)
                    return Prepared(
                        task.step, item, document, state.parse_key, {}, 0, kept.incomplete, failed
                    )
        return None
