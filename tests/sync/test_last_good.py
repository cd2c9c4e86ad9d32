"""A table made while a document's newest content cannot be read shows what the other tables still show of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sync.fragile import Fuse, Killed, with_fuse
from tests.sync.shelf import SENTENCES, Books, Clock, fresh, rows, synced, texts, with_config
from workbench import plugins
from workbench.errors import InputError, ServiceError
from workbench.sync import Pipeline

EMPTY = b" \n "
NEW = b"The tram stops at blue. It goes at white."


@pytest.fixture
def candidate(pipeline: Pipeline, books: Books) -> Pipeline:
    """Another config of a pipeline in which a new version of a document could not be read."""
    synced(pipeline)
    books.texts["red"] = EMPTY
    assert synced(pipeline).figures.failed == 1
    # Nothing but what tables were cut from is kept beside the newest contents.
    place = pipeline.place
    place.kept.clean(place.ledger.content_hashes, place.ledger.parse_keys)
    return with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 128}))


def failed(pipeline: Pipeline) -> list[tuple[str, str, int]]:
    place = pipeline.place
    found = pipeline.ledger.failures(place.name, place.table_name).values()
    return [(one.item_id, one.stage, one.attempts) for one in found]


@pytest.mark.parametrize("published", [False, True])
def test_a_table_made_later_shows_the_last_good_text_and_counts_the_failure(
    pipeline: Pipeline, candidate: Pipeline, published: bool
) -> None:
    if published:
        pipeline.publish(force=True)
    newest = pipeline.ledger.items("library")
    finished = synced(candidate)
    f = finished.figures
    assert (finished.status, f.rebuilt, f.added, f.failed) == ("some_failed", 2, 0, 1)
    assert texts(candidate) == texts(pipeline) == SENTENCES
    assert failed(candidate) == [("red", "parse", 1)]
    assert candidate.ledger.items("library") == newest
    assert (candidate.verified().findings, pipeline.verified().findings) == ((), ())
    again = synced(candidate).figures
    assert (again.waiting, again.failed, again.chunks_written, again.bytes_read) == (1, 0, 0, 0)


def test_once_it_can_be_read_both_tables_have_the_new_text(
    pipeline: Pipeline, candidate: Pipeline, books: Books, tmp_path: Path
) -> None:
    pipeline.publish(force=True)
    synced(candidate)
    books.texts["red"] = NEW
    assert synced(candidate).status == "done"
    assert rows(candidate) == fresh(candidate, tmp_path / "own")
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")


def test_what_cannot_be_fetched_just_now_is_shown_as_it_was(
    pipeline: Pipeline, books: Books, clock: Clock, tmp_path: Path
) -> None:
    synced(pipeline)
    books.texts["red"] = NEW
    books.read_errors["red"] = ServiceError("the server answers 503")
    candidate = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 128}))
    assert synced(candidate).figures.failed == 1
    assert texts(candidate) == SENTENCES
    assert failed(candidate) == [("red", "read", 1)]
    books.read_errors.clear()
    clock.forward(minutes=5)
    assert synced(candidate).status == "done"
    assert rows(candidate) == fresh(candidate, tmp_path / "own")


def test_what_is_gone_is_shown_no_longer(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.texts["red"] = NEW
    books.read_errors["red"] = InputError("it answers 404", "gone")
    candidate = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 128}))
    assert synced(candidate).figures.gone == 1
    assert not [text for text in texts(candidate) if "tram" in text]


def test_what_another_parser_read_does_not_stand_for_it(
    candidate: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(candidate.place.config.parser), "VERSION", 99)
    assert synced(candidate).figures.failed == 1
    assert not [text for text in texts(candidate) if "tram" in text]


@pytest.mark.parametrize("safe", range(2))
def test_an_end_in_the_middle_of_it_is_mended(candidate: Pipeline, safe: int) -> None:
    with pytest.raises(Killed):
        synced(with_fuse(candidate, Fuse(safe, Killed())))
    synced(candidate)
    assert texts(candidate) == SENTENCES
    assert [name for name, *_ in failed(candidate)] == ["red"]
    assert candidate.verified().findings == ()


def test_a_model_that_refuses_it_fails_it_like_any_other(
    candidate: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = type(candidate.place.model)
    vectors = model.vectors

    def refusing(self: Any, found: list[str], **more: Any) -> Any:
        if any("tram" in text for text in found):
            raise ServiceError("the model does not answer")
        return vectors(self, found, **more)

    monkeypatch.setattr(model, "vectors", refusing)
    newest = candidate.ledger.items("library")
    finished = synced(candidate)
    assert (finished.figures.rebuilt, finished.figures.failed) == (2, 1)
    assert failed(candidate) == [("red", "embed", 1)]
    assert candidate.ledger.items("library") == newest


def test_what_cannot_be_read_is_no_reason_to_give_up_the_others_of_a_group(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.texts |= {"yard": b"The yard is wide.", "zoo": b"The zoo is green."}
    synced(pipeline)
    for name in ("red", "depot", "fares"):
        books.texts[name] = EMPTY
        books.read_errors[name] = ServiceError("the server answers 503")
    candidate = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 128}))
    model = type(candidate.place.model)
    vectors = model.vectors

    def refusing(self: Any, found: list[str], **more: Any) -> Any:
        if any("zoo" in text for text in found):
            raise ServiceError("the model does not answer")
        return vectors(self, found, **more)

    monkeypatch.setattr(model, "vectors", refusing)
    finished = synced(candidate)
    assert (finished.figures.rebuilt, finished.figures.failed) == (1, 4)
    assert sorted(failed(candidate)) == [
        ("depot", "read", 1),
        ("fares", "read", 1),
        ("red", "read", 1),
        ("zoo", "embed", 1),
    ]
    assert texts(candidate) == sorted([*SENTENCES, "The yard is wide."])
