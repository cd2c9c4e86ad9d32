"""What goes over the pipes between a program and its workers: frames, requests and answers."""

from __future__ import annotations

import pickle
import struct
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import IO, Any

from workbench.errors import ContractError, InputError, WorkbenchError
from workbench.redaction import redact

_LENGTH = struct.Struct("<Q")


class TaskFault(RuntimeError):
    """A bug in what a worker did; ``kind`` names its exception, the message holds its traceback."""

    def __init__(self, kind: str, trace: str) -> None:
        super().__init__(f"a task failed in a worker process:\n{trace}")
        self.kind = kind


def write_frame(pipe: IO[bytes], frame: bytes) -> None:
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes | None:
    """Return the next frame, or None when the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    frame = pipe.read(size)
    return frame if len(frame) == size else None


def request(
    function: Callable[..., Any], args: tuple[Any, ...], timeout_s: float, memory_bytes: int
) -> bytes:
    if getattr(function, "__module__", None) == "__main__":
        raise ContractError(f"{function.__qualname__} must be in a module that a worker can import")
    try:
        return pickle.dumps((function, args, timeout_s, memory_bytes), pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ContractError(f"this cannot be sent to a worker process: {error}") from error


def packed_error(error: BaseException) -> bytes:
    """Return the answer that raises ``error``. By parts: the exceptions' own pickles call ``__init__`` wrongly."""
    kind = type(error)
    if isinstance(error, WorkbenchError):
        return pickle.dumps(("raise", kind.__module__, kind.__qualname__, str(error), vars(error)))
    # Which values are secret is known where they were looked up, and that was here.
    return pickle.dumps(("bug", kind.__name__, redact("".join(traceback.format_exception(error)))))


def opened(answer: bytes) -> Any:
    """Return the value in an answer, or raise the error in it."""
    kind, *rest = pickle.loads(answer)  # noqa: S301  (from our own child)
    if kind == "value":
        return rest[0]
    if kind == "raise":
        module, name, message, attributes = rest
        error = Exception.__new__(getattr(import_module(module), name), message)
        vars(error).update(attributes)
        raise error
    raise TaskFault(*rest)


def answers(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[bytes]:
    """Return an answer per tuple of arguments: many small tasks share one way to the worker and back."""
    return [answer(function, args) for args in tasks]


def answer(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """Return what ``opened`` makes the function's value of, or its error."""
    try:
        return pickle.dumps(("value", function(*args)), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  (it is raised again in the parent)
        return packed_error(error)


def too_much_memory(memory_bytes: int) -> InputError:
    return InputError(
        f"it needs more than {memory_bytes / 2**20:,.0f} MiB of memory, so it was stopped; "
        "split the file, or save it anew with another program",
        "too_large",
    )
