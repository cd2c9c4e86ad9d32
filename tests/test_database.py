"""The one way to open SQLite files: what cannot be written is read, and never stale in silence."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.damage.hostile import close_to_writers, keep_to_rights, open_to_writers, python, write_no_byte
from workbench import database as database_module
from workbench.database import Database, Style
from workbench.errors import BusyError, ServiceError

STYLE = Style("nothing else was in it")
SCHEMA = "CREATE TABLE words (word TEXT NOT NULL) STRICT"
LATER = "ALTER TABLE words ADD COLUMN tongue TEXT NOT NULL DEFAULT 'en'"
READ = """
import sys
from pathlib import Path
from workbench.database import Database, Style
from workbench.errors import WorkbenchError
migrations = sys.argv[2].split("|")
try:
    found = Database(Path(sys.argv[1]), migrations, Style("nothing else was in it", write_ahead=sys.argv[3] == "wal"))
    with found.reading() as database:
        print([tuple(row) for row in database.execute("SELECT * FROM words ORDER BY word")])
    with found.writing() as database:
        database.execute("INSERT INTO words VALUES ('more')")
except WorkbenchError as error:
    print(error)
"""


def words(path: Path, *given: str, wal: bool = True) -> Database:
    found = Database(path, (SCHEMA,), Style("nothing else was in it", write_ahead=wal))
    with found.writing() as database:
        database.executemany("INSERT INTO words VALUES (?)", [(word,) for word in given])
    return found


def lines(folder: Path, *arguments: str, full: bool = False) -> list[str]:
    close_to_writers(folder)
    try:
        done = python(READ, folder / "a.db", *arguments, limits=write_no_byte if full else keep_to_rights)
    finally:
        open_to_writers(folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def left_open(path: Path, statement: str, wal: bool) -> None:
    """Leave what a killed writer leaves: its last words wait beside the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA wal_autocheckpoint = 0" if wal else "PRAGMA journal_mode = DELETE")
        database.execute(statement)
        copies = {one: one.read_bytes() for one in path.parent.iterdir() if one.suffix != ".db-shm"}
    for one, data in copies.items():
        one.write_bytes(data)


def test_only_one_module_opens_sqlite_files() -> None:
    package = Path(database_module.__file__).parent
    opening = {path.name for path in package.rglob("*.py") if "sqlite3.connect(" in path.read_text("utf-8")}
    assert opening == {"database.py"}


@pytest.mark.parametrize("style", ["wal", "delete"])
def test_a_file_that_may_only_be_read_is_read_and_nothing_is_written_beside_it(
    tmp_path: Path, style: str
) -> None:
    words(tmp_path / "a.db", "red", "blue", wal=style == "wal")
    before = sorted(tmp_path.iterdir())
    read, refused = lines(tmp_path, SCHEMA, style)
    assert read == "[('blue',), ('red',)]"
    assert "give this user the right to write there" in refused
    assert sorted(tmp_path.iterdir()) == before


def test_what_waits_beside_a_file_is_read_with_it(tmp_path: Path) -> None:
    words(tmp_path / "a.db", "red")
    left_open(tmp_path / "a.db", "INSERT INTO words VALUES ('blue')", wal=True)
    assert (tmp_path / "a.db-wal").stat().st_size > 0
    assert not (tmp_path / "a.db-shm").exists()
    assert lines(tmp_path, SCHEMA, "wal")[0] == "[('blue',), ('red',)]"


def test_a_file_of_an_earlier_version_is_read_as_it_would_be_after_an_update(tmp_path: Path) -> None:
    words(tmp_path / "a.db", "red")
    assert lines(tmp_path, f"{SCHEMA}|{LATER}", "wal")[0] == "[('red', 'en')]"
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_file_that_was_never_made_reads_as_empty_where_none_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    assert lines(tmp_path / "closed", SCHEMA, "wal")[0] == "[]"
    assert list((tmp_path / "closed").iterdir()) == []


def test_without_room_for_a_copy_one_sentence_says_how_much_is_needed(tmp_path: Path) -> None:
    words(tmp_path / "a.db", "red")
    left_open(tmp_path / "a.db", "INSERT INTO words VALUES ('blue')", wal=True)
    (said,) = lines(tmp_path, SCHEMA, "wal", full=True)
    assert "free some space" in said
    assert "Traceback" not in said


KILLED_READER = """
import os, signal, sys
from pathlib import Path
from workbench.database import Database, Style
found = Database(Path(sys.argv[1]), (sys.argv[2],), Style("nothing else was in it"))
for _ in range(2):
    with found.reading() as database:
        database.execute("SELECT * FROM words").fetchall()
place = Path(found._place_elsewhere()[0].removeprefix("file://"))
print(place.parent, flush=True)
if sys.argv[3] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
earlier = Path(sys.argv[4])
print(earlier.exists())
"""


def test_a_copy_that_a_killed_reader_left_goes_with_the_next_one_and_one_in_use_stays(tmp_path: Path) -> None:
    words(tmp_path / "a.db", "red")
    left_open(tmp_path / "a.db", "INSERT INTO words VALUES ('white')", wal=True)
    close_to_writers(tmp_path)
    try:
        left = Path(
            python(KILLED_READER, tmp_path / "a.db", SCHEMA, "killed", limits=keep_to_rights).stdout.strip()
        )
        assert (left / "a.db").exists()
        os.utime(left, (0, 0))
        with (left / "in use").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = python(KILLED_READER, tmp_path / "a.db", SCHEMA, "ends", left, limits=keep_to_rights)
            assert done.stdout.splitlines()[1:] == ["True"], done.stderr
        done = python(KILLED_READER, tmp_path / "a.db", SCHEMA, "ends", left, limits=keep_to_rights)
        assert done.stdout.splitlines()[1:] == ["False"], done.stderr
        assert not Path(done.stdout.splitlines()[0]).exists()
    finally:
        open_to_writers(tmp_path)


def test_a_file_that_is_written_while_it_is_read_in_another_way_is_told(tmp_path: Path) -> None:
    found = words(tmp_path / "a.db", "red")
    place = found._place_elsewhere()
    words(tmp_path / "a.db", "blue")
    os.utime(tmp_path / "a.db", ns=(1, 1))
    with pytest.raises(BusyError, match="while it was read"):
        found._check_unchanged(place[1])


def test_garbage_is_set_aside_under_a_name_of_its_own_each_time(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / "a.db").write_bytes(b"no database at all" * number)
        assert words(tmp_path / "a.db", "red").set_aside == tmp_path / f"a.db.damaged-{number}"
    assert (tmp_path / "a.db.damaged-2").read_bytes() == b"no database at all" * 2


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.db").mkdir()
    with pytest.raises(ServiceError, match=r"a\.db cannot be used: Is a directory"):
        words(tmp_path / "a.db")


def test_a_refusal_of_a_file_from_the_future_names_it(tmp_path: Path) -> None:
    Database(tmp_path / "a.db", (SCHEMA, LATER), STYLE)
    with pytest.raises(ServiceError, match="newer version"):
        Database(tmp_path / "a.db", (SCHEMA,), STYLE)


@pytest.mark.parametrize("act", ["made anew", "copied"])
def test_a_second_look_at_a_file_takes_no_lock_of_this_process_away(tmp_path: Path, act: str) -> None:
    """The system drops a process's locks on a file when it closes it anywhere. Another process would take itself for
    the last one, and delete what waits beside the file that is still being read here."""
    found = words(tmp_path / "a.db", "tram")
    other = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]);"
        " d.execute(\"INSERT INTO words VALUES ('bus')\"); d.commit(); d.close()"
    )
    with found.reading() as database:
        assert [row[0] for row in database.execute("SELECT word FROM words")] == ["tram"]
        if act == "made anew":
            Database(found.path, (SCHEMA,), STYLE)
        else:
            found._new_copy(database_module._stamp(found.path))
        done = python(other, found.path)
        assert done.returncode == 0, done.stderr
        assert found.path.with_name("a.db-wal").exists()
        assert [row[0] for row in database.execute("SELECT word FROM words")] == ["tram"]
    with found.reading() as database:
        assert [row[0] for row in database.execute("SELECT word FROM words ORDER BY word")] == ["bus", "tram"]
