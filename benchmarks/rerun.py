"""What a page asks of the tables each time it draws itself again, with four tables of 100,000 rows.

    python benchmarks/rerun.py [--rows 100000] [--documents 1000] [--rounds 20]

Search, Tables and Evaluate list every table on each rerun: its config, counts, and what is out of date. Measured are
the first listing of a process, a listing when nothing has changed, one after another process has written to one of the
tables, and deleting a document that no table holds. Times are processor milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from workbench import pipeline, plugins
from workbench.config import Config, written
from workbench.contracts import DocumentRows, TableInfo
from workbench.records import Chunk, digest
from workbench.workspace import Workspace

DIMENSION = 384
TEXT = "Batteries lose capacity with every cycle, and heat makes it worse. " * 8


def configs() -> list[Config]:
    """Return four configs that differ in their chunks."""
    embedder = plugins.build("embedders", "hashing", {"dimension": DIMENSION})
    return [
        Config(f"size {size}", plugins.build("chunkers", "fixed_size", {"size_tokens": size}), embedder)
        for size in (50, 100, 150, 200)
    ]


def fill(here: Workspace, row_count: int, document_count: int) -> None:
    """Add documents and give each config a table with made vectors under the documents' true states."""
    files = [(f"{n}.txt", f"Document {n} is short.".encode(), None) for n in range(document_count)]
    for _ in here.add_many(files):
        pass
    rng = np.random.default_rng(1)
    rows = here.documents()
    each = row_count // document_count
    for config in configs():
        model = here.model(config.embedder)
        about = {"config": written(config), "model_id": model.id, "built_at_utc": "2026-01-01T00:00:00+00:00"}
        table = here.tables.connection(config).create(TableInfo(config.table_name, DIMENSION, about))
        for start in range(0, document_count, 50):
            batch = []
            for row in rows[start : start + 50]:
                made = rng.normal(size=(each, DIMENSION)).astype(np.float32)
                made /= np.linalg.norm(made, axis=1, keepdims=True)
                chunks = [
                    Chunk(digest([row.id, i]), row.id, i, i * 500, i * 500 + len(TEXT), TEXT, 1, 1, 80)
                    for i in range(each)
                ]
                key = pipeline.state_key(here.document(row.id), config, model)
                batch.append(DocumentRows(row.id, key, chunks, made))
            table.replace_documents(batch)
        table.optimise()


def processor_ms(
    act: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None
) -> float:
    """Return the median of the processor milliseconds that ``act`` takes; ``before`` is not counted."""
    taken = []
    for _ in range(rounds):
        before()
        started = time.process_time()
        act()
        taken.append(1_000 * (time.process_time() - started))
    return statistics.median(taken)


def main() -> None:
    """Print one line per measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--documents", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=20)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(Workspace(Path(folder)), given.rows, given.documents)
        here, other = Workspace(Path(folder)), Workspace(Path(folder))
        found = here.tables.rows()
        assert [row.rows for row in found] == [given.rows] * 4
        assert all(not row.missing_documents for row in found), "the tables are up to date"
        first = processor_ms(lambda: Workspace(Path(folder)).tables.rows(), 3)
        print(f"first listing of a process: {first:.1f} ms")
        print(f"nothing has changed: {processor_ms(here.tables.rows, given.rounds):.1f} ms")
        documents = processor_ms(here.documents, given.rounds)
        print(f"  of that, reading the list of {given.documents:,} documents: {documents:.1f} ms")
        table = other.tables.table(configs()[0])
        victims = iter(table.states())
        changed = processor_ms(here.tables.rows, 5, lambda: table.drop_documents([next(victims)]))
        print(f"another process wrote to one table: {changed:.1f} ms")
        absent = iter([here.add(f"late {n}.txt", f"Late {n}.".encode()).document_id for n in range(6)])
        here.tables.rows()
        print(f"deleting an unknown document: {processor_ms(lambda: here.delete(['unknown']), 5):.1f} ms")
        gone = processor_ms(lambda: here.delete([next(absent)]), 5)
        print(f"deleting a document that no table holds: {gone:.1f} ms")


if __name__ == "__main__":
    main()
