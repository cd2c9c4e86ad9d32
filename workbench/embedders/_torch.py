"""Models run by PyTorch: plain encoders directly, any other layout through the sentence-transformers package.

Importing this file imports torch, which takes seconds: do so only to convert a model or to compute with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from workbench.contracts import Tick
from workbench.counts import counted
from workbench.embedders._batches import Rows, batches, padded
from workbench.embedders._model_folder import ModelFolder
from workbench.embedders._tokenizer import TokenIds
from workbench.errors import SettingsError
from workbench.model_files import LOADING_FAILURES
from workbench.packages import load

LOWEST_COSINE = 0.999
CUDA_BATCH_FACTOR = 32
PROBES = (
    "A short sentence.",
    "The committee met on Tuesday and agreed, after a long debate, to postpone its decision by one month.",
    "Lithium-ion cells lose capacity with every cycle; heat, deep discharge and fast charging speed it up. "
    * 6,
    "1, 2, 3: go!",
)


class TokenEncoder(torch.nn.Module):  # type: ignore[misc]
    """Token ids and mask → one vector for each token, of any length."""

    def __init__(self, folder: ModelFolder) -> None:
        super().__init__()
        transformers = load("transformers", "transformers", "a model of the backend torch")
        transformers.utils.logging.disable_progress_bar()
        with _loading(folder):
            loaded, info = transformers.AutoModel.from_pretrained(
                str(folder.transformer),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
        _check_complete(folder, info["missing_keys"])
        self.encoder = loaded.float().eval()
        self.mean = folder.pooling == "mean"

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0].float()


class PooledEncoder(TokenEncoder):
    """Token ids and mask → one vector of length 1 for each input."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        found = super().forward(input_ids, attention_mask)
        if self.mean:
            mask = attention_mask.unsqueeze(-1).to(found.dtype)
            pooled = (found * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        else:
            pooled = found[:, 0]
        return torch.nn.functional.normalize(pooled, p=2, dim=1)


ENCODERS: dict[str, type[TokenEncoder]] = {"text": PooledEncoder, "tokens": TokenEncoder}
"""What a network gives rows for."""
RUN_TOKENS = 8


def lowest_cosine(exact: np.ndarray[Any, Any], near: np.ndarray[Any, Any], mask: TokenIds) -> float:
    """Return the lowest cosine between two outputs for the same inputs.

    Of vectors of tokens it is that of the means of eight in a row: no use is made of a single one.
    """
    if exact.ndim == 2:
        return float((exact * near).sum(1).min())
    means = []
    for rows in (exact, near):
        runs = [
            rows[i, at : min(at + RUN_TOKENS, n)]
            for i, n in enumerate(mask.sum(1))
            for at in range(0, n, RUN_TOKENS)
        ]
        mean = np.array([run.mean(0) for run in runs])
        means.append(mean / np.linalg.norm(mean, axis=1, keepdims=True))
    return float((means[0] * means[1]).sum(1).min())


def probe_ids(folder: ModelFolder) -> list[TokenIds]:
    """Return the token ids of a few texts on which two ways of computing are compared."""
    window = folder.input_tokens - folder.tokenizer.special_count
    return folder.tokenizer.truncating(window).ids(PROBES)


class TorchEncoder:
    """A plain encoder on the CPU or a GPU, in bfloat16 where that is fast and near enough."""

    def __init__(self, folder: ModelFolder, device: str, output: str = "text") -> None:
        self._folder = folder
        self._output = output
        self._device = torch_device(device)
        self._module = ENCODERS[output](folder).to(self._device)
        self._dtype = torch.float32
        if self._has_fast_bfloat16():
            self._choose_bfloat16()

    def _has_fast_bfloat16(self) -> bool:
        if self._device.type == "cuda":
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())

    def _choose_bfloat16(self) -> None:
        sequences = probe_ids(self._folder)
        exact = self._computed(sequences)
        self._module.encoder.to(torch.bfloat16)
        near = self._computed(sequences)
        self._dtype = torch.bfloat16
        _, mask = padded(sequences, self._folder.pad_id, self._folder.longest_tokens)
        if lowest_cosine(exact, near, mask) < LOWEST_COSINE:
            self._module = ENCODERS[self._output](self._folder).to(self._device)
            self._dtype = torch.float32

    def _computed(self, sequences: Sequence[TokenIds]) -> np.ndarray[Any, Any]:
        ids, mask = padded(sequences, self._folder.pad_id, self._folder.longest_tokens)
        with torch.inference_mode():
            rows = self._module(
                torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device)
            )
        found: np.ndarray[Any, Any] = rows.float().cpu().numpy()
        return found

    def vectors(
        self, texts: Sequence[str], sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> np.ndarray[Any, Any]:
        """Return one row for each input."""
        result = np.zeros((len(sequences), self._folder.dimension), np.float32)
        for rows, found in self._batches(sequences, batch_tokens, tick):
            result[rows] = found
        return result

    def token_vectors(
        self, sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> list[np.ndarray[Any, Any]]:
        """Return for each input the rows of its tokens; for an encoder of tokens."""
        result: list[np.ndarray[Any, Any]] = [np.zeros((0, 0), np.float32)] * len(sequences)
        for rows, found in self._batches(sequences, batch_tokens, tick):
            for number, row in enumerate(rows):
                result[row] = found[number, : len(sequences[row])].copy()
        return result

    def _batches(
        self, sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> Iterator[tuple[Rows, np.ndarray[Any, Any]]]:
        if self._device.type == "cuda":
            batch_tokens *= CUDA_BATCH_FACTOR
        elif self._dtype == torch.float32:
            # Without bfloat16 a batch of this size still fits the caches of a core; a larger one is slower.
            batch_tokens = min(batch_tokens, 1024)
        done = 0
        for rows in batches([len(s) for s in sequences], batch_tokens):
            tick(done, len(sequences))
            yield rows, self._computed([sequences[i] for i in rows])
            done += len(rows)


class TorchPipeline:
    """Any layout that the sentence-transformers package can load, computed by it."""

    def __init__(self, folder: ModelFolder, device: str, window_tokens: int) -> None:
        package = load("sentence_transformers", "sentence-transformers", "a model of the backend torch")
        self._folder = folder
        place = str(torch_device(device))
        with _loading(folder):
            self._model = package.SentenceTransformer(
                str(folder.path),
                device=place,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        self._model.max_seq_length = window_tokens + folder.tokenizer.special_count
        # Prefixes are settings here: a prompt named in the folder would be put in front of them unseen.
        self._model.default_prompt_name = None

    def vectors(
        self, texts: Sequence[str], sequences: Sequence[TokenIds], batch_tokens: int, tick: Tick
    ) -> np.ndarray[Any, Any]:
        """Return one row for each input."""
        result = np.zeros((len(texts), self._folder.dimension), np.float32)
        done = 0
        for rows in batches([len(s) for s in sequences], batch_tokens):
            tick(done, len(texts))
            result[rows] = self._model.encode(
                [texts[i] for i in rows],
                batch_size=len(rows),
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
            )
            done += len(rows)
        return result


def _check_complete(folder: ModelFolder, missing_keys: Iterable[str]) -> None:
    """Raise ``SettingsError`` where the weights lack parts: the library fills them with numbers drawn by chance."""
    # The pooler is not used here, and many models are saved without one.
    missing = sorted(key for key in missing_keys if not key.startswith("pooler."))
    if missing:
        raise SettingsError(
            f"the weights in {folder.path} are not those of its config.json: {counted(len(missing), 'part')} of the"
            f" network {'is' if len(missing) == 1 else 'are'} missing, such as {missing[0]}"
        )


@contextmanager
def _loading(folder: ModelFolder) -> Iterator[None]:
    try:
        yield
    except (*LOADING_FAILURES, SafetensorError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        said = f"{said} is missing" if isinstance(error, KeyError) else said
        raise SettingsError(f"the model in {folder.path} cannot be loaded: {said}") from error


def torch_device(device: str) -> torch.device:
    """Return where to compute; raises ``SettingsError`` when a GPU is asked for and there is none."""
    present = torch.cuda.is_available()
    if device == "cuda" and not present:
        raise SettingsError("device: cuda was asked for, but PyTorch finds no GPU here; use auto or cpu")
    return torch.device("cuda" if present and device != "cpu" else "cpu")
