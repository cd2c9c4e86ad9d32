"""SIGTERM ends a command as cancelled, also while its workers are busy, and leaves neither a run nor a process behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.contracts.source_places import settle
from tests.damage.conftest import CONFIG
from tests.damage.hostile import ROOT
from tests.documents import exponential_forms_pdf
from workbench.__main__ import TERMINATED
from workbench.ingest.ledger import Ledger
from workbench.records import content_digest

pytestmark = pytest.mark.slow

BUSY_TICKS = 350
"""Hundredths of a second of work: more than it takes a worker to start, whatever else the machine does."""
PATIENCE_S = 120.0
SWEEP = """\
version: 1
name: sizes
base:
  chunker: {name: fixed_size, size_tokens: 20}
  embedder: {name: hashing, dimension: 64}
factors:
  size_tokens: [20, 40]
"""


@contextmanager
def begun(folder: Path, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "workbench",
        *map(str, words),
        "--json",
        "--workspace",
        str(folder / "w"),
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def children(pid: int) -> list[int]:
    return [
        int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()
    ]


def ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[11]) + int(fields[12])


def busy_workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the worker processes once one of them reads the file that has no end."""
    give_up_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_at:
        assert process.poll() is None, process.communicate()
        found = children(process.pid)
        if any(ticks(pid) > BUSY_TICKS for pid in found):
            return found
        time.sleep(0.05)
    raise AssertionError("no worker was ever busy")


def ends_on_request(process: subprocess.Popen[str]) -> None:
    workers = busy_workers(process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == TERMINATED, said
    assert "ended on request; everything finished so far is kept" in said
    assert "Traceback" not in said
    assert [pid for pid in workers if Path(f"/proc/{pid}/exe").exists()] == []


def test_a_sync_whose_worker_is_busy_ends_as_cancelled_and_the_next_one_runs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "endless.pdf").write_bytes(exponential_forms_pdf())
    (tmp_path / "in" / "red.txt").write_text("The tram stops at red.")
    for path in (tmp_path / "in").iterdir():
        settle(path)
    (tmp_path / "config.yaml").write_text(CONFIG.replace("parser: {name: plain_text}\n", ""))
    with begun(tmp_path, "sync", tmp_path / "config.yaml") as process:
        ends_on_request(process)
    runs = Ledger(tmp_path / "w" / "pipelines" / "ledger.db").runs.recent("notices")
    assert [(run.status, run.ended_at_utc is not None) for run in runs] == [("cancelled", True)]
    (tmp_path / "in" / "endless.pdf").unlink()
    with begun(tmp_path, "sync", tmp_path / "config.yaml") as process:
        out, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert json.loads(out.splitlines()[-1])["status"] == "done"


def test_an_add_whose_worker_is_busy_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "endless.pdf").write_bytes(exponential_forms_pdf())
    with begun(tmp_path, "add", tmp_path / "endless.pdf") as process:
        ends_on_request(process)


@pytest.mark.parametrize("command", ["build", "sweep"])
def test_a_build_and_a_sweep_whose_worker_is_busy_end_at_once(tmp_path: Path, command: str) -> None:
    # Found again from its file alone, and not read yet: reading it is the first thing that the command does.
    endless = exponential_forms_pdf()
    (tmp_path / "w" / "originals").mkdir(parents=True)
    (tmp_path / "w" / "originals" / f"{content_digest(endless)}.pdf").write_bytes(endless)
    (tmp_path / "config.yaml").write_text("name: t\nchunker: {name: fixed_size}\nembedder: {name: hashing}\n")
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    (tmp_path / "questions.csv").write_text("question,expected text,document\nWhat?,x,found\n")
    words = (
        ("build", tmp_path / "config.yaml")
        if command == "build"
        else ("sweep", tmp_path / "sweep.yaml", "--questions", tmp_path / "questions.csv")
    )
    with begun(tmp_path, *words) as process:
        ends_on_request(process)


def test_a_server_that_is_stopped_ends_its_runs_as_cancelled(tmp_path: Path) -> None:
    """The schedule starts a sync without any visitor; its worker is busy when the server is told to stop."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "endless.pdf").write_bytes(exponential_forms_pdf())
    settle(tmp_path / "in" / "endless.pdf")
    configs = tmp_path / "w" / "pipelines" / "configs"
    configs.mkdir(parents=True)
    config = CONFIG.replace("parser: {name: plain_text}\n", "").replace("in}", f"{tmp_path / 'in'}}}")
    (configs / "config.yaml").write_text(config + "schedule: {every_minutes: 600}\n")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = (f"--server.port={port}", "--server.headless=true", "--server.address=127.0.0.1")
    with subprocess.Popen(
        [sys.executable, "-m", "workbench.ui.server", *options, "--browser.gatherUsageStats=false"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "WORKBENCH_WORKSPACE": str(tmp_path / "w"),
            "WORKBENCH_WARM_UP": "off",
        },
    ) as process:
        try:
            workers = busy_workers(process)
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "Traceback" not in said
    (run,) = Ledger(tmp_path / "w" / "pipelines" / "ledger.db").runs.recent()
    assert run.status == "cancelled"
    assert [pid for pid in workers if Path(f"/proc/{pid}/exe").exists()] == []
