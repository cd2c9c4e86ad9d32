"""The tables of a workspace: what a build would cost, building, listing, searching."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench import pipeline, plugins
from workbench.config import Config, parsed, written
from workbench.contracts import (
    Asked,
    EmbeddingModel,
    Filter,
    Passage,
    StoreConnection,
    Table,
    TableInfo,
    Tick,
    VectorStore,
    no_tick,
)
from workbench.counts import counted
from workbench.errors import Cancelled, ConfigError, InputError, WorkbenchError
from workbench.ingest.metering import Meter, metered
from workbench.ingest.vector_cache import cached_vectors
from workbench.records import Document, Hit, Query
from workbench.spans import Span
from workbench.workspace.build_costs import BuildCosts
from workbench.workspace.current_states import CurrentStates
from workbench.workspace.documents import now_utc
from workbench.workspace.write_times import WriteTimes

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

CALIBRATION_TEXTS = 32
TOKENS_OF_A_RATE = 1_000
"""A build that embeds as many tokens is long enough to tell the model's speed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a build will do. ``seconds`` is None while this machine's speed is not known."""

    documents: int
    documents_done: int
    """How many are in the table already as they should be."""
    chunks: int
    """Chunks of the documents that are still to be written."""
    cached: int
    """How many of those have their vector in the cache."""
    tokens_to_embed: int
    seconds: float | None
    problems: tuple[str, ...]
    beyond_window: int = 0
    """Of how many of the chunks the model does not read the end."""
    window_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build did. ``failed`` holds (document name, message), ``lacking`` what a search will miss."""

    table: str
    documents: int
    chunks: int
    embedded: int
    reused: int
    seconds: float
    failed: tuple[tuple[str, str], ...]
    note: str
    lacking: str


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
    outdated_documents: int = 0
    """How many of the missing documents the table holds as its config would not give them any more."""

    @property
    def lack(self) -> str:
        """What is missing in words, "" where nothing is."""
        return lack(self.missing_documents - self.outdated_documents, self.outdated_documents)


def lack(absent: int, outdated: int) -> str:
    """Return in words what a table lacks, "" where that is nothing.

    >>> lack(1, 0), lack(0, 2)
    ('1 document is not in its table', 'its table is out of date (2 documents): build it again')
    """
    parts = []
    if outdated:
        parts.append(f"its table is out of date ({counted(outdated, 'document')}): build it again")
    if absent:
        parts.append(f"{counted(absent, 'document is', 'documents are')} not in its table")
    return "; ".join(parts)


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

    # ── before ───────────────────────────────────────────────────────────────────────────────────────────────────

    def estimate(
        self, config: Config, document_ids: Sequence[str], measure: bool = True, tick: Tick = no_tick
    ) -> Estimate:
        """Return what building would do; ``tick`` gets documents done and their number.

        With ``measure``, a few texts are embedded (and kept) when the speed of the model on this machine is not
        known yet.
        """
        workspace = self._workspace
        model = workspace.model(config.embedder)
        states = self._states(config)
        done = 0
        passages: list[Passage] = []
        problems = [text for text in [config.retriever.lacking()] if text]
        for number, document_id in enumerate(document_ids):
            tick(number, len(document_ids))
            try:
                document = workspace.document(document_id, config)
                if states.get(document_id) == pipeline.state_key(document, config, model):
                    done += 1
                    continue
                found = workspace.chunks(document_id, config)
            except WorkbenchError as error:
                problems.append(str(error))
                continue
            passages += pipeline.passages(document, found, model, workspace.memo)
        count = len(passages)
        unread = model.unread(passages, workspace.vector_cache)
        rate = workspace.embedding_rates.tokens_per_second(model.text_model)
        if rate is None and unread and measure:
            self._measure(model.text_model, unread[:CALIBRATION_TEXTS])
            unread = model.unread(passages, workspace.vector_cache)
            rate = workspace.embedding_rates.tokens_per_second(model.text_model)
        keys = {model.passage_key(passage) for passage in passages}
        missing = len(keys) - len(workspace.vector_cache.found(sorted(keys), model.dimension))
        tokens = sum(passage.token_count for passage in unread)
        seconds = None if rate is None else tokens / rate + count / 20_000
        beyond = int(model.beyond_window([passage.token_count for passage in passages]).sum())
        return Estimate(
            documents=len(document_ids),
            documents_done=done,
            chunks=count,
            cached=count - missing,
            tokens_to_embed=tokens,
            seconds=seconds,
            problems=tuple(problems),
            beyond_window=beyond,
            window_tokens=model.window_tokens,
        )

    def _measure(self, model: EmbeddingModel, pieces: Sequence[Passage]) -> None:
        half = len(pieces) // 2
        cache = self._workspace.vector_cache
        # The first call also loads the model.
        cached_vectors([piece.text for piece in pieces[:half]], model, cache)
        started = time.perf_counter()
        cached_vectors([piece.text for piece in pieces[half:]], model, cache)
        tokens = sum(piece.token_count for piece in pieces[half:])
        self._workspace.embedding_rates.note(model, tokens, time.perf_counter() - started)

    def _states(self, config: Config) -> dict[str, str]:
        try:
            return self.connection(config).table(config.table_name).states()
        except InputError:
            return {}

    # ── building ─────────────────────────────────────────────────────────────────────────────────────────────────

    def build(
        self,
        config: Config,
        document_ids: Sequence[str] | None = None,
        on_step: Callable[[pipeline.BuildStep], None] = lambda step: None,
    ) -> BuildResult:
        """Chunk, embed what is new, and write the config's table; all documents when none are named.

        A document that cannot be read is named in ``failed`` and the others are built. ``on_step`` may raise
        ``Cancelled``: everything done so far is kept, and the next build goes on from there.
        """
        workspace = self._workspace
        started = time.perf_counter()
        before = {row.id: row for row in workspace.documents()}
        ids = list(before) if document_ids is None else list(document_ids)
        model = workspace.model(config.embedder)
        info = TableInfo(
            config.table_name,
            model.dimension,
            {
                "config": written(config),
                "fingerprint": config.fingerprint,
                "model_id": model.id,
                "model_title": model.title,
                "built_at_utc": now_utc(),
            },
        )
        connection = self.connection(config)
        if any(t.name == info.name and t.about.get("model_id") != model.id for t in connection.tables()):
            # Other weights under the same name: their vectors must not stand beside the old ones.
            connection.drop(info.name)
        table = connection.create(info)
        failed: dict[str, str] = {}
        pipeline_documents = self._readable(ids, config, failed)
        spent = Meter()
        written_chunks = 0

        def written_step(step: pipeline.BuildStep) -> None:
            nonlocal written_chunks
            written_chunks = step.chunks_done
            on_step(step)

        try:
            step = pipeline.write_documents(
                pipeline_documents,
                len(ids),
                config,
                metered(model, spent),
                table,
                workspace.vector_cache,
                workspace.memo,
                written_step,
            )
        finally:
            if written_chunks:
                self._write_times.note(config.table_name)
            # Also of a build that was stopped: the next one takes these vectors from the cache.
            self.build_costs.add(config.table_name, model.id, spent)
            if (
                spent.tokens >= TOKENS_OF_A_RATE
                and workspace.embedding_rates.tokens_per_second(model) is None
            ):
                workspace.embedding_rates.note(model, spent.tokens, spent.seconds)
        # Documents that were deleted, also while this ran.
        after = {row.id: row for row in workspace.documents()}
        table.drop_documents(sorted(table.states().keys() - after.keys()))
        steady = [after[i] for i in ids if i not in failed and i in after and after[i] == before.get(i)]
        self._current_states.note(config, steady, table.states())
        note = table.optimise() or ""
        workspace.disk.prune_in_background()

        def sentences(done: int, total: int) -> None:
            on_step(replace(step, note=f"sentences for {config.retriever.name}: {done:,} of {total:,}"))

        config.retriever.prepare(Asked(Query(""), table, model, kept=workspace.vector_cache, tick=sentences))
        return BuildResult(
            config.table_name,
            len(ids) - len(failed),
            step.chunks_done,
            step.embedded,
            step.reused,
            time.perf_counter() - started,
            tuple((self._name(document_id), message) for document_id, message in failed.items()),
            note,
            config.retriever.lacking(),
        )

    def _readable(self, ids: Sequence[str], config: Config, failed: dict[str, str]) -> Iterator[Document]:
        for document_id in ids:
            try:
                yield self._workspace.document(document_id, config)
            except Cancelled:
                raise
            except WorkbenchError as error:
                failed[document_id] = str(error)

    def _name(self, document_id: str) -> str:
        return next(
            (row.name for row in self._workspace.documents() if row.id == document_id), document_id[:8]
        )

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────

    def rows(self) -> list[TableRow]:
        """Return every table of the workspace's own store, newest first."""
        documents = {row.id for row in self._workspace.documents()}
        result = []
        for info in self._own.tables():
            try:
                result.append(self._row(info, documents))
            except InputError:
                continue  # dropped by somebody else since it was listed
        return sorted(result, key=lambda row: row.built_at_utc, reverse=True)

    def _row(self, info: TableInfo, documents: set[str]) -> TableRow:
        table = self._own.table(info.name)
        states = table.states()
        config = _config_of(info)
        outdated = self._outdated(info.name, config, states)
        built_at_utc = info.about.get("built_at_utc", "")
        return TableRow(
            name=info.name,
            config=config,
            config_name=config.name if config else info.name,
            rows=table.row_count(),
            documents=len(states),
            missing_documents=len(documents - states.keys()) + len(outdated),
            size_bytes=table.size_bytes(),
            model_title=info.about.get("model_title", ""),
            fingerprint=info.about.get("fingerprint", "")[:12],
            built_at_utc=built_at_utc,
            # The file of a table that was deleted may be older than the one that was built anew.
            written_at_utc=max(built_at_utc, self._write_times.of(info.name)),
            index_note=info.about.get("index_note", ""),
            outdated_documents=len(outdated),
        )

    def _outdated(self, name: str, config: Config | None, states: dict[str, str]) -> set[str]:
        if config is None:
            return set()
        if config.table_name != name:
            # Made by plug-ins of another version: what the config gives now belongs in a table of another name.
            return {row.id for row in self._workspace.documents()} & states.keys()
        return self._current_states.outdated(config, states)

    def lack(self, config: Config) -> str:
        """Return in words what a config's table lacks; raises ``InputError`` when it was not built yet."""
        states = self.table(config).states()
        here = {row.id for row in self._workspace.documents()}
        return lack(len(here - states.keys()), len(self._current_states.outdated(config, states)))

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


def _config_of(info: TableInfo) -> Config | None:
    try:
        return parsed(info.about.get("config", ""), info.name)
    except ConfigError:
        return None
