"""How many rows a document of a Lance table has, and how many it should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.contracts import Filter
from workbench.stores._lancedb_rows import COUNT
from workbench.stores._lancedb_search import filtered

if TYPE_CHECKING:
    import pyarrow as pa


def states_of(opened: Any, where: Filter | None) -> dict[str, str]:
    """Return document id → state key, "" where rows disagree or are more or fewer than they say."""
    names = ["document_id", "state_key", *([COUNT] if has_counts(opened) else [])]
    # Joined before they become Python's: a document has the same state in each of its rows.
    found = (
        filtered(opened.search(), where)
        .select(names)
        .to_arrow()
        .group_by(names)
        .aggregate([([], "count_all")])
    )
    states: dict[str, str] = {}
    told = found[COUNT] if COUNT in names else found["count_all"]
    columns = (
        column.to_pylist() for column in (found["document_id"], found["state_key"], told, found["count_all"])
    )
    for document_id, key, said, held in zip(*columns, strict=True):
        states[document_id] = "" if document_id in states or said != held else key
    return dict(sorted(states.items()))


def counts_of(opened: Any, where: Filter | None) -> dict[str, int]:
    """Return document id → how many rows it has."""
    found = filtered(opened.search(), where).select(["document_id"]).to_arrow()
    found = found.group_by("document_id").aggregate([([], "count_all")])
    return dict(sorted(zip(found["document_id"].to_pylist(), found["count_all"].to_pylist(), strict=True)))


def has_counts(opened: Any) -> bool:
    """Return whether rows say how many rows their document has; the first ones made did not."""
    return COUNT in opened.schema.names


def add_counts(opened: Any, counts: Mapping[str, int]) -> None:
    """Add the column that says it, in one commit that writes nothing else anew."""
    import lance
    import pyarrow as pa

    schema = pa.schema([pa.field(COUNT, pa.int32(), nullable=False)])

    def told(batch: pa.RecordBatch) -> pa.RecordBatch:
        # 0 is never right for a row that is there.
        found = [counts.get(document_id, 0) for document_id in batch["document_id"].to_pylist()]
        return pa.record_batch([pa.array(found, pa.int32())], schema=schema)

    added = lance.batch_udf(output_schema=schema)(told)
    opened.to_lance().add_columns(added, read_columns=["document_id"])
