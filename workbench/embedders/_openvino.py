"""Converted models run by OpenVINO on the CPU, without torch in the process."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.contracts import Tick
from workbench.embedders._batches import Rows, batches, padded
from workbench.embedders._model_folder import ModelFolder
from workbench.embedders._tokenizer import TokenIds
from workbench.errors import ServiceError
from workbench.packages import load

FEW_CORES = 4
STREAMS_ON_FEW_CORES = 2


def openvino() -> Any:
    """Return the package, imported without its usage reports.

    Importing it sends an event to an analytics service and writes a client id into the home folder, unless the
    package ``openvino_telemetry`` cannot be imported: then it uses the silent stand-in that it brings along.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return load("openvino", "openvino", "backend: openvino")


def has_bfloat16() -> bool:
    """Return whether this CPU computes in bfloat16 itself."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def network(file: Path, precision: str) -> Any:
    """Return the compiled network, made for many requests at once."""
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores <= FEW_CORES:
        options["NUM_STREAMS"] = str(min(cores, STREAMS_ON_FEW_CORES))
    return openvino().Core().compile_model(str(file), "CPU", options)


class OpenVinoEncoder:
    """A converted encoder. Several threads may use it at once: each call has requests of its own."""

    def __init__(self, folder: ModelFolder, file: Path, precision: str) -> None:
        self._folder = folder
        try:
            self._network = network(file, precision)
        except RuntimeError as error:
            raise ServiceError(f"OpenVINO cannot load {file}: {_first_line(error)}") from error
        self._requests = int(self._network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def vectors(
        self, texts: Sequence[str], sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> np.ndarray[Any, Any]:
        """Return one row for each input. Whatever ``tick`` raises, nothing is in flight when this returns."""
        result = np.zeros((len(sequences), self._folder.dimension), np.float32)

        def take(rows: Rows, found: np.ndarray[Any, Any]) -> None:
            result[rows] = found

        self._compute(sequences, batch_tokens, tick, take)
        return result

    def token_vectors(
        self, sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> list[np.ndarray[Any, Any]]:
        """Return for each input the rows of its tokens; for a network that was converted without pooling."""
        result: list[np.ndarray[Any, Any]] = [np.zeros((0, 0), np.float32)] * len(sequences)

        def take(rows: Rows, found: np.ndarray[Any, Any]) -> None:
            for number, row in enumerate(rows):
                result[row] = found[number, : len(sequences[row])].copy()

        self._compute(sequences, batch_tokens, tick, take)
        return result

    def _compute(
        self,
        sequences: Sequence[TokenIds],
        batch_tokens: int,
        tick: Tick,
        take: Callable[[Rows, np.ndarray[Any, Any]], None],
    ) -> None:
        total = len(sequences)
        work = list(batches([len(s) for s in sequences], batch_tokens))
        # Not AsyncInferQueue: its Python callbacks run in threads of OpenVINO and may still be leaving them when
        # the program ends, which aborts it ("terminate called without an active exception", 1 run in 12).
        # One request more than there are streams: results are taken in order, and no stream waits for that.
        idle = [self._network.create_infer_request() for _ in range(min(self._requests + 1, len(work)))]
        running: deque[tuple[Any, Rows]] = deque()
        done = 0
        try:
            try:
                for rows in work:
                    tick(done, total)
                    if not idle:
                        done += _collected(running, idle, take)
                    ids, mask = padded(
                        [sequences[i] for i in rows], self._folder.pad_id, self._folder.longest_tokens
                    )
                    request = idle.pop()
                    request.start_async([ids, mask])
                    running.append((request, rows))
                while running:
                    done += _collected(running, idle, take)
                    tick(done, total)
            finally:
                for request, _ in running:
                    request.wait()
        except RuntimeError as error:
            raise ServiceError(f"OpenVINO could not compute vectors: {_first_line(error)}") from error


def _collected(
    running: deque[tuple[Any, Rows]],
    idle: list[Any],
    take: Callable[[Rows, np.ndarray[Any, Any]], None],
) -> int:
    request, rows = running.popleft()
    request.wait()
    take(rows, request.get_output_tensor(0).data)
    idle.append(request)
    return len(rows)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "no message")
