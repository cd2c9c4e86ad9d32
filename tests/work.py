"""How much work a call is, without a clock: lines of Python run, and functions called, those in C among them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from workbench.errors import WorkbenchError


def steps(work: Callable[[], object]) -> int:
    """Return how many lines are run and functions called; a refusal that the product knows counts as an answer.

    What one function in C does by itself is one step, however long it takes: ``benchmarks/hostile.py`` times that.
    """
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        work()
    except WorkbenchError:
        pass
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return count


def repeated(pattern: str, characters: int, before: str = "", after: str = "") -> str:
    """Return a text that repeats ``pattern``, whole each time, up to a length, between two others."""
    return before + pattern * (characters // len(pattern)) + after
