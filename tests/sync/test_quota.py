"""A hosted service whose quota is used up stops a run: nothing is counted as failed, and the next run goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sync.shelf import Books, synced, texts
from workbench.contracts import EmbeddingModel
from workbench.errors import QuotaError
from workbench.sync import Pipeline
from workbench.sync.events import ItemFailed, Stopped

USED_UP = QuotaError("the account's quota is used up, and waiting does not help")


def stopped(pipeline: Pipeline) -> tuple[Stopped, list[ItemFailed]]:
    said = list(pipeline.sync())
    (stop,) = [event for event in said if isinstance(event, Stopped)]
    return stop, [event for event in said if isinstance(event, ItemFailed)]


def test_a_quota_used_up_while_reading_stops_the_run_and_keeps_what_was_read(
    pipeline: Pipeline, books: Books
) -> None:
    books.read_errors["fares"] = USED_UP
    stop, failed = stopped(pipeline)
    assert (stop.reason, stop.message, failed) == ("quota", str(USED_UP), [])
    assert len(texts(pipeline)) == 4
    del books.read_errors["fares"]
    finished = synced(pipeline)
    assert (finished.status, finished.figures.failed) == ("done", 0)
    assert len(texts(pipeline)) == 6


def test_a_quota_used_up_while_listing_stops_the_run_before_anything_is_deleted(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.lists_wrong = USED_UP
    stop, failed = stopped(pipeline)
    assert (stop.reason, failed) == ("quota", [])
    assert len(texts(pipeline)) == 6


def test_a_quota_used_up_while_embedding_is_met_once(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(*about: Any, **settings: Any) -> Any:
        asked.append(1)
        raise USED_UP

    with monkeypatch.context() as patched:
        patched.setattr(EmbeddingModel, "vectors", refuse)
        stop, failed = stopped(pipeline)
    assert (stop.reason, failed, len(asked)) == ("quota", [], 1)
    assert synced(pipeline).status == "done"
    assert len(texts(pipeline)) == 6
