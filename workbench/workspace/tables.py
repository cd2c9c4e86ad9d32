"""The tables of a workspace: every question to them and every change of them starts here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench import pipeline, plugins
from workbench.config import Config
from workbench.contracts import (
    Asked,
    Filter,
    StoreConnection,
    Table,
    Tick,
    VectorStore,
    no_tick,
)
from workbench.errors import InputError
from workbench.records import Hit
from workbench.spans import Span
from workbench.workspace.build_costs import BuildCosts
from workbench.workspace.current_states import CurrentStates
from workbench.workspace.model_window import describe_long_chunks
from workbench.workspace.table_builds import BuildResult, build
from workbench.workspace.table_estimates import Estimate, estimate
from workbench.workspace.table_rows import TableRow, lack, table_row
from workbench.workspace.write_times import WriteTimes

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits with the time they took: the question's vector first, then finding its neighbours."""

    hits: list[Hit]
    seconds: float


class Tables:
    """All tables of one workspace, in its store."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._connections: dict[VectorStore, StoreConnection] = {}
        self.build_costs = BuildCosts(workspace.folder / "builds")
        self._current_states = CurrentStates(workspace)
        self._write_times = WriteTimes(workspace.folder / "builds")

    def connection(self, config: Config) -> StoreConnection:
        """Return the store that a config names, with the config's own settings of it."""
        return self._connected(config.store)

    def _connected(self, store: VectorStore) -> StoreConnection:
        if store not in self._connections:
            self._connections[store] = store.connection(self._workspace.folder / "tables")
        return self._connections[store]

    @property
    def _own(self) -> StoreConnection:
        store: VectorStore = plugins.build("stores", "lancedb")
        return self._connected(store)

    # ── building ─────────────────────────────────────────────────────────────────────────────────────────────────

    def estimate(
        self, config: Config, document_ids: Sequence[str], measure: bool = True, tick: Tick = no_tick
    ) -> Estimate:
        """Return what building would do; ``tick`` gets documents done and their number.

        With ``measure``, a few texts are embedded (and kept) when the speed of the model on this machine is not
        known yet.
        """
        return estimate(self._workspace, config, document_ids, measure, tick)

    def build(
        self,
        config: Config,
        document_ids: Sequence[str] | None = None,
        on_step: Callable[[pipeline.BuildStep], None] = lambda step: None,
        may_empty: bool = False,
    ) -> BuildResult:
        """Chunk, embed what is new, and write the config's table; all documents when none are named.

        Without ``may_empty`` a workspace without documents raises ``WouldEmptyError`` where the table has rows.

        A document that cannot be read is named in ``failed`` and the others are built. ``on_step`` may raise
        ``Cancelled``: everything done so far is kept, and the next build goes on from there.
        """
        return build(
            self._workspace,
            config,
            document_ids,
            on_step,
            self._current_states,
            self._write_times,
            may_empty,
        )

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self) -> list[TableRow]:
        """Return every table of the workspace's own store, newest first."""
        documents = {row.id for row in self._workspace.documents()}
        result = []
        for info in self._own.tables():
            try:
                table = self._own.table(info.name)
                result.append(table_row(info, table, documents, self._current_states, self._write_times))
            except InputError:
                continue  # dropped by somebody else since it was listed
        return sorted(result, key=lambda row: row.built_at_utc, reverse=True)

    def lack(self, config: Config) -> str:
        """Return in words what a config's table lacks; raises ``InputError`` when it was not built yet."""
        states = self.table(config).states()
        here = {row.id for row in self._workspace.documents()}
        return lack(len(here - states.keys()), len(self._current_states.outdated(config, states)))

    def long_chunks(self, config: Config) -> str:
        """Return a sentence on chunks of a config's table that are longer than the model reads, "" for none.

        Raises ``InputError`` when the table was not built yet.
        """
        counts = self.table(config).token_counts()
        return describe_long_chunks(config.name, counts, self._workspace.model(config.embedder))

    def table(self, config: Config) -> Table:
        """Return a config's table; raises ``InputError`` when it was not built yet."""
        try:
            return self.connection(config).table(config.table_name)
        except InputError as error:
            raise InputError(
                f"the table of {config.name} is not built yet: build it first", "not_built"
            ) from error

    def drop(self, name: str) -> None:
        """Remove a table of the workspace's own store; its vectors stay in the cache."""
        self._own.drop(name)

    def drop_document(self, document_id: str) -> None:
        """Remove a document's rows from every table."""
        for connection in {self._own, *self._connections.values()}:
            for info in connection.tables():
                try:
                    connection.table(info.name).drop_documents([document_id])
                except InputError:
                    continue  # dropped by somebody else since it was listed

    # ── searching ────────────────────────────────────────────────────────────────────────────────────────────────

    def search(
        self,
        config: Config,
        question: str,
        k: int | None = None,
        where: Filter | None = None,
        tick: Tick = no_tick,
    ) -> SearchResult:
        """Return the hits for a question in a config's table; ``tick`` tells of a first search that takes long."""
        started = time.perf_counter()
        if k is not None:
            config = with_top_k(config, k)
        found = config.retriever.hits(self.asked(config, question, where, tick))
        return SearchResult(found, time.perf_counter() - started)

    def asked(
        self, config: Config, question: str, where: Filter | None = None, tick: Tick = no_tick
    ) -> Asked:
        """Return a question as retrievers are given it, put to a config's table."""
        workspace = self._workspace
        return pipeline.asked(
            question,
            self.table(config),
            workspace.model(config.embedder),
            where,
            workspace.vector_cache,
            lambda document_id: workspace.document(document_id, config),
            tick,
        )

    def best_sentences(self, config: Config, question: str, hits: Sequence[Hit]) -> list[Span | None]:
        """Return the sentence of each hit's text that is nearest to the question, as a range of that text."""
        model = self._workspace.model(config.embedder)
        texts = [hit.chunk.text for hit in hits]
        return pipeline.best_sentences(question, texts, model, self._workspace.vector_cache)


def with_top_k(config: Config, k: int) -> Config:
    """Return the config with another number of hits."""
    settings = {**config.retriever.model_dump(), "top_k": k}
    retriever = plugins.build("retrievers", config.retriever.name, settings)
    return replace(config, retriever=retriever)
