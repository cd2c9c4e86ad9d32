"""Converted models run by OpenVINO on the CPU, without torch in the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.contracts import Tick
from workbench.embedders._batches import batches, padded
from workbench.embedders._model_folder import ModelFolder
from workbench.embedders._tokenizer import TokenIds
from workbench.errors import MissingPackageError, ServiceError

FEW_CORES = 4
STREAMS_ON_FEW_CORES = 2


def openvino() -> Any:
    """Return the package, imported without its usage reports.

    Importing it sends an event to an analytics service and writes a client id into the home folder, unless the
    package ``openvino_telemetry`` cannot be imported: then it uses the silent stand-in that it brings along.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino as package
    except ImportError as error:
        raise MissingPackageError("openvino", "backend: openvino") from error
    return package


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
        total = len(sequences)
        result = np.zeros((total, self._folder.dimension), np.float32)
        work = list(batches([len(s) for s in sequences], batch_tokens))
        queue = openvino().AsyncInferQueue(self._network, max(1, min(self._requests, len(work))))
        done = 0

        def keep(request: Any, rows: Any) -> None:
            nonlocal done
            result[rows] = request.get_output_tensor(0).data
            done += len(rows)

        queue.set_callback(keep)
        try:
            try:
                for rows in work:
                    tick(done, total)
                    ids, mask = padded(
                        [sequences[i] for i in rows], self._folder.pad_id, self._folder.longest_tokens
                    )
                    queue.start_async([ids, mask], rows)
            finally:
                queue.wait_all()
        except RuntimeError as error:
            raise ServiceError(f"OpenVINO could not compute vectors: {_first_line(error)}") from error
        return result


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "no message")
