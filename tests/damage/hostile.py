"""Programs that run where nothing can be written, in ways that need no mount and work for root, too."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2

COMMANDS = """
import contextlib, io, json, sys
from workbench.__main__ import main
for argv in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(argv)
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


def keep_to_rights() -> None:
    """Let even root write only where the permissions let it, from the next program on."""
    libc = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def write_no_byte() -> None:
    """Refuse every byte that is written to a file, as a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def close_to_writers(folder: Path) -> None:
    """Take the right to write from a folder and all that is in it."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)


def open_to_writers(folder: Path) -> None:
    """Give the right to write back, so that the test's folder can be removed."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)


def python(
    program: str, *arguments: str | Path, limits: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a Python program to its end, under limits."""
    # Its temporary files go to memory, where a copy of what cannot be read in its place may lie.
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)],
        preexec_fn=limits,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        timeout=240,
    )


def commands(
    workspace: Path, lines: Sequence[Sequence[str | Path]], limits: Callable[[], None] | None = None
) -> list[tuple[int, str, str]]:
    """Run commands one after the other; return the status, the output and the messages of each."""
    argv = [[str(word) for word in line] + ["--workspace", str(workspace)] for line in lines]
    done = python(COMMANDS, json.dumps(argv), limits=limits)
    assert done.returncode == 0, done.stderr
    found: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    return [(status, out, err) for status, out, err in found]
