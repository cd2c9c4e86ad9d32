"""What a server answered, and what an answer that is none means: wait, give up, or stop for good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import InputError, QuotaError, ServiceError, WorkbenchError
from workbench.http.patience import RETRIED, TryAgain, retry_after_s

LARGEST_ERROR_BYTES = 64_000
"""How much of an error's body is read for a source to look at."""
_GONE = frozenset({404, 410})
_FORBIDDEN = frozenset({401, 403, 407, 451})
_PAYMENT_REQUIRED = 402
_MAY_MEAN_A_QUOTA = frozenset({402, 403, 429})
REASON_LEVELS = 2
"""How far below the top of an error's body its words stand: Google's in ``error.errors``. A hostile one nests on and on."""
_RATE_REASONS = frozenset({"userratelimitexceeded", "ratelimitexceeded", "rate_limit_exceeded"})
"""Google says its rate limit as 403 with the first two."""
_QUOTA_REASONS = frozenset(
    {"insufficient_quota", "quotaexceeded", "dailylimitexceeded", "billing_hard_limit_reached"}
)
"""OpenAI's first comes with 429, as its rate limit does; Google's with 403."""


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """An answer that was read whole. ``url`` is where it was found; names of ``headers`` are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class ErrorAnswer:
    """An answer of 400 or above, with at most ``LARGEST_ERROR_BYTES`` of its body.

    ``name`` is the address as messages may show it. The body never belongs in a message: some services repeat the
    key in it.
    """

    name: str
    status: int
    headers: Mapping[str, str]
    data: bytes
    now_utc_s: float

    @property
    def retry_after_s(self) -> float | None:
        """How many seconds the server asks to wait, None where it says nothing."""
        return retry_after_s(self.headers, self.now_utc_s)

    def json(self) -> Any:
        """Return the body as JSON, None where it is none or was longer than is read."""
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError):
            return None

    @property
    def reasons(self) -> frozenset[str]:
        """The machine-readable words of the body: codes, types and reasons, as Google, OpenAI and others place them."""
        return frozenset(_reasons(self.json()))


Classify = Callable[[ErrorAnswer], WorkbenchError | None]
"""Says what an error of one service means: ``TryAgain``, another error to raise, or None for the usual meaning."""


def usual_meaning(answer: ErrorAnswer) -> WorkbenchError:
    """Return the error that an answer stands for: ``TryAgain``, ``QuotaError``, ``InputError`` or ``ServiceError``."""
    name, status = answer.name, answer.status
    lower = {reason.lower() for reason in answer.reasons}
    if status == _PAYMENT_REQUIRED or (status in _MAY_MEAN_A_QUOTA and lower & _QUOTA_REASONS):
        return QuotaError(
            f"{name} answered {status}: the account's quota is used up, and waiting does not help; raise the limit or"
            " pay there, then start again"
        )
    if status in RETRIED:
        return TryAgain(f"{name} answered {status}", answer.retry_after_s)
    if status == 403 and (lower & _RATE_REASONS or _says_it_is_a_rate_limit(answer)):
        return TryAgain(f"{name} answered 403 because it was asked too often", answer.retry_after_s)
    if status in _GONE:
        return InputError(f"{name} is not there any more ({status})", "gone")
    if status in _FORBIDDEN:
        return InputError(f"{name} may not be read ({status})", "forbidden")
    if status >= 500:
        return ServiceError(f"{name} answered {status}")
    return InputError(f"{name} was refused by its server ({status})", "refused")


def _says_it_is_a_rate_limit(answer: ErrorAnswer) -> bool:
    remaining = answer.headers.get("x-ratelimit-remaining", "").strip()
    return answer.retry_after_s is not None or remaining == "0"


def _reasons(body: Any, levels: int = REASON_LEVELS) -> Iterator[str]:
    if not isinstance(body, dict):
        return
    for key in ("code", "type", "reason", "status", "error"):
        if isinstance(body.get(key), str):
            yield body[key]
    if not levels:
        return
    errors = body.get("errors")
    inner = [body.get("error"), *(errors if isinstance(errors, list) else [])]
    for one in inner:
        if isinstance(one, dict):
            yield from _reasons({key: value for key, value in one.items() if key != "error"}, levels - 1)
