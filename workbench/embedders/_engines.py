"""Which engine computes a model here: OpenVINO on a CPU, PyTorch on a GPU and for layouts that are not converted."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from workbench.contracts import Tick
from workbench.embedders._conversion import NETWORK, converted
from workbench.embedders._model_folder import ModelFolder
from workbench.embedders._openvino import OpenVinoEncoder, has_bfloat16
from workbench.embedders._tokenizer import TokenIds
from workbench.errors import ServiceError, SettingsError

ENGINES_AT_ONCE = 3
LOWEST_COSINE = 0.999
"""A converted model, or a faster arithmetic, is used only where it keeps the vectors this near."""

_log = logging.getLogger(__name__)


class Engine(Protocol):
    """Computes rows from tokens, or from the texts where it brings a tokenizer of its own."""

    def vectors(
        self, texts: Sequence[str], sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> np.ndarray[Any, Any]:
        """Return one row for each input; ``tick`` may raise between batches."""


class TokenEngine(Protocol):
    """Computes a row for every token."""

    def token_vectors(
        self, sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> list[np.ndarray[Any, Any]]:
        """Return the rows of each input's tokens, special ones included; ``tick`` may raise between batches."""


Key = tuple[str, str, str, str, int]


class Engines:
    """The loaded engines of this process; the one used longest ago is given up when there are too many."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._key_locks: dict[Key, threading.Lock] = {}

    def engine(
        self,
        source: ModelFolder,
        content_id: str,
        folder: Path,
        backend: str,
        device: str,
        window_tokens: int,
        tick: Tick,
    ) -> Engine:
        """Return the engine, loaded now if need be; threads that ask for the same one load it once."""
        key = ("text", content_id, backend, device, window_tokens if source.pooling is None else 0)

        def made() -> Engine:
            if source.pooling is None:
                return _pipeline(source, backend, device, window_tokens)
            found: Engine = _encoder(source, content_id, folder, backend, device, tick, "text")
            return found

        engine: Engine = self._loaded(key, made)
        return engine

    def token_engine(
        self, source: ModelFolder, content_id: str, folder: Path, backend: str, device: str, tick: Tick
    ) -> TokenEngine:
        """Return the engine that gives a row for every token of a plain encoder."""

        def made() -> TokenEngine:
            found: TokenEngine = _encoder(source, content_id, folder, backend, device, tick, "tokens")
            return found

        engine: TokenEngine = self._loaded(("tokens", content_id, backend, device, 0), made)
        return engine

    def _loaded(self, key: Key, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
            key_lock = self._key_locks.setdefault(key, threading.Lock())
        with key_lock:
            with self._lock:
                if key in self._held:
                    return self._held[key]
            made = make()
            with self._lock:
                self._held[key] = made
                while len(self._held) > ENGINES_AT_ONCE:
                    self._held.popitem(last=False)
        return made


def _pipeline(source: ModelFolder, backend: str, device: str, window_tokens: int) -> Engine:
    if backend == "openvino":
        raise SettingsError(
            f"backend: openvino cannot run {source.path.name}: only plain encoders with mean or first-token "
            "pooling are converted; use backend: auto"
        )
    from workbench.embedders._torch import TorchPipeline

    return TorchPipeline(source, device, window_tokens)


def _encoder(
    source: ModelFolder, content_id: str, folder: Path, backend: str, device: str, tick: Tick, output: str
) -> Any:
    if backend == "openvino" or (backend == "auto" and not _gpu_wanted(device) and _openvino_installed()):
        try:
            return _openvino_encoder(source, content_id, folder, tick, output)
        except ServiceError as error:
            if backend == "openvino":
                raise
            _log.warning("%s; PyTorch computes instead, which is slower", error)
    from workbench.embedders._torch import TorchEncoder

    return TorchEncoder(source, device, output)


def _openvino_encoder(
    source: ModelFolder, content_id: str, folder: Path, tick: Tick, output: str
) -> OpenVinoEncoder:
    place, about = converted(source, content_id, folder, tick, output)
    near = {p for p, cosine in about["lowest_cosine"].items() if cosine >= LOWEST_COSINE}
    precision = "bf16" if "bf16" in near and has_bfloat16() else "f32"
    if precision not in near:
        raise ServiceError(f"{source.path.name} gives other vectors in OpenVINO than in PyTorch")
    return OpenVinoEncoder(source, place / NETWORK, precision)


def _openvino_installed() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _gpu_wanted(device: str) -> bool:
    if device != "auto":
        return device == "cuda"
    # Asking torch would import it, for seconds, on the many machines that have no GPU.
    if shutil.which("nvidia-smi") is None and not Path("/proc/driver/nvidia/version").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())
