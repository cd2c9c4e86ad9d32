"""What building a table would do and take, before it is built."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import EmbeddingModel, Passage, Tick
from workbench.errors import InputError, WorkbenchError
from workbench.ingest.vector_cache import cached_vectors

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

CALIBRATION_TEXTS = 32


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


def estimate(
    workspace: Workspace, config: Config, document_ids: Sequence[str], measure: bool, tick: Tick
) -> Estimate:
    """Return what building would do; see ``Tables.estimate``."""
    model = workspace.model(config.embedder)
    states = _states(workspace, config)
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
        _measure(workspace, model.text_model, unread[:CALIBRATION_TEXTS])
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


def _measure(workspace: Workspace, model: EmbeddingModel, pieces: Sequence[Passage]) -> None:
    half = len(pieces) // 2
    cache = workspace.vector_cache
    # The first call also loads the model.
    cached_vectors([piece.text for piece in pieces[:half]], model, cache)
    started = time.perf_counter()
    cached_vectors([piece.text for piece in pieces[half:]], model, cache)
    tokens = sum(piece.token_count for piece in pieces[half:])
    workspace.embedding_rates.note(model, tokens, time.perf_counter() - started)


def _states(workspace: Workspace, config: Config) -> dict[str, str]:
    try:
        return workspace.tables.table(config).states()
    except InputError:
        return {}
