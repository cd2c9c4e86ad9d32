"""Chunkers × embedders × retrievers on the public benchmark, with the weights of fusion tuned on other questions.

``python benchmarks/chunking_report.py FOLDER --tuned`` runs it. All corpora stand in one table. Weights are tuned on the
questions of one corpus and used for the questions of all others, each corpus in turn: every figure of a tuned row is
over questions that had no part in tuning. So is the choice of a row for an amount of text in the last two tables.
"""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from chunking_report import CHUNKERS, built, check_by_masks, chunked

from workbench import plugins
from workbench.analysis import Memo
from workbench.contracts import Asked, EmbeddingModel, Table, Tick
from workbench.contracts.hits import folded
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.results import ChunkRanges, QuestionResult, Truth, question_result, truths
from workbench.evaluation.scoring import Scores, scores
from workbench.evaluation.significance import holm
from workbench.evaluation.verdict import SIGNIFICANT, comparison
from workbench.ingest.vector_cache import VectorCache
from workbench.records import Chunk, Document, Query, Vectors, digest

EMBEDDERS = ("sentence_transformers", "sentence_pool", "late_chunking")
LEFT_OUT = (
    "fixed 250",
    "recursive 250",
    "recursive 250, overlap 125",
    "spacy 250, overlap 1",
    "headings 250",
)
"""Rows of the plain report that are much like another one here: every row costs a dozen rounds of all questions."""
ROWS: list[tuple[str, str, dict[str, object]]] = [
    *(row for row in CHUNKERS if row[0] not in LEFT_OUT),
    ("nltk 200 in paragraphs", "nltk_sentences", {"size_tokens": 200, "cross_paragraphs": False}),
    ("nltk 100 in paragraphs", "nltk_sentences", {"size_tokens": 100, "cross_paragraphs": False}),
    ("nltk 60 in paragraphs", "nltk_sentences", {"size_tokens": 60, "cross_paragraphs": False}),
]
COMPONENTS = ("vector", "sentence", "keyword")
STEPS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
GRID = [
    weights
    for weights in product((0.0, 1.0), STEPS, STEPS)
    if any(weights) and (weights[0] or max(weights) == 1.0)
]
BUDGETS = (750, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 5_000, 6_000)
SAME_CHUNKS = {
    "fixed 250, overlap 125": "all-MiniLM-L6-v2, TokenText 250, 125",
    "fixed 200": "all-MiniLM-L6-v2, TokenText 200, 0",
}
"""Rows of ours and of the report that differ in nothing but the questions."""
LOOKED_AT = 40
LOST_SHOWN = 8

Weights = tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """One chunker, embedder and retriever. ``by_tuning``: corpus tuned on → scores; one entry where nothing is tuned."""

    chunker: str
    embedder: str
    retriever: str
    by_tuning: Mapping[str, Scores]
    held_out: Scores

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return f"{self.chunker}, {self.embedder}, {self.retriever}"

    def on(self, corpus: str) -> Scores:
        """Return the scores with what was tuned on a corpus."""
        return self.by_tuning.get(corpus) or self.by_tuning[""]


def print_report(
    folder: Path,
    documents: Sequence[Document],
    questions: QuestionSet,
    k: int,
    only: str = "",
    keep: Path | None = None,
) -> None:
    """Print every row, what the embedders gain and lose, the trade-off, and where published rows are better."""
    started = time.perf_counter()
    truth = truths(questions)
    home = np.array([asked.ranges[0].judgment.document_id for asked in truth])
    texts = {question.id: question.text for question in questions.questions}
    rows: list[Row] = []
    print(f"{'':<76}{f'recall@{k}':>10}{'IoU':>7}{'shown':>8}   weights by the corpus tuned on")
    with tempfile.TemporaryDirectory() as temporary:
        place = keep or Path(temporary)
        cache, memo = VectorCache(place / "vectors"), Memo()
        for name, chunker, settings in ROWS:
            if not name.startswith(only):
                continue
            for embedder in EMBEDDERS:
                model = plugins.build("embedders", embedder).embedding_model(place)
                chunks = chunked(chunker, settings, documents, model, memo)
                table = built(f"{name} {embedder}", chunks, documents, model, memo, cache)
                bench = Bench(name, embedder, k, truth, home, texts, documents, chunks, table, model, cache)
                for row in bench.rows():
                    rows.append(row[0])
                    print(_line(*row, k), flush=True)
    _print_embedders(rows, k)
    _print_losses(rows, texts, k)
    _print_curve(rows, home, k)
    _print_published(folder, rows, home, k)
    print(f"\nplain character masks agree exactly with every figure; {time.perf_counter() - started:.0f} s")


class Bench:
    """One table of chunks, and every question put to it in every way."""

    def __init__(
        self,
        chunker: str,
        embedder: str,
        k: int,
        truth: Sequence[Truth],
        home: np.ndarray[Any, Any],
        texts: Mapping[str, str],
        documents: Sequence[Document],
        chunks: Sequence[Chunk],
        table: Table,
        model: EmbeddingModel,
        cache: VectorCache,
    ) -> None:
        self._chunker, self._embedder, self._k = chunker, embedder, k
        self._truth, self._home, self._documents, self._chunks = truth, home, documents, chunks
        # One of each question for all retrievers: its vector is then computed once.
        self._asked = [Asked(Query(texts[a.question_id]), table, model, kept=cache) for a in truth]
        vectors, _ = cached_questions([asked.query.text for asked in self._asked], model, cache)
        for asked, vector in zip(self._asked, vectors, strict=True):
            # Where the property keeps it: a question is embedded once, not once for each table.
            vars(asked)["vector"] = vector

    def rows(self) -> Iterator[tuple[Row, str]]:
        """Yield nearest, keyword (once, it needs no vectors), fused as it comes, and fused with tuned weights."""
        names = ["nearest", *(["keyword"] if self._embedder == EMBEDDERS[0] else []), "fused"]
        for name in names:
            found = self._scored(name, {})
            yield Row(self._chunker, self._embedder, name, {"": found}, found), ""
        tuned = {str(corpus): self._tuned(self._home == corpus) for corpus in sorted(set(self._home))}
        by_tuning = {
            corpus: self._scored(
                "fused", {f"weight_{c}": w for c, w in zip(COMPONENTS, weights, strict=True)}
            )
            for corpus, weights in tuned.items()
        }
        said = ", ".join(
            f"{corpus} {' : '.join(f'{w:g}' for w in weights)}" for corpus, weights in tuned.items()
        )
        row = Row(self._chunker, self._embedder, "fused, tuned", by_tuning, crossed(by_tuning, self._home))
        yield row, said

    def _scored(self, retriever: str, settings: Mapping[str, float]) -> Scores:
        built_retriever = plugins.build("retrievers", retriever, {"top_k": self._k, **settings})
        results = [
            question_result(asked.question_id, built_retriever.hits(question))
            for asked, question in zip(self._truth, self._asked, strict=True)
        ]
        name = f"{self._chunker}, {self._embedder}, {retriever}"
        scored = scores(name, self._truth, results, ChunkRanges(self._chunks), (self._k,))
        self._check(scored, results)
        return scored

    def _check(self, scored: Scores, results: Sequence[QuestionResult]) -> None:
        check_by_masks(scored, self._truth, results, self._chunks, self._documents, self._k, False)

    def _tuned(self, chosen: np.ndarray[Any, Any]) -> Weights:
        """Return the weights nearest to 1 : 1 : 1 that are within one standard error of the best recall.

        The questions are few and the grid is large: the best weights themselves are the best by luck, too (the
        one-standard-error rule of Breiman et al., 1984).
        """
        retriever = plugins.build("retrievers", "fused", {"top_k": self._k})
        recalls = np.zeros((int(chosen.sum()), len(GRID)))
        grid = np.array(GRID)
        for row, number in enumerate(np.flatnonzero(chosen)):
            found = retriever.components(self._asked[number])
            parts = np.array([found.comparable[name] for name in COMPONENTS])
            chunks = found.rows.chunks
            masks = _judged_masks(self._truth[number], chunks)
            whole = next(iter(masks.values())).size if masks else 1
            totals = grid @ parts
            best = np.argsort(-totals, axis=1, kind="stable")[:, :LOOKED_AT]
            for place, order in enumerate(best):
                shown: dict[str, int] = {}
                for position in order:
                    shown.setdefault(folded(chunks[position].text), int(position))
                    if len(shown) == self._k:
                        break
                hit = np.zeros(whole, bool)
                for position in shown.values():
                    if position in masks:
                        hit |= masks[position]
                recalls[row, place] = hit.mean()
        behind = recalls[:, [int(recalls.mean(axis=0).argmax())]] - recalls
        errors = behind.std(axis=0) / np.sqrt(len(behind))
        fair = np.flatnonzero(behind.mean(axis=0) <= errors + 1e-12)
        return GRID[min(fair, key=lambda i: (np.abs(grid[i] - 1).sum(), behind[:, i].mean()))]


def cached_questions(
    questions: Sequence[str], model: EmbeddingModel, cache: VectorCache
) -> tuple[Vectors, int]:
    """Return the questions' vectors, and how many were not kept."""
    alone = model.text_model
    keys = [digest(["question", text, alone.id]) for text in questions]

    def compute(places: Sequence[int], tick: Tick) -> Vectors:
        return model.vectors([questions[place] for place in places], query=True, tick=tick)

    return cache.rows(keys, model.dimension, compute)


def _judged_masks(asked: Truth, chunks: Sequence[Chunk]) -> dict[int, np.ndarray[Any, Any]]:
    """Return, for each chunk that shows any of it, which of the judged characters it shows."""
    judged = [item.judgment for item in asked.ranges]
    masks = {}
    for position, chunk in enumerate(chunks):
        parts = [
            (np.arange(j.start, j.end) >= chunk.start) & (np.arange(j.start, j.end) < chunk.end)
            if chunk.document_id == j.document_id and chunk.start < j.end and chunk.end > j.start
            else np.zeros(j.end - j.start, bool)
            for j in judged
        ]
        mask = np.concatenate(parts)
        if mask.any():
            masks[position] = mask
    return masks


def crossed(by_tuning: Mapping[str, Scores], home: np.ndarray[Any, Any]) -> Scores:
    """Return each question's scores with what was tuned on the other corpora, their mean where they are several."""
    first = next(iter(by_tuning.values()))
    values = {}
    for measure in first.values:
        kept = np.zeros(len(home))
        for corpus in set(home):
            others = [found.values[measure] for name, found in by_tuning.items() if name != corpus]
            kept[home == corpus] = np.mean(others, axis=0)[home == corpus]
        values[measure] = kept
    return Scores(first.config + ", tuned", first.question_ids, values)


# ── printing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _line(row: Row, weights: str, k: int) -> str:
    found = row.held_out
    recall, iou = (100 * found.mean(f"{name}@{k}") for name in ("recall", "iou"))
    return f"{row.name:<76}{recall:>10.1f}{iou:>7.1f}{found.mean(f'characters_shown@{k}'):>8,.0f}   {weights}"


def _print_embedders(rows: Sequence[Row], k: int) -> None:
    for retriever, embedder in product(("nearest", "fused"), EMBEDDERS[1:]):
        print(f"\n{embedder} against {EMBEDDERS[0]}, both {retriever}, same chunks")
        found = [row for row in rows if (row.embedder, row.retriever) == (embedder, retriever)]
        _print_differences([(row, _row(rows, row.chunker, EMBEDDERS[0], retriever)) for row in found], k)


def _print_losses(rows: Sequence[Row], texts: Mapping[str, str], k: int) -> None:
    tuned = [row for row in rows if row.retriever == "fused, tuned"]
    for other in ("nearest", "fused"):
        print(f"\nfused with tuned weights against {other}, same chunks and embedder")
        _print_differences([(row, _row(rows, row.chunker, row.embedder, other)) for row in tuned], k)
    best = max(tuned, key=lambda row: row.held_out.mean(f"recall@{k}"))
    usual = _row(rows, best.chunker, best.embedder, "nearest")
    lost = best.held_out.of(f"recall@{k}") - usual.held_out.of(f"recall@{k}")
    print(
        f"\nquestions that {best.name} answers worse than nearest: {(lost < -1e-9).sum()} of {len(lost)}; the worst"
    )
    for number in np.argsort(lost, kind="stable")[:LOST_SHOWN]:
        if lost[number] < 0:
            print(f"  {100 * lost[number]:+6.1f}  {texts[best.held_out.question_ids[number]]}")


def _row(rows: Sequence[Row], chunker: str, embedder: str, retriever: str) -> Row:
    return next(r for r in rows if (r.chunker, r.embedder, r.retriever) == (chunker, embedder, retriever))


def _print_differences(pairs: Sequence[tuple[Row, Row]], k: int) -> None:
    """Print differences of recall in points, 95 % intervals, and a star where p is below .05 after Holm's correction."""
    found = [comparison(row.held_out, usual.held_out, f"recall@{k}") for row, usual in pairs]
    for (row, _), c, p in zip(pairs, found, holm([c.p for c in found]), strict=True):
        d = c.difference
        interval = f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
        shares = f"{c.wins:>5} better {c.ties:>4} equal {c.losses:>4} worse"
        print(f"{row.name:<70}{interval:>22}{shares}{' *' if p < SIGNIFICANT else ''}")


def held_out_choice(
    rows: Sequence[Row], home: np.ndarray[Any, Any], cost: str, budget: float, k: int
) -> tuple[float, float, str] | None:
    """Return recall, cost and names of the rows chosen within a budget: on one corpus, for the questions of the others.

    What a row shows on the others decides whether it fits: that is known without judging any of it. None where no
    row fits.
    """
    recall, shown, names = np.zeros(len(home)), np.zeros(len(home)), []
    corpora = sorted({str(corpus) for corpus in home})
    for asked in corpora:
        parts = []
        for tuned_on in corpora:
            if tuned_on == asked:
                continue
            here = home == tuned_on
            fitting = [r for r in rows if r.on(tuned_on).of(cost)[home == asked].mean() <= budget]
            if not fitting:
                return None
            parts.append(max(fitting, key=lambda r: r.on(tuned_on).of(f"recall@{k}")[here].mean()).name)
            chosen = next(r for r in rows if r.name == parts[-1]).on(tuned_on)
            recall[home == asked] += chosen.of(f"recall@{k}")[home == asked] / (len(corpora) - 1)
            shown[home == asked] += chosen.of(cost)[home == asked] / (len(corpora) - 1)
        names += parts
    return float(recall.mean()), float(shown.mean()), " | ".join(dict.fromkeys(names))


def _print_curve(rows: Sequence[Row], home: np.ndarray[Any, Any], k: int) -> None:
    groups = {
        "everything": list(rows),
        "fused as it comes": [r for r in rows if r.retriever == "fused"],
        "nearest, usual embedder": [
            r for r in rows if (r.embedder, r.retriever) == (EMBEDDERS[0], "nearest")
        ],
    }
    for title, of_group in groups.items():
        print(f"\nrecall@{k} against characters shown, {title}: chosen on one corpus, reported on the other")
        print(f"{'at most':>9}{'shown':>9}{'recall':>9}   chosen")
        for budget in BUDGETS:
            found = held_out_choice(of_group, home, f"characters_shown@{k}", budget, k)
            if found:
                print(f"{budget:>9,}{found[1]:>9,.0f}{100 * found[0]:>9.1f}   {found[2]}")


def _print_published(folder: Path, rows: Sequence[Row], home: np.ndarray[Any, Any], k: int) -> None:
    path = folder / "published_figures.csv"
    if not path.is_file():
        return
    print(
        "\npublished rows (means over all five corpora of the report) beside ours (over the corpora here, which are not the"
        f"\nsame questions): the best row showing no more tokens than {k} chunks of their mean size, chosen on one corpus and"
        "\nreported on the other; once among everything, tuned weights too, and once among the chunks of the usual embedder"
        "\nwith fused as it comes, where nothing but the chunker is chosen"
    )
    plain = [row for row in rows if (row.embedder, row.retriever) == (EMBEDDERS[0], "fused")]
    columns = {"everything": list(rows), "fused as it comes": plain}
    print(f"{'':<52}{'tokens':>8}{'recall':>8}" + "".join(f"{title:>20}{'tokens':>8}" for title in columns))
    lost: dict[str, list[str]] = {title: [] for title in columns}
    scale = {}
    with path.open(encoding="utf-8", newline="") as file:
        for published in csv.DictReader(file):
            budget = k * float(published["mean_tok"].lstrip("~"))
            name = f"{published['model']}, {published['chunker']} {published['size']}, {published['overlap']}"
            scale[name] = published["recall"]
            line = f"{name:<52}{budget:>8,.0f}{published['recall']:>8}"
            for title, among in columns.items():
                found = held_out_choice(among, home, f"tokens_shown@{k}", budget, k)
                if found is None:
                    line += f"{'–':>20}{'':>8}"
                    continue
                gain = 100 * found[0] - float(published["recall"])
                if gain <= 0 or found[1] > budget:
                    lost[title].append(f"{name} ({gain:+.1f})")
                line += f"{100 * found[0]:>12.1f} {gain:>+7.1f}{found[1]:>8,.0f}"
            print(line)
    for title, names in lost.items():
        print(f"where we lose, {title}: " + ("; ".join(names) if names else "nowhere"))
    for chunker, published_name in SAME_CHUNKS.items():
        for row in rows:
            if (row.chunker, row.embedder, row.retriever) == (chunker, EMBEDDERS[0], "nearest"):
                same = 100 * row.held_out.mean(f"recall@{k}")
                print(
                    f"how hard the questions here are: {row.name} {same:.1f}, published {scale[published_name]}"
                )
