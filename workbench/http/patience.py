"""When to ask a server again: not too often, not too soon after a refusal, and not for ever."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from workbench.errors import Cancelled, ServiceError

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 525), 529})
"""Answers that may be another one later: RFC 9110 (15.5, 15.6), RFC 6585, Cloudflare's 520 to 524, overload as 529."""
LONGEST_BACKOFF_S = 60.0
_STEP_S = 0.25


class TryAgain(ServiceError):
    """A failure that may pass; ``retry_after_s`` is what the server asked for, None where it said nothing."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


def retry_after_s(headers: Mapping[str, str], now_utc_s: float) -> float | None:
    """Return how many seconds a server asks to wait, None where it says nothing that can be read.

    Retry-After in either of its forms (RFC 9110, 10.2.3), with a fraction too, or ``retry-after-ms``, which is finer.
    Names of ``headers`` are in lower case.

    >>> retry_after_s({"retry-after": "1.5"}, 0.0)
    1.5
    >>> retry_after_s({"retry-after": "2", "retry-after-ms": "1250"}, 0.0)
    1.25
    >>> retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:01:30 GMT"}, 60.0)
    30.0
    """
    milliseconds = _seconds(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _seconds(text)
    if seconds is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_utc_s)
    except (ValueError, TypeError, OverflowError):
        return None


_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?")


def _seconds(text: str) -> float | None:
    """Return a number that a header holds; one of endless digits is as good as a very long wait."""
    number = text.strip()
    if not number.isascii() or not _NUMBER.fullmatch(number):
        return None
    return min(float(number[:40]), 1e9)


Asked = tuple[str, str]
"""A host and a credential, as far as it matters here: two accounts at one service do not wait for each other."""


@dataclass(slots=True)
class Pace:
    """How often a host is asked with one credential ("" for none). Threads share it: each reserves its moment, then
    waits for it."""

    interval_s: float = 0.0
    clock: Callable[[], float] = field(kw_only=True)
    _intervals: dict[Asked, float] = field(default_factory=dict)
    _next: dict[Asked, float] = field(default_factory=dict)
    _closed: dict[Asked, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def slow_down(self, host: str, interval_s: float, credential: str = "") -> None:
        """Ask ``host`` at most once in this many seconds; the longest of several calls holds."""
        asked = host, credential
        with self._lock:
            self._intervals[asked] = max(interval_s, self._intervals.get(asked, 0.0))

    def leave_alone(self, host: str, seconds: float, credential: str = "") -> None:
        """Ask ``host`` nothing for so long: it said so to one thread, and means all."""
        asked = host, credential
        with self._lock:
            self._closed[asked] = max(self.clock() + seconds, self._closed.get(asked, 0.0))

    def closed_s(self, host: str, credential: str = "") -> float:
        """Return for how long ``host`` wants to be left alone, 0 when it does not."""
        with self._lock:
            return max(0.0, self._closed.get((host, credential), 0.0) - self.clock())

    def wait_s(self, host: str, credential: str = "") -> float:
        """Return how long to wait before the next request to ``host``, and count that request."""
        asked = host, credential
        with self._lock:
            now = self.clock()
            moment = max(now, self._next.get(asked, now), self._closed.get(asked, now))
            self._next[asked] = moment + max(self.interval_s, self._intervals.get(asked, 0.0))
            return moment - now


def patient_sleep(seconds: float, sleep: Callable[[float], None], cancelled: Callable[[], bool]) -> None:
    """Sleep in short steps; raises ``Cancelled`` soon after the user asked to stop."""
    left = seconds
    while left > 0:
        if cancelled():
            raise Cancelled("stopped while waiting to ask again")
        sleep(min(left, _STEP_S))
        left -= _STEP_S


def retrying(
    attempts: int,
    deadline: Callable[[], float],
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    longest_wait_s: float = math.inf,
) -> Retrying:
    """Return what runs a request again after ``TryAgain``: exponential backoff with full jitter, or what was asked.

    It gives up after so many attempts, and at once when the next wait is too long or would end behind the deadline.
    """
    backoff = wait_random_exponential(multiplier=1, max=LONGEST_BACKOFF_S)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after_s if isinstance(error, TryAgain) else None
        return backoff(state) if asked is None else asked

    def stop(state: RetryCallState) -> bool:
        wait_s = state.upcoming_sleep
        return state.attempt_number >= attempts or wait_s > longest_wait_s or clock() + wait_s >= deadline()

    return Retrying(retry=retry_if_exception_type(TryAgain), wait=wait, stop=stop, sleep=sleep, reraise=True)
