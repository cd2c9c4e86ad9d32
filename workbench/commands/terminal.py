"""What a command says: results on stdout, messages and progress on stderr, an exit status."""

from __future__ import annotations

import codecs
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DONE, SOME_FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """The system, or whoever runs the program, asked it to end: it stops as on Ctrl-C."""


@contextmanager
def stops_on_request() -> Iterator[None]:
    """Let SIGTERM end what runs inside as Ctrl-C does, so that a run is closed and worker processes end.

    Not in other threads than the first, which alone gets signals, and not where somebody else handles the signal.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return

    def stop(*_: Any) -> None:
        # Asked twice, it still ends in due form.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def interrupted_early(*_: Any) -> None:
    """End the program at once, while it is still loading: there is nothing to be kept."""
    os.write(2, b"interrupted before anything was begun\n")
    os._exit(INTERRUPTED)


class Output:
    """Results on stdout (JSON lines or text), messages and progress on stderr."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._progress = sys.stderr.isatty() and not as_json
        self._shown = False
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._utf8 = codecs.lookup(self._encoding).name == "utf-8"

    def row(self, values: dict[str, Any], text: str) -> None:
        """Print one result."""
        self.clear()
        # Programs read UTF-8: in another encoding the letters beyond ASCII are written as JSON's own escapes.
        line = json.dumps(values, ensure_ascii=not self._utf8) if self.as_json else _printable(text)
        self._write(line)
        sys.stdout.flush()

    def conclusion(self, text: str) -> None:
        """Print what follows from the results: below them for people, as a message beside JSON lines."""
        self.clear()
        if self.as_json:
            sys.stderr.write(_printable(text) + "\n")
        else:
            self._write(_printable(text))

    def _write(self, line: str) -> None:
        # A file name need not be Unicode, and a terminal may know the letters of a few languages only.
        sys.stdout.write(line.encode(self._encoding, "backslashreplace").decode(self._encoding) + "\n")

    def message(self, text: str) -> None:
        """Print a message for people."""
        self.clear()
        sys.stderr.write(_printable(text) + "\n")

    def progress(self, text: str) -> None:
        """Show progress on the terminal's last line."""
        if self._progress:
            sys.stderr.write("\r\x1b[2K" + _printable(text)[:110])
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Remove the progress line."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            self._shown = False


def _printable(text: str) -> str:
    # Document text may hold escape sequences that would rule the terminal.
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
