"""One request: guarded, paced, retried, followed through its redirects, and read within limits."""

from __future__ import annotations

import json as json_text
import math
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from string import printable
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpcore2

from workbench import __version__
from workbench.counts import counted
from workbench.errors import InputError, ServiceError
from workbench.http.addresses import AllowList
from workbench.http.answers import LARGEST_ERROR_BYTES, Classify, ErrorAnswer, Response, usual_meaning
from workbench.http.bodies import joined, megabytes, unpacked
from workbench.http.network import GuardedNetwork, Watch
from workbench.http.patience import Pace, TryAgain, patient_sleep, retrying
from workbench.http.urls import checked_url, host_and_port, origin, shown_url

PRODUCT = "retrieval-workbench"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_MODIFIED = 304
_WITHOUT_EFFECT = frozenset({"GET", "HEAD"})
_CREDENTIALS = ("authorization", "cookie", "x-api-key", "api-key")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one request is borne. ``total_s`` holds for all attempts and redirects together.

    A server that asks to wait longer than ``longest_wait_s`` is not asked again.
    """

    total_s: float = 300.0
    connect_s: float = 10.0
    idle_s: float = 30.0
    attempts: int = 6
    redirects: int = 5
    size_bytes: int = 50_000_000
    unpacked_bytes: int = 200_000_000
    longest_wait_s: float = math.inf


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    headers: Mapping[str, str]
    content: bytes | None
    classify: Classify


def _never() -> bool:
    return False


def _anywhere(url: str) -> None:
    """Forbid no address."""


def _as_usual(answer: ErrorAnswer) -> None:
    """Give no error a meaning of its own."""


class Http:
    """A client for one run; threads may share it. Clock, sleep and pace can be given, so that nothing needs to wait.

    ``allowed`` lists the private places that may be talked to; None takes the operator's list.
    """

    def __init__(
        self,
        allowed: AllowList | None = None,
        limits: Limits = Limits(),
        *,
        clock: Callable[[], float] = time.monotonic,
        utc_s: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits
        self.pace = Pace(clock=clock)
        self._clock = clock
        self.utc_s = utc_s
        self._sleep = sleep
        self._watch = Watch(clock)
        network = GuardedNetwork(AllowList.from_environment() if allowed is None else allowed, self._watch)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context or httpcore2.default_ssl_context(),
            max_connections=16,
            keepalive_expiry=5.0,
            network_backend=network,
        )

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        limits: Limits | None = None,
        check: Callable[[str], None] = _anywhere,
        cancelled: Callable[[], bool] = _never,
        classify: Classify = _as_usual,
    ) -> Response:
        """Return the answer to a GET: any 2xx, or 304. Everything else is as with ``request``."""
        return self.request(
            "GET", url, headers, limits=limits, check=check, cancelled=cancelled, classify=classify
        )

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        reads: bool = False,
        limits: Limits | None = None,
        check: Callable[[str], None] = _anywhere,
        cancelled: Callable[[], bool] = _never,
        classify: Classify = _as_usual,
    ) -> Response:
        """Return the answer to a request with a body of ``json``, or of ``form`` fields: any 2xx, or 304.

        Only what changes nothing is asked again after a failure: GET and HEAD, or another method where the caller says
        that it only ``reads``. Only GET and HEAD follow redirects. ``check`` is called with the address and each one
        redirected to, and may raise. ``headers`` go to the host of ``url`` only, never along with a redirect to
        another. ``classify`` may give an error of 400 and above its meaning.

        Raises ``InputError`` with the status ``gone``, ``forbidden``, ``refused``, ``too_large`` or ``damaged``,
        ``QuotaError`` where no waiting helps, and ``ServiceError`` when later may be better.
        """
        if json is not None and form is not None:
            raise ValueError("a request has one body: json or form")
        bounds = limits or self.limits
        without_effect = method in _WITHOUT_EFFECT
        if not (without_effect or reads):
            bounds = replace(bounds, attempts=1)
        content, own = _body_of(json, form)
        here = first = checked_url(url)
        deadline = self._clock() + bounds.total_s
        for _ in range(bounds.redirects + 1):
            check(here)
            sent = (headers or {}) if origin(here) == origin(first) else {}
            request = _Request(method, {**own, **sent}, content, classify)
            response = self._patiently(here, request, bounds, deadline, cancelled)
            target = response.headers.get("location")
            if response.status not in REDIRECTS or target is None:
                return response
            if not without_effect:
                raise InputError(
                    f"{shown_url(here)} points elsewhere ({response.status}), which is not followed: give the final"
                    " address",
                    "refused",
                )
            here = checked_url(_as_sent(target), here)
        raise InputError(f"{shown_url(first)} was redirected more than {bounds.redirects} times", "refused")

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _patiently(
        self,
        url: str,
        request: _Request,
        limits: Limits,
        deadline: float,
        cancelled: Callable[[], bool],
    ) -> Response:
        host, credential = host_and_port(url)[0], _credential(request.headers)
        polite_s = 0.0
        tries = 0

        def attempt() -> Response:
            nonlocal polite_s, tries
            tries += 1
            closed_s = self.pace.closed_s(host, credential)
            if self._clock() + closed_s > deadline + polite_s:
                raise ServiceError(
                    f"{host} asks to be left alone for another {counted(round(closed_s), 'second')}"
                )
            # Waiting for one's turn is politeness, not a failure: it does not shorten the time for the answer.
            wait_s = self.pace.wait_s(host, credential)
            polite_s += max(0.0, wait_s - closed_s)
            patient_sleep(wait_s, self._sleep, cancelled)
            with self._watch.until(deadline + polite_s, cancelled):
                try:
                    return self._exchange(url, request, limits)
                except TryAgain as error:
                    if error.retry_after_s is not None:
                        self.pace.leave_alone(host, error.retry_after_s, credential)
                    raise

        def pause(seconds: float) -> None:
            patient_sleep(seconds, self._sleep, cancelled)

        try:
            again = retrying(
                limits.attempts, lambda: deadline + polite_s, self._clock, pause, limits.longest_wait_s
            )
            return again(attempt)
        except TryAgain as error:
            asked = (
                f", and asks to wait {counted(round(error.retry_after_s), 'second')}"
                if error.retry_after_s
                else ""
            )
            often = "once" if tries == 1 else f"{tries} times"
            raise ServiceError(f"{error}{asked}; asked {often}. Try again later") from error

    def _exchange(self, url: str, request: _Request, limits: Limits) -> Response:
        name = shown_url(url)
        sent = {
            "User-Agent": f"{PRODUCT}/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            **request.headers,
        }
        timeout = {
            "connect": limits.connect_s,
            "read": limits.idle_s,
            "write": limits.idle_s,
            "pool": limits.total_s,
        }
        try:
            with self._pool.stream(
                request.method,
                url,
                headers=_encoded(sent),
                content=request.content,
                extensions={"timeout": timeout},
            ) as answer:
                found: dict[str, str] = {}
                for key, value in answer.headers:
                    found.setdefault(key.decode("latin-1").lower(), value.decode("latin-1"))
                if answer.status == NOT_MODIFIED or (answer.status in REDIRECTS and "location" in found):
                    return Response(url, answer.status, found, b"")
                if 200 <= answer.status < 300:
                    return Response(url, answer.status, found, _body(answer, found, limits, name))
                failed = ErrorAnswer(
                    name, answer.status, found, _error_body(answer, found, name), self.utc_s()
                )
                raise request.classify(failed) or usual_meaning(failed)
        except httpcore2.TimeoutException as error:
            raise TryAgain(f"{name} did not answer in time") from error
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError) as error:
            for why in error.args:
                if isinstance(why, ssl.SSLCertVerificationError):
                    raise ServiceError(f"{name} cannot prove who it is: {why.verify_message}") from error
            raise TryAgain(f"{name} cannot be reached or broke off") from error
        except (httpcore2.LocalProtocolError, UnicodeEncodeError):
            # What the library says repeats headers, and a header may be a secret.
            raise InputError(
                f"{name} cannot be asked for: a header holds what no header may", "refused"
            ) from None


def _body_of(json: Any, form: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    if json is not None:
        return json_text.dumps(json, ensure_ascii=False, allow_nan=False).encode(), {
            "Content-Type": "application/json"
        }
    if form is not None:
        return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return None, {}


def _credential(headers: Mapping[str, str]) -> str:
    """Return what tells the credential in ``headers`` from others, "" where there is none; never itself."""
    found = sorted(
        f"{name.lower()}:{value}" for name, value in headers.items() if name.lower() in _CREDENTIALS
    )
    text = "\n".join(found).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest() if found else ""


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    # As they are decoded: an ETag goes back as it came, whatever letters it holds.
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _as_sent(location: str) -> str:
    """Return a redirect's target. Beyond ASCII it is mostly UTF-8; of other bytes nobody knows the letters: kept as such."""
    raw = location.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return quote(raw, safe=printable)


def _body(answer: httpcore2.Response, headers: Mapping[str, str], limits: Limits, name: str) -> bytes:
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limits.size_bytes:
        raise InputError(f"{name} is larger than {megabytes(limits.size_bytes)}", "too_large")
    data = joined(answer.iter_stream(), limits.size_bytes, name)
    packing = headers.get("content-encoding", "identity").strip().lower()
    if packing in ("", "identity"):
        return data
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise InputError(f"{name} is packed as {packing!r:.20}, which was not asked for", "unsupported")
    return unpacked(data, limits.unpacked_bytes, name)


def _error_body(answer: httpcore2.Response, headers: Mapping[str, str], name: str) -> bytes:
    """Return what can be read of an error's body: nothing of it is promised, and it may break off."""
    data = bytearray()
    try:
        for piece in answer.iter_stream():
            data += piece
            if len(data) >= LARGEST_ERROR_BYTES:
                break
        body = bytes(data[:LARGEST_ERROR_BYTES])
        if headers.get("content-encoding", "identity").strip().lower() in ("gzip", "x-gzip", "deflate"):
            return unpacked(body, LARGEST_ERROR_BYTES, name)
        return body
    except InputError:
        return b""
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.RemoteProtocolError):
        return bytes(data[:LARGEST_ERROR_BYTES])
