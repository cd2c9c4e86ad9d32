"""How long scoring takes: ``python benchmarks/scoring.py [--questions 500 --configs 10 --chunks 5000]``.

Made-up questions, chunks and hits of the given numbers (searching and embedding are not part of it); prints seconds
for scoring, for the intervals and for the verdict.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workbench.evaluation.leaderboard import rows
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.evaluation.results import ChunkRanges, FoundRange, QuestionResult, truths
from workbench.evaluation.scoring import Scores, scores
from workbench.evaluation.verdict import verdict
from workbench.records import Chunk, Judgment

DOCUMENTS = 50


def chunks_of(count: int, length: int) -> list[Chunk]:
    """Return chunks of neighbouring ranges, spread over the documents."""
    per_document = count // DOCUMENTS
    return [
        Chunk(f"{d}-{i}", f"d{d}", i, i * length, (i + 1) * length, "", 1, 1, length // 4)
        for d in range(DOCUMENTS)
        for i in range(per_document)
    ]


def asked(count: int, length: int, rng: np.random.Generator) -> QuestionSet:
    """Return questions with one to three judged ranges each."""
    judged = []
    for number in range(count):
        for _ in range(int(rng.integers(1, 4))):
            start = int(rng.integers(0, length - 300))
            document = f"d{rng.integers(0, DOCUMENTS)}"
            judged.append((Judgment(f"q{number}", document, start, start + int(rng.integers(20, 300))), ""))
    return question_set("made up", [Question(f"q{i}", f"Question {i}?") for i in range(count)], judged)


def results_of(
    questions: QuestionSet, chunks: list[Chunk], index: ChunkRanges, k: int, rng: np.random.Generator
) -> list[QuestionResult]:
    """Return hits of which about one in five holds an answer."""
    found = []
    for question in questions.questions:
        picked = [chunks[i] for i in rng.integers(0, len(chunks), k)]
        for judgment in questions.by_question[question.id]:
            near = index.overlapping(judgment.document_id, judgment.start, judgment.end)
            if near and rng.random() < 0.7:
                picked[int(rng.integers(0, k))] = near[0]
        hits = [
            FoundRange(c.id, c.document_id, c.start, c.end, rank, 1 / rank, c.token_count)
            for rank, c in enumerate(picked, start=1)
        ]
        found.append(QuestionResult(question.id, tuple(hits), 0.001))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--configs", type=int, default=10)
    parser.add_argument("--chunks", type=int, default=5_000)
    parser.add_argument("--hits", type=int, default=10)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    length = 600
    questions = asked(options.questions, options.chunks // DOCUMENTS * length, rng)
    chunks = chunks_of(options.chunks, length)
    prepared = [
        (f"config {i}", results_of(questions, chunks, ChunkRanges(chunks), options.hits, rng))
        for i in range(options.configs)
    ]
    started = time.perf_counter()
    truth = truths(questions)
    table: list[Scores] = [scores(name, truth, results, ChunkRanges(chunks)) for name, results in prepared]
    scored = time.perf_counter()
    figures = rows(table)
    with_intervals = time.perf_counter()
    sentence = verdict(table).sentence
    done = time.perf_counter()
    print(
        f"{options.questions} questions x {options.configs} configurations x {options.chunks:,} chunks, "
        f"{options.hits} hits each"
    )
    print(f"scoring     {scored - started:6.2f} s  ({len(table[0].values)} measures)")
    print(f"intervals   {with_intervals - scored:6.2f} s  ({len(figures)} figures, 10,000 resamples)")
    print(f"verdict     {done - with_intervals:6.2f} s")
    print(sentence)


if __name__ == "__main__":
    main()
