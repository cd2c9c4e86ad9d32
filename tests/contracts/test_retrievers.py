"""What is true of every retriever. Its subjects are found by listing the folder."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest

from workbench import plugins
from workbench.contracts import Asked, DocumentRows, EmbeddingModel, Filter, Retriever, Table, TableInfo
from workbench.errors import SettingsError
from workbench.records import Chunk, Query, digest

TEXTS = {
    "cats": ["The cat sat on the mat.", "Cats sleep most of the day.", "A cat hunts at night."],
    "trains": ["The train leaves at noon.", "Trains need rails.", "The cat missed the train."],
    "same": ["Cats sleep most of the day."] * 3,
}
QUESTIONS = ["when do cats sleep?", "O'Brien", "x' OR 1=1; --", "🧑‍🚀", "the " * 5_000, "\x00\x07", "qwxzvb"]


@pytest.fixture(params=plugins.names("retrievers"))
def retriever(request: pytest.FixtureRequest) -> Retriever:
    built: Retriever = plugins.build("retrievers", request.param, {"top_k": 4})
    return built


@pytest.fixture
def model(tmp_path: Path) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    return found


@pytest.fixture
def empty_table(tmp_path: Path, model: EmbeddingModel) -> Table:
    connection = plugins.build("stores", "memory").connection(tmp_path / uuid.uuid4().hex)
    table: Table = connection.create(TableInfo("t", model.dimension))
    return table


@pytest.fixture
def table(empty_table: Table, model: EmbeddingModel) -> Table:
    for name, texts in TEXTS.items():
        owner = digest(name)
        chunks = [
            Chunk(
                digest([name, i]),
                owner,
                i,
                100 * i,
                100 * i + len(text),
                text,
                i + 1,
                i + 1,
                len(text.split()),
            )
            for i, text in enumerate(texts)
        ]
        empty_table.replace_documents([DocumentRows(owner, name, chunks, model.vectors(texts))])
    return empty_table


@pytest.mark.parametrize("question", QUESTIONS)
def test_hits_are_ranked_from_one_and_scores_fall(
    retriever: Retriever, table: Table, model: EmbeddingModel, question: str
) -> None:
    hits = retriever.hits(Asked(Query(question), table, model))
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()
    assert len(hits) <= 4
    assert len({hit.chunk.id for hit in hits}) == len(hits)


def test_every_hit_is_a_chunk_of_the_table_and_shows_its_parts(
    retriever: Retriever, table: Table, model: EmbeddingModel
) -> None:
    hits = retriever.hits(Asked(Query("when do cats sleep?"), table, model))
    assert {hit.chunk for hit in hits} <= set(table.chunks())
    assert len(hits) == 4
    assert all(hit.parts and all(np.isfinite(value) for value in hit.parts.values()) for hit in hits)


def test_a_chunk_is_found_by_its_own_text(retriever: Retriever, table: Table, model: EmbeddingModel) -> None:
    assert (
        retriever.hits(Asked(Query("Trains need rails."), table, model))[0].chunk.text == "Trains need rails."
    )


def test_the_same_question_gives_the_same_hits(
    retriever: Retriever, table: Table, model: EmbeddingModel
) -> None:
    first, second = (retriever.hits(Asked(Query("cats sleep"), table, model)) for _ in range(2))
    assert first == second
    repeated = [hit.chunk.ordinal for hit in first if hit.chunk.document_id == digest("same")]
    assert repeated == sorted(repeated)


def test_only_what_the_filter_lets_through_is_found(
    retriever: Retriever, table: Table, model: EmbeddingModel
) -> None:
    hits = retriever.hits(Asked(Query("cats sleep"), table, model, Filter(document_ids=(digest("trains"),))))
    assert hits
    assert {hit.chunk.document_id for hit in hits} == {digest("trains")}
    hits = retriever.hits(Asked(Query("cats sleep"), table, model, Filter(pages=(2, 2))))
    assert {hit.chunk.ordinal for hit in hits} == {1}
    assert retriever.hits(Asked(Query("cats sleep"), table, model, Filter(document_ids=("nothing",)))) == []


def test_an_empty_table_gives_no_hits(
    retriever: Retriever, empty_table: Table, model: EmbeddingModel
) -> None:
    assert retriever.hits(Asked(Query("anything"), empty_table, model)) == []


def test_more_hits_than_chunks_gives_no_more_than_there_are(
    retriever: Retriever, table: Table, model: EmbeddingModel
) -> None:
    deep = plugins.build("retrievers", retriever.name, {"top_k": 1_000})
    assert len(deep.hits(Asked(Query("the cat sleeps"), table, model))) <= table.row_count()


def test_a_table_of_another_model_is_refused(
    retriever: Retriever, tmp_path: Path, model: EmbeddingModel
) -> None:
    connection = plugins.build("stores", "memory").connection(tmp_path)
    other = connection.create(TableInfo(f"t{uuid.uuid4().hex}", model.dimension + 1))
    with pytest.raises(SettingsError, match="model"):
        retriever.hits(Asked(Query("anything"), other, model))


@pytest.mark.parametrize("top_k", [0, -1, 1_001, 2.5, "5"])
def test_the_number_of_hits_has_bounds(retriever: Retriever, top_k: object) -> None:
    with pytest.raises(SettingsError, match="top_k"):
        plugins.build("retrievers", retriever.name, {"top_k": top_k})
