"""Building a config's table: what is new is chunked, embedded and written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench import pipeline
from workbench.config import Config, check_environment, written
from workbench.contracts import Asked, TableInfo
from workbench.counts import counted
from workbench.errors import Cancelled, DamagedTableError, InputError, WorkbenchError
from workbench.ingest.metering import Meter, metered
from workbench.records import Document, Query
from workbench.workspace.current_states import CurrentStates
from workbench.workspace.documents import now_utc
from workbench.workspace.row_counts import add_verified_counts
from workbench.workspace.store_catalog import Area
from workbench.workspace.write_times import WriteTimes

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

TOKENS_OF_A_RATE = 1_000
"""A build that embeds as many tokens is long enough to tell the model's speed."""


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


class WouldEmptyError(InputError):
    """A build would take every row out of a table, and nobody has confirmed that."""


def build(
    workspace: Workspace,
    config: Config,
    document_ids: Sequence[str] | None,
    on_step: Callable[[pipeline.BuildStep], None],
    current_states: CurrentStates,
    write_times: WriteTimes,
    may_empty: bool,
) -> BuildResult:
    """Chunk, embed and write what is new; see ``Tables.build``."""
    check_environment(config)
    if not workspace.documents() and not may_empty and (count := row_count(workspace, config)):
        raise WouldEmptyError(
            f"there are no documents here, so a build would empty the table of {config.name}"
            f" ({counted(count, 'chunk')}): add its documents first, or confirm that it shall be emptied (--yes)"
        )
    try:
        return _built(workspace, config, document_ids, on_step, current_states, write_times)
    except DamagedTableError:
        # Every row of it can be made again, from the parsed texts and the vector cache.
        workspace.tables.connection(config).drop(config.table_name)
    built = _built(workspace, config, document_ids, on_step, current_states, write_times)
    return replace(
        built, note="; ".join(filter(None, ["the table was damaged and is written anew", built.note]))
    )


def _built(
    workspace: Workspace,
    config: Config,
    document_ids: Sequence[str] | None,
    on_step: Callable[[pipeline.BuildStep], None],
    current_states: CurrentStates,
    write_times: WriteTimes,
) -> BuildResult:
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
    workspace.stores.use(config.store, Area.DOCUMENTS)
    connection = workspace.tables.connection(config)
    if any(t.name == info.name and t.about.get("model_id") != model.id for t in connection.tables()):
        # Other weights under the same name: their vectors must not stand beside the old ones.
        connection.drop(info.name)
    table = connection.create(info)
    if damage := table.damage():
        raise DamagedTableError(info.name, damage)

    def checking(done: int, total: int) -> None:
        note = f"checking rows: {done:,} of {counted(total, 'document')}"
        on_step(pipeline.BuildStep(0, len(ids), 0, 0, 0, 0.0, note))

    add_verified_counts(workspace, config, table, checking)
    failed: dict[str, str] = {}
    pipeline_documents = _readable(workspace, ids, config, failed)
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
            write_times.note(config.table_name)
        # Also of a build that was stopped: the next one takes these vectors from the cache.
        workspace.tables.build_costs.add(config.table_name, model.id, spent)
        if spent.tokens >= TOKENS_OF_A_RATE and workspace.embedding_rates.tokens_per_second(model) is None:
            workspace.embedding_rates.note(model, spent.tokens, spent.seconds)
    # Documents that were deleted, also while this ran.
    after = {row.id: row for row in workspace.documents()}
    table.drop_documents(sorted(table.states().keys() - after.keys()))
    steady = [after[i] for i in ids if i not in failed and i in after and after[i] == before.get(i)]
    current_states.note(config, steady, table.states())
    note = table.optimise() or ""
    workspace.stores.note_table(config.store, Area.DOCUMENTS, table.info)
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
        tuple((_name(workspace, document_id), message) for document_id, message in failed.items()),
        note,
        config.retriever.lacking(),
    )


def row_count(workspace: Workspace, config: Config) -> int:
    """Return how many chunks a config's table holds, 0 where it was never built."""
    try:
        return workspace.tables.table(config).row_count()
    except InputError:
        return 0


def _readable(
    workspace: Workspace, ids: Sequence[str], config: Config, failed: dict[str, str]
) -> Iterator[Document]:
    for document_id in ids:
        try:
            yield workspace.document(document_id, config)
        except Cancelled:
            raise
        except WorkbenchError as error:
            failed[document_id] = str(error)


def _name(workspace: Workspace, document_id: str) -> str:
    return next((row.name for row in workspace.documents() if row.id == document_id), document_id[:8])
