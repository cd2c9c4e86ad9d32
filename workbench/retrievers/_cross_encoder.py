"""A cross-encoder from this machine's disk: reads question and text together and says how well they fit."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from workbench.errors import SettingsError
from workbench.model_files import LOADING_FAILURES, check_model_folder, is_folder, local_path
from workbench.packages import load
from workbench.records import digest

_BATCH_PAIRS = 32
_ONE_READER = threading.Lock()


def model_folder(model: str) -> Path:
    """Return the folder of a local cross-encoder, or of one that the Hugging Face cache already has.

    Nothing is ever downloaded. Raises ``SettingsError`` that says what to do.
    """
    path = local_path(model)
    if model and is_folder(path):
        check_model_folder(path)
        return path.resolve()
    if path.is_absolute() or model.startswith((".", "~")) or not model:
        raise SettingsError(
            f"there is no folder {model or '(no name)'}: give one that holds a cross-encoder, "
            "with config.json, model.safetensors and a tokenizer"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RevisionNotFoundError

    try:
        found = Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise SettingsError(
            f"the cross-encoder {model} is not on this machine, and models are not downloaded while the workbench "
            f"runs: fetch it once with `hf download {model}`, give the folder of another one as model, or use the "
            "retriever fused"
        ) from error
    check_model_folder(found)
    return found


def files_digest(folder: Path) -> str:
    """Return a digest of the names, sizes and times of a model's files: changed when the model is."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(str(path.relative_to(folder)), path.stat()) for path in files]
    return digest([[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats])


def fits(folder: Path, question: str, texts: Sequence[str], window_tokens: int) -> npt.NDArray[np.float64]:
    """Return how well each text fits the question: the model's number before any squashing, higher is better.

    The same text has the same number, whatever stands beside it in a batch.
    """
    distinct = list(dict.fromkeys(texts))
    # One at a time: the window is a state of the model, and one question keeps all processors busy.
    with _ONE_READER:
        model, longest = _read(folder, files_digest(folder))
        from torch.nn import Identity

        # Long texts are cut by the tokenizer: question and text together take this many tokens at most.
        model.max_length = min(window_tokens, longest or window_tokens)
        found = model.predict(
            [(question, text) for text in distinct],
            batch_size=_BATCH_PAIRS,
            show_progress_bar=False,
            activation_fn=Identity(),
            convert_to_numpy=True,
        )
    numbers = np.asarray(found, np.float64).reshape(len(distinct), -1)
    if numbers.shape[1] != 1 or not np.isfinite(numbers).all():
        raise SettingsError(
            f"{folder.name} gives {numbers.shape[1]} numbers for a pair, a cross-encoder for ranking gives one, "
            "and it must be finite: use another model"
        )
    by_text = dict(zip(distinct, numbers[:, 0].tolist(), strict=True))
    return np.array([by_text[text] for text in texts])


@lru_cache(maxsize=1)
def _read(folder: Path, files: str) -> tuple[Any, int | None]:
    """Return the model and the most tokens that it reads."""
    package = load("sentence_transformers", "sentence-transformers", "The retriever reranked")
    try:
        found = package.CrossEncoder(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (*LOADING_FAILURES, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise SettingsError(f"{folder} holds no cross-encoder that can be loaded: {reason}") from error
    return found, found.max_length
