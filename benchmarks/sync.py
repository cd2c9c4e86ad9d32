"""What a sync costs: the first, one without changes, one with 1 % changed, a switch of the model, 200 in a row.

    python benchmarks/sync.py                      # 1,000 documents, all-MiniLM-L6-v2: minutes
    python benchmarks/sync.py --documents 100 --syncs 20 --rows 5000 --embedder hashing
    python benchmarks/sync.py --only rows          # one part: documents, disk or rows

Every step that is timed runs in a process of its own, so that memory and warm caches of one do not help another.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

WORDS = (Path(__file__).parents[1] / "data/samples/app-release-notes.md").read_text(encoding="utf-8").split()
SENTENCES_A_DOCUMENT = 60


def text(seed: int, sentences: int = SENTENCES_A_DOCUMENT) -> str:
    """Return a made text: the same seed gives the same one, another seed shares no sentence with it."""
    chance = random.Random(seed)
    made = (" ".join(chance.choices(WORDS, k=14)) + f" {seed}.{number}." for number in range(sentences))
    return "\n\n".join(made)


def write_config(folder: Path, embedder: str, dimension: int = 384) -> None:
    """Write the pipeline's YAML. The other model is a second one of the same kind."""
    model = {
        "hashing": f"{{name: hashing, dimension: {dimension}}}",
        "minilm": "{name: sentence_transformers, model: all-MiniLM-L6-v2"
        + (", max_tokens: 128" if dimension != 384 else "")
        + "}",
    }[embedder]
    (folder / "config.yaml").write_text(
        "name: measured\nparser: {name: plain_text}\n"
        "chunker: {name: nltk_sentences, size_tokens: 200, overlap_sentences: 0}\n"
        f"embedder: {model}\nsources: [{{name: pdf_folder, path: in}}]\n"
    )


def step(folder: Path, *, config: str = "config.yaml", stored: bool = False) -> dict[str, Any]:
    """Run one sync in a process of its own and return its figures, seconds and peak memory."""
    command = [sys.executable, __file__, "--child", str(folder), config, *(["--stored"] if stored else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(folder: Path, config_name: str, stored: bool) -> None:
    """Sync once; print what it took."""
    import lancedb  # noqa: F401 one second of import, the same for every sync

    from workbench import pipeline as flow

    flow.suffixes()  # imports the parsers
    print(json.dumps(synced(folder, config_name, stored)))


def synced(folder: Path, config_name: str = "config.yaml", stored: bool = False) -> dict[str, Any]:
    """Sync once in this process and return what it took."""
    from workbench.config import parsed
    from workbench.sync import Pipeline
    from workbench.sync.run import Wishes
    from workbench.workspace import Workspace

    config = parsed((folder / config_name).read_text())
    pipeline = Pipeline(Workspace(folder / "workspace"), config, folder)
    started = time.perf_counter()
    # Not *_, last: three events a document would be held to the end.
    last = deque(pipeline.sync(Wishes(stored=stored)), maxlen=1).pop()
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    timings = {one.stage: round(one.seconds, 3) for one in pipeline.ledger.runs.timings(last.run_id)}
    return {"seconds": seconds, "peak_bytes": peak, "stages": timings, **last.as_dict()["figures"]}


def disk(folder: Path) -> int:
    """Return the bytes under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def documents(count: int, embedder: str) -> None:
    """First sync, one without changes, one with 1 % changed, and the switch of the model."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in").mkdir()
        write_config(folder, embedder)
        for number in range(count):
            (folder / "in" / f"{number:05}.txt").write_text(text(number))
        first = step(folder)
        told("first sync", first, first)
        told("nothing changed (aim: 2 %)", step(folder), first)
        for number in range(max(1, count // 100)):
            (folder / "in" / f"{number:05}.txt").write_text(text(number) + f"\n\nChanged: {number}.")
        told("1 % changed (aim: 3 %)", step(folder), first)
        write_config(folder, embedder, dimension=128)
        told("model switch, from stored texts", step(folder), first)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in").mkdir()
        write_config(folder, embedder, dimension=128)
        for number in range(count):
            (folder / "in" / f"{number:05}.txt").write_text(text(number))
        told("the switched model, from scratch", step(folder), first)


def many_syncs(count: int, syncs: int) -> None:
    """Disk after many syncs that each change 1 % of the documents, against a fresh build of the last state."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "in").mkdir()
        write_config(folder, "hashing")
        for number in range(count):
            (folder / "in" / f"{number:05}.txt").write_text(text(number))
        synced(folder)
        for round_number in range(syncs):
            for number in range(max(1, count // 100)):
                name = (round_number * max(1, count // 100) + number) % count
                (folder / "in" / f"{name:05}.txt").write_text(text(name) + f"\n\nRound {round_number}.")
            synced(folder)
        used = {name: disk(folder / "workspace" / name) for name in ("pipelines", "vectors")}
        (folder / "workspace").rename(folder / "old")
        synced(folder)
        live = {name: disk(folder / "workspace" / name) for name in ("pipelines", "vectors")}
    for name, size in used.items():
        print(
            f"disk of {name} after {syncs} syncs: {size / 2**20:.1f} MB, {size / live[name]:.2f} × a fresh build"
        )


def csv_rows(count: int) -> None:
    """Peak memory of a table with many rows, against one with a fiftieth and one with a fifth of them."""
    peaks: dict[int, tuple[int, int]] = {}
    for rows in (count // 50, count // 5, count):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            with (folder / "rows.csv").open("w", newline="") as file:
                csv.writer(file).writerows([("id", "text"), *((row, text(row, 2)) for row in range(rows))])
            (folder / "config.yaml").write_text(
                "name: rows\nparser: {name: plain_text}\n"
                "chunker: {name: nltk_sentences, size_tokens: 200, overlap_sentences: 0}\n"
                "embedder: {name: hashing}\n"
                "sources: [{name: csv_file, path: rows.csv, id_column: id, text_columns: [text]}]\n"
            )
            first, second = step(folder), step(folder)
            peaks[rows] = first["peak_bytes"], second["peak_bytes"]
            size = (folder / "rows.csv").stat().st_size
            print(
                f"{rows:,} rows ({size / 2**20:.1f} MB): peak {first['peak_bytes'] / 2**20:.0f} MB, "
                f"{first['seconds']:.1f} s, {rows / first['seconds']:.0f} rows/s; nothing changed: "
                f"peak {second['peak_bytes'] / 2**20:.0f} MB, {second['seconds']:.1f} s  {first['stages']}",
                flush=True,
            )
    few, many = count // 5, count
    for number, name in enumerate(("first sync", "nothing changed")):
        growth = (peaks[many][number] - peaks[few][number]) / (many - few)
        print(f"{name}: {growth:.0f} bytes a row between {few:,} and {many:,} rows")


def told(name: str, found: dict[str, Any], first: dict[str, Any]) -> None:
    """Print one line."""
    print(
        f"{name:34} {found['seconds']:8.2f} s  {100 * found['seconds'] / first['seconds']:6.1f} %  "
        f"{found['embedded']:6} embedded, {found['reused']:6} reused, {found['bytes_read'] / 2**20:6.1f} MB read, "
        f"peak {found['peak_bytes'] / 2**20:.0f} MB  {found['stages']}",
        flush=True,
    )


def main() -> None:
    """Measure what was asked for."""
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), sys.argv[3], "--stored" in sys.argv)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--syncs", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--embedder", choices=("minilm", "hashing"), default="minilm")
    parser.add_argument("--only", choices=("documents", "disk", "rows"))
    options = parser.parse_args()
    if options.only in (None, "documents"):
        documents(options.documents, options.embedder)
    if options.only in (None, "disk"):
        many_syncs(min(options.documents, 200), options.syncs)
    if options.only in (None, "rows"):
        csv_rows(options.rows)


if __name__ == "__main__":
    main()
