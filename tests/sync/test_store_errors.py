"""Whatever the store does in the middle of a sync, the next one ends where a fresh build would."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.fragile import Fuse, Killed, with_fuse
from tests.sync.shelf import Books, Clock, fresh, rows, synced
from workbench.errors import ServiceError
from workbench.sync import Pipeline

TOUCHES = 4
"""One group and one deletion, each before and after."""


def changed(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.texts["red"] = b"The tram stops at blue. It goes at white."
    books.texts["new"] = b"A new line."
    del books.texts["depot"]


@pytest.mark.parametrize("safe", range(TOUCHES))
@pytest.mark.parametrize("error", [Killed(), RuntimeError("a bug in the store")], ids=["killed", "bug"])
def test_an_end_in_the_middle_of_a_write_is_mended(
    pipeline: Pipeline, books: Books, tmp_path: Path, safe: int, error: BaseException
) -> None:
    changed(pipeline, books)
    fuse = Fuse(safe, error)
    with pytest.raises(type(error)):
        synced(with_fuse(pipeline, fuse))
    assert pipeline.ledger.runs.recent()[0].status == "broken"
    assert synced(pipeline).status == "done"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")
    assert pipeline.verified().findings == ()


@pytest.mark.parametrize("safe", range(2))
def test_a_store_that_refuses_once_is_asked_again_in_the_same_run(
    pipeline: Pipeline, books: Books, tmp_path: Path, safe: int
) -> None:
    changed(pipeline, books)
    finished = synced(with_fuse(pipeline, Fuse(safe, ServiceError("the disk is full"))))
    assert (finished.status, finished.figures.failed) == ("done", 0)
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")


def test_a_store_that_stays_away_leaves_dead_letters_that_are_retried(
    pipeline: Pipeline, books: Books, clock: Clock, tmp_path: Path
) -> None:
    class Away(Fuse):
        def touch(self) -> None:
            raise ServiceError("the store does not answer")

    for number in range(6):
        books.texts[f"x{number}"] = f"Text number {number}.".encode()
    finished = synced(with_fuse(pipeline, Away()))
    assert (finished.status, finished.figures.failed, finished.figures.added) == ("some_failed", 9, 0)
    assert {f.stage for f in pipeline.ledger.failures("library").values()} == {"write"}
    clock.forward(minutes=5)
    assert synced(pipeline).figures.added == 9
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")
    assert pipeline.ledger.failures("library") == {}


def test_a_deletion_that_the_store_refuses_twice_is_told_and_done_by_the_next_sync(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    class NoDeletions(Fuse):
        def touch(self) -> None:
            raise ServiceError("the disk is full")

    synced(pipeline)
    del books.texts["depot"]
    finished = synced(with_fuse(pipeline, NoDeletions()))
    assert (finished.status, finished.message) == (
        "some_failed",
        "1 document that is gone could not be removed: the disk is full",
    )
    assert synced(pipeline).status == "done"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")
