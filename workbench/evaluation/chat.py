"""One request to an OpenAI-compatible chat service: no redirects, within limits of time and size, waiting when asked to.

What a service says in an error is never repeated: some repeat the key in it.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpcore2

from workbench.counts import counted
from workbench.errors import InputError, ServiceError, SettingsError
from workbench.http import checked_url, host_and_port, shown_url
from workbench.http.bodies import joined
from workbench.http.patience import RETRIED, patient_sleep, retry_after_s

CONNECT_S = 10.0
ANSWER_S = 180.0
"""How long one answer may take from first to last byte; models write slowly."""
ATTEMPTS = 3
LONGEST_WAIT_S = 60.0
LARGEST_ANSWER_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class ChatAddress:
    """Where a service is: its base address, such as ``http://127.0.0.1:11434/v1``."""

    base: str

    def __post_init__(self) -> None:
        try:
            found = checked_url(self.base.strip())
        except InputError as error:
            raise SettingsError(f"the address of the service: {error}") from error
        if "?" in found:
            raise SettingsError(
                "the address of the service must end before any ?: a secret may stand behind it"
            )

    @property
    def url(self) -> str:
        """Where the request goes."""
        base = checked_url(self.base.strip()).rstrip("/").removesuffix("/chat/completions")
        return f"{base}/chat/completions"

    @property
    def shown(self) -> str:
        """The address for messages."""
        return shown_url(self.url)

    @property
    def is_private_enough(self) -> bool:
        """Whether nobody on the way can read along: encrypted, or not leaving this machine."""
        host = host_and_port(self.url)[0]
        return self.url.startswith("https:") or host == "localhost" or _is_loopback(host)


def reply(
    address: ChatAddress,
    model: str,
    messages: Sequence[Mapping[str, str]],
    key: str,
    key_variable: str = "",
    cancelled: Callable[[], bool] = lambda: False,
    answer_s: float = ANSWER_S,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Return the text of the model's answer.

    A service that is busy (429, 5xx) is asked again as late as it says, up to a minute, three times at most. Raises
    ``SettingsError`` for a refused key or an unknown model, ``ServiceError`` when later may be better, ``InputError``
    for an answer that is none.
    """
    content = json.dumps({"model": model, "messages": list(messages)}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    for attempt in range(1, ATTEMPTS + 1):
        status, found, data = _exchange(address, content, headers, answer_s)
        if status == 200:
            return _text(data, address.shown)
        wait_s = retry_after_s(found.get("retry-after", ""), time.time()) if status in RETRIED else None
        if status not in RETRIED or attempt == ATTEMPTS or (wait_s or 0) > LONGEST_WAIT_S:
            raise _refusal(status, wait_s, address.shown, model, key_variable)
        patient_sleep(2.0 ** (attempt - 1) if wait_s is None else wait_s, sleep, cancelled)
    raise AssertionError("the last attempt returns or raises")


def _exchange(
    address: ChatAddress, content: bytes, headers: Mapping[str, str], answer_s: float
) -> tuple[int, Mapping[str, str], bytes]:
    name = address.shown
    timeout = {"connect": CONNECT_S, "read": answer_s, "write": answer_s, "pool": answer_s}
    end = time.monotonic() + answer_s
    try:
        with (
            httpcore2.ConnectionPool(max_connections=1) as pool,
            pool.stream(
                "POST",
                address.url,
                headers=list(headers.items()),
                content=content,
                extensions={"timeout": timeout},
            ) as answer,
        ):
            found = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in answer.headers}
            data = joined(_until(answer.iter_stream(), end, name), LARGEST_ANSWER_BYTES, name)
            return answer.status, found, data
    except httpcore2.TimeoutException as error:
        raise ServiceError(
            f"{name} did not answer within {counted(round(answer_s), 'second')}: try again later"
        ) from error
    except (httpcore2.NetworkError, httpcore2.RemoteProtocolError) as error:
        raise ServiceError(
            f"{name} cannot be reached or broke off: check the address, and whether the service runs"
        ) from error
    except httpcore2.LocalProtocolError:
        # What the library says repeats headers, and one of them is the key.
        raise SettingsError(f"{name} was not asked: the key holds what no header may") from None


def _until(parts: Iterator[bytes], end: float, name: str) -> Iterator[bytes]:
    # The library's time limit is for each part: a service that drips would never end.
    for part in parts:
        if time.monotonic() > end:
            raise ServiceError(f"{name} took too long to answer: try again later, or ask for fewer drafts")
        yield part


def _refusal(
    status: int, wait_s: float | None, name: str, model: str, key_variable: str
) -> SettingsError | ServiceError:
    if status in (401, 403):
        which = (
            f"the key in the environment variable {key_variable}"
            if key_variable
            else "a request without a key: name its environment variable"
        )
        return SettingsError(f"{name} refused {which} ({status})")
    if status == 404:
        return SettingsError(f"{name} knows no such address, or no model {model!r:.80} (404)")
    if 300 <= status < 400:
        return SettingsError(
            f"{name} points elsewhere ({status}), which is not followed: give the final address"
        )
    if status == 429:
        wait = f" and asks to wait {counted(round(wait_s), 'second')}" if wait_s is not None else ""
        return ServiceError(f"{name} takes no more requests now (429){wait}: try again later")
    if status >= 500 or status in (408, 425):
        return ServiceError(f"{name} does not work now ({status}): try again later")
    return SettingsError(f"{name} did not take the request ({status}): check the model's name and its limits")


def _text(data: bytes, name: str) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
        if not isinstance(content, str):
            raise TypeError("no text")
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise InputError(
            f"{name} answered with something that is no chat completion: check the address", "damaged"
        ) from error
    return content


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
