"""What a source cannot list is a failure with a name: it shuts no gate for ever, and deletes nothing unasked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sync.shelf import SENTENCES, TEXTS, Books, Clock, made_config, synced, texts, with_config
from workbench import plugins
from workbench.commands.sync_report import report
from workbench.commands.terminal import Output
from workbench.contracts import Fault
from workbench.errors import InputError
from workbench.sections import Failures
from workbench.sync import Pipeline, events
from workbench.sync.publishing import GateRefused
from workbench.sync.run import Wishes
from workbench.workspace import Workspace

ROW = Fault("table, row 17", "table, row 17 has nothing in the column 'id'")
TWICE = Fault("table, row 18", "table, row 18 has the id of row 2; row 2 counts", hides=False)


def without_depot() -> list[str]:
    return [text for text in SENTENCES if "depot" not in text and "closes" not in text]


def test_what_cannot_be_listed_is_counted_named_and_forgotten_once_it_is_mended(
    pipeline: Pipeline, books: Books, clock: Clock
) -> None:
    books.faults = (ROW, TWICE)
    seen = list(pipeline.sync())
    (listed,) = [event for event in seen if isinstance(event, events.SourceListed)]
    assert (listed.items, listed.unlisted, listed.complete) == (3, 2, False)
    finished = seen[-1]
    assert isinstance(finished, events.Finished)
    assert (finished.status, finished.figures.unlisted, finished.figures.failed) == ("some_failed", 2, 0)
    assert finished.message.endswith(
        ": 2 items could not be listed: table, row 17 has nothing in the column 'id'; table, row 18 has the id of"
        " row 2; row 2 counts"
    )
    clock.forward(hours=1)
    books.faults = (ROW,)
    synced(pipeline)
    (kept,) = pipeline.ledger.unlisted.all("library")
    assert (kept.name, kept.message, kept.hides, kept.run_id) == (ROW.name, ROW.message, True, 2)
    assert (kept.first_at_utc[11:16], kept.last_at_utc[11:16]) == ("12:00", "13:00")
    books.faults = ()
    assert synced(pipeline).status == "done"
    assert pipeline.ledger.unlisted.all("library") == []


def test_only_what_is_complete_but_for_faults_is_said_to_wait_for_a_confirmation(
    pipeline: Pipeline, books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    books.faults = (ROW,)
    report(pipeline.sync(), Output(as_json=False))
    assert "3 items, 1 could not be listed (deletions wait for --confirm-deletes)" in capsys.readouterr().err
    books.problem = "a drawer stays shut"
    del books.texts["depot"]
    report(pipeline.sync(Wishes(confirmed=True)), Output(as_json=False))
    said = capsys.readouterr().err
    assert "2 items, 1 could not be listed (not complete: nothing of it is deleted)" in said
    assert texts(pipeline) == SENTENCES


def test_a_listing_that_broke_off_says_nothing_of_what_could_not_be_listed(
    pipeline: Pipeline, books: Books
) -> None:
    books.faults = (ROW,)
    synced(pipeline)
    books.breaks_after = 1
    assert synced(pipeline).figures.unlisted == 0
    assert len(pipeline.ledger.unlisted.all("library")) == 1
    synced(pipeline, stored=True)
    assert len(pipeline.ledger.unlisted.all("library")) == 1


def test_with_a_source_that_left_the_config_its_faults_go(pipeline: Pipeline, books: Books) -> None:
    books.faults = (ROW,)
    synced(pipeline)
    synced(with_config(pipeline, sources=()))
    assert pipeline.ledger.unlisted.all("library") == []


def test_a_plan_keeps_nothing_of_what_cannot_be_listed(pipeline: Pipeline, books: Books) -> None:
    books.faults = (ROW,)
    pipeline.plan()
    assert pipeline.ledger.unlisted.all("library") == []


# ── deletions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_missing_may_be_what_could_not_be_listed_so_it_stays_until_somebody_confirms(
    pipeline: Pipeline, books: Books
) -> None:
    synced(pipeline)
    books.faults = (ROW,)
    assert synced(pipeline).message.count("nothing was deleted") == 0
    del books.texts["depot"]
    finished = synced(pipeline)
    assert (finished.figures.removed, texts(pipeline)) == (0, SENTENCES)
    assert (
        "1 known item is missing, and 1 that could not be listed may be the same: nothing was deleted; mend it, or"
        " confirm if what is missing is meant to go"
    ) in finished.message
    assert synced(pipeline, confirmed=True).figures.removed == 1
    assert texts(pipeline) == without_depot()


def test_once_it_is_mended_what_is_gone_leaves_by_itself(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.faults = (ROW,)
    del books.texts["depot"]
    synced(pipeline)
    books.faults = ()
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed) == ("done", 1)


def test_what_hides_nothing_keeps_nothing_from_leaving(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    books.faults = (TWICE,)
    del books.texts["depot"]
    finished = synced(pipeline)
    assert (finished.status, finished.figures.removed, finished.figures.unlisted) == ("some_failed", 1, 1)


def test_an_id_that_was_lost_and_comes_back_costs_nothing(pipeline: Pipeline, books: Books) -> None:
    synced(pipeline)
    depot = books.texts.pop("depot")
    books.faults = (ROW,)
    synced(pipeline)
    books.texts["depot"], books.faults = depot, ()
    figures = synced(pipeline).figures
    assert (figures.kept, figures.embedded, figures.chunks_written) == (3, 0, 0)


def test_beside_what_cannot_be_listed_moved_and_vanished_items_leave_as_ever(
    pipeline: Pipeline, books: Books
) -> None:
    books.texts["night"] = b"The night bus leaves at two."
    synced(pipeline)
    books.faults = (ROW,)
    books.texts["sub/red"] = books.texts.pop("red")
    books.texts["fares"] += b" Changed."
    books.read_errors["fares"] = InputError("it answers 404", "gone")
    del books.texts["depot"]
    finished = synced(pipeline)
    assert (finished.figures.added, finished.figures.removed) == (1, 2)
    assert "1 known item is missing" in finished.message
    assert {key[1] for key in pipeline.ledger.items("library")} == {"sub/red", "depot", "night"}
    books.reads.clear()
    assert synced(pipeline).figures.waiting == 1
    assert books.reads == [], "what is gone is not asked for by every run"


def test_rows_that_no_ledger_knows_stay_while_something_could_not_be_listed(
    pipeline: Pipeline, books: Books, tmp_path: Path
) -> None:
    synced(pipeline)
    for path in (tmp_path / "pipelines").glob("ledger.db*"):
        path.unlink()
    again = Pipeline(pipeline.place.workspace, pipeline.place.config)
    del books.texts["depot"]
    books.faults = (ROW,)
    synced(again)
    assert texts(again) == SENTENCES
    books.faults = ()
    synced(again)
    assert texts(again) == without_depot()


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_few_that_could_not_be_listed_leave_the_gate_open_and_are_told(
    pipeline: Pipeline, books: Books
) -> None:
    books.faults = (ROW,)
    lenient = with_config(pipeline, failures=Failures(max_ratio=0.25))
    synced(lenient)
    result = lenient.publish()[1]
    assert result.notes == (
        "1 item beside the 3 known could not be listed; the first is table, row 17: table, row 17 has nothing in the"
        " column 'id'",
    )


@pytest.mark.parametrize("bad", [False, True])
def test_what_could_not_be_listed_and_what_failed_count_together(
    pipeline: Pipeline, books: Books, bad: bool
) -> None:
    books.faults = (replace(ROW, items=2),)
    if bad:
        books.texts["bad"] = b"  "
    lenient = with_config(pipeline, failures=Failures(max_ratio=0.4))
    synced(lenient)
    if not bad:
        assert lenient.publish()[1].passed
        return
    with pytest.raises(GateRefused) as caught:
        lenient.publish()
    (reason,) = caught.value.result.reasons
    assert reason.startswith(
        "1 of 4 documents could not be brought into the table and about 2 items beside the 4 known could not be"
        " listed, more than failures.max_ratio (0.4) allows; the first is bad: "
    )


def test_a_table_with_a_row_without_an_id_is_published_and_deletes_once_confirmed(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"

    def write(*rows: str) -> None:
        table.write_text("\n".join(["id,text", *rows]) + "\n")

    rows = [f"{name},{text.decode()}" for name, text in TEXTS.items()]
    settings = {"path": "table.csv", "id_column": "id", "text_columns": ["text"]}
    config = replace(
        made_config(Books("unused"), failures=Failures(max_ratio=0.3)),
        sources=(plugins.build("sources", "csv_file", settings),),
    )
    pipeline = Pipeline(Workspace(tmp_path / "workspace"), config, tmp_path)
    write(*rows, ",It has no id.", "red,It is there twice.")
    assert (synced(pipeline).figures.added, len(pipeline.ledger.unlisted.all("library"))) == (3, 2)
    with pytest.raises(GateRefused, match="2 items beside the 3 known could not be listed, more than"):
        pipeline.publish()
    write(*rows, ",It has no id.")
    synced(pipeline)
    assert pipeline.publish()[1].passed
    write(*rows[1:], ",It has no id.")
    assert synced(pipeline).figures.removed == 0
    assert synced(pipeline, confirmed=True).figures.removed == 1
