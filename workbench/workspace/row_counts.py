"""How many rows the documents of a table of an earlier version should have, found by cutting them again."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import Table, Tick
from workbench.errors import Cancelled, WorkbenchError
from workbench.records import Chunk

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

DOCUMENTS_A_LOOK = 100


def add_verified_counts(workspace: Workspace, config: Config, table: Table, tick: Tick) -> None:
    """Make a table of an earlier version say how many rows each document has; ``tick`` gets documents done.

    Nothing is embedded. A document whose rows are not exactly the chunks that its text gives now gets no count, so
    that it is written again.
    """
    if table.has_document_counts():
        return
    states = table.states()
    ids, counts = sorted(states), {}
    for start in range(0, len(ids), DOCUMENTS_A_LOOK):
        some = ids[start : start + DOCUMENTS_A_LOOK]
        held: dict[str, list[Chunk]] = defaultdict(list)
        for chunk in table.chunks(some):
            held[chunk.document_id].append(chunk)
        for number, document_id in enumerate(some, start + 1):
            tick(number, len(ids))
            if _is_whole(workspace, config, document_id, states[document_id], held[document_id]):
                counts[document_id] = len(held[document_id])
    table.add_document_counts(counts)


def _is_whole(workspace: Workspace, config: Config, document_id: str, state: str, held: list[Chunk]) -> bool:
    try:
        document = workspace.document(document_id, config)
        model = workspace.model(config.embedder)
        if pipeline.state_key(document, config, model) != state:
            return False
        chunks = pipeline.chunks(document, config, model, workspace.memo, workspace.vector_cache)
    except Cancelled:
        raise
    except WorkbenchError:  # deleted, or not to be read any more: the build says so
        return False
    # An id holds the document, the range and the text.
    return [chunk.id for chunk in chunks] == [chunk.id for chunk in held]
