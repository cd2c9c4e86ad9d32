"""Connections that go to the very address that was checked, end in time and end when the user says so."""

from __future__ import annotations

import select
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2

from workbench.errors import Cancelled
from workbench.http.addresses import AllowList, checked_addresses

LOOK_S = 0.2
"""How long a read waits before it looks whether the user has asked to stop."""


class Watch:
    """What ends the request of the current thread: a deadline, or the user."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of_thread = threading.local()

    @contextmanager
    def until(self, deadline: float, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Hold these for the requests made inside; ``deadline`` is a time of the clock, in seconds."""
        self._of_thread.now = (deadline, cancelled)
        try:
            yield
        finally:
            del self._of_thread.now

    def left_s(self, timeout_s: float | None) -> float:
        """Return how long may be waited; raises ``Cancelled``, or httpcore's timeout when the deadline is past."""
        deadline, cancelled = self._of_thread.now
        if cancelled():
            raise Cancelled("stopped while an answer was awaited")
        left: float = deadline - self._clock()
        if left <= 0:
            raise httpcore2.ReadTimeout("the time for this request is over")
        return left if timeout_s is None else min(left, timeout_s)


class _WatchedStream(httpcore2.NetworkStream):
    """A connection whose every wait is watched, while TLS is agreed on, headers come and the body comes."""

    def __init__(self, stream: httpcore2.NetworkStream, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        patience_s = self._watch.left_s(timeout)
        waited_s = 0.0
        while not self._readable(min(LOOK_S, patience_s - waited_s)):
            waited_s += LOOK_S
            self._watch.left_s(timeout)
            if waited_s >= patience_s:
                raise httpcore2.ReadTimeout("nothing came")
        return self._stream.read(max_bytes, self._watch.left_s(timeout))

    def _readable(self, wait_s: float) -> bool:
        socket = self._stream.get_extra_info("socket")
        # Bytes that TLS has unpacked already make no socket readable.
        if isinstance(socket, ssl.SSLSocket) and socket.pending():
            return True
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        return bool(poll.poll(max(0.0, wait_s) * 1000))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._watch.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._watch.left_s(timeout))
        return _WatchedStream(secured, self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedNetwork(httpcore2.NetworkBackend):
    """Resolves a name once, checks every address it leads to, and connects to one of these.

    The name is not resolved again for connecting, so an answer that changes in between (DNS rebinding) gains nothing;
    TLS still checks the certificate against the name.
    """

    def __init__(self, allowed: AllowList, watch: Watch) -> None:
        self._allowed = allowed
        self._watch = watch
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception | None = None
        for address in checked_addresses(host.strip("[]"), port, self._allowed):
            patience_s = self._watch.left_s(timeout)
            try:
                stream = self._plain.connect_tcp(address, port, patience_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return _WatchedStream(stream, self._watch)
        raise failure or httpcore2.ConnectError("no address")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        raise httpcore2.ConnectError("only network addresses are talked to")
