"""How long maps take: two aligned tables of 10,000 chunks, and one table of 50,000 and of 1,000,000.

    python benchmarks/maps.py [--pair 10000] [--peer 1000] [--sizes 50000 1000000] [--json FILE]

The vectors are made, as in ``search.py``. A pair is computed in a fresh workspace by a process that has compiled UMAP
before; "again" is the second look, from the disk. The peer is umap-learn's own ``AlignedUMAP`` on two tables
of 1,000 and the same correspondence, with as many epochs; two of 10,000 had not ended after eight minutes. A large table
is written by another process; its figures are the time to a sample, to its map, what reading the sample added to the
process's memory, and the most memory that the process has held. With ``--only-large``, compiling UMAP is in the first map.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from search import CHUNKS_A_DOCUMENT, DIMENSION, fill, made_vectors, unit

from workbench.config import Config, parsed
from workbench.contracts import TableInfo
from workbench.projection import trust
from workbench.records import Vectors
from workbench.workspace import Workspace
from workbench.workspace.maps import MapSettings

EPOCHS = 100


def config(name: str, size: int) -> Config:
    """Return a config whose table has the dimension of the made vectors; nothing is embedded."""
    return parsed(
        f"version: 1\nname: {name}\nchunker: {{name: fixed_size, size_tokens: {size}}}\n"
        f"embedder: {{name: hashing, dimension: {DIMENSION}}}\n"
    )


def with_table(here: Workspace, config: Config, vectors: Vectors) -> None:
    """Write a config's table with made vectors."""
    fill(here.tables.connection(config).create(TableInfo(config.table_name, DIMENSION)), vectors, config.name)


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call took, and what it returned."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def pair(count: int, folder: Path, with_peer: bool) -> dict[str, Any]:
    """Return the figures of two aligned tables: the second one's vectors are the first one's, disturbed."""
    here = Workspace(folder)
    first = made_vectors(count, 1)
    noise = np.random.default_rng(2).normal(size=first.shape)
    second = unit(first + 0.6 * unit(noise))
    configs = config("first", 100), config("second", 200)
    for one, vectors in zip(configs, (first, second), strict=True):
        with_table(here, one, vectors)
    # Compiling is counted apart: it happens once a machine.
    warming, _ = seconds(lambda: here.maps.compute(here.maps.sample(configs[0]), MapSettings(neighbours=5)))
    sampling, sample = seconds(lambda: here.map_pairs.sample(*configs))
    computing, found = seconds(lambda: here.map_pairs.compute(sample, MapSettings()))
    changing, changed = seconds(lambda: found.changed)
    again = Workspace(folder)
    looking, _ = seconds(lambda: again.map_pairs.finished(again.map_pairs.sample(*configs), MapSettings()))
    # A table's own order: by document and place.
    vectors = found.first.sample.vectors, found.second.sample.vectors
    trusted = trust(vectors[1], found.second.points)
    figures: dict[str, Any] = {}
    if with_peer:
        spent, peer = seconds(lambda: aligned_by_umap(*vectors))
        trusted_peer = trust(vectors[1], peer)
        figures["aligned_umap_s"] = round(spent, 1)
        figures["aligned_umap_trustworthiness"] = (
            round(trusted_peer.trustworthiness, 3) if trusted_peer else None
        )
    return {
        "chunks": 2 * count,
        "first_use_s": round(warming, 1),
        "sample_s": round(sampling, 2),
        "compute_s": round(computing, 1),
        "changed_s": round(changing, 2),
        "again_s": round(looking, 2),
        "neighbours_changed": round(float(np.nanmean(changed[0])), 3),
        "trustworthiness": round(trusted.trustworthiness, 3) if trusted else None,
        **figures,
    }


def aligned_by_umap(first: Vectors, second: Vectors) -> Any:
    """Return the second table's points by ``umap.AlignedUMAP``; row i of both is the same text."""
    import umap

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = umap.AlignedUMAP(n_epochs=EPOCHS, metric="cosine", random_state=0).fit(
            [first, second], relations=[{i: i for i in range(len(first))}]
        )
    return np.asarray(fitted.embeddings_[1], np.float32)


PART = 50_000


def filled_apart(count: int, folder: Path) -> None:
    """Write one large table in a process of its own, part by part: its memory is not that of drawing the table."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(_filled, count, folder).result()


def _filled(count: int, folder: Path) -> None:
    one = config("large", 100)
    table = Workspace(folder).tables.connection(one).create(TableInfo(one.table_name, DIMENSION))
    for number, start in enumerate(range(0, count, PART)):
        vectors = made_vectors(min(PART, count - start), 100 + number)
        fill(table, vectors, one.name, start // CHUNKS_A_DOCUMENT)


def large(count: int, folder: Path) -> dict[str, Any]:
    """Return the figures of one large table."""
    one = config("large", 100)
    filling, _ = seconds(lambda: filled_apart(count, folder))
    here = Workspace(folder)
    before, used = peak_mb(), time.process_time()
    sampling, sample = seconds(lambda: here.maps.sample(one))
    used = time.process_time() - used
    reading = peak_mb()
    quick, _ = seconds(lambda: here.maps.quick(sample))
    computing, _ = seconds(lambda: here.maps.compute(sample, MapSettings()))
    again = Workspace(folder)
    looking, _ = seconds(lambda: again.maps.finished(again.maps.sample(one), MapSettings()))
    staying, _ = seconds(lambda: again.maps.finished(again.maps.sample(one), MapSettings()))
    return {
        "chunks": count,
        "drawn": len(sample.chunks),
        "fill_s": round(filling, 1),
        "sample_s": round(sampling, 1),
        "sample_processor_s": round(used, 1),
        "sample_mb": reading - before,
        "pca_s": round(quick, 2),
        "umap_s": round(computing, 1),
        "again_s": round(looking, 1),
        "same_process_s": round(staying, 2),
        "peak_mb": peak_mb(),
    }


def peak_mb() -> int:
    """Return the most memory that this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--pair", type=int, default=10_000)
    reader.add_argument(
        "--peer", type=int, default=1_000, help="size of the pair that AlignedUMAP draws, too"
    )
    reader.add_argument("--only-large", action="store_true", help="leave the pairs out")
    reader.add_argument("--sizes", type=int, nargs="*", default=[50_000, 1_000_000])
    reader.add_argument("--json", type=Path, help="write the figures here too")
    asked = reader.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        if not asked.only_large:
            figures["beside"] = pair(asked.peer, Path(temporary) / "beside", True)
            print(json.dumps(figures["beside"]), flush=True)
            figures["pair"] = pair(asked.pair, Path(temporary) / "pair", False)
            print(json.dumps(figures["pair"]), flush=True)
        figures["large"] = []
        for size in asked.sizes:
            figures["large"].append(large(size, Path(temporary) / str(size)))
            print(json.dumps(figures["large"][-1]), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
