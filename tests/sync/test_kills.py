"""A process that is killed at any boundary of a stage leaves nothing that the next sync does not bring in order."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source_places import settle
from tests.sync.shelf import rows, synced
from workbench.config import parsed
from workbench.errors import BusyError
from workbench.sync import Pipeline
from workbench.sync.run import Wishes
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONFIG = """\
name: killed
parser: {name: plain_text}
chunker: {name: nltk_sentences, size_tokens: 8, overlap_sentences: 0}
embedder: {name: hashing}
sources: [{name: pdf_folder, path: in}]
"""
CHILD = """
import os, signal, sys
from pathlib import Path
from workbench.config import parsed
from workbench.sync import Pipeline
from workbench.workspace import Workspace

folder, boundary = Path(sys.argv[1]), sys.argv[2]
config = parsed((folder / "config.yaml").read_text())
for event in Pipeline(Workspace(folder / "workspace"), config, folder).sync():
    if boundary in (event.kind, getattr(event, "stage", "")):
        if sys.argv[3] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        print("here", flush=True)
        sys.stdin.readline()
"""
BOUNDARIES = (
    "started",
    "source_listed",
    "planned",
    "read",
    "parse",
    "cut",
    "embed",
    "intend",
    "write",
    "record",
    "progress",
    "intend_removal",
    "remove",
    "record_removal",
    "finished",
)


def pipeline_in(folder: Path) -> Pipeline:
    return Pipeline(Workspace(folder / "workspace"), parsed((folder / "config.yaml").read_text()), folder)


def child(folder: Path, boundary: str, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), boundary, what],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced folder in which then one file was changed, one added and one deleted."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "in").mkdir()
    for number in range(4):
        path = folder / "in" / f"{number}.txt"
        path.write_text(f"The tram number {number} is red. It stops at {number}.")
        settle(path)
    synced(pipeline_in(folder))
    (folder / "in" / "0.txt").write_text("The tram number 0 is blue now. It stops at 0.")
    (folder / "in" / "1.txt").unlink()
    (folder / "in" / "new.txt").write_text("A new line is open.")
    settle(folder / "in" / "0.txt")
    settle(folder / "in" / "new.txt")
    return folder


@pytest.fixture(scope="module")
def expected(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """What a build from scratch gives."""
    folder = tmp_path_factory.mktemp("scratch")
    shutil.copy(template / "config.yaml", folder)
    shutil.copytree(template / "in", folder / "in")
    pipeline = pipeline_in(folder)
    synced(pipeline)
    return rows(pipeline)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_kill_at_a_boundary_is_mended_by_the_next_sync(
    boundary: str, template: Path, expected: dict[str, list[float]], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    shutil.copytree(template, folder)
    killed = child(folder, boundary, "kill")
    killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    pipeline = pipeline_in(folder)
    assert synced(pipeline).status == "done"
    assert rows(pipeline) == expected
    assert pipeline.verified().findings == ()
    before = pipeline.ledger.runs.recent("killed")[1]
    assert before.status == ("done" if boundary == "finished" else "interrupted")
    again = synced(pipeline).figures
    assert (again.embedded, again.chunks_written, again.removed, again.kept) == (0, 0, 0, 4)


def test_of_two_processes_one_is_refused_and_may_wait_instead(template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    shutil.copytree(template, folder)
    other = child(folder, "planned", "pause")
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "here\n"
    pipeline = pipeline_in(folder)
    with pytest.raises(BusyError, match=f"another sync of killed is running .process {other.pid}."):
        synced(pipeline)
    other.stdin.write("\n")
    other.stdin.flush()
    finished = list(pipeline.sync(Wishes(wait_s=60)))[-1]
    assert other.wait(60) == 0
    assert finished.figures.kept == 4  # type: ignore[attr-defined]
