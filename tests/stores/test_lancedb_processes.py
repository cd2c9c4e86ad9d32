"""The LanceDB store under real processes: several at once, and killed while they write."""

from __future__ import annotations

import random
import select
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.stores.made_rows import DIMENSION, directions, document_id, rows
from workbench import plugins
from workbench.contracts import Table, TableInfo

pytestmark = pytest.mark.slow

DOCUMENTS = 5
KILLS = 10

# Writes version after version of every document, each version with its own number of chunks.
WRITER = f"""
import itertools, sys
from pathlib import Path
from tests.stores.made_rows import rows
from workbench import plugins

table = plugins.build("stores", "lancedb").connection(Path(sys.argv[1])).table("t")
for version in itertools.count(int(sys.argv[2])):
    table.replace_documents(
        [rows(n, [i % 6 for i in range(3 + (version + n) % 7)], str(version)) for n in range({DOCUMENTS})]
    )
    if version % 5 == 4:
        table.optimise()
    print(version, flush=True)
"""

# Writes its own documents, and in every step one that all processes write.
SHARER = """
import sys
from pathlib import Path
from tests.stores.made_rows import rows
from workbench import plugins

table = plugins.build("stores", "lancedb").connection(Path(sys.argv[1])).table("t")
me = int(sys.argv[2])
for step in range(10):
    table.replace_documents([rows(100 * me + step, [0, 1, 2]), rows(7, [0, 1, 2, 3], f"{me} {step}")])
"""

REMAKER = """
import sys
from pathlib import Path
from tests.stores.made_rows import rows
from workbench import plugins
from workbench.contracts import TableInfo

connection = plugins.build("stores", "lancedb").connection(Path(sys.argv[1]))
connection.drop("t")
connection.create(TableInfo("t", 8)).replace_documents([rows(2, [2, 3])])
"""


def _table(folder: Path) -> Table:
    table: Table = plugins.build("stores", "lancedb").connection(folder).create(TableInfo("t", DIMENSION))
    return table


def _started(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _assert_whole(table: Table, at_least: int) -> int:
    """Every document is in one version, complete and once; return the oldest version found."""
    chunks = table.chunks()
    states = table.states()
    assert set(states) == {document_id(n) for n in range(DOCUMENTS)}
    assert max(Counter(chunk.id for chunk in chunks).values()) == 1
    versions = set()
    for n in range(DOCUMENTS):
        version = int(states[document_id(n)].removeprefix("state "))
        expected = rows(n, [i % 6 for i in range(3 + (version + n) % 7)], str(version)).chunks
        assert [chunk for chunk in chunks if chunk.document_id == document_id(n)] == expected
        versions.add(version)
    # One commit for the batch: never a part of its documents.
    assert len(versions) == 1
    assert min(versions) >= at_least
    assert len(table.nearest(directions()[0], 1_000)) == len(chunks)
    return min(versions)


def test_a_killed_writer_leaves_every_document_old_or_new(tmp_path: Path) -> None:
    table = _table(tmp_path)
    moments = random.Random(3)
    version = 0
    for _ in range(KILLS):
        writer = _started(WRITER, tmp_path, version)
        assert writer.stdout is not None
        committed = int(writer.stdout.readline())
        # Some way into the writes that follow: what is waited for is a random moment, not an event.
        select.select([], [], [], moments.uniform(0, 0.25))
        writer.kill()
        committed = max([committed, *(int(line) for line in writer.stdout.read().split("\n")[:-1] if line)])
        writer.wait()
        # What was reported as written is there; one more version may be.
        version = _assert_whole(table, committed) + 1
    table.optimise()
    _assert_whole(table, version - 1)


def test_processes_that_write_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    table = _table(tmp_path)
    writers = [_started(SHARER, tmp_path, me) for me in (1, 2, 3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    own = {document_id(100 * me + step) for me in (1, 2, 3) for step in range(10)}
    assert set(table.states()) == own | {document_id(7)}
    assert table.row_count() == 30 * 3 + 4
    assert max(Counter(chunk.id for chunk in table.chunks()).values()) == 1


def test_a_table_made_anew_by_another_process_is_read_as_it_is(tmp_path: Path) -> None:
    table = _table(tmp_path)
    table.replace_documents([rows(1, [0, 1])])
    assert table.nearest(directions()[0], 1)[0][0].document_id == document_id(1)
    assert _started(REMAKER, tmp_path).wait(timeout=120) == 0
    assert table.states() == {document_id(2): "state 1"}
    assert [chunk.document_id for chunk in table.chunks()] == [document_id(2)] * 2
    found = table.nearest(directions()[3], 1)
    assert [(chunk.document_id, chunk.ordinal) for chunk, _ in found] == [(document_id(2), 1)]
    assert found[0][1] == pytest.approx(1, abs=1e-5)
