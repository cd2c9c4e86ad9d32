"""What is true of every retriever. Its subjects are found by listing the folder."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.retrievers.tiny_cross_encoder import write_cross_encoder
from workbench import plugins
from workbench.contracts import Asked, DocumentRows, EmbeddingModel, Filter, Retriever, Table, TableInfo
from workbench.errors import SettingsError
from workbench.records import Chunk, Document, Heading, Hit, Query, digest

TEXTS = {
    "cats": ["The cat sat on the mat.", "Cats sleep most of the day.", "A cat hunts at night."],
    "trains": ["The train leaves at noon.", "Trains need rails.", "The cat missed the train."],
    "same": ["Cats sleep most of the day."] * 3,
}
HOSTILE = 'x\' OR 1=1; --\n["kind", "cats"]\n%_\\ " ` ${HOME} \u2028 漢'


def metadata_of(name: str) -> dict[str, str]:
    return {"kind": name, "language": "en", **({"author": HOSTILE, HOSTILE: "x"} if name == "trains" else {})}


QUESTIONS = ["when do cats sleep?", "O'Brien", "x' OR 1=1; --", "🧑‍🚀", "the " * 5_000, "\x00\x07", "qwxzvb"]


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cross-encoder")
    write_cross_encoder(folder)
    return str(folder)


# Loading torch takes seconds.
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name == "reranked" else name
    for name in plugins.names("retrievers")
]


@pytest.fixture(params=NAMES)
def needed(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A retriever's name and the settings it cannot do without."""
    name: str = request.param
    return name, {"model": request.getfixturevalue("cross_encoder")} if name == "reranked" else {}


Build = Callable[..., Retriever]


@pytest.fixture
def build(needed: tuple[str, dict[str, Any]]) -> Build:
    name, settings = needed

    def built(**more: Any) -> Retriever:
        found: Retriever = plugins.build("retrievers", name, {**settings, **more})
        return found

    return built


@pytest.fixture
def retriever(build: Build) -> Retriever:
    return build(top_k=4)


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
        empty_table.replace_documents(
            [DocumentRows(owner, name, chunks, model.vectors(texts), metadata_of(name))]
        )
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


def test_a_chunk_is_found_by_its_own_text(build: Build, table: Table, model: EmbeddingModel) -> None:
    hits = build(top_k=9).hits(Asked(Query("Trains need rails."), table, model))
    if build().name != "reranked":  # its model has random weights
        hits = hits[:1]
    assert "Trains need rails." in [hit.chunk.text for hit in hits]


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
    build: Build, table: Table, model: EmbeddingModel
) -> None:
    asked = Asked(Query("the cat sleeps"), table, model)
    assert len(build(top_k=1_000, repeated=True).hits(asked)) <= table.row_count()


@pytest.mark.parametrize("diversity", [0.0, 0.3, 1.0])
def test_the_parts_of_every_hit_sum_to_its_score(
    build: Build, table: Table, model: EmbeddingModel, diversity: float
) -> None:
    hits = build(top_k=9, diversity=diversity).hits(Asked(Query("when do cats sleep?"), table, model))
    assert len(hits) >= 4
    for hit in hits:
        assert hit.score == pytest.approx(sum(hit.parts.values()), abs=1e-9)
        assert np.isfinite([*hit.parts.values(), *hit.details.values()]).all()


@pytest.mark.parametrize("diversity", [0.0, 0.4])
def test_a_longer_list_begins_with_the_shorter_one(
    build: Build, table: Table, model: EmbeddingModel, diversity: float
) -> None:
    asked = Asked(Query("when do cats sleep?"), table, model)
    short, long = (build(top_k=k, diversity=diversity).hits(asked) for k in (2, 9))
    assert short == long[:2]


@pytest.mark.parametrize("store", plugins.names("stores"))
@pytest.mark.parametrize("question", ["when do cats sleep?", "trains need rails", "qwxzvb"])
def test_a_filter_gives_what_the_filtered_list_would_hold(
    build: Build, table: Table, model: EmbeddingModel, tmp_path: Path, store: str, question: str
) -> None:
    """With any store, as the memory store's whole list says."""
    retriever = build(top_k=100, repeated=True)
    whole = retriever.hits(Asked(Query(question), table, model))
    metadata = {digest(name): metadata_of(name) for name in TEXTS}
    here = _copy(table, plugins.build("stores", store).connection(tmp_path / "other").create(table.info))
    wheres = [
        Filter(document_ids=(digest("trains"), digest("same"))),
        Filter(pages=(2, 3)),
        Filter(metadata=(("kind", "cats"),)),
        Filter(metadata=(("kind", "cats"), ("language", "en"))),
        Filter(metadata=(("kind", "cats"), ("language", "de"))),
        Filter(metadata=(("kind", "cat"),)),
        Filter(metadata=(("language", "en"),), pages=(1, 1)),
        Filter(metadata=(("author", HOSTILE),)),
        Filter(metadata=((HOSTILE, "x"),)),
        Filter(document_ids=(HOSTILE,)),
        Filter(chunk_ids=(digest(["cats", 1]), digest(["trains", 0]), HOSTILE)),
        Filter(pages=(1, 2), without_chunk_ids=(digest(["cats", 1]), HOSTILE)),
    ]
    for where in wheres:
        expected = [hit for hit in whole if where.allows(hit.chunk, metadata[hit.chunk.document_id])]
        found = retriever.hits(Asked(Query(question), here, model, where))
        assert [hit.chunk for hit in found] == [hit.chunk for hit in expected]
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-5)


def _copy(table: Table, other: Table) -> Table:
    for owner, state in table.states().items():
        chunks = table.chunks([owner])
        _, vectors = table.vectors([chunk.id for chunk in chunks])
        name = next(name for name in TEXTS if digest(name) == owner)
        other.replace_documents([DocumentRows(owner, state, chunks, vectors, metadata_of(name))])
    return other


def test_a_text_that_stands_in_several_places_is_shown_once(
    build: Build, table: Table, model: EmbeddingModel
) -> None:
    hits = build(top_k=9).hits(Asked(Query("Cats sleep most of the day."), table, model))
    shown = next(hit for hit in hits if hit.chunk.text == TEXTS["same"][0])
    everywhere = [shown.chunk, *shown.also]
    assert [hit.chunk.text for hit in hits].count(TEXTS["same"][0]) == 1
    assert len(everywhere) == 4
    # The first in the order of documents is the one that is shown.
    assert everywhere == sorted(everywhere, key=lambda chunk: (chunk.document_id, chunk.ordinal))
    every = build(top_k=9, repeated=True).hits(Asked(Query("Cats sleep most of the day."), table, model))
    assert [hit.chunk.text for hit in every].count(TEXTS["same"][0]) == 4
    assert all(hit.also == () for hit in every)


def test_a_changed_table_is_searched_as_it_is_now(build: Build, table: Table, model: EmbeddingModel) -> None:
    """What is kept in memory belongs to one version of the table."""
    retriever = build(top_k=50)
    retriever.hits(Asked(Query("submarines dive"), table, model))
    text = "Submarines dive deep."
    chunk = Chunk(digest("new"), digest("cats"), 0, 0, len(text), text, 1, 1, 3)
    table.replace_documents([DocumentRows(digest("cats"), "new", [chunk], model.vectors([text]))])
    found = retriever.hits(Asked(Query("submarines dive cats sleep trains"), table, model))
    assert chunk in {hit.chunk for hit in found}
    assert {hit.chunk for hit in found} <= set(table.chunks())
    table.drop_documents(list(table.states()))
    assert retriever.hits(Asked(Query("submarines dive"), table, model)) == []


def test_neighbours_are_shown_around_a_hit(build: Build, table: Table, model: EmbeddingModel) -> None:
    asked = Asked(Query("Trains need rails."), table, model)
    hits = build(top_k=9, context="neighbours").hits(asked)
    assert [_bare(hit) for hit in hits] == [_bare(hit) for hit in build(top_k=9).hits(asked)]
    for hit in hits:
        chunks = table.chunks([hit.chunk.document_id])
        beside = [chunk for chunk in chunks if abs(chunk.ordinal - hit.chunk.ordinal) <= 1]
        assert (hit.shown.start, hit.shown.end) == (beside[0].start, beside[-1].end)
        # The chunks of the table do not overlap.
        assert hit.shown.token_count == sum(chunk.token_count for chunk in beside)


def test_a_section_is_shown_around_a_hit(build: Build, table: Table, model: EmbeddingModel) -> None:
    """Every document has two sections: its first chunk, and the two after it."""
    text = "x" * 250
    documents = {
        digest(name): Document(digest(name), text, (), name, "", (Heading(0, 1, 1), Heading(95, 96, 1)))
        for name in TEXTS
    }
    asked = Asked(Query("Trains need rails."), table, model, document=documents.__getitem__)
    for hit in build(top_k=9, context="section").hits(asked):
        expected = (0, 95) if hit.chunk.ordinal == 0 else (95, 250)
        assert (hit.shown.start, hit.shown.end) == expected
        assert hit.shown.start <= hit.chunk.start
        assert hit.shown.end >= hit.chunk.end


def _bare(hit: Hit) -> Hit:
    return replace(hit, context=None)


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
