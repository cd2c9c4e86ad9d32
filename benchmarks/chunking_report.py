"""Our chunkers on a public benchmark: ``python benchmarks/chunking_report.py FOLDER [--k 5] [--omega-only] [--tuned]``.

FOLDER holds ``questions.csv`` (question, references, corpus_id), the corpora as ``*.md`` and, if there is one,
``published_figures.csv`` of the report "Evaluating Chunking Strategies for Retrieval" (Chroma, 2024). Prints our rows
beside the published ones: means and, after ±, population standard deviations, in points of 100. Every figure is
computed a second time from plain character masks and has to agree exactly.

``--tuned`` prints chunkers × embedders × retrievers, with weights tuned on one corpus and reported on the other.

The published rows are means over all five corpora of that report; ours are over the corpora in FOLDER.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from workbench import pipeline, plugins
from workbench.analysis import Memo
from workbench.contracts import (
    Asked,
    DocumentRows,
    EmbeddingModel,
    KeptVectors,
    NothingKept,
    Table,
    TableInfo,
)
from workbench.evaluation.formats import imported_path
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.results import ChunkRanges, QuestionResult, Truth, question_result, truths
from workbench.evaluation.scoring import Scores, scores
from workbench.evaluation.verdict import verdict
from workbench.records import Chunk, Document, Page, Query, digest

CHUNKERS: list[tuple[str, str, dict[str, object]]] = [
    ("fixed 250", "fixed_size", {"size_tokens": 250}),
    ("fixed 250, overlap 125", "fixed_size", {"size_tokens": 250, "overlap_tokens": 125}),
    ("fixed 200", "fixed_size", {"size_tokens": 200}),
    ("recursive 250", "recursive", {"size_tokens": 250}),
    ("recursive 250, overlap 125", "recursive", {"size_tokens": 250, "overlap_tokens": 125}),
    ("recursive 200", "recursive", {"size_tokens": 200}),
    ("nltk 250, overlap 1", "nltk_sentences", {"size_tokens": 250, "overlap_sentences": 1}),
    ("nltk 250 in paragraphs", "nltk_sentences", {"size_tokens": 250, "cross_paragraphs": False}),
    ("nltk 150 in paragraphs", "nltk_sentences", {"size_tokens": 150, "cross_paragraphs": False}),
    ("spacy 250, overlap 1", "spacy_sentences", {"size_tokens": 250, "overlap_sentences": 1}),
    ("headings 250", "headings", {"size_tokens": 250}),
]
PUBLISHED_MODEL = "all-MiniLM-L6-v2"
MEASURES = ("recall", "precision", "precision_omega", "iou")


def corpora(folder: Path) -> list[Document]:
    """Return the corpora to the letter: the judged offsets count every character of the file."""
    found = []
    for path in sorted(folder.glob("*.md")):
        text = path.read_bytes().decode("utf-8")
        if path.stem != "README":
            found.append(Document(path.stem, text, (Page(1, 0, len(text)),), path.stem, f"file:{path.name}"))
    return found


def questions_in(folder: Path, documents: Sequence[Document]) -> QuestionSet:
    """Return the questions, refusing any that is not where the file says."""
    found = imported_path(folder / "questions.csv", documents)
    for remark in (*found.problems, *found.notes):
        print(f"questions.csv, {remark}")
    return found.question_set


def chunked(
    chunker: str,
    settings: Mapping[str, object],
    documents: Sequence[Document],
    model: EmbeddingModel,
    memo: Memo,
) -> list[Chunk]:
    """Return the chunks of all documents."""
    cutting = plugins.build("chunkers", chunker, settings)
    return [c for d in documents for c in cutting.chunks(d, pipeline.analysis(d, model, memo))]


def built(
    name: str,
    chunks: Sequence[Chunk],
    documents: Sequence[Document],
    model: EmbeddingModel,
    memo: Memo,
    kept: KeptVectors,
) -> Table:
    """Return a table in memory with the chunks and their vectors."""
    store = plugins.build("stores", "memory").connection(Path("benchmark"))
    table: Table = store.create(
        TableInfo(digest(["benchmark", name]), model.dimension, {"model_id": model.id})
    )
    batch = []
    for document in documents:
        own = [chunk for chunk in chunks if chunk.document_id == document.id]
        vectors = model.passage_vectors(pipeline.passages(document, own, model, memo), kept)
        batch.append(DocumentRows(document.id, "state", own, vectors))
    table.replace_documents(batch)
    return table


# ── the second calculation: one boolean per character ────────────────────────────────────────────────────────────


def check_by_masks(
    scored: Scores,
    truth: Sequence[Truth],
    results: Sequence[QuestionResult],
    chunks: Sequence[Chunk],
    documents: Sequence[Document],
    k: int,
    omega_only: bool,
) -> None:
    """Compute every figure again without any of our range arithmetic; raise where one differs."""
    length = {document.id: len(document.text) for document in documents}
    by_question = {result.question_id: result for result in results}
    for row, asked in enumerate(truth):
        judgments = [item.judgment for item in asked.ranges]
        homes = sorted({j.document_id for j in judgments})
        judged = {name: np.zeros(length[name], bool) for name in homes}
        near = {name: np.zeros(length[name], bool) for name in homes}
        shown = {name: np.zeros(length[name], bool) for name in homes}
        for j in judgments:
            judged[j.document_id][j.start : j.end] = True
            for c in chunks:
                if c.document_id == j.document_id and max(c.start, j.start) <= min(c.end, j.end):
                    near[j.document_id][c.start : c.end] = True
        both = sum(int((near[n] & judged[n]).sum()) for n in homes)
        either = sum(int((near[n] | judged[n]).sum()) for n in homes)
        expected = {"precision_omega": both / either}
        if not omega_only:
            hits = by_question[asked.question_id].hits[:k]
            for found in hits:
                if found.document_id in shown:
                    shown[found.document_id][found.start : found.end] = True
            hit = sum(int((shown[n] & judged[n]).sum()) for n in homes)
            missed = sum(int((~shown[n] & judged[n]).sum()) for n in homes)
            total = sum(found.end - found.start for found in hits)
            expected[f"recall@{k}"] = hit / sum(j.end - j.start for j in judgments)
            expected[f"precision@{k}"] = hit / total
            expected[f"iou@{k}"] = hit / (total + missed)
        for measure, value in expected.items():
            if scored.of(measure)[row] != value:
                raise SystemExit(
                    f"{scored.config}, {asked.question_id}, {measure}: {scored.of(measure)[row]!r} is not {value!r}"
                )


# ── printing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def line(name: str, tokens: str, count: str, cells: Sequence[str], shown: str) -> str:
    """Return one row of the table."""
    return f"{name:<34}{tokens:>7}{count:>7}" + "".join(f"{cell:>17}" for cell in cells) + f"{shown:>10}"


def our_line(scored: Scores, chunks: Sequence[Chunk], k: int) -> str:
    """Return the row of one of our chunkers."""
    cells = []
    for name in MEASURES:
        measure = name if name == "precision_omega" else f"{name}@{k}"
        values = scored.values.get(measure)
        omitted = values is None or (
            name != "precision_omega" and not scored.of(f"characters_shown@{k}").any()
        )
        cells.append("–" if omitted else f"{100 * values.mean():.1f} ± {100 * values.std():.1f}")
    shown = scored.mean(f"characters_shown@{k}")
    tokens = np.mean([chunk.token_count for chunk in chunks])
    return line(scored.config, f"{tokens:.0f}", str(len(chunks)), cells, f"{shown:,.0f}" if shown else "–")


def published_lines(folder: Path, omega_only: bool) -> list[str]:
    """Return the published rows: those of the same model, and for precision Ω, which needs no model, all."""
    path = folder / "published_figures.csv"
    if not path.is_file():
        return []
    lines = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if omega_only or row["model"] == PUBLISHED_MODEL:
                name = f"{row['chunker']} {row['size']}, overlap {row['overlap']}"
                cells = [
                    "–" if omega_only and m != "precision_omega" else f"{row[m]} ± {row[m + '_sd']}"
                    for m in MEASURES
                ]
                lines.append(line(name, row["mean_tok"].lstrip("~"), "", cells, ""))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--omega-only", action="store_true", help="no search: precision Ω needs none")
    parser.add_argument("--only", default="", help="only chunkers whose row starts with this")
    parser.add_argument(
        "--keep", type=Path, help="with --tuned: keep models and vectors there for the next run"
    )
    parser.add_argument("--tuned", action="store_true", help="embedders and retrievers too, weights tuned")
    options = parser.parse_args()
    documents = corpora(options.folder)
    questions = questions_in(options.folder, documents)
    truth = truths(questions)
    characters = sum(len(document.text) for document in documents)
    print(f"{len(truth)} questions, {len(documents)} corpora, {characters:,} characters, top {options.k}\n")
    if options.tuned:
        from tuned_report import print_report

        print_report(options.folder, documents, questions, options.k, options.only, options.keep)
        return
    print(line("", "tokens", "chunks", MEASURES, "shown"))
    table: list[Scores] = []
    with tempfile.TemporaryDirectory() as folder:
        model: EmbeddingModel = plugins.build("embedders", "sentence_transformers").embedding_model(
            Path(folder)
        )
        memo, retriever = Memo(), plugins.build("retrievers", "nearest", {"top_k": options.k})
        started = time.perf_counter()
        for name, chunker_name, settings in CHUNKERS:
            if not name.startswith(options.only) or chunker_name not in plugins.names("chunkers"):
                continue
            chunks = chunked(chunker_name, settings, documents, model, memo)
            if options.omega_only:
                results = [QuestionResult(asked.question_id, ()) for asked in truth]
            else:
                index = built(name, chunks, documents, model, memo, NothingKept())
                texts = {question.id: question.text for question in questions.questions}
                results = [
                    question_result(
                        a.question_id, retriever.hits(Asked(Query(texts[a.question_id]), index, model))
                    )
                    for a in truth
                ]
            scored = scores(name, truth, results, ChunkRanges(chunks), (options.k,))
            check_by_masks(scored, truth, results, chunks, documents, options.k, options.omega_only)
            table.append(scored)
            print(our_line(scored, chunks, options.k), flush=True)
        seconds = time.perf_counter() - started
    published = published_lines(options.folder, options.omega_only)
    if published:
        print("\npublished, over all five corpora of the report:")
        print("\n".join(published))
    print(f"\nplain character masks agree exactly with every figure; {seconds:.0f} s")
    if len(table) > 1 and not options.omega_only:
        measure = f"recall@{options.k}"
        spreads = [(a.of(measure) - b.of(measure)).std() for i, a in enumerate(table) for b in table[:i]]
        print(
            f"paired differences of {measure} spread by {min(spreads):.2f} to {max(spreads):.2f} (standard deviation)"
        )
        print(verdict(table, measure).sentence)


if __name__ == "__main__":
    main()
