"""The ledger keeps what it is told, brings old files up to date, and lets several processes at it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from workbench.database import Database
from workbench.errors import InputError, ServiceError
from workbench.ingest import runs as runs_module
from workbench.ingest.entries import WRITING, WRITTEN, Attempt, Failure, Figures, Item, State, Timing
from workbench.ingest.ledger import STYLE, Ledger
from workbench.ingest.schema import MIGRATIONS

AT = "2026-03-01T12:00:00+00:00"
ITEM = Item("s", "a", "d", "1", "v", "h", "a.txt", "file:a", 9, {"title": "“A” ü"})
STATE = State("d", "s", "a", WRITING, "r:h", "k", "p", "file:a", 2, 20)
FAILURE = Failure("s", "a", "a.txt", "1", "f", "read", "X", "no", True, 1, AT, AT, AT, 1, "t")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "deep" / "ledger.db")


def test_intent_and_result_are_kept_apart(ledger: Ledger) -> None:
    ledger.note_failure("p", FAILURE)
    ledger.intend("p", "t", [STATE], [ITEM], AT)
    assert ledger.items("p") == {("s", "a"): ITEM}
    assert ledger.states("p", "t") == {"d": STATE}
    assert ledger.failures("p") == {("s", "a"): FAILURE}
    done = replace(STATE, status=WRITTEN)
    ledger.record("p", "t", [done])
    assert ledger.states("p", "t") == {"d": done}
    assert ledger.failures("p") == {}
    assert ([*ledger.parse_keys()], [*ledger.content_hashes()], ledger.tables("p")) == (["p"], ["h"], ["t"])


def test_pipelines_and_tables_do_not_see_each_other(ledger: Ledger) -> None:
    ledger.intend("p", "t", [STATE], [ITEM], AT)
    assert (ledger.items("q"), ledger.states("p", "u"), ledger.states("q", "t")) == ({}, {}, {})


def test_a_removal_forgets_the_item(ledger: Ledger) -> None:
    ledger.record("p", "t", [replace(STATE, status=WRITTEN)], [ITEM], AT)
    ledger.intend_removal("p", "t", ["d"])
    assert ledger.states("p", "t")["d"].status == "removing"
    ledger.record_removal("p", "t", ["d"], [("s", "a")])
    assert (ledger.states("p", "t"), ledger.items("p")) == ({}, {})


def test_failures_of_each_table_are_kept_apart(ledger: Ledger) -> None:
    other = replace(FAILURE, table_name="u", message="no there as well")
    ledger.note_failure("p", FAILURE)
    ledger.note_failure("p", other)
    assert (ledger.failures("p", "t"), ledger.failures("p", "u")) == (
        {("s", "a"): FAILURE},
        {("s", "a"): other},
    )
    ledger.forget_failures("p", "t", [("s", "a")])
    assert ledger.all_failures("p") == [other]
    ledger.keep_failures_of("p", ["t"])
    assert ledger.all_failures("p") == []


def test_failures_of_an_earlier_version_belong_to_the_table_of_their_run(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Database(path, MIGRATIONS[:1], STYLE).writing() as database:
        database.execute("INSERT INTO runs VALUES (1, 'p', 't', 'done', '', '', NULL, '{}')")
        marks = ", ".join("?" * 15)
        row = ("p", "s", "a", "a.txt", "1", "f", "read", "X", "no", 1, 1, AT, AT, AT, 1)
        database.execute(f"INSERT INTO failures VALUES ({marks})", row)
    assert Ledger(path).failures("p", "t") == {("s", "a"): FAILURE}


def test_states_of_an_earlier_version_say_nothing_of_what_was_partly_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    values = ("p", "t", "d", "s", "a", WRITING, "r:h", "k", "p", "file:a", 2, 20)
    with Database(path, MIGRATIONS[:1], STYLE).writing() as database:
        database.execute(
            "INSERT INTO states (pipeline, table_name, document_id, source, item_id, status, recipe, state_key,"
            f" parse_key, uri, chunk_count, token_count) VALUES ({', '.join('?' * len(values))})",
            values,
        )
    ledger = Ledger(path)
    assert ledger.states("p", "t") == {"d": STATE}
    partly = replace(STATE, status=WRITTEN, partly_read="the file was cut off")
    ledger.record("p", "t", [partly])
    assert ledger.states("p", "t") == {"d": partly}


def test_a_failed_item_becomes_due_on_demand(ledger: Ledger) -> None:
    ledger.note_failure("p", replace(FAILURE, retryable=False, attempts=8))
    assert ledger.retry("p", [("s", "other")], AT) == 0
    assert ledger.retry("p", [("s", "a")], AT) == 1
    found = ledger.failures("p")["s", "a"]
    assert (found.retryable, found.attempts, found.next_try_utc) == (True, 0, AT)
    assert ledger.retry("p", None, AT) == 1


def test_a_run_that_never_ended_is_called_interrupted_when_the_next_begins(ledger: Ledger) -> None:
    first = ledger.runs.begin("p", "t", AT)
    second = ledger.runs.begin("p", "t", AT)
    ledger.runs.note(
        second, Figures(added=1), [Timing("read", 0.5, 1)], [Attempt("s", "a", "add", "written")]
    )
    ledger.runs.end(
        second, "done", "", AT, Figures(added=2, money=0.5), [Timing("read", 1.5, 2)], [Attempt("s", "b", "add", "written")]
    )  # fmt: skip
    assert [(run.id, run.status) for run in ledger.runs.recent("p")] == [
        (second, "done"),
        (first, "interrupted"),
    ]
    assert ledger.runs.run(second).figures == Figures(added=2, money=0.5)
    assert ledger.runs.timings(second) == [Timing("read", 1.5, 2)]
    assert [attempt.item_id for attempt in ledger.runs.attempts(second)] == ["a", "b"]
    assert ledger.pipelines() == ["p"]
    with pytest.raises(InputError, match="there is no run 99"):
        ledger.runs.run(99)


def test_a_run_keeps_which_sources_it_listed_to_their_end(ledger: Ledger) -> None:
    whole, other, stored = (ledger.runs.begin("p", table, AT) for table in ("t", "u", "t"))
    ledger.runs.end(whole, "done", "", AT, Figures(), [], [], {"b", "a"})
    ledger.runs.end(other, "stopped", "", AT, Figures(), [], [], set())
    ledger.runs.end(stored, "some_failed", "", AT, Figures(), [], [])
    last, asked = ledger.runs.last("p", "t"), ledger.runs.last_that_asked("p")
    assert (last and last.id, last and last.complete_sources) == (stored, None)
    assert (asked and asked.id, asked and asked.complete_sources) == (other, ())
    assert ledger.runs.run(whole).complete_sources == ("a", "b")
    assert [one.came_to_its_end for one in ledger.runs.recent("p")] == [True, False, True]
    assert ledger.runs.last("p", "none") is None


def test_the_oldest_runs_are_forgotten(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "KEPT_RUNS", 2)
    for _ in range(4):
        last = ledger.runs.begin("p", "t", AT)
        ledger.runs.end(last, "done", "", AT, Figures(), [Timing("read", 1, 1)], [])
    assert [run.id for run in ledger.runs.recent("p")] == [last, last - 1]
    assert ledger.runs.timings(1) == []


def test_a_file_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Database(path, MIGRATIONS[:1], STYLE)
    later = (*MIGRATIONS, "CREATE TABLE more (x TEXT) STRICT; INSERT INTO more VALUES ('here')")
    with Database(path, later, STYLE).reading() as database:
        assert database.execute("SELECT x FROM more").fetchone()[0] == "here"


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Database(path, (*MIGRATIONS, "CREATE TABLE more (x TEXT)"), STYLE)
    with pytest.raises(ServiceError, match="newer version"):
        Database(path, MIGRATIONS, STYLE)


def test_half_a_migration_is_never_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Database(path, MIGRATIONS, STYLE)
    with pytest.raises(ServiceError):
        Database(path, (*MIGRATIONS, "CREATE TABLE more (x TEXT); CREATE TABLE more (x TEXT)"), STYLE)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone()[0] == 0
    Database(path, MIGRATIONS, STYLE)


def test_several_threads_may_open_and_write_it_at_once(tmp_path: Path) -> None:
    def work(number: int) -> None:
        ledger = Ledger(tmp_path / "ledger.db")
        for one in range(5):
            name = f"{number}-{one}"
            ledger.note_items("p", [replace(ITEM, item_id=name, document_id=name)], AT)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Ledger(tmp_path / "ledger.db").items("p")) == 20


def test_a_file_that_is_no_database_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    garbage = b"not a database at all, and long enough to be looked at" * 40
    (tmp_path / "ledger.db").write_bytes(garbage)
    assert Ledger(tmp_path / "ledger.db").pipelines() == []
    assert (tmp_path / "ledger.db.damaged-1").read_bytes() == garbage


def test_a_damaged_file_is_named_and_works_again_once_it_is_moved_away(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Ledger(path).note_items("p", [ITEM], AT)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(ServiceError, match=r"ledger\.db is damaged: move it away and try again"):
        Ledger(path).items("p")
    path.rename(tmp_path / "away")
    assert Ledger(path).items("p") == {}
