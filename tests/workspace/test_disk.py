"""Everything that can be made again is bounded; what a document needs right now, and what a user made, stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench import plugins
from workbench.config import Config
from workbench.files import write_atomically
from workbench.workspace import Workspace, disk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
OLD_S = 2 * disk.IN_USE_S


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def config(size: int = 30) -> Config:
    return Config(
        "tiny",
        plugins.build("chunkers", "fixed_size", {"size_tokens": size}),
        plugins.build("embedders", "hashing"),
    )


def aged(folder: Path, seconds: float = OLD_S) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - seconds, time.time() - seconds))


def filled(folder: Path, count: int) -> list[Path]:
    """Write files of 1,000 bytes, the first one used longest ago."""
    paths = [folder / f"{number:02}.part" for number in range(count)]
    for number, path in enumerate(paths):
        write_atomically(path, bytes(1000))
        used_at = time.time() - OLD_S + number
        os.utime(path, (used_at, used_at))
    return paths


@pytest.mark.parametrize("kind", ["images", "memo", "evaluations"])
def test_above_its_bound_a_kind_loses_what_was_used_longest_ago(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(workspace.disk, "_drop_orphans", lambda kind: 0)
    monkeypatch.setitem(disk.LIMITS_BYTES, kind, 3000)
    paths = filled(workspace.folder / kind, 7)
    os.utime(paths[0])
    assert workspace.disk.prune()[kind] == 4000
    assert [path for path in paths if path.exists()] == [paths[0], paths[5], paths[6]]


@pytest.mark.parametrize("kind", ["maps", "models"])
def test_maps_and_models_go_as_a_whole_and_what_all_of_them_share_stays(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setitem(disk.LIMITS_BYTES, kind, 3000)
    folder = workspace.folder / kind
    for name in ("first", "second", "compiled", "hashes"):
        filled(folder / name, 2)
    aged(folder / "first", 2 * OLD_S)
    assert workspace.disk.prune()[kind] == 2000
    assert sorted(path.name for path in folder.iterdir()) == ["compiled", "hashes", "second"]


def test_the_text_that_a_document_needs_stays_whatever_the_bound(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(disk.LIMITS_BYTES, "parsed", 0)
    result = workspace.add("a.txt", b"Trams stop at red.")
    parse = next((workspace.folder / "parsed").iterdir())
    other = parse.with_name(parse.name[:33] + "f" * 32 + ".npz")
    other.write_bytes(parse.read_bytes())
    aged(workspace.folder)
    os.utime(other, (time.time() - 2 * OLD_S,) * 2)
    assert workspace.disk.prune()["parsed"] > 0
    assert (parse.exists(), other.exists()) == (True, False)
    assert result.document_id is not None
    assert workspace.document(result.document_id).text == "Trams stop at red."


def test_files_without_a_document_go_and_fresh_ones_wait(workspace: Workspace) -> None:
    workspace.add("a.txt", b"Trams stop at red.")
    orphans = [
        workspace.folder / "originals" / f"{'e' * 32}.txt",
        workspace.folder / "parsed" / f"{'e' * 32}-{'f' * 32}.npz",
        workspace.folder / "images" / f"{'e' * 32}-1-110.webp",
        workspace.folder / "originals" / "left by a kill.partial",
    ]
    for path in orphans:
        write_atomically(path, b"orphan")
    assert sum(workspace.disk.prune().values()) == 0
    aged(workspace.folder)
    workspace.disk.prune()
    assert [path for path in orphans if path.exists()] == []
    assert [workspace.document(row.id).text for row in workspace.documents()] == ["Trams stop at red."]


def test_pruning_rests_between_two_times_and_leaves_what_a_user_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.add("a.txt", b"Trams stop at red.")
    workspace.tables.build(config())
    workspace.save_config(config())
    (workspace.folder / "prune.lock").unlink(missing_ok=True)
    aged(workspace.folder)
    for kind in disk.LIMITS_BYTES:
        monkeypatch.setitem(disk.LIMITS_BYTES, kind, 0)
    assert workspace.disk.prune()["memo"] > 0
    assert len(workspace.vector_cache) == 0
    assert workspace.disk.prune() == {}
    again = Workspace(workspace.folder)
    assert again.tables.search(config(), "trams", 1).hits[0].chunk.text == "Trams stop at red."
    assert [kept.name for kept in again.configs()] == ["tiny"]
    assert again.tables.build(config()).chunks == 0


def test_the_use_of_the_disk_is_told_by_kind(workspace: Workspace) -> None:
    workspace.add("a.txt", b"Trams stop at red.")
    workspace.tables.build(config())
    found = {use.kind: use for use in workspace.disk.use()}
    assert (found["originals"].size_bytes, found["originals"].limit_bytes) == (18, None)
    assert found["parsed"].limit_bytes == disk.LIMITS_BYTES["parsed"]
    assert found["tables"].size_bytes >= workspace.tables.rows()[0].size_bytes > 0
    assert found["documents"].size_bytes > 0
    sizes = [use.size_bytes for use in workspace.disk.use()]
    assert sizes == sorted(sizes, reverse=True)


PRUNE = """
import json, sys
from pathlib import Path
from workbench.workspace import Workspace, disk
disk.IN_USE_S = disk.PAUSE_S = 0.0
for kind in disk.LIMITS_BYTES:
    disk.LIMITS_BYTES[kind] = 0
workspace = Workspace(Path(sys.argv[1]))
print("ready", flush=True)
gone = 0
for _ in range(150):
    gone += sum(workspace.disk.prune().values())
print(json.dumps(gone))
"""


def test_two_processes_prune_everything_without_rest_while_a_third_adds_and_builds(
    workspace: Workspace,
) -> None:
    # Not even the hour of grace is left: every file goes at once when it is not needed.
    command = [sys.executable, "-c", PRUNE, str(workspace.folder)]
    pruning = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in pruning:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    texts = {f"{number}.txt": f"Tram {number} leaves at nine. It is late." for number in range(20)}
    for name, text in texts.items():
        assert workspace.add(name, text.encode()).status == "added"
    built = workspace.tables.build(config())
    assert (built.documents, built.failed) == (20, ())
    for process in pruning:
        assert process.stdout is not None
        assert json.loads(process.stdout.read()) >= 0
        assert process.wait() == 0
    after = Workspace(workspace.folder)
    assert {row.name: after.document(row.id).text for row in after.documents()} == texts
    assert all(after.original(row).decode() == texts[row.name] for row in after.documents())
