"""A sync brings a table to what its sources hold: cheaply, whatever fails, whenever it is stopped."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.sync.shelf import (
    SENTENCES,
    TEXTS,
    Books,
    Clock,
    fresh,
    made_config,
    rows,
    synced,
    texts,
    with_config,
)
from workbench import pipeline as flow
from workbench import plugins
from workbench.contracts import EmbeddingModel, Filter
from workbench.errors import BusyError, ElsewhereError, InputError, ServiceError
from workbench.ingest import vector_cache
from workbench.ingest.lock import pipeline_lock
from workbench.sections import Budget, Deletes, Failures
from workbench.sync import Pipeline, course, events, preparing
from workbench.workspace import Workspace


def test_a_first_sync_adds_everything(pipeline: Pipeline) -> None:
    finished = synced(pipeline)
    assert (finished.status, finished.figures.added, finished.figures.embedded) == ("done", 3, 6)
    assert texts(pipeline) == SENTENCES


def test_a_second_sync_without_changes_embeds_writes_and_reads_nothing(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(pipeline)
    books.reads.clear()
    table = type(pipeline.place.opened_table())
    touched: list[str] = []
    for name in ("replace_documents", "drop_documents", "optimise", "states"):
        monkeypatch.setattr(table, name, lambda *args, name=name: touched.append(name))
    finished = synced(pipeline)
    assert (finished.figures.kept, finished.figures.embedded, touched, books.reads) == (3, 0, [], [])


def test_of_a_changed_document_only_the_changed_chunk_is_embedded(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    synced(pipeline)
    books.reads.clear()
    books.texts["fares"] = b"A ticket costs three crowns. Dogs travel free."
    finished = synced(pipeline)
    assert (finished.figures.changed, finished.figures.embedded, finished.figures.reused) == (1, 1, 1)
    assert books.reads == ["fares"]
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")


def test_a_document_that_left_its_source_leaves_the_table(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    del books.texts["depot"]
    assert synced(pipeline).figures.removed == 1
    assert texts(pipeline) == [text for text in SENTENCES if "depot" not in text and "closes" not in text]


def test_without_versions_the_content_hash_tells_what_is_unchanged(pipeline: Pipeline, books: Books) -> None:
    books.versions = False
    synced(pipeline)
    finished = synced(pipeline)
    assert (finished.figures.unchanged, finished.figures.chunks_written) == (3, 0)


def test_other_bytes_with_the_same_text_write_nothing(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.texts["red"] = b"\xef\xbb\xbf" + books.texts["red"]  # a byte order mark is no text
    finished = synced(pipeline)
    assert (finished.figures.unchanged, finished.figures.chunks_written) == (1, 0)
    assert synced(pipeline).figures.kept == 3


def test_another_chunker_reads_no_source_again(pipeline: Pipeline, books: Books, tmp_path: Path) -> None:
    synced(pipeline)
    books.reads.clear()
    other = with_config(pipeline, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9}))
    finished = synced(other)
    assert (finished.figures.rebuilt, finished.figures.bytes_read, books.reads) == (3, 0, [])
    assert rows(other) == fresh(other, tmp_path / "other")
    assert texts(pipeline) == SENTENCES


def test_another_model_is_embedded_from_stored_texts_even_when_the_source_is_away(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.reads.clear()
    books.breaks_after = 0
    other = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 16}))
    assert synced(other, stored=True).status == "done"
    assert (texts(other), books.reads) == (SENTENCES, [])


def test_metadata_of_the_source_narrows_a_search_and_its_change_writes_the_rows_anew(
    pipeline: Pipeline, books: Books
) -> None:
    def found(value: str) -> int:
        table = pipeline.place.connection.table(pipeline.place.table_name)
        vector = pipeline.place.model.vectors(["tram"], query=True)[0]
        return len(table.nearest(vector, 10, Filter(metadata=(("line", value),))))

    books.versions = False
    books.metadata = {"line": "4"}
    synced(pipeline)
    assert (found("4"), found("5")) == (6, 0)
    books.metadata = {"line": "5"}
    finished = synced(pipeline)
    assert (finished.figures.embedded, found("4"), found("5")) == (0, 0, 6)


# ── sources that fail ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listing_that_breaks_deletes_nothing_and_brings_in_what_it_listed(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.texts = {"new": b"A new text.", **books.texts}
    books.breaks_after = 1
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed, finished.figures.added) == ("some_failed", 0, 1)
    assert texts(pipeline) == sorted([*SENTENCES, "A new text."])


def test_too_many_missing_items_are_not_deleted_until_somebody_confirms(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    del books.texts["depot"], books.texts["red"]
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed) == ("some_failed", 0)
    assert "only 1 of 3 known items" in finished.message
    assert synced(pipeline, confirmed=True).figures.removed == 2


def test_a_source_that_shrinks_by_half_again_and_again_is_measured_against_what_it_held_lately(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.texts = {f"x{number}": b"Number %d is red." % number for number in range(16)}
    synced(pipeline)

    def halved() -> events.Finished:
        for name in list(books.texts)[: len(books.texts) // 2]:
            del books.texts[name]
        return synced(pipeline)

    assert halved().figures.removed == 8
    clock.forward(days=1)
    refused = halved()
    assert (refused.status, refused.figures.removed) == ("some_failed", 0)
    assert "only 4 of 16 known items" in refused.message
    # Confirmed, it counts from there.
    assert synced(pipeline, confirmed=True).figures.removed == 4
    assert halved().figures.removed == 2
    clock.forward(days=8)
    assert halved().figures.removed == 1


def test_what_only_moved_leaves_its_old_place_without_a_confirmation(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    synced(pipeline)
    books.texts = {f"sub/{name}": data for name, data in books.texts.items()}
    finished = synced(pipeline)
    assert (finished.status, finished.figures.added, finished.figures.removed) == ("done", 3, 3)
    assert finished.figures.embedded == 0
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")


def test_what_moved_and_cannot_be_brought_in_there_stays_in_its_old_place(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.texts = {f"sub/{name}": data for name, data in books.texts.items()}
    books.read_errors["sub/red"] = ServiceError("the server answers 503")
    finished = synced(with_config(pipeline, deletes=Deletes(min_present_ratio=1)))
    assert (finished.figures.removed, finished.figures.failed) == (2, 1)
    assert texts(pipeline) == SENTENCES


def test_what_moved_with_a_change_is_there_twice_until_somebody_confirms_and_the_run_says_so(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.texts = {f"sub/{name}": data + b" And more." for name, data in books.texts.items()}
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed) == ("some_failed", 0)
    assert {*SENTENCES} < {*texts(pipeline)}
    assert "what was moved and changed may answer twice" in finished.message
    assert synced(pipeline, confirmed=True).figures.removed == 3


@pytest.mark.parametrize("touched", [False, True])
def test_of_a_folder_that_was_moved_with_its_config_the_new_address_is_told(
    tmp_path: Path, touched: bool
) -> None:
    (tmp_path / "old" / "in").mkdir(parents=True)
    (tmp_path / "old" / "in" / "red.txt").write_bytes(TEXTS["red"])
    config = replace(
        made_config(Books("")), sources=(plugins.build("sources", "pdf_folder", {"path": "in"}),)
    )
    synced(Pipeline(Workspace(tmp_path / "here"), config, tmp_path / "old"))
    (tmp_path / "old").rename(tmp_path / "new")
    if touched:
        os.utime(tmp_path / "new" / "in" / "red.txt", (1, 1))
    moved = Pipeline(Workspace(tmp_path / "here"), config, tmp_path / "new")
    finished = synced(moved)
    assert (finished.status, finished.figures.chunks_written) == ("done", 0)
    answer = moved.answer("tram")
    assert set(answer.uris.values()) == {(tmp_path / "new" / "in" / "red.txt").as_uri()}


def test_the_ratio_is_a_setting(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    del books.texts["depot"], books.texts["red"]
    lenient = with_config(pipeline, deletes=Deletes(min_present_ratio=0.3))
    assert synced(lenient).figures.removed == 2


def test_a_source_that_left_the_config_is_deleted_once_confirmed(pipeline: Pipeline) -> None:
    synced(pipeline)
    without = with_config(pipeline, sources=())
    assert synced(without).figures.removed == 0
    assert synced(without, confirmed=True).figures.removed == 3


def test_a_listed_document_that_is_gone_when_it_is_read_leaves_the_table_with_its_reason(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.texts["depot"] = b"This page moved."
    books.read_errors["depot"] = InputError("it is another address of red, which is read", "gone")
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed, finished.figures.failed) == ("done", 1, 0)
    assert finished.figures.gone == 1
    assert texts(pipeline) == [text for text in SENTENCES if "depot" not in text and "closes" not in text]
    (attempt,) = pipeline.ledger.runs.attempts(finished.run_id)
    assert (attempt.item_id, attempt.outcome) == ("depot", "removed: gone")
    assert attempt.message == "it is another address of red, which is read"
    assert pipeline.verified().findings == ()


def test_a_document_gives_way_to_another_only_once_that_one_is_in_the_table(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    """Two pages of which first one and then the other is called the proper one."""
    books.versions = False
    books.read_errors["red"] = ElsewhereError("red is another address of depot", "depot")
    synced(pipeline)
    assert "red" not in {key[1] for key in pipeline.ledger.items("library")}
    books.read_errors = {"depot": ElsewhereError("depot is another address of red", "red")}
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed) == ("some_failed", 0)
    (failure,) = [f for f in pipeline.ledger.failures("library").values() if f.item_id == "depot"]
    assert "another address of red, but not in the index yet" in failure.message
    assert any("depot" in text for text in texts(pipeline))

    clock.forward(minutes=10)
    finished = synced(pipeline)
    assert (finished.status, finished.figures.added, finished.figures.removed) == ("done", 1, 1)
    assert texts(pipeline) == [text for text in SENTENCES if "depot" not in text and "closes" not in text]


def test_what_is_gone_is_not_fetched_by_every_run_but_looked_at_again_ever_more_rarely(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.versions = False
    books.read_errors["depot"] = InputError("it answers 404", "gone")
    synced(pipeline)
    for hours in (1, 2, 4, 8, 16, 32, 64, 128, 168, 168, 168):
        books.reads.clear()
        clock.forward(hours=hours, seconds=-1)
        assert synced(pipeline).figures.waiting == 1
        assert "depot" not in books.reads
        clock.forward(seconds=1)
        synced(pipeline)
        assert "depot" in books.reads
    books.read_errors.clear()
    clock.forward(hours=168)
    assert synced(pipeline).figures.added == 1
    assert texts(pipeline) == SENTENCES
    assert pipeline.ledger.failures("library") == {}


def test_a_source_that_calls_most_of_its_documents_gone_deletes_none_until_somebody_confirms(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    for name in ("depot", "red"):
        books.texts[name] += b" Changed."
        books.read_errors[name] = InputError("it answers 404", "gone")
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed, finished.figures.gone) == ("some_failed", 0, 2)
    assert "only 1 of 3 known items" in finished.message
    assert (texts(pipeline), pipeline.ledger.failures("library")) == (SENTENCES, {})
    assert {one.outcome for one in pipeline.ledger.runs.attempts(finished.run_id)} == {"gone"}
    assert synced(pipeline, confirmed=True).figures.removed == 2


def test_every_step_of_a_plan_is_counted_once_by_what_became_of_it(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.texts["red"] = b"\xef\xbb\xbf" + books.texts["red"]  # a byte order mark is no text
    books.texts["fares"] += b" Changed."
    books.texts["bad"] = b"  "
    for number in range(10):
        books.texts[f"x{number}"] = b"Number %d is red." % number
    for name in ("depot", "x3"):
        books.texts[name] += b" Changed."
        books.read_errors[name] = InputError("it answers 404", "gone")
    seen = list(pipeline.sync())
    (planned,) = [event for event in seen if isinstance(event, events.Planned)]
    finished = seen[-1]
    assert isinstance(finished, events.Finished)
    f = finished.figures
    assert (f.added, f.changed, f.unchanged, f.failed, f.gone, f.removed) == (9, 1, 1, 1, 2, 1)
    steps = sum(planned.counts[action] for action in ("add", "change", "rebuild", "retry"))
    assert f.added + f.changed + f.rebuilt + f.unchanged + f.failed + f.gone == steps


def test_what_a_run_adds_does_not_make_good_what_it_finds_gone(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    for name in ("depot", "red"):
        books.texts[name] += b" Changed."
        books.read_errors[name] = InputError("it answers 404", "gone")
    for number in range(10):
        books.texts[f"x{number}"] = b"Number %d is red." % number
    finished = synced(pipeline)
    assert (finished.figures.added, finished.figures.removed) == (10, 0)
    assert "only 1 of 3 known items" in finished.message


def test_of_many_small_documents_in_one_batch_each_fails_alone(pipeline: Pipeline, books: Books) -> None:
    for number in range(100):
        books.texts[f"x{number}"] = b"%PDF-1.7" if number % 10 == 3 else b"Number %d is red." % number
        if number % 10 == 4:
            books.read_errors[f"x{number}"] = ServiceError("the server answers 503")
    finished = synced(with_config(pipeline, failures=Failures(max_ratio=1)))
    assert (finished.figures.added, finished.figures.failed) == (3 + 80, 20)
    failures = pipeline.ledger.failures("library").values()
    assert {(f.item_id[-1], f.stage) for f in failures} == {("3", "parse"), ("4", "read")}


# ── documents that fail ──────────────────────────────────────────────────────────────────────────────────────────


def test_one_bad_document_harms_no_other(pipeline: Pipeline, books: Books) -> None:
    books.texts["bad"] = b" \n "
    finished = synced(pipeline)
    assert (finished.status, finished.figures.failed, finished.figures.added) == ("some_failed", 1, 3)
    assert texts(pipeline) == SENTENCES
    (failure,) = pipeline.ledger.failures("library").values()
    assert (failure.item_id, failure.stage, failure.retryable, failure.attempts) == ("bad", "parse", False, 1)


def test_a_damaged_document_is_read_again_only_when_it_changed(pipeline: Pipeline, books: Books) -> None:
    books.texts["bad"] = b" \n "
    synced(pipeline)
    books.reads.clear()
    assert (synced(pipeline).figures.waiting, books.reads) == (1, [])
    books.texts["bad"] = b"Now it is fine."
    assert (synced(pipeline).figures.added, books.reads) == (1, ["bad"])
    assert pipeline.ledger.failures("library") == {}


def test_a_service_that_was_away_is_tried_again_ever_more_rarely(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.read_errors["red"] = ServiceError("the server answers 503")
    synced(pipeline)
    assert synced(pipeline).figures.waiting == 1
    clock.forward(minutes=5)
    assert synced(pipeline).figures.failed == 1
    clock.forward(minutes=5)
    assert synced(pipeline).figures.waiting == 1
    clock.forward(minutes=5)
    books.read_errors.clear()
    assert synced(pipeline).figures.added == 1
    assert texts(pipeline) == SENTENCES


def test_tries_lie_ever_further_apart_and_a_week_apart_once_there_were_enough(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.read_errors["red"] = ServiceError("the server answers 503")
    patient = with_config(pipeline, failures=Failures(max_attempts=5, first_retry_minutes=5))
    assert synced(patient).figures.failed == 1
    week = 7 * 24 * 60
    for attempts, minutes in enumerate((5, 10, 20, 40, week, week, week), start=1):
        (failure,) = patient.ledger.failures("library").values()
        assert failure.attempts == attempts
        clock.forward(minutes=minutes, seconds=-1)
        assert synced(patient).figures.waiting == 1
        clock.forward(seconds=1)
        assert synced(patient).figures.failed == 1
    books.read_errors.clear()
    clock.forward(minutes=week)
    assert synced(patient).figures.added == 1


def test_another_version_begins_to_count_its_tries_anew(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.read_errors["red"] = ServiceError("the server answers 503")
    patient = with_config(pipeline, failures=Failures(max_attempts=2, first_retry_minutes=5))
    for minutes in (0, 5):
        clock.forward(minutes=minutes)
        synced(patient)
    (failure,) = patient.ledger.failures("library").values()
    assert (failure.attempts, failure.next_try_utc) == (2, "2026-03-08T12:05:00+00:00")
    books.texts["red"] += b" Changed."
    synced(patient)
    (failure,) = patient.ledger.failures("library").values()
    assert (failure.attempts, failure.next_try_utc) == (1, "2026-03-01T12:10:00+00:00")


def test_failed_documents_can_be_tried_again_on_demand(pipeline: Pipeline, books: Books) -> None:
    books.read_errors["red"] = InputError("it needs a password", "needs_password")
    synced(pipeline)
    books.read_errors.clear()
    assert synced(pipeline).figures.waiting == 1
    assert synced(pipeline, retry_all=True).figures.added == 1


def test_a_new_version_that_cannot_be_read_leaves_the_last_good_one_in(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.texts["red"] = b" \n "
    assert synced(pipeline).figures.failed == 1
    assert texts(pipeline) == SENTENCES


def test_a_bug_of_a_source_keeps_no_other_document_out(
    pipeline: Pipeline, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    books.read_errors["depot"] = ValueError("an odd page")
    finished = synced(pipeline)
    assert (finished.status, finished.figures.added, finished.figures.failed) == ("some_failed", 2, 1)
    (failure,) = pipeline.ledger.failures("library").values()
    assert (failure.item_id, failure.stage, failure.kind, failure.retryable) == (
        "depot",
        "read",
        "bug",
        False,
    )
    assert "ValueError: an odd page" in failure.message
    assert "Traceback" in caplog.text


def test_a_bug_of_a_chunker_or_an_embedder_keeps_no_other_document_out(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chunker, model = type(pipeline.place.config.chunker), type(pipeline.place.model)
    spans, vectors = chunker.spans, model.vectors

    def odd_spans(self: object, analysis: object) -> object:
        if "opens" in analysis.text:  # type: ignore[attr-defined]
            raise ValueError("[E088] an odd text")
        return spans(self, analysis)  # type: ignore[arg-type]

    def odd_vectors(self: object, found: list[str], **more: object) -> object:
        if any("Dogs" in text for text in found):
            raise IndexError("an odd chunk")
        return vectors(self, found, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(chunker, "spans", odd_spans)
    monkeypatch.setattr(model, "vectors", odd_vectors)
    finished = synced(pipeline)
    assert (finished.status, finished.figures.added, finished.figures.failed) == ("some_failed", 1, 2)
    failures = {f.item_id: (f.stage, f.kind) for f in pipeline.ledger.failures("library").values()}
    assert failures == {"depot": ("cut", "bug"), "fares": ("embed", "bug")}
    monkeypatch.undo()
    assert synced(pipeline, retry_all=True).status == "done"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")


def test_a_bug_in_a_listing_deletes_nothing_and_is_told(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.lists_wrong = KeyError("id")
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed) == ("some_failed", 0)
    assert "a bug in the source shelf, KeyError: 'id'" in finished.message
    assert texts(pipeline) == SENTENCES


def test_what_waits_or_cannot_be_listed_needs_a_look_although_nothing_failed_now(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts["bad"] = b" \n "
    synced(pipeline)
    finished = synced(pipeline)
    assert (finished.status, finished.figures.failed, finished.message) == (
        "some_failed",
        0,
        "1 document that could not be brought in earlier waits for another try: log --failures names it",
    )
    books.texts["bad"] = b"Now it is fine."
    books.problem = "row 7 has no id"
    finished = synced(pipeline)
    assert finished.status == "some_failed"
    assert finished.message.endswith(": not everything could be listed: row 7 has no id")
    books.problem = ""
    assert (synced(pipeline).status, synced(pipeline).message) == ("done", "")


def test_what_its_source_calls_gone_needs_no_look(pipeline: Pipeline, books: Books) -> None:
    books.read_errors["depot"] = InputError("it answers 404", "gone")
    assert [synced(pipeline).status for _ in range(2)] == ["done", "done"]
    assert synced(pipeline).figures.waiting == 1


def test_a_mended_setting_of_a_source_tries_failed_documents_again(pipeline: Pipeline, books: Books) -> None:
    books.read_errors["red"] = InputError("it is larger than largest_mb (1)", "too_large")
    synced(pipeline)
    books.read_errors.clear()
    assert synced(pipeline).figures.waiting == 1
    (source,) = pipeline.place.config.sources
    mended = with_config(pipeline, sources=(source.model_copy(update={"largest_mb": 100}),))
    assert synced(mended).figures.added == 1


def test_missing_rights_and_services_that_stay_away_are_tried_for_ever_but_rarely(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.read_errors["red"] = InputError("its owner does not let us", "forbidden")
    books.read_errors["depot"] = ServiceError("the server answers 503")
    synced(pipeline)
    for _ in range(12):
        clock.forward(days=7)
        assert synced(pipeline).figures.failed == 2
        clock.forward(minutes=4)
        assert synced(pipeline).figures.waiting == 2
    books.read_errors.clear()
    clock.forward(days=7)
    assert synced(pipeline).figures.added == 2


def test_too_many_failures_stop_a_run(pipeline: Pipeline, books: Books) -> None:
    for number in range(10):
        books.texts[f"x{number}"] = b"A text."
        books.read_errors[f"x{number}"] = ServiceError("the server answers 503")
    strict = with_config(pipeline, failures=Failures(max_ratio=0.1, max_count=2))
    finished = synced(strict)
    assert (finished.status, finished.figures.failed) == ("stopped", 3)
    assert "3 of " in finished.message


# ── budget, cancelling, two at once ──────────────────────────────────────────────────────────────────────────────


def test_money_is_counted_by_the_token(pipeline: Pipeline) -> None:
    # 6 + 5, 6 + 5 and 6 + 4 tokens, at a tenth each.
    priced = with_config(pipeline, budget=Budget(money=100, price_per_million_tokens=100_000))
    figures = synced(priced).figures
    assert (figures.tokens, round(figures.money, 9)) == (32, 3.2)


def test_without_money_nothing_is_embedded(pipeline: Pipeline) -> None:
    poor = with_config(pipeline, budget=Budget(money=0, price_per_million_tokens=100_000))
    finished = synced(poor)
    assert (finished.status, finished.figures.embedded, finished.figures.money) == ("stopped", 0, 0)
    assert "budget.money (0) is used up" in finished.message
    assert synced(pipeline).status == "done"


def test_money_for_a_part_of_a_group_brings_in_that_part_and_the_next_sync_the_rest(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    # 1.1, 1.1 and 1.0.
    poor = with_config(pipeline, budget=Budget(money=2.3, price_per_million_tokens=100_000))
    finished = synced(poor)
    assert (finished.status, finished.figures.added, finished.figures.tokens) == ("stopped", 2, 22)
    assert "budget.money (2.3) is used up: 2.2000 are spent, and the next document would cost 1.0000" in (
        finished.message
    )
    again = synced(poor)
    assert (again.status, again.figures.added) == ("done", 1)
    assert rows(poor) == fresh(pipeline, tmp_path / "other")


def test_the_last_group_is_cut_to_the_money_that_is_left(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "GROUP_DOCUMENTS", 3)
    books.texts = {f"x{number}": b"Number %d is red." % number for number in range(6)}
    each = (
        synced(
            Pipeline(Workspace(pipeline.place.workspace.folder / "all"), pipeline.place.config)
        ).figures.tokens
        / 6
    )
    poor = with_config(pipeline, budget=Budget(money=each * 0.45, price_per_million_tokens=100_000))
    finished = synced(poor)
    assert (finished.status, finished.figures.added) == ("stopped", 4)
    assert (synced(poor).status, len(texts(poor))) == ("done", 6)


def test_a_document_that_costs_more_than_the_whole_budget_keeps_no_other_out(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts = {"big": b" ".join(b"Sentence %d goes here." % n for n in range(50)), **books.texts}
    poor = with_config(pipeline, budget=Budget(money=4, price_per_million_tokens=100_000))
    finished = synced(poor)
    assert (finished.status, finished.figures.added, finished.figures.failed) == ("some_failed", 3, 1)
    (failure,) = poor.ledger.failures("library").values()
    assert (failure.item_id, failure.kind, failure.retryable) == ("big", "too_expensive", False)
    assert synced(poor).figures.waiting == 1
    # A larger budget is another try.
    rich = with_config(pipeline, budget=Budget(money=400, price_per_million_tokens=100_000))
    assert synced(rich).figures.added == 1


def test_what_was_embedded_before_a_service_broke_off_is_counted(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_cache, "SLICE_TEXTS", 2)
    books.texts = {f"x{number}": b"Number %d is red." % number for number in range(6)}
    model = type(pipeline.place.model)
    vectors, calls = model.vectors, iter(range(100))
    paid: list[int] = []

    def breaking(self: EmbeddingModel, texts: list[str], **more: object) -> object:
        if next(calls) >= 2:
            raise ServiceError("the service answers 429")
        paid.append(sum(len(self.tokenizer.offsets(text)) for text in texts))
        return vectors(self, texts, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "vectors", breaking)
    priced = with_config(pipeline, budget=Budget(price_per_million_tokens=100_000))
    figures = synced(priced).figures
    assert (len(paid), figures.tokens, round(figures.money, 9)) == (2, sum(paid), round(sum(paid) / 10, 9))
    monkeypatch.undo()
    assert synced(priced, retry_all=True).figures.tokens == 6 * paid[0] // 2 - sum(paid)


def test_what_a_chunker_embeds_is_counted_and_kept_within_the_budget(
    pipeline: Pipeline, books: Books
) -> None:
    chunker = plugins.build("chunkers", "semantic", {"size_tokens": 64})
    priced = with_config(pipeline, chunker=chunker, budget=Budget(price_per_million_tokens=100_000))
    assert synced(priced).figures.tokens > 32
    broke = Pipeline(Workspace(pipeline.place.workspace.folder / "poor"), priced.place.config)
    poor = with_config(broke, budget=Budget(money=0.5, price_per_million_tokens=100_000))
    assert synced(poor).figures.money <= 0.5


@pytest.mark.slow
def test_a_budget_of_minutes_writes_what_is_ready_and_the_next_sync_goes_on(
    pipeline: Pipeline, books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reading a document takes a minute.
    monkeypatch.setattr(course, "time", SimpleNamespace(perf_counter=lambda: 60.0 * len(books.reads)))
    monkeypatch.setattr(preparing, "BATCH_ITEMS", 4)
    for number in range(20):
        books.texts[f"x{number}"] = b"Number %d is red." % number
    finished = synced(with_config(pipeline, budget=Budget(minutes=5)))
    monkeypatch.undo()
    assert finished.status == "stopped"
    assert finished.message == "budget.minutes (5) is used up: the next sync goes on from here"
    assert 0 < finished.figures.added < 23
    assert finished.figures.added == len(pipeline.ledger.states("library", pipeline.place.table_name))
    assert pipeline.verified().findings == ()
    assert synced(pipeline).figures.added == 23 - finished.figures.added
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")


def test_what_is_gone_leaves_even_when_every_run_stops_at_its_budget(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    del books.texts["depot"]
    books.texts["new"] = b"A new line is open."
    poor = with_config(pipeline, budget=Budget(money=0, price_per_million_tokens=1))
    finished = synced(poor)
    assert (finished.status, finished.figures.removed) == ("stopped", 1)
    assert not [text for text in texts(poor) if "depot" in text]


def test_a_source_that_lists_or_waits_too_long_is_stopped_by_the_minutes(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(pipeline)
    seconds = iter(range(0, 10**6, 10))
    monkeypatch.setattr(course, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))
    books.patient = True
    finished = synced(with_config(pipeline, budget=Budget(minutes=5)))
    assert (finished.status, finished.message) == (
        "stopped",
        "budget.minutes (5) is used up: the next sync goes on from here",
    )


def test_a_budget_that_stops_keeps_what_was_found_unchanged_before(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.texts["red"] = b"\xef\xbb\xbf" + books.texts["red"]  # a byte order mark is no text
    books.texts["new"] = b"A new line is open."
    poor = with_config(pipeline, budget=Budget(money=0, price_per_million_tokens=1))
    finished = synced(poor)
    assert (finished.status, finished.figures.unchanged, finished.figures.added) == ("stopped", 1, 0)
    books.reads.clear()
    assert synced(pipeline).figures.added == 1
    assert books.reads == ["new"]


def test_cancelling_keeps_what_is_done_and_the_next_sync_goes_on(pipeline: Pipeline, tmp_path: Path) -> None:
    seen: list[events.Event] = []

    def asked() -> bool:
        return any(isinstance(event, events.StageDone) for event in seen)

    for event in pipeline.sync(cancelled=asked):
        seen.append(event)
    assert seen[-2:][0] == events.Stopped(
        "cancelled", "stopped on request; everything finished so far is kept"
    )
    assert pipeline.ledger.runs.recent()[0].status == "cancelled"
    assert synced(pipeline).status == "done"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "other")


def test_closing_the_events_ends_the_run(pipeline: Pipeline) -> None:
    course = pipeline.sync()
    next(course)
    course.close()  # type: ignore[attr-defined]
    assert pipeline.ledger.runs.recent()[0].status == "cancelled"
    assert synced(pipeline).status == "done"


def test_a_second_sync_at_the_same_time_is_refused(pipeline: Pipeline) -> None:
    with (
        pipeline_lock(pipeline.place.lock_path, "library", 0),
        pytest.raises(BusyError, match=r"another sync of library is running \(process \d+\)"),
    ):
        next(pipeline.sync())


def test_syncs_of_two_pipelines_do_not_meet(pipeline: Pipeline) -> None:
    other = with_config(pipeline, name="another")
    with pipeline_lock(pipeline.place.lock_path, "library", 0):
        assert synced(other).status == "done"
    assert other.place.table_name != pipeline.place.table_name


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lost_ledger_costs_no_embedding_and_no_write(pipeline: Pipeline, tmp_path: Path) -> None:
    synced(pipeline)
    for path in (tmp_path / "pipelines").glob("ledger.db*"):
        path.unlink()
    again = Pipeline(pipeline.place.workspace, pipeline.place.config)
    finished = synced(again)
    assert (finished.figures.embedded, finished.figures.chunks_written) == (0, 0)
    assert synced(again).figures.kept == 3


def test_a_lost_table_is_written_again(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.reads.clear()
    pipeline.place.connection.drop(pipeline.place.table_name)
    finished = synced(pipeline)
    assert (finished.figures.rebuilt, finished.figures.embedded, books.reads) == (3, 0, [])
    assert texts(pipeline) == SENTENCES


def test_the_ledger_tells_what_a_run_did(pipeline: Pipeline) -> None:
    finished = synced(pipeline)
    run = pipeline.ledger.runs.run(finished.run_id)
    assert (run.status, run.figures) == ("done", finished.figures)
    stages = {timing.stage: timing.count for timing in pipeline.ledger.runs.timings(run.id)}
    assert stages == {
        "list": 3, "plan": 1, "read": 3, "parse": 3, "cut": 3, "embed": 3, "intend": 3, "write": 3, "record": 3,
        "optimise": 1,
    }  # fmt: skip
    outcomes = {attempt.item_id: attempt.outcome for attempt in pipeline.ledger.runs.attempts(run.id)}
    assert outcomes == {"red": "written", "depot": "written", "fares": "written"}


def test_a_plan_changes_nothing(pipeline: Pipeline, books: Books) -> None:
    plan = pipeline.plan().plan
    assert (plan.counts["add"], books.reads, pipeline.ledger.items("library")) == (3, [], {})
    assert not pipeline.place.has_table(pipeline.place.table_name)
