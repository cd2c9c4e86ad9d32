"""Embedding against plain ``SentenceTransformer.encode`` with its defaults, on the same texts in the same run.

    python benchmarks/embedding.py [FILE…] [--chunks 1200] [--rounds 3] [--json FILE]

Files are plain texts; without any, the sample library's own sources are taken. Rounds are interleaved, so that a
machine that is busy with other things slows all of them alike. Each round embeds its own share of the chunks; a
ratio is the median over the rounds. "CPU ratio" compares processor seconds instead of the clock, which other
programs disturb less.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from workbench import plugins
from workbench.contracts import EmbeddingModel, no_tick
from workbench.embedders._conversion import NETWORK
from workbench.embedders._model_folder import BUNDLED_MODEL, ModelFolder, found_folder
from workbench.embedders._openvino import OpenVinoEncoder, has_bfloat16
from workbench.ingest.vector_cache import VectorCache, cached_vectors

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
TEXT_SUFFIXES = {".md", ".txt", ".source"}
SHORTEST_TOKENS, LONGEST_TOKENS = 100, 250
STARTS = 3
PEER = "SentenceTransformer.encode"
BATCH_TOKENS = 2_048
FIRST_VECTOR = """
import json, pathlib, sys
from workbench import plugins
model = plugins.build("embedders", "sentence_transformers", {"device": "cpu"}).embedding_model(pathlib.Path(sys.argv[1]))
model.vectors(["How do batteries age?"])
print(json.dumps("torch" in sys.modules))
"""
FIRST_VECTOR_PLAIN = """
import json, sys
from sentence_transformers import SentenceTransformer
SentenceTransformer(sys.argv[1], device="cpu").encode(["How do batteries age?"])
print(json.dumps("torch" in sys.modules))
"""


def chunks(text: str, count: int, model: EmbeddingModel) -> list[str]:
    """Return ``count`` different pieces of 100 to 250 tokens, cut at token ends, from all over the text."""
    offsets = model.tokenizer.offsets(text)
    chosen = random.Random(0)
    found: dict[str, None] = {}
    while len(found) < count:
        size = chosen.randint(SHORTEST_TOKENS, LONGEST_TOKENS)
        first = chosen.randrange(len(offsets) - size)
        found[text[offsets[first, 0] : offsets[first + size - 1, 1]]] = None
    return list(found)


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def throughput(texts: Sequence[str], folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each way: chunks a second, ratio to plain, lowest cosine to plain."""
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(found_folder(BUNDLED_MODEL, None)), device="cpu")
    openvino, torch = (_model(folder, backend=backend) for backend in ("openvino", "torch"))
    ways: dict[str, Callable[[Sequence[str]], Any]] = {
        PEER: lambda some: plain.encode(list(some), show_progress_bar=False),
        "workbench, openvino": openvino.vectors,
        "workbench, torch": torch.vectors,
    }
    if has_bfloat16():
        ways["workbench, openvino in f32"] = _without_bfloat16(openvino, folder)
    for call in ways.values():
        call(texts[:16])
    times: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    lowest: dict[str, float] = dict.fromkeys(ways, 1.0)
    for number in range(rounds):
        some = texts[number::rounds]
        exact = None
        for name, call in ways.items():
            before = time.process_time()
            spent, rows = seconds(lambda call=call, some=some: call(some))
            worked[name].append(time.process_time() - before)
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            exact = rows if exact is None else exact
            times[name].append(spent)
            lowest[name] = min(lowest[name], float((rows * exact).sum(1).min()))
    result = []
    for name, spent in times.items():
        ratios = [a / b for a, b in zip(times[PEER], spent, strict=True)]
        work_ratios = [a / b for a, b in zip(worked[PEER], worked[name], strict=True)]
        result.append(
            {
                "way": name,
                "chunks_per_second": round(len(texts) / sum(spent), 1),
                "ratio": round(statistics.median(ratios), 2),
                "ratio_low": round(min(ratios), 2),
                "ratio_high": round(max(ratios), 2),
                "cpu_ratio": round(statistics.median(work_ratios), 2),
                "lowest_cosine": round(lowest[name], 6),
            }
        )
    return result


def _without_bfloat16(model: EmbeddingModel, folder: Path) -> Callable[[Sequence[str]], Any]:
    """Return what the openvino backend does on a CPU without bfloat16: tokenising included, as in all ways."""
    source = ModelFolder(found_folder(BUNDLED_MODEL, None))
    engine = OpenVinoEncoder(source, next(folder.glob(f"openvino-*/{NETWORK}")), "f32")
    tokenizer = source.tokenizer.truncating(model.window_tokens or 0)
    return lambda some: engine.vectors(some, tokenizer.ids(some), BATCH_TOKENS, no_tick)


def shared(texts: Sequence[str], folder: Path) -> dict[str, Any]:
    """Return what a second configuration embeds when three quarters of its texts were embedded for the first."""
    model = _model(folder)
    cache = VectorCache(folder / "vectors")
    first, second = list(texts[: len(texts) * 4 // 5]), list(texts[len(texts) // 5 :])
    both = set(first) & set(second)
    cached_vectors(first, model, cache)
    again = set(cache.missing(second, model)) & both
    spent, (_, embedded) = seconds(lambda: cached_vectors(second, model, cache))
    from_cache, _ = seconds(lambda: cached_vectors(second, model, cache))
    return {
        "texts": len(second),
        "shared": len(both),
        "embedded": embedded,
        "shared_embedded_again": len(again) / len(both),
        "seconds": round(spent, 3),
        "seconds_all_cached": round(from_cache, 4),
    }


def first_vector(program: str, argument: str) -> dict[str, Any]:
    """Return the median seconds from starting Python to holding a vector, and whether torch was imported."""
    spent, said = [], "null"
    for _ in range(STARTS):
        time_s, done = seconds(
            lambda: subprocess.run(
                [sys.executable, "-c", program, argument],
                capture_output=True,
                text=True,
                check=True,
                cwd=Path(__file__).parents[1],
            )
        )
        spent.append(time_s)
        said = done.stdout.splitlines()[-1]
    return {"seconds": round(statistics.median(spent), 2), "imports_torch": json.loads(said)}


def _model(folder: Path, **settings: Any) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build(
        "embedders", "sentence_transformers", {"device": "cpu", **settings}
    ).embedding_model(folder)
    return found


def main() -> None:
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("files", nargs="*", type=Path, help="plain texts to cut into chunks")
    reader.add_argument("--chunks", type=int, default=1200)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--json", type=Path, help="write the figures here too")
    asked = reader.parse_args()
    files = asked.files or sorted(f for f in SAMPLES.rglob("*") if f.suffix in TEXT_SUFFIXES)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = _model(folder)
        texts = chunks("\n\n".join(f.read_text("utf-8") for f in files), asked.chunks, model)
        converting, _ = seconds(lambda: _model(folder, backend="openvino").vectors(["convert"]))
        figures: dict[str, Any] = {
            "chunks": len(texts),
            "tokens": sum(len(model.tokenizer.offsets(t)) for t in texts),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "bfloat16": has_bfloat16(),
            "seconds_to_convert_once": round(converting, 1),
            "throughput": throughput(texts, folder, asked.rounds),
            "second_configuration": shared(texts, folder),
            "first_vector": first_vector(FIRST_VECTOR, str(folder)),
            "first_vector_plain": first_vector(FIRST_VECTOR_PLAIN, str(found_folder(BUNDLED_MODEL, None))),
        }
    print(
        f"{figures['chunks']} chunks, {figures['tokens']:,} tokens, {figures['cores']} cores, bfloat16: {figures['bfloat16']}"
    )
    print(
        f"{'way':<30}{'chunks/s':>10}{'ratio':>8}{'(low to high)':>18}{'CPU ratio':>11}{'lowest cosine':>16}"
    )
    for row in figures["throughput"]:
        spread = f"({row['ratio_low']} to {row['ratio_high']})"
        print(
            f"{row['way']:<30}{row['chunks_per_second']:>10}{row['ratio']:>8}{spread:>18}{row['cpu_ratio']:>11}{row['lowest_cosine']:>16}"
        )
    second = figures["second_configuration"]
    print(
        f"second configuration: {second['embedded']} of {second['texts']} texts embedded; "
        f"of the {second['shared']} shared ones {second['shared_embedded_again']:.0%} again"
    )
    for name in ("first_vector", "first_vector_plain"):
        row = figures[name]
        print(f"{name.replace('_', ' ')}: {row['seconds']} s, imports torch: {row['imports_torch']}")
    print(f"converting once: {figures['seconds_to_convert_once']} s")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
