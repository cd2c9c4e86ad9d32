"""Nothing is published that fell through the gate, and going back is one step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.shelf import Books, made_config, synced, with_config
from workbench import plugins
from workbench.errors import InputError
from workbench.sections import Evaluate, Release
from workbench.sync import Pipeline, publishing
from workbench.sync.place import Place
from workbench.sync.publishing import GateRefused

QUESTIONS = """\
question,expected text,document
Where does the tram stop?,The tram stops at red.,red
What does a ticket cost?,A ticket costs two crowns.,fares
When does the depot open?,The depot opens at four.,depot
"""


@pytest.fixture
def gated(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """A pipeline whose gate asks three questions; k = 1 of six sentences."""
    path = tmp_path / "questions.csv"
    path.write_text(QUESTIONS)
    return with_config(pipeline, evaluate=Evaluate(questions=str(path), metric="recall@1", minimum=0.9))


def broken(pipeline: Pipeline) -> Pipeline:
    """The same with a model that reads one word of each text."""
    return with_config(
        pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 256, "max_tokens": 1})
    )


def asked(pipeline: Pipeline) -> list[tuple[str, float]]:
    return [(hit.chunk.id, hit.score) for hit in pipeline.answer("What does a ticket cost?").hits]


def test_a_table_that_answers_well_is_published_with_its_figures(gated: Pipeline) -> None:
    synced(gated)
    release, result = gated.publish()
    assert (result.passed, result.value, result.questions) == (True, 1.0, 3)
    assert (release.forced, release.gate["value"], release.previous_id) == (False, 1.0, None)
    assert gated.ledger.releases.published("library") == release


def test_a_table_below_the_minimum_is_refused_with_figures(gated: Pipeline) -> None:
    other = broken(gated)
    synced(other)
    with pytest.raises(GateRefused, match=r"recall@1 is 0\.\d+ on 3 questions, below the minimum of 0\.9"):
        other.publish()
    assert gated.ledger.releases.published("library") is None


def test_a_drop_against_the_published_release_is_refused_even_above_the_minimum(gated: Pipeline) -> None:
    synced(gated)
    gated.publish()
    evaluate = gated.place.config.evaluate
    assert evaluate is not None
    other = with_config(broken(gated), evaluate=evaluate.model_copy(update={"minimum": 0.0}))
    synced(other)
    with pytest.raises(
        GateRefused, match=r"falls from 1\.0000 \(published\) to 0\.\d+ on the same questions"
    ):
        other.publish()


def test_force_publishes_and_roll_back_gives_the_same_answers_as_before(gated: Pipeline) -> None:
    synced(gated)
    first, _ = gated.publish()
    before = asked(gated)
    other = broken(gated)
    synced(other)
    second, _ = other.publish(force=True)
    assert second.forced
    assert asked(gated) == asked(other) != before
    assert gated.roll_back() == first
    assert asked(gated) == asked(other) == before
    moves = [(move.action, move.from_id, move.to_id) for move in gated.ledger.releases.switches("library")]
    assert moves == [
        ("roll_back", second.id, first.id),
        ("publish", first.id, second.id),
        ("publish", None, first.id),
    ]


def test_without_an_earlier_release_there_is_nothing_to_go_back_to(gated: Pipeline) -> None:
    with pytest.raises(InputError, match="nothing is published"):
        gated.roll_back()
    synced(gated)
    gated.publish()
    with pytest.raises(InputError, match="no earlier release"):
        gated.roll_back()


def test_a_question_is_answered_with_the_model_of_the_release_whatever_the_config_says_now(
    gated: Pipeline,
) -> None:
    synced(gated)
    release, _ = gated.publish()
    before = asked(gated)
    elsewhere = broken(gated)  # not synced, not published
    assert elsewhere.answer("What does a ticket cost?").release == release
    assert asked(elsewhere) == before


def test_before_the_first_release_the_own_table_answers(pipeline: Pipeline) -> None:
    with pytest.raises(InputError, match="sync first"):
        pipeline.answer("tickets?")
    synced(pipeline)
    answer = pipeline.answer("What does a ticket cost?", k=1)
    assert answer.release is None
    assert answer.uris == {answer.hits[0].chunk.document_id: "shelf:fares"}


def test_publishing_the_same_again_is_no_new_release(gated: Pipeline) -> None:
    synced(gated)
    first, _ = gated.publish()
    again, _ = gated.publish()
    assert again.id == first.id
    assert len(gated.ledger.releases.all("library")) == 1


def test_another_retriever_is_another_release_of_the_same_table(gated: Pipeline) -> None:
    synced(gated)
    first, _ = gated.publish()
    wider = with_config(gated, retriever=plugins.build("retrievers", "nearest", {"top_k": 2}))
    assert synced(wider).figures.kept == 3
    second, _ = wider.publish()
    assert (second.table_name, second.previous_id) == (first.table_name, first.id)
    assert len(gated.answer("tickets").hits) == 2
    gated.roll_back()
    assert len(gated.answer("tickets").hits) == 5


def test_a_table_that_lacks_documents_is_refused(gated: Pipeline, books: Books) -> None:
    synced(gated)
    other = with_config(gated, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9}))
    synced(other)
    books.texts["new"] = b"Something new."
    synced(gated)
    with pytest.raises(GateRefused, match="1 document is not in the table yet: sync first"):
        other.publish()


def test_an_empty_table_cannot_be_published_even_by_force(pipeline: Pipeline, books: Books) -> None:
    books.texts.clear()
    synced(pipeline)
    with pytest.raises(InputError, match="empty"):
        pipeline.publish(force=True)


def test_questions_are_looked_for_beside_the_config(gated: Pipeline, tmp_path: Path) -> None:
    place = gated.place
    config = replace(place.config, evaluate=Evaluate(questions="questions.csv", metric="recall@1"))
    beside = Pipeline(place.workspace, config, tmp_path)
    synced(beside)
    assert beside.publish()[1].passed


def test_cleaning_keeps_what_can_be_gone_back_to(gated: Pipeline) -> None:
    synced(gated)
    gated.publish()
    names = [gated.place.table_name]
    for size in (9, 10, 11):
        newer = with_config(
            gated,
            chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": size}),
            evaluate=None,
            release=Release(keep=2),
        )
        synced(newer)
        newer.publish()
        names.append(newer.place.table_name)
    cleaned = newer.clean()
    assert {table.name for table in cleaned.tables} == set(names[:2])
    assert cleaned.size_bytes > 0
    assert {table.name for table in newer.tables()} == set(names[2:])
    newer.roll_back()
    with pytest.raises(InputError, match="cleaned"):
        newer.roll_back()
    assert newer.clean().tables == ()


def versions(pipeline: Pipeline) -> list[Pipeline]:
    """Return three versions, each with its own table; nothing keeps one from being published."""
    return [
        with_config(
            pipeline,
            chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": size}),
            evaluate=None,
            release=Release(keep=1),
        )
        for size in (9, 10, 11)
    ]


def test_who_stood_behind_a_cleaned_release_stands_behind_the_one_before(gated: Pipeline) -> None:
    first, second, _ = versions(gated)
    for one in (first, second):
        synced(one)
        one.publish()
    again = with_config(first, retriever=plugins.build("retrievers", "nearest", {"top_k": 2}))
    again.publish()
    synced(again)
    assert [table.name for table in again.clean().tables] == [second.place.table_name]
    assert [(one.id, one.previous_id) for one in again.ledger.releases.all("library")] == [(3, 1), (1, None)]
    assert again.roll_back().id == 1
    assert len(again.answer("tickets").hits) == 5


def test_a_release_whose_table_is_gone_is_not_gone_back_to(gated: Pipeline) -> None:
    first, second, third = versions(gated)
    for one in (first, second, third):
        synced(one)
        one.publish()
    gated.place.connection.drop(second.place.table_name)
    with pytest.raises(
        InputError, match=r"release 2 cannot be gone back to: its table .* is not there any more"
    ):
        third.roll_back()
    assert third.answer("tickets").release == third.ledger.releases.published("library")
    with_config(third, release=Release(keep=3)).clean()
    assert third.roll_back().id == 1
    assert len(third.answer("tickets").hits) == 5


def test_what_was_gone_back_to_while_cleaning_began_is_not_cleaned(
    gated: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(gated)
    first, _ = gated.publish()
    chunker = plugins.build("chunkers", "fixed_size", {"size_tokens": 9})
    newer = with_config(gated, chunker=chunker, evaluate=None, release=Release(keep=1))
    synced(newer)
    newer.publish()
    beyond = publishing._beyond

    def late(place: Place) -> object:
        found = beyond(place)
        newer.roll_back()
        return found

    monkeypatch.setattr(publishing, "_beyond", late)
    assert newer.clean().tables == ()
    assert newer.ledger.releases.published("library") == first
    assert len(newer.answer("What does a ticket cost?").hits) == 5


def test_a_candidate_that_was_synced_last_is_not_cleaned(gated: Pipeline) -> None:
    synced(gated)
    gated.publish()
    candidate = broken(gated)
    synced(candidate)
    assert gated.clean().tables == ()


def test_tables_of_other_pipelines_are_left_alone(gated: Pipeline, books: Books) -> None:
    other = Pipeline(gated.place.workspace, replace(made_config(books), name="another"))
    synced(other)
    synced(gated)
    gated.publish()
    gated.clean()
    assert len(other.tables()) == 1
