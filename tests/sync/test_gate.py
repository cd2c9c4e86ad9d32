"""The gate sees what is missing: documents, listings, answers; and what it cannot measure may be forced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from tests.sync.shelf import Books, Shelf, made_config, new_books, synced, texts, with_config
from workbench import plugins
from workbench.contracts import EmbeddingModel, Passage
from workbench.errors import ServiceError
from workbench.ingest.entries import Release
from workbench.ingest.ledger import Ledger
from workbench.sections import Evaluate, Failures
from workbench.sync import Pipeline
from workbench.sync.gate import GateResult
from workbench.sync.kept import Kept
from workbench.sync.publishing import GateRefused
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

QUESTIONS = """\
question,expected text,document
Where does the tram stop?,The tram stops at red.,red
What does a ticket cost?,A ticket costs two crowns.,fares
When does the depot open?,The depot opens at four.,depot
"""
HASHING = plugins.build("embedders", "hashing", {"dimension": 128})


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text(QUESTIONS)
    return path


@pytest.fixture
def gated(pipeline: Pipeline, questions: Path) -> Pipeline:
    """A pipeline whose gate asks three questions; k = 1 of six sentences."""
    return with_config(pipeline, evaluate=Evaluate(questions=str(questions), metric="recall@1", minimum=0.5))


def lenient(pipeline: Pipeline, ratio: float) -> Pipeline:
    return with_config(pipeline, failures=Failures(max_ratio=ratio))


def refused(pipeline: Pipeline) -> GateResult:
    with pytest.raises(GateRefused) as caught:
        pipeline.publish()
    return caught.value.result


def failing(pipeline: Pipeline, *words: str) -> Pipeline:
    """Return the pipeline with a model whose service refuses texts that hold one of the words."""
    model = pipeline.place.model

    class Failing(type(model)):  # type: ignore[misc]
        def passage_vectors(self, passages: list[Passage], *rest: object) -> object:
            if any(word in one.analysis.text for one in passages for word in words):
                raise ServiceError("too many requests")
            return super().passage_vectors(passages, *rest)

    refusing: EmbeddingModel = Failing.__new__(Failing)
    refusing.__dict__.update(model.__dict__)
    pipeline.place.__dict__["model"] = refusing
    return pipeline


def test_documents_that_failed_count_as_missing_and_their_questions_as_0(gated: Pipeline) -> None:
    synced(gated)
    gated.publish()
    other = failing(with_config(gated, embedder=HASHING), "depot", "tram")
    assert synced(other).figures.failed == 2
    found = refused(other)
    assert (found.questions, found.value) == (3, pytest.approx(1 / 3))
    assert (found.published_value, found.compared_value) == (1.0, pytest.approx(1 / 3))
    missing, low, fall = found.reasons
    assert missing.startswith(
        "2 of 3 documents could not be brought into the table (2 of them stand in the published release), more than"
        " failures.max_ratio (0.2) allows; the first is "
    )
    assert missing.endswith("too many requests")
    assert "recall@1 is 0.3333 on 3 questions, below the minimum" in low
    assert "falls from 1.0000 (published) to 0.3333 on the same questions" in fall


def test_what_failed_within_bounds_is_told_and_its_questions_decide(gated: Pipeline) -> None:
    synced(gated)
    gated.publish()
    other = lenient(failing(with_config(gated, embedder=HASHING), "depot"), 0.5)
    synced(failing(other, "depot"))
    (fall,) = refused(other).reasons
    assert "falls from 1.0000 (published) to 0.6667" in fall
    evaluate = other.place.config.evaluate
    assert evaluate is not None
    generous = with_config(other, evaluate=evaluate.model_copy(update={"max_drop": 0.4}))
    result = generous.publish()[1]
    assert result.value == pytest.approx(2 / 3)
    assert [note.partition(" ")[2] for note in result.notes] == [
        "of 3 documents could not be brought into the table (1 of them stands in the published release): what they"
        " answer counts as not found",
        "question is about documents that are not in the table: what stands there counts as not found",
    ]


def test_a_document_that_nobody_could_ever_read_does_not_shut_the_gate_for_ever(
    gated: Pipeline, books: Books, questions: Path
) -> None:
    books.texts["scan"] = b"  "
    questions.write_text(QUESTIONS + "What is on the scan?,Something in ink.,scan\n")
    assert synced(gated).figures.failed == 1
    (reason,) = refused(gated).reasons
    assert (
        "1 of 4 documents could not be brought into the table, more than failures.max_ratio (0.2)" in reason
    )
    open_to_some = lenient(gated, 0.25)
    result = open_to_some.publish()[1]
    assert (result.value, result.questions, result.unplaced) == (0.75, 4, 0)
    again = open_to_some.publish()[1]
    assert (again.published_value, again.compared_value) == (1.0, 1.0), "neither can answer it"


def test_a_first_sync_that_was_left_in_the_middle_is_not_published(gated: Pipeline, books: Books) -> None:
    for number in range(600):
        books.texts[f"more{number}"] = f"Notice {number} is here.".encode()
    course = gated.sync()
    for event in course:
        if event.kind == "progress":
            break
    course.close()  # type: ignore[attr-defined]
    assert 0 < len(texts(gated)) < 600
    assert "did not come to its end: it is cancelled" in refused(gated).reasons[0]
    synced(gated)
    assert gated.publish()[1].passed


def test_a_listing_that_broke_is_not_published(gated: Pipeline, books: Books) -> None:
    books.breaks_after = 1
    synced(gated)
    assert texts(gated)
    assert f"run 1 did not list shelf:{books.name} to the end" in refused(gated).reasons[0]
    books.breaks_after = None
    synced(gated)
    assert gated.publish()[1].passed


def test_a_source_that_was_added_since_must_be_listed_first(gated: Pipeline) -> None:
    synced(gated)
    more = new_books()
    wider = with_config(gated, sources=(*gated.place.config.sources, Shelf(shelf=more.name)))
    assert f"did not list shelf:{more.name} to the end" in refused(wider).reasons[0]
    synced(wider)
    assert wider.publish()[1].passed


def test_another_model_from_what_is_kept_stands_on_the_last_listing(gated: Pipeline, books: Books) -> None:
    synced(gated)
    other = with_config(gated, embedder=HASHING)
    synced(other, stored=True)
    assert other.publish()[1].passed
    books.breaks_after = 1
    synced(gated)
    synced(other, stored=True)
    assert "run 3 did not list" in refused(other).reasons[0]


def test_without_a_listing_that_was_noted_nothing_is_published(gated: Pipeline) -> None:
    synced(gated, stored=True)
    synced(gated)
    with gated.ledger._database.writing() as database:
        database.execute("UPDATE runs SET complete_sources = NULL")
    assert "nobody noted that the sources were ever listed to their end" in refused(gated).reasons[0]
    with gated.ledger._database.writing() as database:
        database.execute("DELETE FROM runs")
    assert "no sync of this table is known here" in refused(gated).reasons[0]


def test_what_left_its_source_or_was_written_anew_is_no_loss(gated: Pipeline, books: Books) -> None:
    synced(gated)
    gated.publish()
    other = with_config(gated, embedder=HASHING)
    del books.texts["depot"]
    books.texts["red"] = b"No tram stops anywhere now. It goes at white."
    synced(other, confirmed=True)
    result = other.publish()[1]
    assert (result.questions, result.value, result.compared_value, result.unplaced) == (1, 1.0, 1.0, 2)
    assert result.notes == (
        "2 judgments have no place in these documents and count nowhere: look at the question file",
    )


def test_an_answer_that_another_parser_loses_counts_as_0(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pymupdf.open() as made:
        for number in range(6):
            page = made.new_page()
            page.insert_text((72, 30), "The night bus leaves at two o'clock.")
            page.insert_text((72, 400), f"Line {number} goes through the park and past the river.")
        made.save(folder / "night.pdf")
    (tmp_path / "questions.csv").write_text(
        "question,expected text,document\n"
        "When does the night bus leave?,The night bus leaves at two o'clock.,night\n"
        "Where does line 3 go?,Line 3 goes through the park and past the river.,night\n"
    )
    config = replace(
        made_config(Books("unused")),
        sources=(plugins.build("sources", "pdf_folder", {"path": "in"}),),
        parser=plugins.build("parsers", "pdf"),
        chunker=plugins.build("chunkers", "nltk_sentences", {"size_tokens": 16, "overlap_sentences": 0}),
        evaluate=Evaluate(questions="questions.csv", metric="recall@5", minimum=0.6),
    )
    first = Pipeline(Workspace(tmp_path / "workspace"), config, tmp_path)
    synced(first)
    assert first.publish()[1].value == 1.0
    shorter = with_config(first, parser=plugins.build("parsers", "pdf", {"remove_repeated": True}))
    synced(shorter)
    assert not any("night bus" in text for text in texts(shorter))
    found = refused(shorter)
    assert (found.value, found.questions, found.unplaced) == (0.5, 2, 0)
    assert (found.published_value, found.compared_value) == (1.0, 0.5)
    assert "1 question counts as 0: the published release has what answers it" in found.notes[0]


def test_without_a_question_that_counts_nothing_is_published(gated: Pipeline, books: Books) -> None:
    synced(gated)
    gated.publish()
    other = with_config(gated, embedder=HASHING)
    books.texts = {"new": b"The tower is tall."}
    synced(other, confirmed=True)
    found = refused(other)
    assert (found.questions, found.published_value) == (0, None)
    assert "no question of" in found.reasons[0]


# ── what cannot be measured ──────────────────────────────────────────────────────────────────────────────────────


def no_questions(pipeline: Pipeline, questions: Path) -> None:
    questions.unlink()


def plugin_gone(pipeline: Pipeline, questions: Path) -> None:
    with pipeline.ledger._database.writing() as database:
        database.execute("UPDATE releases SET config = replace(config, 'name: hashing', 'name: gone')")


def table_gone(pipeline: Pipeline, questions: Path) -> None:
    release: Release | None = pipeline.ledger.releases.published("library")
    assert release is not None
    pipeline.place.connection.drop(release.table_name)


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (no_questions, "the questions of the gate cannot be asked: .*questions.csv cannot be read"),
        (plugin_gone, "release 1, which is published, cannot be compared with: .*gone"),
        (table_gone, "release 1, which is published, cannot be compared with: there is no table named"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_reason_and_may_be_forced(
    gated: Pipeline, questions: Path, happened: Callable[[Pipeline, Path], None], reason: str
) -> None:
    synced(gated)
    gated.publish()
    other = with_config(gated, embedder=HASHING)
    synced(other)
    happened(gated, questions)
    with pytest.raises(GateRefused, match=reason):
        other.publish()
    release, result = other.publish(force=True)
    assert release.forced
    assert other.ledger.releases.published("library") == release
    assert release.gate["reasons"] == list(result.reasons)
    assert len(other.answer("What does a ticket cost?").hits) == 5


# ── what it costs ────────────────────────────────────────────────────────────────────────────────────────────────


def noted(monkeypatch: pytest.MonkeyPatch, cls: type, name: str) -> list[tuple[Any, ...]]:
    """Return the list to which the arguments of every call of a method are added from now on."""
    calls: list[tuple[Any, ...]] = []
    method = getattr(cls, name)

    def called(self: object, *arguments: Any) -> Any:
        calls.append(arguments)
        return method(self, *arguments)

    monkeypatch.setattr(cls, name, called)
    return calls


def test_a_text_is_read_once_for_both_tables(gated: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    synced(gated)
    gated.publish()
    other = with_config(gated, embedder=HASHING)
    synced(other)
    parsed = noted(monkeypatch, Kept, "parse")
    other.publish()
    assert len(parsed) == len({document_id for _, document_id, _ in parsed}) == 3


def test_a_question_looks_up_only_the_documents_it_shows(
    gated: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(gated)
    looked_up = noted(monkeypatch, Ledger, "state")
    monkeypatch.delattr(Ledger, "states")
    answer = gated.answer("What does a ticket cost?", k=1)
    assert [document_id for _, _, document_id in looked_up] == [hit.chunk.document_id for hit in answer.hits]
