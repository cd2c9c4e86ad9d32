"""From a typed question to its hits: every retriever on 10,000 chunks, beside bm25s and LanceDB's own full-text search.

    python benchmarks/retrievers.py [--chunks 10000] [--json FILE]

The chunks are made of words of the sample library, in its frequencies, six sentences each, in a LanceDB table; their
vectors and those of their sentences are made too, since only their number matters here. The questions are those of
the sample library, and each is embedded anew by the bundled model, as a typed one is. All ways answer the same
questions in turns, so a busy moment of the machine falls on all of them; processor time is the process's own.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from workbench import pipeline, plugins
from workbench.config import Config
from workbench.contracts import Compute, DocumentRows, EmbeddingModel, Table, TableInfo, Tick, no_tick
from workbench.records import Chunk, Vectors, digest

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
SENTENCES = 6
WORDS = 16
CHUNKS_A_DOCUMENT = 200
K = 10


class MadeVectors:
    """Stands for the vector cache: a made vector for every key."""

    def found(self, keys: Sequence[str], dimension: int) -> dict[str, Vectors]:
        """Return nothing."""
        return {}

    def rows(
        self, keys: Sequence[str], dimension: int, compute: Compute, tick: Tick = no_tick
    ) -> tuple[Vectors, int]:
        """Return made vectors of length 1."""
        return made_vectors(len(keys), dimension, 2), len(keys)


def made_vectors(count: int, dimension: int, seed: int) -> Vectors:
    """Return seeded vectors of length 1."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def made_texts(count: int) -> list[str]:
    """Return texts of different sentences, of the words of the sample library in their frequencies."""
    library = " ".join(path.read_text("utf-8") for path in sorted(SAMPLES.glob("sources/*.source")))
    words = np.array(re.findall(r"[A-Za-z]{2,}", library))
    drawn = np.random.default_rng(1).choice(words, (count, SENTENCES, WORDS))
    return ["  ".join(" ".join(sentence).capitalize() + "." for sentence in chunk) for chunk in drawn]


def fill(table: Table, texts: Sequence[str], vectors: Vectors) -> None:
    """Write the texts as chunks of documents."""
    for start in range(0, len(texts), CHUNKS_A_DOCUMENT):
        owner = digest(["document", start])
        own = texts[start : start + CHUNKS_A_DOCUMENT]
        chunks = [
            Chunk(digest([owner, i]), owner, i, 900 * i, 900 * i + len(text), text, 1, 1, SENTENCES * WORDS)
            for i, text in enumerate(own)
        ]
        table.replace_documents([DocumentRows(owner, "made", chunks, vectors[start : start + len(own)])])


def searches(
    table: Table, folder: Path, texts: Sequence[str], model: EmbeddingModel
) -> dict[str, Callable[[str], object]]:
    """Return the ways to answer that are compared, by name."""
    import bm25s
    import lancedb
    from lancedb.index import FTS

    kept: Any = MadeVectors()

    def ours(name: str, **settings: object) -> Callable[[str], object]:
        config = Config(
            name,
            plugins.build("chunkers", "fixed_size"),
            plugins.build("embedders", "sentence_transformers"),
            retriever=plugins.build("retrievers", name, {"top_k": K, **settings}),
        )
        return lambda question: pipeline.hits(question, config, table, model, cache=kept)

    def embedding(question: str) -> object:
        return model.vectors([question], query=True)

    other = bm25s.BM25(method="lucene")
    other.index(bm25s.tokenize(list(texts), stopwords="en", show_progress=False), show_progress=False)

    def by_bm25s(question: str) -> object:
        tokens = bm25s.tokenize([question], stopwords="en", show_progress=False)
        return other.retrieve(tokens, k=K, show_progress=False)

    opened = lancedb.connect(str(folder / "fts")).create_table(
        "texts", [{"text": text} for text in texts], mode="overwrite"
    )
    opened.create_index("text", config=FTS())

    def by_lance(question: str) -> object:
        plain = re.sub(r"[^\w\s]", " ", question)
        return opened.search(plain, query_type="fts").limit(K).to_arrow()

    return {
        "embedding the question alone": embedding,
        "nearest": ours("nearest"),
        "keyword": ours("keyword"),
        "keyword, the store's index": ours("keyword", index="store"),
        "fused": ours("fused"),
        "bm25s": by_bm25s,
        "LanceDB full text": by_lance,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with (SAMPLES / "questions.csv").open(encoding="utf-8", newline="") as file:
        questions = [row["question"] for row in csv.DictReader(file)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = plugins.build("embedders", "sentence_transformers").embedding_model(folder / "models")
        texts = made_texts(options.chunks)
        table: Table = (
            plugins.build("stores", "lancedb")
            .connection(folder / "tables")
            .create(TableInfo("t", model.dimension))
        )
        fill(table, texts, made_vectors(len(texts), model.dimension, 1))
        table.optimise()
        model.vectors(["warm"], query=True)
        ways = searches(table, folder, texts, model)
        rows = []
        for name, search in ways.items():
            started = time.perf_counter()
            search(questions[0])
            rows.append(
                {"way": name, "chunks": len(texts), "first_ms": 1000 * (time.perf_counter() - started)}
            )
        times: dict[str, list[float]] = {name: [] for name in ways}
        worked: dict[str, list[float]] = {name: [] for name in ways}
        for question in questions:
            for name, search in ways.items():
                started, used = time.perf_counter(), time.process_time()
                search(question)
                times[name].append(1000 * (time.perf_counter() - started))
                worked[name].append(1000 * (time.process_time() - used))
    print(
        f"{options.chunks:,} chunks, {options.chunks * SENTENCES:,} sentences, {len(questions)} questions, ms"
    )
    print(f"{'':30} {'median':>8} {'p95':>8} {'processor':>10} {'first':>10}")
    for row in rows:
        own = times[str(row["way"])]
        row["median_ms"], row["p95_ms"] = statistics.median(own), float(np.quantile(own, 0.95))
        row["processor_ms"] = statistics.median(worked[str(row["way"])])
        print(
            f"{row['way']:30} {row['median_ms']:8.1f} {row['p95_ms']:8.1f} {row['processor_ms']:10.1f} "
            f"{row['first_ms']:10.0f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
