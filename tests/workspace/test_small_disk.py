"""A disk that is really full, or really read-only: nothing is lost, everything is told, work goes on afterwards."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_disk import ROOT, SmallDisk, small_disk

pytestmark = pytest.mark.slow

CONFIG = """version: 1
name: tiny
chunker: {name: fixed_size, size_tokens: 30}
embedder: {name: hashing}
"""

COMMON = """
import json, os, sys
from pathlib import Path
from workbench import plugins
from workbench.config import Config
from workbench.errors import WorkbenchError
from workbench.workspace import Workspace

disk = Path(sys.argv[1])

def config(size):
    chunker = plugins.build("chunkers", "fixed_size", {"size_tokens": size})
    return Config(f"size {size}", chunker, plugins.build("embedders", "hashing"))

def text(number):
    return " ".join(f"Tram {number} has stop {stop} in street {stop * number}." for stop in range(200))

def fill():
    with (disk / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass

def said(call):
    try:
        call()
        return "done"
    except WorkbenchError as error:
        return str(error)

def added(workspace, *numbers):
    batch = [(f"{number}.txt", text(number).encode(), None) for number in numbers]
    return {result.path: [result.status, result.message] for _, result in workspace.add_many(batch)}
"""

FULL = """
workspace = Workspace(disk / "w")
added(workspace, 1, 2, 3)
workspace.add("copy of 1.txt", text(1).encode())
workspace.tables.build(config(30))
hits = workspace.tables.search(config(30), "street 14", 3).hits
fill()
found = {
    "added": added(workspace, 1, 4),
    "copied": workspace.add("copy of 1.txt", text(1).encode()).message,
    "built": said(lambda: workspace.tables.build(config(50))),
    "saved": said(lambda: workspace.save_config(config(50))),
    "read": [workspace.document(row.id).text == text(int(row.name[:-4])) for row in workspace.documents()],
    "reopened": len(Workspace(disk / "w").documents()),
    "searched": workspace.tables.search(config(30), "street 14", 3).hits == hits,
    "half": [str(path) for path in (disk / "w").rglob("*.partial")],
}
found["marked"] = all(workspace.tables.best_sentences(config(30), "street 14", hits))
(disk / "ballast").unlink()
found["added later"] = added(workspace, 1, 4)
found["built later"] = [workspace.tables.build(config(size)).documents for size in (30, 50)]
print(json.dumps(found))
"""

FILLS_AT_SOME_MOMENT = """
workspace = Workspace(disk / "w")
refusals = []
for number in range(1, 60):
    (status, message), = added(workspace, number).values()
    refused = [message] if status == "failed" else []
    refused += [answer for answer in [said(lambda: workspace.tables.build(config(30)))] if answer != "done"]
    if refused:
        refusals.append(refused)
        rows = workspace.documents()
        assert all(workspace.document(row.id).text == text(int(row.name[:-4])) for row in rows)
        assert set(workspace.tables.table(config(30)).states()) <= {row.id for row in rows}
        if len(refusals) == 3:
            break
kept = [int(row.name[:-4]) for row in workspace.documents()]
(disk / "ballast").unlink()
again = added(workspace, *kept)
built = workspace.tables.build(config(30))
fresh = Workspace(disk / "fresh")
added(fresh, *kept)
fresh.tables.build(config(30))
ours, theirs = (w.tables.table(config(30)) for w in (workspace, fresh))
print(json.dumps({
    "refusals": refusals,
    "again": sorted({status for status, _ in again.values()}),
    "failed": built.failed,
    "equal": ours.chunks() == theirs.chunks() and bool((ours.vectors()[1] == theirs.vectors()[1]).all()),
}))
"""

READ_ONLY = """
workspace = Workspace(disk / "w")
added(workspace, 1, 2)
workspace.tables.build(config(30))
print("ready", flush=True)
sys.stdin.readline()
found = {
    "added": added(workspace, 1, 3),
    "built": said(lambda: workspace.tables.build(config(50))),
    "deleted": said(lambda: workspace.delete([workspace.documents()[0].id])),
    "opened": said(lambda: Workspace(disk / "w")),
    "made": said(lambda: Workspace(disk / "other")),
    "read": [row.name for row in workspace.documents()],
    "searched": len(workspace.tables.search(config(30), "street 14", 3).hits),
}
print(json.dumps(found), flush=True)
sys.stdin.readline()
print(json.dumps({"added": added(workspace, 3), "built": workspace.tables.build(config(50)).documents}))
"""

PAGES = """
os.environ["WORKBENCH_WORKSPACE"] = str(disk / "w")
workspace = Workspace(disk / "w")
added(workspace, 1, 2)
workspace.tables.build(config(30))
workspace.save_config(config(30))
fill()
if sys.argv[2] == "read-only":
    print("ready", flush=True)
    sys.stdin.readline()
from streamlit.testing.v1 import AppTest
found = {}
for page in sorted(Path("pages").glob("*.py")):
    app = AppTest.from_file(str(Path("workbench/ui/main.py").absolute()), default_timeout=60)
    if page.stem == "demo":  # no page leads there, only its own address
        app.query_params["demo"] = "tiny"
        app.run()
    else:
        app.run().switch_page(str(page.absolute())).run()
    found[page.stem] = [[str(e.value) for e in app.exception], [e.value for e in app.error]]
print(json.dumps(found), flush=True)
os._exit(0)  # the map's job may be compiling: an interpreter that ends in due form can crash in it
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 6 * 2**20) as found:
        yield found


def _said(disk: SmallDisk, program: str, *arguments: str) -> Any:
    done = disk.python(COMMON + program, disk.folder, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_on_a_full_disk_all_is_told_and_kept_and_with_space_the_work_completes(disk: SmallDisk) -> None:
    found = _said(disk, FULL)
    assert found["added"]["1.txt"] == ["unchanged", "already here"]
    assert found["copied"] == "same content already here as 1.txt"
    status, message = found["added"]["4.txt"]
    assert (status, "is full: free some space" in message) == ("failed", True)
    assert str(disk.folder) in message
    assert "full" in found["built"]
    assert "free some space" in found["built"]
    assert "is full: free some space" in found["saved"]
    assert (found["read"], found["reopened"]) == ([True, True, True], 3)
    assert found["searched"]
    assert found["marked"]
    assert found["half"] == []
    assert {status for status, _ in found["added later"].values()} == {"unchanged", "added"}
    assert found["built later"] == [4, 4]


@pytest.mark.parametrize("ballast_kb", [4600, 5000, 5400])
def test_a_disk_that_fills_while_files_come_and_are_built_ends_as_if_it_never_had(
    disk: SmallDisk, ballast_kb: int
) -> None:
    ballast = disk.folder / "ballast"
    assert disk.run("dd", "if=/dev/zero", f"of={ballast}", "bs=1024", f"count={ballast_kb}").returncode == 0
    found = _said(disk, FILLS_AT_SOME_MOMENT)
    assert len(found["refusals"]) == 3
    assert all("full" in message and "free" in message for some in found["refusals"] for message in some)
    assert found["again"] == ["unchanged"]
    assert (found["failed"], found["equal"]) == ([], True)


def test_the_command_line_says_a_full_disk_in_one_line_and_goes_on_later(
    disk: SmallDisk, tmp_path: Path
) -> None:
    config, first, second = (tmp_path / name for name in ("tiny.yaml", "first.txt", "second.txt"))
    config.write_text(CONFIG)
    first.write_text("Trams stop at red. " * 40)
    second.write_text("They go at white. " * 400)
    assert disk.workbench("add", first).returncode == 0
    disk.fill()
    refused = disk.workbench("--json", "add", first, second)
    assert refused.returncode == 1
    results = {Path(r["path"]).name: r for r in map(json.loads, refused.stdout.splitlines())}
    assert {name: r["status"] for name, r in results.items()} == {
        "first.txt": "unchanged",
        "second.txt": "failed",
    }
    assert "is full: free some space" in results["second.txt"]["message"]
    build = disk.workbench("build", config)
    assert build.returncode == 1
    assert "full" in build.stderr
    assert "Traceback" not in refused.stderr + build.stderr
    disk.free()
    assert disk.workbench("add", second).returncode == 0
    assert disk.workbench("build", config).returncode == 0
    assert json.loads(disk.workbench("--json", "search", config, "white", "--k", "1").stdout)["rank"] == 1


def test_a_read_only_workspace_is_told_and_stays_readable_and_goes_on_when_it_may(disk: SmallDisk) -> None:
    with disk.opened(sys.executable, "-c", COMMON + READ_ONLY, disk.folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        disk.make_read_only()
        print(file=process.stdin, flush=True)
        found = json.loads(process.stdout.readline())
        disk.make_writable()
        print(file=process.stdin, flush=True)
        after = json.loads(process.stdout.readline())
        assert process.wait() == 0
    assert found["added"]["1.txt"][0] == "unchanged"
    status, message = found["added"]["3.txt"]
    assert (status, "cannot be written: give this user the right" in message) == ("failed", True)
    assert "change its permissions" in found["built"]
    assert "change its permissions" in found["deleted"]
    assert found["opened"] == "done"
    assert "give this user the right" in found["made"]
    assert (found["read"], found["searched"]) == (["1.txt", "2.txt"], 3)
    assert after["added"]["3.txt"][0] == "added"
    assert after["built"] == 3


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_every_page_of_the_app_lives_on_such_a_disk(disk: SmallDisk, state: str) -> None:
    command = (sys.executable, "-c", COMMON + PAGES, disk.folder, state)
    with disk.opened(*command, environment={"WORKBENCH_WARM_UP": "off"}) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if state == "read-only":
            assert process.stdout.readline() == "ready\n"
            disk.make_read_only()
        said = process.communicate("\n")[0]
        assert process.returncode == 0
    found = json.loads(said.splitlines()[-1])
    assert set(found) == {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert {page: exceptions for page, (exceptions, _) in found.items() if exceptions} == {}
    for page, (_, errors) in found.items():
        assert errors == [], page


def test_a_workspace_that_cannot_be_made_is_one_line_and_no_traceback(
    disk: SmallDisk, tmp_path: Path
) -> None:
    disk.make_read_only()
    (tmp_path / "file").write_text("in the way")
    for place in (disk.folder / "w", tmp_path / "file" / "w", Path("/proc/w")):
        done = disk.run(sys.executable, "-m", "workbench", "--workspace", place, "documents")
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1
        assert str(place) in done.stderr
