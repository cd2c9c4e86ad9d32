"""The vector cache: nothing is embedded twice, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.contracts import EmbeddingModel, Tick, no_tick
from workbench.embedders.hashing import Hashing, HashingModel
from workbench.errors import BusyError, Cancelled, ServiceError
from workbench.ingest.vector_cache import SLICE_TEXTS, VectorCache, cached_vectors

pytestmark = pytest.mark.slow

TEXTS = [f"text number {number} of many" for number in range(3 * SLICE_TEXTS + 40)]


class RecordingModel(HashingModel):
    """The hashing model, which also says what it was asked to embed."""

    def __init__(self, dimension: int = 16) -> None:
        super().__init__(Hashing(dimension=dimension))
        self.asked: list[str] = []

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        rows = super().raw_vectors(inputs, tick)
        self.asked += inputs
        return rows


@pytest.fixture
def cache(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path / "vectors")


def test_rows_come_in_order_and_each_distinct_text_is_embedded_once(cache: VectorCache) -> None:
    model = RecordingModel()
    texts = ["b", "a", "b", "c", "a"]
    rows, embedded = cached_vectors(texts, model, cache)
    assert embedded == 3
    assert model.asked == ["b", "a", "c"]
    assert np.array_equal(rows, HashingModel(Hashing(dimension=16)).vectors(texts))


def test_what_is_kept_is_not_embedded_again_and_comes_back_bit_for_bit(cache: VectorCache) -> None:
    first, _ = cached_vectors(TEXTS, RecordingModel(), cache)
    again = RecordingModel()
    second, embedded = cached_vectors([*TEXTS, "a new one"], again, cache)
    assert embedded == 1
    assert again.asked == ["a new one"]
    assert np.array_equal(second[:-1], first)
    assert len(cache) == len(TEXTS) + 1


def test_models_do_not_share_vectors(cache: VectorCache) -> None:
    cached_vectors(["a"], RecordingModel(16), cache)
    rows, embedded = cached_vectors(["a"], RecordingModel(32), cache)
    assert embedded == 1
    assert rows.shape == (1, 32)


def test_missing_names_each_absent_text_once_in_order(cache: VectorCache) -> None:
    model = RecordingModel()
    cached_vectors(["kept"], model, cache)
    assert cache.missing(["z", "kept", "a", "z"], model) == ["z", "a"]


def test_no_texts_give_no_rows(cache: VectorCache) -> None:
    rows, embedded = cached_vectors([], RecordingModel(), cache)
    assert rows.shape == (0, 16)
    assert embedded == 0


def test_tick_counts_all_texts_and_ends_at_their_number(cache: VectorCache) -> None:
    cached_vectors(TEXTS[:100], RecordingModel(), cache)
    seen: list[tuple[int, int]] = []
    cached_vectors(TEXTS, RecordingModel(), cache, lambda done, total: seen.append((done, total)))
    assert seen[0] == (100, len(TEXTS))
    assert seen[-1] == (len(TEXTS), len(TEXTS))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_cancelling_keeps_what_is_finished(cache: VectorCache) -> None:
    def stop(done: int, total: int) -> None:
        if done >= 2 * SLICE_TEXTS:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        cached_vectors(TEXTS, RecordingModel(), cache, stop)
    model = RecordingModel()
    cached_vectors(TEXTS, model, cache)
    assert model.asked == TEXTS[2 * SLICE_TEXTS :]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE vectors SET numbers = substr(numbers, 1, 10)",
        "UPDATE vectors SET numbers = zeroblob(64)",
        "UPDATE vectors SET numbers = 'text'",
        "UPDATE vectors SET numbers = x'0000c07f' || substr(numbers, 5)",
        "UPDATE vectors SET numbers = x'ffff7f7f' || substr(numbers, 5)",
        "UPDATE vectors SET dimension = 15",
    ],
    ids=["short", "zero", "text", "not a number", "huge", "other dimension"],
)
def test_a_damaged_row_is_computed_anew(cache: VectorCache, tmp_path: Path, damage: str) -> None:
    expected, _ = cached_vectors(["a", "b"], RecordingModel(), cache)
    with sqlite3.connect(tmp_path / "vectors" / "vectors.db") as database:
        database.execute(damage)
    database.close()
    rows, embedded = cached_vectors(["a", "b"], RecordingModel(), cache)
    assert embedded == 2
    assert np.array_equal(rows, expected)
    assert cached_vectors(["a", "b"], RecordingModel(), cache)[1] == 0


def test_a_file_that_is_no_database_is_begun_anew(cache: VectorCache, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "vectors.db").write_bytes(b"something else entirely" * 100)
    assert cached_vectors(["a"], RecordingModel(), cache)[1] == 1
    assert cached_vectors(["a"], RecordingModel(), VectorCache(tmp_path / "vectors"))[1] == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServiceError, match="cannot be used"):
        cached_vectors(["a"], RecordingModel(), VectorCache(tmp_path / "file" / "vectors"))


def test_a_lock_that_is_held_too_long_is_told(
    cache: VectorCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_vectors(["a"], RecordingModel(), cache)
    monkeypatch.setattr("workbench.database.PATIENCE_S", 0.05)
    other = sqlite3.connect(tmp_path / "vectors" / "vectors.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="another process"):
        cached_vectors(["b"], RecordingModel(), cache)
    other.execute("ROLLBACK")
    other.close()
    assert cached_vectors(["b"], RecordingModel(), cache)[1] == 1


def test_what_was_used_today_outlives_what_was_only_written_later(
    cache: VectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = RecordingModel(256)
    monkeypatch.setattr("workbench.ingest.vector_cache._today", lambda: 1)
    cached_vectors(TEXTS, model, cache)
    monkeypatch.setattr("workbench.ingest.vector_cache._today", lambda: 2)
    cached_vectors(TEXTS[:20], model, cache)
    dropped = cache.prune(200_000)
    assert 0 < dropped <= len(TEXTS) - 20
    assert cache.missing(TEXTS, model) == TEXTS[20 : 20 + dropped]


def test_a_cache_of_an_earlier_version_is_read_and_pruned(cache: VectorCache, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    with sqlite3.connect(tmp_path / "vectors" / "vectors.db") as old:
        old.execute("PRAGMA journal_mode = WAL")
        old.execute(
            "CREATE TABLE vectors (key BLOB PRIMARY KEY, dimension INTEGER NOT NULL, numbers BLOB NOT NULL)"
        )
        model = RecordingModel()
        (row,) = model.vectors(["a"])
        old.execute(
            "INSERT INTO vectors VALUES (?, ?, ?)", (bytes.fromhex(model.key("a")), 16, row.tobytes())
        )
    old.close()
    assert cached_vectors(["a", "b"], model, cache)[1] == 1
    assert cache.prune(0) == 2


def test_processes_prune_and_embed_at_once(tmp_path: Path) -> None:
    embedding = [_process(tmp_path, TEXTS[part::2]) for part in range(2)]
    pruning = subprocess.Popen([sys.executable, "-c", PRUNE, str(tmp_path), "40000"], stdout=subprocess.PIPE)
    for process in embedding:
        assert _result(process) == {"embedded": len(TEXTS) // 2}
    assert pruning.wait() == 0
    cache = VectorCache(tmp_path)
    rows, embedded = cached_vectors(TEXTS, RecordingModel(), cache)
    assert embedded < len(TEXTS)
    assert np.array_equal(rows, RecordingModel().vectors(TEXTS))


def test_pruning_drops_the_oldest_first_and_gives_the_space_back(cache: VectorCache) -> None:
    model = RecordingModel(256)
    cached_vectors(TEXTS, model, cache)
    before = cache.size_bytes()
    dropped = cache.prune(200_000)
    assert 0 < dropped < len(TEXTS)
    assert len(cache) == len(TEXTS) - dropped
    assert cache.size_bytes() < before / 2
    assert cache.missing(TEXTS, model) == TEXTS[:dropped]
    assert cache.prune(10**9) == 0
    cache.prune(0)
    assert len(cache) == 0


class HeldModel(RecordingModel):
    """A model that stands still in the middle of its work until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.fails = False

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        self.begun.set()
        assert self.go_on.wait(30)
        if self.fails:
            raise ServiceError("the model is gone")
        return super().raw_vectors(inputs, tick)


def test_two_threads_embed_what_they_share_once(cache: VectorCache, tmp_path: Path) -> None:
    slow, other = HeldModel(), RecordingModel()
    first = threading.Thread(target=cached_vectors, args=(["a", "b", "c"], slow, cache))
    first.start()
    assert slow.begun.wait(30)
    seen: list[tuple[int, int]] = []

    def tick(done: int, total: int) -> None:
        # The second one has embedded its own and waits: now the first may end.
        seen.append((done, total))
        if done == 2:
            slow.go_on.set()

    # Another object for the same file, as another session has.
    rows, embedded = cached_vectors(["b", "d", "c", "e"], other, VectorCache(tmp_path / "vectors"), tick)
    first.join()
    assert (embedded, other.asked) == (2, ["d", "e"])
    assert seen[-1] == (4, 4)
    assert np.array_equal(rows, HashingModel(Hashing(dimension=16)).vectors(["b", "d", "c", "e"]))


def test_what_another_thread_could_not_embed_is_embedded_after_all(cache: VectorCache) -> None:
    slow, other = HeldModel(), RecordingModel()
    slow.fails = True

    def failing() -> None:
        with pytest.raises(ServiceError, match="gone"):
            cached_vectors(["a", "b"], slow, cache)

    first = threading.Thread(target=failing)
    first.start()
    assert slow.begun.wait(30)
    rows, embedded = cached_vectors(["b"], other, cache, lambda done, total: slow.go_on.set())
    first.join()
    assert (embedded, other.asked, rows.shape) == (1, ["b"], (1, 16))


def test_who_waits_for_another_thread_can_be_cancelled(cache: VectorCache) -> None:
    slow = HeldModel()
    first = threading.Thread(target=cached_vectors, args=(["a"], slow, cache))
    first.start()
    assert slow.begun.wait(30)
    calls = 0

    def tick(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        cached_vectors(["a"], RecordingModel(), cache, tick)
    slow.go_on.set()
    first.join()
    assert cached_vectors(["a"], RecordingModel(), cache)[1] == 0


def test_threads_share_one_cache(cache: VectorCache) -> None:
    expected = RecordingModel().vectors(TEXTS)
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(cached_vectors(TEXTS, RecordingModel(), cache)[0]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(np.array_equal(rows, expected) for rows in found)
    assert len(cache) == len(TEXTS)


# ── other processes ──────────────────────────────────────────────────────────────────────────────────────────────

PRUNE = """
import pathlib, sys
from workbench.ingest.vector_cache import VectorCache
for _ in range(300):
    VectorCache(pathlib.Path(sys.argv[1])).prune(int(sys.argv[2]))
"""

EMBED = """
import json, pathlib, resource, sys
from workbench.embedders.hashing import Hashing
from workbench.errors import ServiceError
from workbench.ingest.vector_cache import VectorCache, cached_vectors
folder, texts, limit_bytes, user = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if limit_bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
if user:
    import os
    os.setuid(user)
def tick(done, total):
    if sys.argv[5] == "step":
        print(done, flush=True)
        sys.stdin.readline()
model = Hashing(dimension=4096 if limit_bytes else 16).embedding_model(folder)
try:
    _, embedded = cached_vectors(texts, model, VectorCache(folder), tick)
    print(json.dumps({"embedded": embedded}))
except ServiceError as error:
    print(json.dumps({"error": str(error)}))
"""


def _process(
    folder: Path, texts: list[str], limit_bytes: int = 0, user: int = 0, step: bool = False
) -> subprocess.Popen[str]:
    how = [str(limit_bytes), str(user), "step" if step else "run"]
    return subprocess.Popen(
        [sys.executable, "-c", EMBED, str(folder), json.dumps(texts), *how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, complaints = process.communicate()
    assert process.returncode == 0, complaints
    said: dict[str, Any] = json.loads(out.splitlines()[-1])
    return said


def test_a_killed_process_embeds_nothing_twice(tmp_path: Path) -> None:
    victim = _process(tmp_path, TEXTS, step=True)
    assert victim.stdin is not None
    assert victim.stdout is not None
    # It goes on only when told to: here it stands in the middle of its second slice, and is killed there.
    while int(victim.stdout.readline()) <= SLICE_TEXTS:
        victim.stdin.write("go on\n")
        victim.stdin.flush()
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdin.close()
    victim.stdout.close()
    cache = VectorCache(tmp_path)
    assert len(cache) == SLICE_TEXTS
    model = RecordingModel()
    stored = set(TEXTS) - set(cache.missing(TEXTS, model))
    rows, embedded = cached_vectors(TEXTS, model, cache)
    assert embedded == len(TEXTS) - SLICE_TEXTS
    assert not stored & set(model.asked)
    assert np.array_equal(rows, RecordingModel().vectors(TEXTS))


def test_processes_write_to_one_cache_at_once(tmp_path: Path) -> None:
    processes = [_process(tmp_path, TEXTS[part::2] + TEXTS[:50]) for part in range(2)]
    for process in processes:
        assert "embedded" in _result(process)
    assert len(VectorCache(tmp_path)) == len(TEXTS)
    assert VectorCache(tmp_path).missing(TEXTS, RecordingModel()) == []


def test_a_disk_that_takes_no_more_is_told_and_what_was_kept_stays(tmp_path: Path) -> None:
    assert _result(_process(tmp_path, TEXTS[:5], 10**8)) == {"embedded": 5}
    said = _result(_process(tmp_path, TEXTS, 500_000))
    assert "vectors.db" in said["error"]
    model: EmbeddingModel = Hashing(dimension=4096).embedding_model(tmp_path)
    assert not set(TEXTS[:5]) & set(VectorCache(tmp_path).missing(TEXTS, model))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become the user who has no right to write")
def test_a_cache_of_another_user_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    cached_vectors(["a"], RecordingModel(), VectorCache(folder))
    for place in (tmp_path, *tmp_path.parents[:4], folder):
        if place.name.startswith(("pytest", "popen", "test_", "vectors")):
            place.chmod(0o755)
    said = _result(_process(folder, ["a", "b"], user=65_534))
    assert "vectors.db cannot be written: give this user the right" in said["error"]
