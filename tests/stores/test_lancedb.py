"""What only the LanceDB store promises: its index, its lock, its memory, and what it says when the disk fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pytest

from tests.stores.made_rows import DIMENSION, directions, document_id, rows, rows_with
from workbench import plugins
from workbench.contracts import Filter, Table, TableInfo
from workbench.errors import BusyError, InputError, ServiceError
from workbench.records import Vectors
from workbench.stores._lancedb_place import translation
from workbench.stores._write_lock import write_lock

INFO = TableInfo("t", DIMENSION, {"fingerprint": "f"})


def _table(folder: Path, info: TableInfo = INFO, **settings: object) -> Table:
    table: Table = plugins.build("stores", "lancedb", settings).connection(folder).create(info)
    return table


def _clustered(count: int, dimension: int, seed: int) -> Vectors:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(40, dimension))
    made = centres[rng.integers(0, 40, count)] + 0.5 * rng.normal(size=(count, dimension))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────


def _indexed(folder: Path) -> tuple[Table, Table]:
    """A table above the threshold with its index, and the same rows in memory."""
    info = TableInfo("t", 16)
    table = _table(folder, info, index_above=1_000)
    oracle: Table = plugins.build("stores", "memory").connection(folder).create(info)
    batch = [rows_with(_clustered(150, 16, number), number) for number in range(20)]
    for one in (table, oracle):
        one.replace_documents(batch)
    return table, oracle


@pytest.mark.slow
def test_a_large_table_is_indexed_and_says_how_well(tmp_path: Path) -> None:
    table, oracle = _indexed(tmp_path)
    assert "index_note" not in table.info.about
    note = table.optimise()
    assert note is not None
    assert "3,000 rows" in note
    assert "% of the exact 10 nearest" in note
    for reopened in (table, plugins.build("stores", "lancedb").connection(tmp_path).table("t")):
        assert reopened.info.about["index_note"] == note
    found = total = 0
    for question in _clustered(40, 16, 99):
        exact = {chunk.id for chunk, _ in oracle.nearest(question, 10)}
        found += len(exact & {chunk.id for chunk, _ in table.nearest(question, 10)})
        total += 10
    assert found / total >= 0.95


def test_rows_added_after_indexing_are_found(tmp_path: Path) -> None:
    table, _ = _indexed(tmp_path)
    table.optimise()
    question = _clustered(1, 16, 7)[0]
    table.replace_documents([rows_with(question.reshape(1, -1), 77)])
    assert table.nearest(question, 1)[0][0].document_id == document_id(77)


def test_ties_keep_their_order_across_the_cut_of_an_indexed_search(tmp_path: Path) -> None:
    table, _ = _indexed(tmp_path)
    question = _clustered(1, 16, 7)[0]
    table.replace_documents([rows_with(np.repeat(question.reshape(1, -1), 200, axis=0), 77)])
    table.optimise()
    assert [chunk.ordinal for chunk, _ in table.nearest(question, 5)] == [0, 1, 2, 3, 4]


def test_filtered_and_deep_searches_of_an_indexed_table_are_exact(tmp_path: Path) -> None:
    table, oracle = _indexed(tmp_path)
    table.optimise()
    question = _clustered(1, 16, 7)[0]
    for k, where in ((20, Filter(document_ids=(document_id(3),))), (20, Filter(pages=(5, 6))), (500, None)):
        found, exact = (one.nearest(question, k, where) for one in (table, oracle))
        assert [chunk for chunk, _ in found] == [chunk for chunk, _ in exact]


def test_a_table_that_shrinks_is_searched_exactly_again(tmp_path: Path) -> None:
    table, _ = _indexed(tmp_path)
    table.optimise()
    table.drop_documents([document_id(number) for number in range(15)])
    assert table.optimise() is None
    for reopened in (table, plugins.build("stores", "lancedb").connection(tmp_path).table("t")):
        assert "index_note" not in reopened.info.about


def test_a_table_made_anew_has_no_note_of_the_old_one(tmp_path: Path) -> None:
    table, _ = _indexed(tmp_path)
    table.optimise()
    note = (tmp_path / "t.index.json").read_bytes()
    connection = plugins.build("stores", "lancedb").connection(tmp_path)
    connection.drop("t")
    (tmp_path / "t.index.json").write_bytes(note)
    assert "index_note" not in connection.create(TableInfo("t", 16)).info.about


# ── vectors kept in memory ───────────────────────────────────────────────────────────────────────────────────────


def test_a_table_made_anew_elsewhere_is_not_answered_from_memory(tmp_path: Path) -> None:
    """Versions of a new table count from 1 again, so a version alone would name two different matrices."""
    table = _table(tmp_path)
    table.replace_documents([rows(1, [0, 1])])
    assert table.nearest(directions()[0], 1)[0][0].document_id == document_id(1)
    plugins.build("stores", "lancedb").connection(tmp_path).drop("t")
    _table(tmp_path).replace_documents([rows(2, [2, 3])])
    found = table.nearest(directions()[3], 1)
    assert [(chunk.document_id, chunk.ordinal) for chunk, _ in found] == [(document_id(2), 1)]
    assert found[0][1] == pytest.approx(1, abs=1e-5)


def test_tables_too_large_for_memory_give_the_same_hits(tmp_path: Path) -> None:
    small, large = _table(tmp_path, cache_mb=0), _table(tmp_path)
    small.replace_documents([rows(number, [3] * 9 + [number % 6]) for number in range(12)])
    ids = tuple(document_id(number) for number in (2, 4, 6))
    for k in (1, 7, 60, 500):
        for where in (None, Filter(ids), Filter(pages=(3, 4)), Filter(ids, (9, 9))):
            assert small.nearest(directions()[3], k, where) == large.nearest(directions()[3], k, where)


@pytest.mark.slow
def test_reading_goes_on_while_old_versions_are_cleaned_up(tmp_path: Path) -> None:
    writer, reader = _table(tmp_path), _table(tmp_path)
    writer.replace_documents([rows(1, [0, 1, 2])])
    failed: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                assert (
                    len(reader.chunks()) == len(reader.nearest(directions()[0], 9)) == reader.row_count() == 3
                )
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    for version in range(25):
        writer.replace_documents([rows(1, [0, 1, 2], str(version))])
        writer.optimise()
    done.set()
    thread.join()
    assert failed == []


# ── disk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_optimising_gives_space_back(tmp_path: Path) -> None:
    table = _table(tmp_path, TableInfo("t", 64))
    for version in range(30):
        table.replace_documents([rows_with(_clustered(50, 64, version), 1, str(version))])
    before = table.size_bytes()
    table.optimise()
    assert table.size_bytes() < before / 5


def test_a_tag_does_not_stop_the_clean_up(tmp_path: Path) -> None:
    import lancedb

    table = _table(tmp_path)
    table.replace_documents([rows(1, [0])])
    tagged = lancedb.connect(str(tmp_path)).open_table("t")
    tagged.tags.create("kept", tagged.version)
    for version in range(5):
        table.replace_documents([rows(1, [0], str(version))])
    table.optimise()
    opened = lancedb.connect(str(tmp_path)).open_table("t")
    assert len(opened.list_versions()) <= 3
    opened.checkout("kept")
    assert opened.count_rows() == 1


def _fragment_count(folder: Path) -> int:
    opened = lancedb.connect(folder).open_table("t")
    return int(opened.stats()["fragment_stats"]["num_fragments"])


@pytest.mark.slow
def test_files_of_many_small_writes_are_joined_while_they_go_on(tmp_path: Path) -> None:
    table = _table(tmp_path)
    oracle: Table = plugins.build("stores", "memory").connection(tmp_path).create(INFO)
    most = 0
    for number in range(150):
        batch = [rows(number, [number % 6, 1]), rows(number // 2, [2], version=f"{number}")]
        for one in (table, oracle):
            one.replace_documents(batch[: 1 + number % 2])
        most = max(most, _fragment_count(tmp_path))
    assert 10 < most < 70
    assert table.states() == oracle.states()
    assert table.chunks() == oracle.chunks()
    assert table.nearest(directions()[2], 200) == oracle.nearest(directions()[2], 200)


def test_only_a_document_that_is_there_already_is_merged_with_the_others(tmp_path: Path) -> None:
    table = _table(tmp_path)
    for batch in ([rows(1, [1]), rows(2, [2])], [rows(3, [1])], [rows(4, [1]), rows(2, [3], version="2")]):
        table.replace_documents(batch)
    # A merge holds the keys of the whole table, and each of them is one commit.
    opened = lancedb.connect(tmp_path).open_table("t").to_lance()
    commits = [type(opened.read_transaction(version).operation).__name__ for version in (2, 3, 4)]
    assert commits == ["Append", "Append", "Update"]
    assert opened.version == 4


@pytest.mark.slow
def test_an_index_outlives_the_joining_of_files_between_writes(tmp_path: Path) -> None:
    table, oracle = _indexed(tmp_path)
    table.optimise()
    for number in range(100, 180):
        for one in (table, oracle):
            one.replace_documents([rows_with(_clustered(2, 16, number), number)])
    assert _fragment_count(tmp_path) < 70
    for question in _clustered(5, 16, 99):
        exact = [chunk.id for chunk, _ in oracle.nearest(question, 10)]
        found = [chunk.id for chunk, _ in table.nearest(question, 10)]
        assert len(set(found) & set(exact)) >= 9


def test_a_half_made_table_is_not_listed_and_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "t.lance" / "_versions").mkdir(parents=True)
    connection = plugins.build("stores", "lancedb").connection(tmp_path)
    assert connection.tables() == []
    with pytest.raises(InputError, match="no table"):
        connection.table("t")
    connection.create(INFO).replace_documents([rows(1, [0])])
    assert [info.name for info in connection.tables()] == ["t"]


def test_a_table_of_another_program_is_left_out(tmp_path: Path) -> None:
    import lancedb

    lancedb.connect(str(tmp_path)).create_table("foreign", data=[{"vector": [1.0, 2.0]}])
    assert plugins.build("stores", "lancedb").connection(tmp_path).tables() == []


@pytest.mark.parametrize(
    "error, says",
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "disk is full"),
        (
            RuntimeError("lance error: LanceError(IO): No space left on device (os error 28), x.rs:1"),
            "disk is full",
        ),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "permissions"),
        (RuntimeError("lance error: LanceError(IO): Permission denied (os error 13)"), "permissions"),
        (
            RuntimeError("something odd\nwith a long trace"),
            "could not be written (RuntimeError): look at the disk",
        ),
        (RuntimeError("lance error: file size is too small, /root/x/utils.rs:172:20"), "is damaged"),
        (
            ValueError("Invalid input, file does not appear to be a Lance file (invalid magic: [7])"),
            "is damaged",
        ),
    ],
)
def test_failures_of_the_disk_say_what_to_do(error: Exception, says: str) -> None:
    found = translation("t", "written", error)
    assert isinstance(found, ServiceError)
    assert says in str(found)
    assert "\n" not in str(found)
    assert ".rs" not in str(found)
    assert "lance" not in str(found).lower()


def test_a_wrong_value_of_ours_stays_a_bug() -> None:
    assert translation("t", "read", ValueError("zip() argument 2 is longer than argument 1")) is None


def test_a_damaged_table_is_a_message(tmp_path: Path) -> None:
    table = _table(tmp_path)
    table.replace_documents([rows(1, [0, 1])])
    for path in (tmp_path / "t.lance" / "data").iterdir():
        path.write_bytes(b"not a Lance file")
    fresh = plugins.build("stores", "lancedb").connection(tmp_path).table("t")
    with pytest.raises(ServiceError, match="the table t"):
        fresh.chunks()


# ── one writer at a time ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    table = _table(tmp_path, wait_s=0.0)
    with write_lock(tmp_path / "t.lock", 0, "t"):
        with pytest.raises(BusyError, match="being written by somebody else"):
            table.replace_documents([rows(1, [0])])
        assert table.row_count() == 0
    table.replace_documents([rows(1, [0])])
    assert table.row_count() == 1


def test_a_lock_file_removed_meanwhile_is_not_a_lock(tmp_path: Path) -> None:
    """Dropping a table removes its lock file; who waited for the old file must take the new one."""
    path = tmp_path / "t.lock"
    with write_lock(path, 0, "t"):
        path.unlink()
        with write_lock(path, 0, "t"), pytest.raises(BusyError), write_lock(path, 0, "t"):
            pass


READ_ONLY = """
import os, sys
from pathlib import Path
from typing import Any
from tests.stores.made_rows import directions, rows
from workbench import plugins
from workbench.contracts import TableInfo
from workbench.errors import ServiceError

folder = Path(sys.argv[1]) / "tables"
connection = plugins.build("stores", "lancedb").connection(folder)
table = connection.create(TableInfo("t", 8))
table.replace_documents([rows(1, [0, 1])])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
else:
    folder.chmod(0o500), (folder / "t.lock").chmod(0o400)
for write in (lambda: table.replace_documents([rows(2, [0])]), table.optimise, lambda: connection.drop("t")):
    try:
        write()
    except ServiceError as error:
        print(error)
print(len(table.nearest(directions()[0], 5)), len(connection.tables()))
"""


@pytest.mark.slow
def test_a_read_only_folder_is_read_and_not_written() -> None:
    # Not in tmp_path: its parents are closed to the user that the program turns into.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, folder], capture_output=True, text=True, timeout=120
        )
    assert done.stderr == ""
    *messages, answer = done.stdout.splitlines()
    assert messages == ["the folder of the table t may not be written: change its permissions"] * 3
    assert answer == "2 1"


def test_a_table_made_before_there_was_metadata_gets_it_at_the_next_build(tmp_path: Path) -> None:
    connection = plugins.build("stores", "lancedb").connection(tmp_path)
    info = TableInfo("old", DIMENSION)
    table = connection.create(info)
    table.replace_documents([rows(1, [0])])
    import lancedb

    lancedb.connect(str(tmp_path)).open_table("old").drop_columns(["metadata"])
    where = Filter(metadata=(("kind", "rule"),))
    old = connection.table("old")
    assert old.nearest(directions()[0], 5, where) == []
    assert len(old.rows().chunks) == len(old.nearest(directions()[0], 5)) == 1
    old.replace_documents([rows(2, [1])])
    assert old.row_count() == 2
    new = connection.create(info)
    new.replace_documents([replace(rows(1, [0]), metadata={"kind": "rule"})])
    assert [chunk.document_id for chunk, _ in new.nearest(directions()[0], 5, where)] == [document_id(1)]
    assert new.row_count() == 2


def test_the_version_is_told_without_opening_the_table_and_another_connections_write_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lancedb

    opens: list[str] = []
    open_table = lancedb.db.LanceDBConnection.open_table

    def counting(self: Any, name: str, *rest: Any, **named: Any) -> Any:
        opens.append(name)
        return open_table(self, name, *rest, **named)

    mine, other = (plugins.build("stores", "lancedb").connection(tmp_path) for _ in range(2))
    table = mine.create(INFO)
    seen = [table.version(), mine.table(INFO.name).version()]
    monkeypatch.setattr(lancedb.db.LanceDBConnection, "open_table", counting)
    assert {table.version(), mine.table(INFO.name).version(), *seen} == {seen[0]}
    assert [info.name for info in mine.tables()] == [INFO.name]
    assert opens == []
    writes = [
        lambda: other.table(INFO.name).replace_documents([rows(1, [0, 1])]),
        lambda: other.table(INFO.name).replace_documents([rows(1, [2])]),
        lambda: other.table(INFO.name).drop_documents([document_id(1)]),
        lambda: (other.drop(INFO.name), other.create(INFO)),
        lambda: other.table(INFO.name).replace_documents([rows(1, [0, 1])]),
    ]
    for write in writes:
        write()
        assert table.version() == other.table(INFO.name).version()
        seen.append(table.version())
    assert len(set(seen)) == 1 + len(writes)
    other.drop(INFO.name)
    with pytest.raises(InputError, match="no table"):
        table.version()
