"""A source that holds half a file for a while: no table loses the earlier version for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.closing_line import CUT_OFF, END, ClosingLine, NextClosingLine, TrailingPdf
from tests.documents.raw_pdf import paged_pdf, stream, text_lines
from tests.sync.fragile import Fuse, Killed, with_fuse
from tests.sync.shelf import Books, Clock, fresh, made_config, rows, synced, texts, with_config
from workbench import plugins
from workbench.sync import Pipeline, events
from workbench.sync.publishing import GateRefused
from workbench.sync.run import Wishes
from workbench.workspace import Workspace

WHOLE = f"The tram stops at red. It goes at white. {END}".encode()
HALF = b"The tram stops at red. It go"
NEXT = f"The tram stops at blue. It goes at white. {END}".encode()
NEXT_HALF = b"The tram stops at blue. It go"
OF_WHOLE = [f"It goes at white. {END}", "The tram stops at red."]
OF_NEXT = [f"It goes at white. {END}", "The tram stops at blue."]
STAYS = f"{CUT_OFF}, so the earlier version stays until the source has the whole file"


@pytest.fixture
def books(books: Books) -> Books:
    books.texts = {"red": WHOLE}
    return books


@pytest.fixture
def pipeline(tmp_path: Path, books: Books, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    known = plugins.plugin_class

    def plugin_class(family: str, name: str) -> Any:
        return ClosingLine if (family, name) == ("parsers", "closing_line") else known(family, name)

    # A release is read back from YAML, where parsers have names.
    monkeypatch.setattr(plugins, "plugin_class", plugin_class)
    made = Pipeline(Workspace(tmp_path), made_config(books), clock=clock)
    return with_config(made, parser=ClosingLine())


def other_model(pipeline: Pipeline) -> Pipeline:
    return with_config(pipeline, embedder=plugins.build("embedders", "hashing", {"dimension": 128}))


def failures(pipeline: Pipeline) -> list[tuple[str, str, str, str]]:
    place = pipeline.place
    found = pipeline.ledger.failures(place.name, place.table_name).values()
    return [(one.item_id, one.stage, one.kind, one.message) for one in found]


def planned(pipeline: Pipeline) -> dict[str, int]:
    return {action.value: count for action, count in pipeline.plan().plan.counts.items() if count}


def test_half_a_new_version_is_a_listed_failure_and_the_last_good_one_stays(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    before = rows(pipeline)
    books.texts["red"] = NEXT_HALF
    finished = synced(pipeline)
    f = finished.figures
    assert (finished.status, f.failed, f.changed, f.removed) == ("some_failed", 1, 0, 0)
    assert failures(pipeline) == [("red", "parse", "damaged", STAYS)]
    assert rows(pipeline) == before
    assert pipeline.verified().findings == ()
    assert planned(pipeline) == {"wait": 1}
    again = synced(pipeline).figures
    assert (again.waiting, again.failed, again.bytes_read) == (1, 0, 0)


def test_half_a_version_that_was_kept_is_no_better_for_a_later_run(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.texts["red"] = NEXT_HALF
    synced(pipeline)
    for wishes in ({"retry_all": True}, {"retry_all": True, "stored": True}):
        assert synced(pipeline, **wishes).figures.failed == 1
        assert texts(pipeline) == OF_WHOLE
    # Also where the rows are made anew from what is kept.
    pipeline.place.ledger.doubt("library", pipeline.place.table_name, [_id(pipeline)])
    assert synced(pipeline, retry_all=True).figures.failed == 1
    assert texts(pipeline) == OF_WHOLE


def test_what_is_whole_again_replaces_it_and_half_of_the_next_is_a_failure_again(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    for content in (WHOLE, NEXT_HALF, NEXT, HALF, NEXT_HALF, WHOLE):
        books.texts["red"] = content
        finished = synced(pipeline)
        assert finished.figures.failed == (content in (HALF, NEXT_HALF))
        assert finished.figures.removed == 0
        assert len(texts(pipeline)) == 2
    assert failures(pipeline) == []
    assert rows(pipeline) == fresh(pipeline, tmp_path / "fresh")


def test_what_can_be_read_of_a_new_file_is_taken_and_the_run_lists_it_without_failing(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts["red"] = HALF
    *course, finished = pipeline.sync(Wishes())
    assert isinstance(finished, events.Finished)
    assert (finished.status, finished.message) == ("done", f"1 document was partly read: red.txt ({CUT_OFF})")
    assert [event for event in course if isinstance(event, events.ItemPartlyRead)] == [
        events.ItemPartlyRead(pipeline.place.config.sources[0].key, "red", "red.txt", CUT_OFF)
    ]
    attempts = pipeline.ledger.runs.attempts(finished.run_id)
    assert [(one.outcome, one.message) for one in attempts] == [("written", f"partly read: {CUT_OFF}")]
    assert pipeline.ledger.runs.run(finished.run_id).message == finished.message
    assert texts(pipeline) == [HALF.decode()]
    assert planned(pipeline) == {"keep": 1}
    assert pipeline.verified().findings == ()
    books.texts["red"] = WHOLE
    assert synced(pipeline).message == ""
    assert texts(pipeline) == OF_WHOLE


def test_the_published_table_and_one_made_later_show_the_last_good_version(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    synced(pipeline)
    pipeline.publish(force=True)
    books.texts["red"] = NEXT_HALF
    candidate = other_model(pipeline)
    finished = synced(candidate)
    assert (finished.figures.failed, finished.figures.release_failed) == (1, 1)
    assert texts(candidate) == texts(pipeline) == OF_WHOLE
    assert failures(candidate) == failures(pipeline) == [("red", "parse", "damaged", STAYS)]
    assert synced(candidate).figures.waiting == 1
    assert (candidate.verified().findings, pipeline.verified().findings) == ((), ())
    books.texts["red"] = NEXT
    assert synced(candidate).status == "done"
    assert texts(candidate) == texts(pipeline) == OF_NEXT
    assert rows(candidate) == fresh(candidate, tmp_path / "own")


def test_a_table_made_later_takes_what_another_one_took_for_want_of_a_whole_version(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts["red"] = HALF
    synced(pipeline)
    candidate = other_model(pipeline)
    finished = synced(candidate)
    assert (finished.status, finished.figures.failed) == ("done", 0)
    assert finished.message == f"1 document was partly read: red.txt ({CUT_OFF})"
    assert texts(candidate) == texts(pipeline)


def test_a_table_of_another_parser_lacks_it_and_the_gate_counts_it(pipeline: Pipeline, books: Books) -> None:
    books.texts["depot"] = f"The depot opens at four. {END}".encode()
    synced(pipeline)
    pipeline.publish(force=True)
    books.texts["red"] = NEXT_HALF

    candidate = with_config(pipeline, parser=NextClosingLine())
    assert synced(candidate).figures.failed == 1
    assert texts(candidate) == sorted(["The depot opens at four.", END])
    with pytest.raises(GateRefused, match="1 of 2 documents could not be brought into the table"):
        candidate.publish()
    assert texts(pipeline) == sorted([*OF_WHOLE, "The depot opens at four.", END])


@pytest.mark.parametrize("safe", range(2))
def test_a_whole_version_whose_writing_was_cut_short_is_written_although_half_of_the_next_came(
    pipeline: Pipeline, books: Books, safe: int
) -> None:
    with pytest.raises(Killed):
        synced(with_fuse(pipeline, Fuse(safe, Killed())))
    books.texts["red"] = NEXT_HALF
    assert synced(pipeline).figures.failed == 1
    assert texts(pipeline) == OF_WHOLE
    assert pipeline.verified().findings == ()


def test_half_a_file_whose_writing_was_cut_short_is_still_listed(pipeline: Pipeline, books: Books) -> None:
    books.texts["red"] = HALF
    with pytest.raises(Killed):
        synced(with_fuse(pipeline, Fuse(1, Killed())))
    finished = synced(pipeline)
    assert (finished.status, finished.message) == ("done", f"1 document was partly read: red.txt ({CUT_OFF})")


def test_a_source_without_versions_looks_again_and_takes_the_whole_file(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.versions = False
    synced(pipeline)
    books.texts["red"] = NEXT_HALF
    assert synced(pipeline).figures.failed == 1
    assert synced(pipeline).figures.waiting == 1
    clock.forward(minutes=6)
    assert synced(pipeline).figures.failed == 1
    books.texts["red"] = NEXT
    # Its size says so at once.
    assert synced(pipeline).figures.failed == 0
    assert texts(pipeline) == OF_NEXT


@pytest.mark.slow
def test_a_pdf_in_a_folder_is_never_replaced_by_half_of_it_nor_stuck_without_its_last_line(
    tmp_path: Path, clock: Clock
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    source = plugins.build("sources", "pdf_folder", {"path": str(folder)})
    made = Pipeline(Workspace(tmp_path / "w"), made_config(Books(""), size=30), clock=clock)
    pipeline = with_config(made, parser=TrailingPdf(), sources=(source,))
    red, blue, white = (pages_pdf(colour) for colour in ("red", "blue", "white"))
    course = [
        (red, "red", 0),
        (blue[: len(blue) // 2], "red", 1),
        (blue, "blue", 0),
        (white.removesuffix(b"%%EOF\n"), "white", 0),
        (red.removesuffix(b"%%EOF\n"), "red", 0),
        (blue[: len(blue) // 2], "red", 1),
        (blue.removesuffix(b"%%EOF\n"), "blue", 0),
    ]
    for content, colour, failed in course:
        (folder / "a.pdf").write_bytes(content)
        assert synced(pipeline).figures.failed == failed
        found = texts(pipeline)
        assert {word for text in found for word in ("red", "blue", "white") if word in text} == {colour}
        assert any("Tram 9 stops" in text for text in found)


def pages_pdf(colour: str) -> bytes:
    return paged_pdf([stream(text_lines([f"Tram {number} stops at {colour}."] * 20)) for number in range(10)])


def _id(pipeline: Pipeline) -> str:
    [item] = pipeline.ledger.items("library").values()
    return item.document_id
