"""One request to an OpenAI-compatible chat service: no redirects, within limits of time and size, waiting when asked to.

What a service says in an error is never repeated: some repeat the key in it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbench.errors import InputError, QuotaError, ServiceError, SettingsError, WorkbenchError
from workbench.http import ErrorAnswer, Http, Limits, TryAgain, checked_url, host_and_port, shown_url
from workbench.http.answers import usual_meaning
from workbench.http.patience import RETRIED

ANSWER_S = 180.0
"""How long an answer may take, waiting for a busy service included; models write slowly."""
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
    http: Http | None = None,
) -> str:
    """Return the text of the model's answer.

    A service that is busy (429, 5xx) is asked again as late as it says, up to a minute, three times at most. Only
    addresses that may be talked to are asked: a service on this machine or network has to be allowed by the operator.
    Raises ``SettingsError`` for a refused key, address or model, ``ServiceError`` when later may be better,
    ``QuotaError`` where it is not, ``InputError`` for an answer that is none.
    """
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    limits = Limits(
        total_s=answer_s,
        idle_s=answer_s,
        attempts=ATTEMPTS,
        size_bytes=LARGEST_ANSWER_BYTES,
        unpacked_bytes=LARGEST_ANSWER_BYTES,
        longest_wait_s=LONGEST_WAIT_S,
    )

    def meaning(answer: ErrorAnswer) -> WorkbenchError | None:
        return _refusal(answer, model, key_variable)

    try:
        with http or Http() as client:
            answer = client.request(
                "POST",
                address.url,
                headers,
                json={"model": model, "messages": list(messages)},
                reads=True,
                limits=limits,
                cancelled=cancelled,
                classify=meaning,
            )
    except InputError as error:
        if error.status == "refused":
            raise SettingsError(str(error)) from error
        raise
    return _text(answer.data, address.shown)


def _refusal(answer: ErrorAnswer, model: str, key_variable: str) -> SettingsError | ServiceError | None:
    """Return what an error means in the words of this form, None where the usual ones will do."""
    status, name = answer.status, answer.name
    if isinstance(usual_meaning(answer), QuotaError):
        return None
    if status == 429:
        return TryAgain(f"{name} takes no more requests now (429)", answer.retry_after_s)
    if status in RETRIED:
        return TryAgain(f"{name} does not work now ({status})", answer.retry_after_s)
    if status in (401, 403):
        which = (
            f"the key in the environment variable {key_variable}"
            if key_variable
            else "a request without a key: name its environment variable"
        )
        return SettingsError(f"{name} refused {which} ({status})")
    if status == 404:
        return SettingsError(f"{name} knows no such address, or no model {model!r:.80} (404)")
    if status >= 500:
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
