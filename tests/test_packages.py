"""Packages that plug-ins load: by one thread at a time, and with a sentence where one is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import MissingPackageError
from workbench.packages import load

TWO_THREADS = """
import sys, threading
from workbench.packages import load
from workbench.errors import MissingPackageError
sys.setswitchinterval(1e-6)
ready, failed = threading.Barrier(2), []
def run(module):
    ready.wait()
    try:
        load(module, "parts", "a test")
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=run, args=(m,)) for m in ("parts.one", "parts.two")]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(failed)
"""


def test_two_threads_that_load_parts_of_a_package_both_get_them_whole(tmp_path: Path) -> None:
    """Python does not wait for a package that another thread is loading before it loads a part: NLTK's parts then
    miss what the package defines."""
    parts = tmp_path / "parts"
    parts.mkdir()
    # The pause stands for a slow disk: it lets the other thread begin its own part in between.
    (parts / "__init__.py").write_text("import time\ntime.sleep(0.3)\nDATA = 1\n")
    for name in ("one", "two"):
        (parts / f"{name}.py").write_text("import sys\nassert sys.modules['parts'].DATA\n")
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", TWO_THREADS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(tmp_path)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_missing_package_says_what_needs_it_and_how_to_get_it() -> None:
    with pytest.raises(
        MissingPackageError, match="a map needs the package no-such: pip install 'no-such>=2'"
    ):
        load("no_such_package", "no-such", "a map", "'no-such>=2'")
