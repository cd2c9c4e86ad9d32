"""What is published stays true to the sources while the config says something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sync.fragile import FragileConnection, Fuse, Killed
from tests.sync.shelf import Books, Clock, fresh, rows, synced, texts, with_config
from workbench import plugins
from workbench.embedders.hashing import Hashing
from workbench.errors import InputError, MissingPackageError, ServiceError
from workbench.sections import Budget
from workbench.sync import Pipeline, events
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def candidate(pipeline: Pipeline) -> Pipeline:
    """Another config of a pipeline whose first one is published."""
    synced(pipeline)
    pipeline.publish()
    return with_config(pipeline, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9}))


def _gone(made: Callable[[Hashing, Path], Any]) -> Callable[[Hashing, Path], Any]:
    """Return what makes the model of a config; that of the published one cannot be had."""

    def gone(self: Hashing, folder: Path) -> Any:
        if self.dimension == 256:
            raise MissingPackageError("fasthash", "The embedder hashing")
        return made(self, folder)

    return gone


def changed(books: Books) -> None:
    books.texts["red"] = b"The tram stops at blue. It goes at white."
    books.texts["new"] = b"A new line is open."
    del books.texts["depot"]


def test_what_is_published_follows_the_sources_and_nothing_is_read_twice(
    pipeline: Pipeline, candidate: Pipeline, books: Books, tmp_path: Path
) -> None:
    books.versions = False
    changed(books)
    books.reads.clear()
    finished = synced(candidate)
    assert sorted(books.reads) == ["fares", "new", "red"]
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")
    assert rows(candidate) == fresh(candidate, tmp_path / "own")
    f = finished.figures
    assert (finished.status, f.added, f.changed, f.removed) == ("done", 1, 2, 1)
    assert (f.release_written, f.release_kept, f.release_removed, f.release_failed) == (2, 1, 1, 0)
    assert not [
        hit for hit in candidate.answer("When does the depot open?").hits if "depot" in hit.chunk.text
    ]


def test_a_second_sync_of_both_tables_embeds_and_writes_nothing(candidate: Pipeline, books: Books) -> None:
    changed(books)
    synced(candidate)
    again = synced(candidate)
    f = again.figures
    assert (again.status, f.kept, f.release_kept) == ("done", 3, 3)
    assert (f.embedded, f.chunks_written, f.removed, f.release_removed, f.bytes_read) == (0, 0, 0, 0, 0)


def test_the_plan_of_another_model_expects_what_the_first_one_cost(
    pipeline: Pipeline, candidate: Pipeline
) -> None:
    assert candidate.plan().plan.expected.tokens == 32


def test_a_plan_tells_what_the_published_table_takes_beside(
    pipeline: Pipeline, candidate: Pipeline, books: Books
) -> None:
    priced = with_config(candidate, budget=Budget(price_per_million_tokens=100_000))
    found = priced.plan().release
    assert found is not None
    assert (found.is_empty, found.counts["keep"]) == (True, 3)
    changed(books)
    found = priced.plan().release
    assert found is not None
    assert {action: count for action, count in found.counts.items() if count} == {
        "add": 1, "change": 1, "keep": 1, "remove": 1,
    }  # fmt: skip
    # Two documents, as large as the three of 32 tokens that are there.
    assert (found.expected.chunks, found.expected.tokens) == (4, 21)
    assert found.expected.money == pytest.approx(2 * 32 / 3 / 10)
    assert synced(priced).figures.release_written == 2
    assert pipeline.plan().release is None


def test_a_plan_names_what_keeps_the_published_table_from_being_kept_true(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(pipeline)
    pipeline.publish()
    candidate = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 16}))
    monkeypatch.setattr(Hashing, "embedding_model", _gone(Hashing.embedding_model))
    found = candidate.plan()
    assert found.release is None
    assert "release 1 is published, and its table is not kept up to date any more" in found.trouble
    assert found.plan.counts["rebuild"] == 3


def test_after_going_back_the_earlier_release_is_brought_up_to_date(
    pipeline: Pipeline, candidate: Pipeline, books: Books, tmp_path: Path
) -> None:
    synced(candidate)
    candidate.publish()
    changed(books)
    assert synced(candidate).figures.release_written == 0
    candidate.roll_back()
    finished = synced(candidate)
    assert (finished.figures.release_written, finished.figures.release_removed) == (2, 1)
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")


def test_what_left_its_source_while_nobody_followed_leaves_without_a_confirmation(
    pipeline: Pipeline, candidate: Pipeline, books: Books
) -> None:
    synced(candidate)
    candidate.publish()
    del books.texts["depot"], books.texts["red"]
    synced(candidate, confirmed=True)
    candidate.roll_back()
    finished = synced(candidate)
    assert (finished.status, finished.figures.release_removed) == ("done", 2)
    assert texts(pipeline) == ["A ticket costs two crowns.", "Dogs travel free."]


def test_what_a_run_says_and_keeps_tells_the_two_tables_apart(candidate: Pipeline, books: Books) -> None:
    changed(books)
    books.texts["bad"] = b" \n "
    seen = list(candidate.sync())
    (planned,) = [event for event in seen if isinstance(event, events.ReleasePlanned)]
    assert {action: count for action, count in planned.counts.items() if count} == {
        "add": 2, "change": 1, "keep": 1, "remove": 1,
    }  # fmt: skip
    failed = [event for event in seen if isinstance(event, events.ItemFailed)]
    assert [(event.item_id, event.in_release) for event in failed] == [("bad", True), ("bad", False)]
    finished = seen[-1]
    assert isinstance(finished, events.Finished)
    assert (finished.figures.failed, finished.figures.release_failed) == (1, 1)
    last = seen[-2]
    assert isinstance(last, events.Progress)
    assert last.done == last.total
    outcomes = [(a.item_id, a.outcome) for a in candidate.ledger.runs.attempts(finished.run_id)]
    assert {("red", "release: written"), ("red", "written"), ("bad", "release: failed: parse")} <= {*outcomes}
    again = synced(candidate).figures
    assert (again.failed, again.waiting, again.release_failed, again.release_waiting) == (0, 1, 0, 1)


def test_a_document_that_only_one_of_the_two_can_read_is_in_that_one(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(pipeline)
    pipeline.publish()
    candidate = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 16}))
    model = type(candidate.place.model)
    vectors = model.vectors

    def refusing(self: Any, found: Any, **more: Any) -> Any:
        if self.dimension == 16 and any("new" in text for text in found):
            raise ServiceError("the model does not answer")
        return vectors(self, found, **more)

    monkeypatch.setattr(model, "vectors", refusing)
    changed(books)
    finished = synced(candidate)
    assert (finished.figures.failed, finished.figures.release_failed) == (1, 0)
    assert "A new line is open." in texts(pipeline)
    assert "A new line is open." not in texts(candidate)
    # Written there, it still has failed here, and waits for its time.
    again = synced(candidate).figures
    assert (again.failed, again.waiting, again.chunks_written) == (0, 1, 0)


def test_a_release_whose_model_is_not_to_be_had_is_told_and_the_rest_goes_on(
    pipeline: Pipeline, books: Books, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    synced(pipeline)
    pipeline.publish()
    candidate = with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 16}))
    monkeypatch.setattr(Hashing, "embedding_model", _gone(Hashing.embedding_model))
    changed(books)
    finished = synced(candidate)
    f = finished.figures
    assert (finished.status, f.added, f.changed, f.rebuilt) == ("some_failed", 1, 1, 1)
    assert finished.message == (
        "release 1 is published, and its table is not kept up to date any more: The embedder hashing needs the"
        " package fasthash: pip install fasthash"
    )
    monkeypatch.undo()
    assert synced(candidate).status == "done"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")


@pytest.mark.parametrize("safe", range(4))
def test_an_end_in_the_middle_of_the_published_table_is_mended(
    pipeline: Pipeline, candidate: Pipeline, books: Books, tmp_path: Path, safe: int
) -> None:
    synced(candidate)
    changed(books)
    # The connections are made anew for the published table: the fuse is laid into the store itself.
    with pytest.MonkeyPatch.context() as patch:
        store = type(candidate.place.config.store)
        connection = store.connection
        fuse = Fuse(safe, Killed())
        patch.setattr(
            store,
            "connection",
            lambda self, folder, namespace: FragileConnection(connection(self, folder, namespace), fuse),
        )
        workspace = Workspace(candidate.place.workspace.folder)
        with pytest.raises(Killed):
            synced(Pipeline(workspace, candidate.place.config, clock=candidate.place.clock))
    assert synced(candidate).status == "done"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")
    assert rows(candidate) == fresh(candidate, tmp_path / "own")
    assert (pipeline.verified().findings, candidate.verified().findings) == ((), ())


def test_a_service_that_is_away_is_asked_once_for_both(
    candidate: Pipeline, books: Books, clock: Clock, tmp_path: Path
) -> None:
    synced(candidate)
    books.texts["new"] = b"A new line is open."
    books.read_errors["new"] = ServiceError("the server answers 503")
    books.reads.clear()
    finished = synced(candidate)
    assert (books.reads, finished.figures.failed, finished.figures.release_failed) == (["new"], 1, 1)
    books.read_errors.clear()
    clock.forward(minutes=5)
    assert synced(candidate).status == "done"
    assert rows(candidate) == fresh(candidate, tmp_path / "own")


def at_another_price(pipeline: Pipeline, **changes: Any) -> Pipeline:
    """Publish at a tenth a token, and return another config at half that price, synced."""
    dear = with_config(pipeline, budget=Budget(price_per_million_tokens=100_000))
    synced(dear)
    dear.publish()
    cheap = with_config(pipeline, budget=Budget(price_per_million_tokens=50_000), **changes)
    synced(cheap)
    return cheap


def test_following_another_model_is_paid_at_the_price_it_was_published_with(
    pipeline: Pipeline, books: Books
) -> None:
    cheap = at_another_price(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 16}))
    books.texts["new"] = b"A new line is open."
    plan = cheap.plan()
    assert plan.release is not None
    prices = [one.expected.money / one.expected.tokens for one in (plan.plan, plan.release)]  # type: ignore[operator]
    assert prices == pytest.approx([0.05, 0.1], rel=0.05)
    # Six tokens, for each of the two.
    figures = synced(cheap).figures
    assert (figures.tokens, figures.money) == (12, pytest.approx(6 * 0.1 + 6 * 0.05))


def test_of_the_config_s_own_model_the_price_of_today_counts(pipeline: Pipeline, books: Books) -> None:
    cheap = at_another_price(pipeline, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9}))
    books.texts["new"] = b"A new line is open."
    figures = synced(cheap).figures
    assert figures.money == pytest.approx(figures.tokens * 0.05)


def test_publishing_again_keeps_the_price_of_today(pipeline: Pipeline) -> None:
    synced(pipeline)
    assert pipeline.publish()[0].price_per_million_tokens is None
    hurried = with_config(pipeline, budget=Budget(minutes=60, price_per_million_tokens=0))
    assert hurried.publish()[0].price_per_million_tokens is None
    priced = with_config(pipeline, budget=Budget(price_per_million_tokens=3))
    assert priced.publish()[0].price_per_million_tokens == 3
    assert len(pipeline.ledger.releases.all("library")) == 1


def test_what_is_gone_is_counted_for_each_of_the_two_tables(candidate: Pipeline, books: Books) -> None:
    synced(candidate)
    books.texts["depot"] += b" Changed."
    books.read_errors["depot"] = InputError("it answers 404", "gone")
    f = synced(candidate).figures
    assert (f.gone, f.removed, f.release_gone, f.release_removed) == (1, 1, 1, 1)


def test_the_published_table_has_the_money_first(pipeline: Pipeline, books: Books) -> None:
    # Ten documents of ten tokens for the candidate, one of five for what is published; money for about half.
    for number in range(10):
        books.texts[f"x{number}"] = b"Number %d of the trams is red and goes at noon." % number
    synced(pipeline)
    pipeline.publish()
    books.texts["new"] = b"A new line is open."
    chunker = plugins.build("chunkers", "fixed_size", {"size_tokens": 9})
    poor = with_config(pipeline, chunker=chunker, budget=Budget(money=5, price_per_million_tokens=100_000))
    finished = synced(poor)
    assert (finished.status, finished.figures.release_written) == ("stopped", 1)
    assert "A new line is open." in texts(pipeline)
    assert finished.figures.money <= 5
