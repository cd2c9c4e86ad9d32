"""What embedders on sentence-transformers models share: the settings of such a model, and the model.

Plain encoders run on OpenVINO, converted once and kept; everything else, and every GPU, runs on PyTorch. Both give
the same vectors to a cosine of .999, so neither the backend nor the device is part of a key.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from workbench.contracts import Embedder, EmbeddingModel, Tick, no_tick
from workbench.embedders._engines import Engines
from workbench.embedders._model_folder import BUNDLED_MODEL, ModelFolder, found_folder
from workbench.embedders._tokenizer import TokenIds
from workbench.errors import SettingsError
from workbench.model_files import check_model_folder
from workbench.records import digest

# Before any library of Hugging Face is imported: they read it once.
os.environ["HF_HUB_OFFLINE"] = "1"

MODELS_AT_ONCE = 16


VECTORS_VERSION = 1
"""Rises when a text would get another vector from the same files: every embedder that builds on them has it in its id."""


class ModelSettings(Embedder):
    """Which model computes, and how."""

    model: str = Field(
        BUNDLED_MODEL,
        min_length=1,
        max_length=1_000,
        description="the bundled all-MiniLM-L6-v2, a folder, or the name of a model that was fetched before",
    )
    revision: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="branch, tag or commit of a fetched model; empty for its main one",
    )
    backend: Literal["auto", "openvino", "torch"] = Field(
        "auto",
        description="what computes: openvino is the fastest on a CPU; auto takes it where the model allows",
        json_schema_extra={"identity": False},
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="where it computes; auto takes a GPU when there is one",
        json_schema_extra={"identity": False},
    )
    passage_prefix: str = Field(
        "",
        max_length=2_000,
        description="put in front of every passage; some models ask for one, such as passage:",
    )
    query_prefix: str = Field(
        "",
        max_length=2_000,
        description="put in front of every question; some models ask for one, such as query:",
    )
    max_tokens: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="tokens of a text that are read, special tokens not counted; empty for the model's own window",
    )
    batch_tokens: int = Field(
        2_048,
        ge=64,
        le=1_000_000,
        description="tokens computed at once; changes speed and memory only",
        json_schema_extra={"identity": False},
    )

    @model_validator(mode="after")
    def _checked(self) -> ModelSettings:
        if self.backend == "openvino" and self.device == "cuda":
            raise ValueError("backend: openvino runs on the CPU; take backend: torch with device: cuda")
        return self

    def text_model(self, folder: Path) -> SentenceTransformerModel:
        """Return the model that embeds one text by itself."""
        source = ModelFolder(found_folder(self.model, self.revision))
        check_model_folder(source.path)
        with _loading:
            return _loaded(self, source, source.signature(), folder.resolve())


class SentenceTransformerModel(EmbeddingModel):
    """Knows tokenizer, window and dimension from the files; weights are loaded when vectors are first asked for."""

    def __init__(self, settings: ModelSettings, source: ModelFolder, folder: Path) -> None:
        self._settings = settings
        self._source = source
        self._folder = folder
        self.tokenizer = source.tokenizer
        by_path = Path(settings.model).expanduser().resolve() == source.path
        self.title = source.path.name if by_path else settings.model
        self.dimension = source.dimension
        self.passage_prefix = settings.passage_prefix
        self.query_prefix = settings.query_prefix
        self.window_tokens: int = self._window()
        self._truncating = source.tokenizer.truncating(self.window_tokens)
        self._content_id = source.content_id(folder)
        self.id = digest(
            [
                "sentence_transformers",
                VECTORS_VERSION,
                self._content_id,
                settings.revision,
                self.window_tokens,
                self.passage_prefix,
                self.query_prefix,
            ]
        )

    def _window(self) -> int:
        special = self._source.tokenizer.special_count
        asked = self._settings.max_tokens
        if asked is None:
            window = self._source.input_tokens - special
            if window < 1:
                raise SettingsError(
                    f"{self._source.path} reads {self._source.input_tokens} tokens at once, and needs {special} of them"
                    " for itself: that leaves none for a text"
                )
            return window
        longest = self._source.longest_tokens
        if longest is not None and asked > longest - special:
            raise SettingsError(
                f"max_tokens ({asked}) must be at most {longest - special}: {self.title} has no more positions"
            )
        return asked

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        distinct: dict[str, int] = {}
        places = np.array([distinct.setdefault(text, len(distinct)) for text in inputs], np.intp)
        texts = list(distinct)

        def counted(done: int, total: int) -> None:
            tick(done * len(inputs) // max(1, total), len(inputs))

        counted(0, len(texts))
        chosen = self._settings
        engine = _engines.engine(
            self._source,
            self._content_id,
            self._folder,
            chosen.backend,
            chosen.device,
            self.window_tokens,
            counted,
        )
        rows = engine.vectors(texts, self._truncating.ids(texts), self._settings.batch_tokens, counted)
        counted(len(texts), len(texts))
        result: np.ndarray[Any, Any] = rows[places]
        return result

    @property
    def takes_mean(self) -> bool:
        """Whether a text's vector is the mean of its tokens' vectors, with nothing but normalising behind it."""
        return self._source.pooling == "mean"

    @property
    def prefix_tokens(self) -> int:
        """How much of the window the prefix of passages takes."""
        return len(self.tokenizer.offsets(self.passage_prefix))

    def framed(self, ids: TokenIds) -> tuple[TokenIds, int]:
        """Return an input with these tokens, special tokens and prefix around them, and where they begin in it."""
        before, after = self._source.tokenizer.frame
        head = np.concatenate([before, self._source.tokenizer.ids(self.passage_prefix)])
        return np.concatenate([head, ids, after]), len(head)

    def token_ids(self, text: str) -> TokenIds:
        """Return the ids of the tokens of a text, one for each range that the tokenizer gives."""
        return self._source.tokenizer.ids(text)

    def token_vectors(self, inputs: Sequence[TokenIds], tick: Tick) -> list[np.ndarray[Any, Any]]:
        """Return the rows of each input's tokens, of any length."""
        chosen = self._settings
        engine = _engines.token_engine(
            self._source, self._content_id, self._folder, chosen.backend, chosen.device, tick
        )
        return engine.token_vectors(inputs, chosen.batch_tokens, tick)


_engines = Engines()
_loading = threading.Lock()


@lru_cache(maxsize=MODELS_AT_ONCE)
def _loaded(
    settings: ModelSettings, source: ModelFolder, signature: tuple[Any, ...], folder: Path
) -> SentenceTransformerModel:
    return SentenceTransformerModel(settings, source, folder)
