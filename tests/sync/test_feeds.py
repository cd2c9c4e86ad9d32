"""A source with a feed of changes, end to end: what is listed, what is kept of it, and what an outage costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sync.feed import DRIVES, Drive, DriveSource
from tests.sync.shelf import Clock, fresh, made_config, new_books, rows, synced, texts, with_config
from workbench import plugins
from workbench.analysis import TextAnalysis
from workbench.contracts import Table
from workbench.errors import ServiceError
from workbench.sections import Deletes
from workbench.sync import Pipeline
from workbench.sync.events import GroupDone
from workbench.sync.publishing import GateRefused
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow


def drive_of(count: int) -> Drive:
    made = Drive()
    for number in range(count):
        made.put(f"f{number}", f"The tram {number} stops here.")
    DRIVES[made.name] = made
    return made


def pipeline_of(drive: Drive, folder: Path, clock: Clock) -> Pipeline:
    config = replace(made_config(new_books()), sources=(DriveSource(drive=drive.name),))
    return Pipeline(Workspace(folder), config, clock=clock)


@pytest.fixture
def drive() -> Iterator[Drive]:
    made = drive_of(7)
    yield made
    del DRIVES[made.name]


@pytest.fixture
def pipeline(drive: Drive, tmp_path: Path, clock: Clock) -> Pipeline:
    return pipeline_of(drive, tmp_path / "workspace", clock)


def asked_by_a_sync(pipeline: Pipeline, drive: Drive, **wishes: bool) -> list[str]:
    """Sync and return the pages that the drive was asked for."""
    drive.asked.clear()
    synced(pipeline, **wishes)
    return list(drive.asked)


def cursor(pipeline: Pipeline) -> str:
    found = pipeline.ledger.cursors("library").values()
    return next((cursor for _, cursor in found), "")


def held(pipeline: Pipeline) -> set[str]:
    return {item_id for _, item_id in pipeline.ledger.items("library")}


@pytest.mark.slow
def test_after_a_first_listing_only_changes_are_asked_for(pipeline: Pipeline, drive: Drive) -> None:
    assert asked_by_a_sync(pipeline, drive) == ["list f0", "list f2", "list f4", "list f6"]
    drive.reads.clear()
    assert asked_by_a_sync(pipeline, drive) == []
    drive.put("f1", "The tram 1 stops elsewhere.")
    drive.put("new", "A bus replaces it.")
    drive.trash("f2")
    drive.delete("f3")
    drive.put("short", "Gone before anybody saw it.")
    drive.delete("short")
    assert asked_by_a_sync(pipeline, drive) == ["changes 7", "changes 9", "changes 11"]
    assert sorted(drive.reads) == ["f1", "new"]
    assert held(pipeline) == {"f0", "f1", "f4", "f5", "f6", "new"}
    drive.trash("f2", trashed=False)
    synced(pipeline)
    assert "The tram 2 stops here." in texts(pipeline)


def test_what_a_sync_would_do_is_told_from_the_changes_and_moves_no_cursor(
    pipeline: Pipeline, drive: Drive
) -> None:
    synced(pipeline)
    drive.put("new", "A bus replaces it.")
    before = cursor(pipeline)
    found = pipeline.plan()
    plan, (said,) = found.plan, found.sources
    assert (said.items, said.changes, said.complete) == (1, True, False)
    assert [step.key[1] for step in plan.steps] == ["new"]
    assert (plan.removals, cursor(pipeline)) == ((), before)


def test_a_moved_file_is_neither_cut_nor_embedded_again_and_is_found_at_its_new_address(
    pipeline: Pipeline, drive: Drive
) -> None:
    synced(pipeline)
    drive.move("f4", "archive")
    finished = synced(pipeline)
    assert (finished.figures.unchanged, finished.figures.embedded, finished.figures.chunks_written) == (
        1,
        0,
        0,
    )
    uris = pipeline.answer("tram 4", k=7).uris.values()
    assert "drive://archive/f4.txt" in uris
    assert "drive://inbox/f4.txt" not in uris


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_first_listing_that_breaks_off_goes_on_behind_its_last_page(
    pipeline: Pipeline, drive: Drive, pages: int
) -> None:
    drive.breaks_after = pages
    finished = synced(pipeline)
    assert (finished.status, finished.figures.added) == ("some_failed", 2 * pages)
    drive.breaks_after = None
    drive.put("f0", "The tram 0 has moved on.")
    assert asked_by_a_sync(pipeline, drive) == [f"list f{n}" for n in range(2 * pages, 7, 2)]
    assert held(pipeline) == set(drive.files)
    assert asked_by_a_sync(pipeline, drive) == ["changes 7"]
    assert "The tram 0 has moved on." in texts(pipeline)


def test_a_feed_that_breaks_off_is_gone_on_with_and_deletes_nothing_it_did_not_name(
    pipeline: Pipeline, drive: Drive
) -> None:
    synced(pipeline)
    for number in range(4):
        drive.put(f"f{number}", f"The tram {number} is late.")
    drive.trash("f6")
    drive.breaks_after = 1
    assert synced(pipeline).figures.changed == 2
    assert len(held(pipeline)) == 7
    drive.breaks_after = None
    assert asked_by_a_sync(pipeline, drive) == ["changes 9", "changes 11"]
    assert held(pipeline) == {f"f{n}" for n in range(6)}


def test_what_a_feed_completed_may_be_published_and_what_broke_off_may_not(
    pipeline: Pipeline, drive: Drive
) -> None:
    drive.breaks_after = 2
    synced(pipeline)
    with pytest.raises(GateRefused, match="to the end"):
        pipeline.publish()
    drive.breaks_after = None
    synced(pipeline)
    assert pipeline.publish()[1].passed
    drive.put("new", "A bus replaces it.")
    synced(pipeline)
    assert pipeline.publish()[1].passed
    drive.put("f0", "The tram 0 is late.")
    drive.breaks_after = 0
    synced(pipeline)
    with pytest.raises(GateRefused, match="to the end"):
        pipeline.publish()


def test_while_a_file_fails_the_drive_is_listed_anew_so_that_the_file_is_met_again(
    pipeline: Pipeline, drive: Drive, clock: Clock
) -> None:
    drive.unreadable.add("f3")
    synced(pipeline)
    assert cursor(pipeline) == ""
    clock.forward(minutes=10)
    drive.unreadable.clear()
    assert len(asked_by_a_sync(pipeline, drive)) == 4
    assert held(pipeline) == set(drive.files)
    assert cursor(pipeline) == "changes 7"


def test_a_damaged_file_waits_for_another_version_for_another_config_or_for_somebody_who_asks(
    pipeline: Pipeline, drive: Drive
) -> None:
    drive.put("f3", "")
    synced(pipeline)
    assert asked_by_a_sync(pipeline, drive) == []
    other = with_config(pipeline, parser=plugins.build("parsers", "html"))
    assert len(asked_by_a_sync(other, drive)) == 4
    synced(pipeline)
    drive.reads.clear()
    pipeline.ledger.retry("library")
    assert len(asked_by_a_sync(pipeline, drive)) == 4
    assert drive.reads == ["f3"]
    drive.put("f3", "The tram 3 stops here again.")
    assert asked_by_a_sync(pipeline, drive) == ["changes 8"]
    assert "The tram 3 stops here again." in texts(pipeline)


def test_a_sync_that_is_stopped_loses_no_change(pipeline: Pipeline, drive: Drive) -> None:
    synced(pipeline)
    drive.put("new", "A bus replaces it.")
    drive.trash("f0")
    course = pipeline.sync()
    for event in course:
        if event.kind == "planned":
            break
    course.close()  # type: ignore[attr-defined]
    assert cursor(pipeline) == "changes 7"
    synced(pipeline)
    assert held(pipeline) == {"f1", "f2", "f3", "f4", "f5", "f6", "new"}


def test_deletions_that_are_refused_are_named_again_until_they_are_confirmed(
    pipeline: Pipeline, drive: Drive
) -> None:
    strict = with_config(pipeline, deletes=Deletes(min_present_ratio=0.9))
    synced(strict)
    for number in range(3):
        drive.trash(f"f{number}")
    assert synced(strict).figures.removed == 0
    assert synced(strict).figures.removed == 0
    assert synced(strict, confirmed=True).figures.removed == 3
    assert cursor(strict) == "changes 10"


def test_other_settings_a_wish_to_retry_and_an_old_cursor_begin_anew(
    pipeline: Pipeline, drive: Drive
) -> None:
    synced(pipeline)
    narrower = with_config(pipeline, sources=(DriveSource(drive=drive.name, folder="inbox"),))
    assert len(asked_by_a_sync(narrower, drive)) == 4
    assert asked_by_a_sync(narrower, drive) == []
    assert len(asked_by_a_sync(narrower, drive, retry_all=True)) == 4
    drive.delete("f0")
    drive.forgets_before = 8
    assert asked_by_a_sync(narrower, drive) == ["list f1", "list f3", "list f5"]
    assert held(pipeline) == set(drive.files)


def test_a_drive_that_was_taken_out_and_put_back_is_listed_anew(pipeline: Pipeline, drive: Drive) -> None:
    synced(pipeline)
    synced(with_config(pipeline, sources=()), confirmed=True)
    assert held(pipeline) == set()
    synced(pipeline)
    assert held(pipeline) == set(drive.files)


# ── two tables ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def candidate(pipeline: Pipeline) -> Pipeline:
    """Another config of a pipeline whose first one is published; both tables hold the drive."""
    synced(pipeline)
    pipeline.publish()
    made = with_config(pipeline, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9}))
    synced(made)
    return made


def test_a_change_that_is_named_once_reaches_both_tables(
    pipeline: Pipeline, candidate: Pipeline, drive: Drive, tmp_path: Path
) -> None:
    drive.put("new", "A bus replaces it.")
    drive.put("f1", "The tram 1 stops elsewhere.")
    drive.delete("f0")
    assert asked_by_a_sync(candidate, drive) == ["changes 7", "changes 9"]
    assert cursor(candidate) == "changes 10"
    assert asked_by_a_sync(candidate, drive) == []
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")
    assert rows(candidate) == fresh(candidate, tmp_path / "own")


def test_another_config_needs_no_listing_of_what_is_kept_here(pipeline: Pipeline, drive: Drive) -> None:
    synced(pipeline)
    drive.reads.clear()
    other = with_config(pipeline, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9}))
    assert asked_by_a_sync(other, drive) == []
    assert (drive.reads, len(texts(other))) == ([], 7)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_cursor_waits_until_both_tables_have_what_it_names(
    pipeline: Pipeline, candidate: Pipeline, drive: Drive, tmp_path: Path, groups: int
) -> None:
    drive.put("new", "A bus replaces it.")
    course = candidate.sync()
    written = 0
    for event in course:
        written += isinstance(event, GroupDone) and event.stage == "record"
        if written == groups:
            break
    course.close()  # type: ignore[attr-defined]
    assert cursor(candidate) == "changes 7"
    assert asked_by_a_sync(candidate, drive) == ["changes 7"]
    assert cursor(candidate) == "changes 8"
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")
    assert rows(candidate) == fresh(candidate, tmp_path / "own")


def test_a_failure_in_one_of_two_tables_has_the_drive_listed_anew(
    pipeline: Pipeline, candidate: Pipeline, drive: Drive, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunker = type(candidate.place.config.chunker)
    spans = chunker.spans

    def away(self: object, analysis: TextAnalysis) -> object:
        if "bus" in analysis.text:
            raise ServiceError("the service answers 503")
        return spans(self, analysis)  # type: ignore[arg-type]

    monkeypatch.setattr(chunker, "spans", away)
    drive.put("new", "A bus replaces it.")
    synced(candidate)
    assert cursor(candidate) == "changes 7"
    assert "A bus replaces it." in texts(pipeline)
    assert "A bus replaces it." not in texts(candidate)
    monkeypatch.undo()
    clock.forward(minutes=10)
    assert len(asked_by_a_sync(candidate, drive)) == 4
    assert "A bus replaces it." in texts(candidate)
    assert cursor(candidate) == "changes 8"


def test_a_damaged_file_lets_the_cursor_of_two_tables_move_on(candidate: Pipeline, drive: Drive) -> None:
    drive.put("f3", "")
    assert asked_by_a_sync(candidate, drive) == ["changes 7"]
    assert len(candidate.ledger.all_failures("library")) == 2
    assert asked_by_a_sync(candidate, drive) == []
    assert cursor(candidate) == "changes 8"
    assert candidate.plan().sources[0].changes


def test_a_published_table_that_gives_trouble_keeps_the_cursor_where_it_was(
    pipeline: Pipeline, candidate: Pipeline, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = type(candidate.place.opened_table())
    optimise, name = table.optimise, pipeline.place.table_name

    def full(self: Table) -> None:
        if self.info.name == name:
            raise ServiceError("the disk is full")
        optimise(self)  # type: ignore[arg-type]

    monkeypatch.setattr(table, "optimise", full)
    drive.put("new", "A bus replaces it.")
    assert "what is published is not all up to date: the disk is full" in synced(candidate).message
    assert "A bus replaces it." in texts(candidate)
    assert cursor(candidate) == "changes 7"
    monkeypatch.undo()
    assert asked_by_a_sync(candidate, drive) == ["changes 7"]
    assert cursor(candidate) == "changes 8"


def test_what_a_feed_removed_while_nobody_followed_a_table_leaves_it_later(
    pipeline: Pipeline, candidate: Pipeline, drive: Drive, tmp_path: Path
) -> None:
    candidate.publish()
    drive.delete("f0")
    synced(candidate)
    assert "The tram 0 stops here." in texts(pipeline)
    candidate.roll_back()
    drive.breaks_after = 0
    drive.put("f1", "The tram 1 stops elsewhere.")
    assert synced(candidate).figures.release_removed == 0, "it may be back: the feed was not heard"
    drive.breaks_after = None
    finished = synced(candidate)
    assert (finished.status, finished.figures.release_removed) == ("done", 1)
    assert rows(pipeline) == fresh(pipeline, tmp_path / "published")


STEPS = st.one_of(
    st.tuples(
        st.just("put"), st.sampled_from("abcdef"), st.sampled_from(["The tram stops.", "It rains.", "A bus."])
    ),
    st.tuples(st.just("trash"), st.sampled_from("abcdef")),
    st.tuples(st.just("restore"), st.sampled_from("abcdef")),
    st.tuples(st.just("delete"), st.sampled_from("abcdef")),
    st.tuples(st.just("move"), st.sampled_from("abcdef")),
    st.tuples(st.just("sync"), st.integers(0, 5)),
    st.tuples(st.just("fail"), st.sampled_from("abcdef")),
    st.tuples(st.just("forget")),
)


def take(drive: Drive, step: tuple[object, ...], pipeline: Pipeline, clock: Clock) -> None:
    what, *about = step
    file_id = str(about[0]) if about else ""
    if what == "put":
        drive.put(file_id, str(about[1]))
    elif what == "sync":
        drive.breaks_after = int(file_id)
        synced(pipeline, confirmed=True)
        drive.breaks_after = None
        clock.forward(hours=1)
    elif what == "fail":
        drive.unreadable ^= {file_id}
    elif what == "forget":
        drive.forgets_before = len(drive.log)
    elif file_id in drive.files:
        acts = {"delete": drive.delete, "trash": drive.trash}
        if what in acts:
            acts[str(what)](file_id)
        elif what == "restore":
            drive.trash(file_id, trashed=False)
        else:
            drive.move(file_id, "elsewhere")


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_any_changes_and_outages_end_where_a_fresh_build_does(steps: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder:
        drive, clock = drive_of(0), Clock()
        pipeline = pipeline_of(drive, Path(folder) / "workspace", clock)
        for step in steps:
            take(drive, step, pipeline, clock)
        drive.unreadable.clear()
        clock.forward(days=30)
        synced(pipeline, confirmed=True)
        # The second one asks the feed what changed while a broken listing was completed.
        synced(pipeline, confirmed=True)
        assert held(pipeline) == {i for i, file in drive.files.items() if not file.trashed}
        assert rows(pipeline) == fresh(pipeline, Path(folder) / "fresh")
        assert pipeline.verified().findings == ()
        del DRIVES[drive.name]
