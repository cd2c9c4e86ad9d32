"""How long a search takes and how much of the exact answer it finds, at 1,000, 10,000 and 100,000 chunks.

    python benchmarks/search.py [--json FILE] [--sizes 1000 10000 100000] [--questions 200]

Our LanceDB store as it is configured by default, beside numpy's exact search over an array that is already in memory
and LanceDB's own search without an index. The vectors are made: 384 numbers, seeded, in clusters of very different
sizes, with one row in fifty repeated; questions lie near rows of the table. All three answer the same questions in
turns, so a busy moment of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from workbench import plugins
from workbench.contracts import DocumentRows, Table, TableInfo
from workbench.records import Chunk, Vectors, digest

DIMENSION = 384
K = 10
CHUNKS_A_DOCUMENT = 200
TEXT = "Batteries lose capacity with every cycle, and heat makes it worse. " * 12

Search = Callable[[Vectors], list[float]]
"""Question → the cosines of its ten nearest rows, best first."""


def unit(rows: np.ndarray[Any, Any]) -> Vectors:
    """Return the rows scaled to length 1."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def made_vectors(count: int, seed: int) -> Vectors:
    """Return clustered vectors: half of the rows lie in a tenth of the clusters."""
    rng = np.random.default_rng(seed)
    clusters = max(10, count // 200)
    centres = rng.normal(size=(clusters, DIMENSION))
    weights = rng.pareto(1.2, clusters) + 0.05
    which = rng.choice(clusters, count, p=weights / weights.sum())
    rows = centres[which] + 0.9 * rng.normal(size=(count, DIMENSION))
    repeated = rng.choice(count, count // 50, replace=False)
    rows[repeated] = rows[rng.integers(0, count, len(repeated))]
    return unit(rows)


def made_questions(vectors: Vectors, count: int, seed: int) -> Vectors:
    """Return questions at a cosine of about .6 to some row, as a question and its answer have."""
    rng = np.random.default_rng(seed)
    near = vectors[rng.choice(len(vectors), count)]
    return unit(near + 1.3 * unit(rng.normal(size=near.shape)))


def fill(table: Table, vectors: Vectors, state: str = "made", first: int = 0) -> None:
    """Write the vectors as chunks of documents numbered from ``first``, as a build does; ``state`` names their origin."""
    batch: list[DocumentRows] = []
    for number, start in enumerate(range(0, len(vectors), CHUNKS_A_DOCUMENT), start=first):
        rows = vectors[start : start + CHUNKS_A_DOCUMENT]
        owner = digest(["document", number])
        chunks = [
            Chunk(
                digest([owner, i]), owner, i, 800 * i, 800 * i + len(TEXT), TEXT, i // 3 + 1, i // 3 + 1, 160
            )
            for i in range(len(rows))
        ]
        batch.append(DocumentRows(owner, state, chunks, rows))
        if len(batch) == 10:
            table.replace_documents(batch)
            batch = []
    if batch:
        table.replace_documents(batch)


def searches(table: Table, folder: Path, vectors: Vectors) -> dict[str, Search]:
    """Return the ways to search that are compared, by name."""
    import lancedb

    opened = lancedb.connect(str(folder)).open_table(table.info.name)
    columns = ["id", "document_id", "text", "_distance"]

    def ours(question: Vectors) -> list[float]:
        return [score for _, score in table.nearest(question, K)]

    def numpy_exact(question: Vectors) -> list[float]:
        scores = vectors @ question
        return sorted(scores[np.argpartition(-scores, K)[:K]].tolist(), reverse=True)

    def lance_unindexed(question: Vectors) -> list[float]:
        query = (
            opened.search(question, vector_column_name="vector").distance_type("cosine").bypass_vector_index()
        )
        return [1 - d for d in query.limit(K).select(columns).to_arrow()["_distance"].to_pylist()]

    return {"workbench lancedb": ours, "numpy exact": numpy_exact, "LanceDB without index": lance_unindexed}


def measured(count: int, question_count: int, seed: int) -> list[dict[str, Any]]:
    """Return one row of figures per way to search a table of this size."""
    vectors = made_vectors(count, seed)
    questions = made_questions(vectors, question_count, seed + 1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        table: Table = plugins.build("stores", "lancedb").connection(folder).create(TableInfo("t", DIMENSION))
        started = time.perf_counter()
        fill(table, vectors)
        written_s = time.perf_counter() - started
        started = time.perf_counter()
        note = table.optimise()
        optimised_s = time.perf_counter() - started
        ways = searches(table, folder, vectors)
        first_ms = {}
        for name, search in ways.items():
            started = time.perf_counter()
            search(questions[0])
            first_ms[name] = 1000 * (time.perf_counter() - started)
        times: dict[str, list[float]] = {name: [] for name in ways}
        found = dict.fromkeys(ways, 0)
        for question in questions:
            least = np.partition(vectors @ question, count - K)[count - K]
            for name, search in ways.items():
                started = time.perf_counter()
                scores = search(question)
                times[name].append(1000 * (time.perf_counter() - started))
                found[name] += sum(score >= least - 1e-5 for score in scores[:K])
        size = table.size_bytes()
    return [
        {
            "chunks": count,
            "search": name,
            "median_ms": statistics.median(times[name]),
            "p95_ms": statistics.quantiles(times[name], n=20)[18],
            "first_ms": first_ms[name],
            "recall_at_10": found[name] / (K * len(questions)),
            "written_s": written_s,
            "optimised_s": optimised_s,
            "table_mb": size / 2**20,
            "index": note or "",
        }
        for name in ways
    ]


def main() -> None:
    """Measure, print a table, and keep the figures where ``--json`` says."""
    parser = argparse.ArgumentParser(description="Search times and recall beside numpy and plain LanceDB.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print(f"{'chunks':>8}  {'search':<22} {'median ms':>10} {'p95 ms':>8} {'first ms':>9} {'recall@10':>10}")
    for count in asked.sizes:
        for row in measured(count, asked.questions, asked.seed):
            rows.append(row)
            print(
                f"{row['chunks']:>8,}  {row['search']:<22} {row['median_ms']:>10.2f} {row['p95_ms']:>8.2f} "
                f"{row['first_ms']:>9.1f} {row['recall_at_10']:>10.3f}"
            )
        print(
            f"          written in {row['written_s']:.1f} s, optimised in {row['optimised_s']:.1f} s; {row['index']}"
        )
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
