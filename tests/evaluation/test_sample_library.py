"""The sample library from quoted answers to figures, which plain character masks have to give as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from workbench import pipeline, plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.contracts import Asked, DocumentRows, TableInfo
from workbench.evaluation.checks import credited_everywhere, findings
from workbench.evaluation.formats import exported, imported
from workbench.evaluation.formats.cells import written
from workbench.evaluation.losses import cut_in_two, losses
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.results import ChunkRanges, question_result, truths
from workbench.evaluation.scoring import scores
from workbench.records import Document, Query

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
K = 5


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """The samples that are text: they are read in milliseconds."""
    parser = plugins.build("parsers", "plain_text")
    paths = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".md", ".html", ".txt"))
    return [
        pipeline.parser_for(path.name, parser)
        .parsed(path.read_bytes(), path.name, path.stem, f"upload:{path.name}")
        .document
        for path in paths
    ]


@pytest.fixture(scope="module")
def questions(documents: list[Document]) -> QuestionSet:
    """The sample questions on these documents, placed by the text of their answers."""
    known = {document.id for document in documents}
    entries = yaml.safe_load((SAMPLES / "sources" / "questions.yaml").read_text("utf-8"))
    records = [
        (entry["question"], answer, name)
        for name, of_document in entries.items()
        if name in known
        for entry in of_document
        for answer in entry["answers"]
    ]
    data = written(("question", "expected text", "document"), records)
    found = imported(data, "samples.csv", documents)
    assert found.problems == ()
    assert len(found.question_set.judgments) == len(records) > 10
    return found.question_set


@pytest.mark.parametrize(
    ("chunker", "settings"),
    [
        ("fixed_size", {"size_tokens": 60}),
        ("fixed_size", {"size_tokens": 60, "overlap_tokens": 30}),
        ("recursive", {"size_tokens": 90}),
    ],
)
def test_every_figure_of_a_search_is_that_of_plain_masks(
    documents: list[Document], questions: QuestionSet, chunker: str, settings: dict[str, int], tmp_path: Path
) -> None:
    model = plugins.build("embedders", "hashing", {"dimension": 256}).embedding_model(tmp_path)
    cutter, memo = plugins.build("chunkers", chunker, settings), Memo()
    table = plugins.build("stores", "memory").connection(tmp_path).create(TableInfo("t", model.dimension))
    for document in documents:
        chunks = cutter.chunks(
            document, TextAnalysis(document.text, model.tokenizer, document.headings, memo)
        )
        rows = DocumentRows(document.id, "s", chunks, model.vectors([c.text for c in chunks]))
        table.replace_documents([rows])
    retriever = plugins.build("retrievers", "nearest", {"top_k": 10})
    results = [
        question_result(q.id, retriever.hits(Asked(Query(q.text), table, model))) for q in questions.questions
    ]
    chunks = table.chunks()
    index, asked = ChunkRanges(chunks), truths(questions)
    found = scores("c", asked, results, index, (K,))

    length = {document.id: len(document.text) for document in documents}
    for row, (truth, result) in enumerate(zip(asked, results, strict=True)):
        judged, shown, near = ({name: np.zeros(n, bool) for name, n in length.items()} for _ in range(3))
        for item in truth.ranges:
            j = item.judgment
            judged[j.document_id][j.start : j.end] = True
            for c in chunks:
                if c.document_id == j.document_id and c.start <= j.end and c.end >= j.start:
                    near[j.document_id][c.start : c.end] = True
        for hit in result.hits[:K]:
            shown[hit.document_id][hit.start : hit.end] = True
        both = sum(int((judged[n] & shown[n]).sum()) for n in length)
        missed = sum(int((judged[n] & ~shown[n]).sum()) for n in length)
        total = sum(hit.end - hit.start for hit in result.hits[:K])
        assert found.of("recall@5")[row] == both / sum(
            i.judgment.end - i.judgment.start for i in truth.ranges
        )
        assert found.of("precision@5")[row] == both / total
        assert found.of("iou@5")[row] == both / (total + missed)
        touched = sum(int((judged[n] & near[n]).sum()) for n in length)
        assert found.of("precision_omega")[row] == touched / sum(
            int((judged[n] | near[n]).sum()) for n in length
        )
        rank_of = [
            min((h.rank for h in result.hits if covered(h, i.judgment) >= 0.5), default=99)
            for i in truth.ranges
        ]
        assert found.of("mrr@5")[row] == (1 / min(rank_of) if min(rank_of) <= K else 0)
        assert found.of("rank_recall@5")[row] == np.mean([rank <= K for rank in rank_of])
        lost = losses(truth, result, K, index)
        assert len(lost) == sum(rank > K for rank in rank_of)
        assert {loss.kind for loss in lost} <= {"cut", "outranked"}
    assert 0.1 < found.mean("hit@5") < 1  # some found, some lost: both sides were looked at
    whole = {
        j
        for j in questions.judgments
        for c in chunks
        if c.document_id == j.document_id and c.start <= j.start and j.end <= c.end
    }
    assert {cut.judgment for cut in cut_in_two(questions.judgments, index)} == set(
        questions.judgments
    ) - whole


def covered(hit: object, judgment: object) -> float:
    if hit.document_id != judgment.document_id:  # type: ignore[attr-defined]
        return 0.0
    inside = set(range(hit.start, hit.end)) & set(range(judgment.start, judgment.end))  # type: ignore[attr-defined]
    return len(inside) / (judgment.end - judgment.start)  # type: ignore[attr-defined]


def test_the_sample_questions_survive_every_format(documents: list[Document], questions: QuestionSet) -> None:
    for name in ("csv", "jsonl", "references", "expected_text", "beir"):
        found = imported(exported(questions, documents, name), "samples", documents, questions.name, name)
        assert found.question_set == questions
        assert found.problems == ()


def test_the_sample_questions_are_in_order(documents: list[Document], questions: QuestionSet) -> None:
    kinds = {finding.kind for finding in findings(questions, documents, longest_chunk=2_000)}
    assert kinds <= {"too_few", "elsewhere"}
    assert all(places for places in credited_everywhere(questions, documents, 1).values())
