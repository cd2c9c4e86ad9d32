"""A source that holds half a file for a while: no table loses the earlier version for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import (
    CUT_OFF,
    half,
    one_line_pages,
    page_that_fails_alone_pdf,
    tram_pdf,
    without_end,
    without_last_page,
)
from tests.sync.fragile import Fuse, Killed, with_fuse
from tests.sync.shelf import Books, Clock, fresh, made_config, rows, synced, texts, with_config
from workbench import plugins
from workbench.parsers.pdf import Pdf
from workbench.sections import Evaluate
from workbench.sync import Pipeline, events
from workbench.sync.publishing import GateRefused
from workbench.sync.run import Wishes
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[1] / "parsers/cases"
WHOLE = one_line_pages("The tram stops at red.", "It goes at white.")
NEXT = one_line_pages("The tram stops at blue.", "It goes at white.")
HALF, NEXT_HALF = without_last_page(WHOLE), without_last_page(NEXT)
DEPOT = one_line_pages("The depot opens at four.")
OF_HALF = ["The tram stops at red."]
OF_WHOLE = ["It goes at white.", "The tram stops at red."]
OF_NEXT = ["It goes at white.", "The tram stops at blue."]
STAYS = f"{CUT_OFF}, so the earlier version stays until the source has the whole file"

ONE_IN_PART = (
    "1 document is in the table only in part, and what is missing of it counts as not found; the first is red.pdf: "
    + CUT_OFF
)


@pytest.fixture
def books(books: Books) -> Books:
    books.texts, books.suffix = {"red": WHOLE}, ".pdf"
    return books


@pytest.fixture
def pipeline(tmp_path: Path, books: Books, clock: Clock) -> Pipeline:
    return Pipeline(Workspace(tmp_path), made_config(books), clock=clock)


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
    assert (finished.status, finished.message) == ("done", f"1 document was partly read: red.pdf ({CUT_OFF})")
    assert [event for event in course if isinstance(event, events.ItemPartlyRead)] == [
        events.ItemPartlyRead(pipeline.place.config.sources[0].key, "red", "red.pdf", CUT_OFF)
    ]
    attempts = pipeline.ledger.runs.attempts(finished.run_id)
    assert [(one.outcome, one.message) for one in attempts] == [("written", f"partly read: {CUT_OFF}")]
    assert pipeline.ledger.runs.run(finished.run_id).message == finished.message
    assert texts(pipeline) == OF_HALF
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
    assert finished.message == f"1 document was partly read: red.pdf ({CUT_OFF})"
    assert texts(candidate) == texts(pipeline)


def test_a_table_of_another_parser_lacks_it_and_the_gate_counts_it(pipeline: Pipeline, books: Books) -> None:
    books.texts["depot"] = DEPOT
    synced(pipeline)
    pipeline.publish(force=True)
    books.texts["red"] = NEXT_HALF

    candidate = with_config(pipeline, parser=Pdf(remove_repeated=True))
    assert synced(candidate).figures.failed == 1
    assert texts(candidate) == ["The depot opens at four."]
    with pytest.raises(GateRefused, match="1 of 2 documents could not be brought into the table"):
        candidate.publish()
    assert texts(pipeline) == sorted([*OF_WHOLE, "The depot opens at four."])


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
    assert (finished.status, finished.message) == ("done", f"1 document was partly read: red.pdf ({CUT_OFF})")


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


@pytest.mark.parametrize("mark", [b"%%EOF", b"startxref", b"trailer", b"xref\n"])
def test_a_pdf_in_a_folder_is_never_replaced_by_half_of_it_nor_stuck_without_its_end(
    tmp_path: Path, clock: Clock, mark: bytes
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    source = plugins.build("sources", "pdf_folder", {"path": str(folder)})
    made = Pipeline(Workspace(tmp_path / "w"), made_config(Books(""), size=30), clock=clock)
    pipeline = with_config(made, sources=(source,))
    red, blue, white = (tram_pdf(colour) for colour in ("red", "blue", "white"))
    course = [
        (red, "red", 0),
        (half(blue), "red", 1),
        (blue, "blue", 0),
        (without_end(white, mark), "white", 0),
        (without_end(red, mark), "red", 0),
        (half(blue), "red", 1),
        (without_end(blue, mark), "blue", 0),
    ]
    for content, colour, failed in course:
        (folder / "a.pdf").write_bytes(content)
        assert synced(pipeline).figures.failed == failed
        found = texts(pipeline)
        assert {word for text in found for word in ("red", "blue", "white") if word in text} == {colour}
        assert any("Tram 9 stops" in text for text in found)


def test_half_a_download_is_taken_until_its_source_has_the_whole_one(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    books.texts["red"] = (CASES / "pdf_half_download.pdf").read_bytes()
    books.texts["fares"] = (CASES / "pdf_truncated_table.pdf").read_bytes()
    finished = synced(pipeline)
    assert finished.status == "done"
    assert finished.message == f"2 documents were partly read: red.pdf ({CUT_OFF}), fares.pdf ({CUT_OFF})"
    taken = len(texts(pipeline))
    books.texts["red"] = (CASES / "pdf_whole.pdf").read_bytes()
    assert synced(pipeline).figures.failed == 0
    assert len(texts(pipeline)) > taken
    whole = texts(pipeline)
    books.texts["red"] = (CASES / "pdf_half_download.pdf").read_bytes()
    assert synced(pipeline).figures.failed == 1
    assert texts(pipeline) == whole


def test_the_gate_says_how_many_documents_are_in_the_table_only_in_part_and_stays_open(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts = {"red": HALF, "depot": DEPOT, "pages": page_that_fails_alone_pdf()}
    synced(pipeline)
    release, result = pipeline.publish()
    assert (result.passed, result.partly_read) == (True, 2)
    assert result.notes == (
        "2 documents are in the table only in part, and what is missing of them counts as not found; the first is"
        " pages.pdf: 1 page cannot be read",
    )
    assert (release.forced, release.gate["partly_read"]) == (False, 2)
    books.texts |= {"red": WHOLE, "pages": DEPOT + b"\n"}
    synced(pipeline)
    assert pipeline.publish()[1].notes == ()


def test_a_gate_that_asks_questions_tells_of_a_half_document_whatever_its_figures_say(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    books.texts = {"red": HALF, "depot": DEPOT}
    asked = tmp_path / "questions.csv"
    asked.write_text(
        "question,expected text,document\nWhen does the depot open?,The depot opens at four.,depot\n"
    )
    synced(pipeline)
    for metric, minimum, passed in (("recall@1", 0.5, True), ("recall@1", 1.0, True), ("mrr@5", 1.0, True)):
        evaluate = Evaluate(questions=str(asked), metric=metric, minimum=minimum)
        result = with_config(pipeline, evaluate=evaluate).publish()[1]
        assert (result.passed, result.partly_read) == (passed, 1)
        assert result.notes == (ONE_IN_PART,)
    lost = Evaluate(questions=str(tmp_path / "nowhere.csv"), metric="recall@1", minimum=0.5)
    with pytest.raises(GateRefused) as refused:
        with_config(pipeline, evaluate=lost).publish()
    assert (refused.value.result.partly_read, refused.value.result.notes) == (1, (ONE_IN_PART,))


def test_half_a_version_that_another_table_still_shows_is_in_part_in_a_table_made_later_too(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts = {"red": HALF}
    synced(pipeline)
    books.texts = {"red": NEXT_HALF}
    assert synced(pipeline).figures.failed == 1
    candidate = other_model(pipeline)
    synced(candidate)
    assert texts(candidate) == texts(pipeline) == OF_HALF
    assert candidate.publish()[1].notes == (ONE_IN_PART,)


def _id(pipeline: Pipeline) -> str:
    [item] = pipeline.ledger.items("library").values()
    return item.document_id
