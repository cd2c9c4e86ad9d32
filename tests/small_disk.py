"""A real file system of a few megabytes, for tests of full disks and read-only places."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# As an ordinary user a namespace of users makes the mount possible, as root it may be forbidden and not be needed.
_WAYS = (["unshare", "--user", "--map-root-user", "--mount"], ["unshare", "--mount"])


class SmallDisk:
    """A tmpfs at ``folder`` that only the programs it runs can see; it ends with the test."""

    def __init__(self, keeper: int, namespaces: list[str], folder: Path) -> None:
        self._enter = ["nsenter", "--target", str(keeper), *namespaces, "--"]
        self.folder = folder

    def command(self, *arguments: str | Path) -> list[str]:
        """Return the command line that runs a program where the disk can be seen."""
        # nsenter begins at the root of the other namespace.
        inside = ["sh", "-c", 'cd "$0" && exec "$@"', str(ROOT)]
        return [*self._enter, *inside, *map(str, arguments)]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120)

    def opened(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Return a program that runs, to be spoken to."""
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def python(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a Python program to its end."""
        return self.run(sys.executable, "-c", program, *arguments)

    def workbench(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command of the workbench on the workspace ``folder/w``."""
        return self.run(sys.executable, "-m", "workbench", "--workspace", self.folder / "w", *arguments)

    def fill(self) -> None:
        """Leave not a single byte free."""
        assert "No space left" in self.run("dd", "if=/dev/zero", f"of={self.folder / 'ballast'}").stderr

    def free(self) -> None:
        """Give back what ``fill`` took."""
        self._done("rm", self.folder / "ballast")

    def make_read_only(self) -> None:
        """Let nobody write, not even root."""
        # With its source named: an ordinary user's mount is not looked up elsewhere.
        self._done("mount", "-o", "remount,ro", "none", self.folder)

    def make_writable(self) -> None:
        """Let everybody write again."""
        self._done("mount", "-o", "remount,rw", "none", self.folder)

    def _done(self, *arguments: str | Path) -> None:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Give a disk of ``size_bytes`` at ``folder``.

    Where this machine allows no mounts the test cannot be run: that is a failure in CI and marked elsewhere.
    """
    folder.mkdir()
    mount = f'mount -t tmpfs -o size={size_bytes},mode=777 none "$0" && echo ready && exec cat'
    refusals = []
    for way in _WAYS:
        with subprocess.Popen(
            [*way, "sh", "-c", mount, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as keeper:
            assert keeper.stdout is not None
            said = keeper.stdout.readline()
            if said == "ready\n":
                user = ["--user", "--preserve-credentials"] if "--user" in way else []
                try:
                    yield SmallDisk(keeper.pid, [*user, "--mount"], folder)
                finally:
                    keeper.kill()
                return
            refusals.append(f"{' '.join(way)}: {said.strip()}")
    no_disk(refusals)


def no_disk(refusals: Sequence[str]) -> None:
    """End a test that got no disk of its own."""
    message = (
        "this machine lets nobody mount a small disk (" + "; ".join(refusals) + "); allow user namespaces"
    )
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.xfail(message)
