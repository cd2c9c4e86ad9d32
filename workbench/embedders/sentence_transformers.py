"""Sentence-transformers models: the bundled all-MiniLM-L6-v2, a local folder, or a model that is already here."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from workbench.contracts import EmbeddingModel
from workbench.embedders._text_model import VECTORS_VERSION, ModelSettings


class SentenceTransformers(ModelSettings):
    """Vectors of meaning, computed on this machine."""

    VERSION: ClassVar[int] = VECTORS_VERSION
    label: ClassVar[str] = "Sentence Transformers"

    def embedding_model(self, folder: Path) -> EmbeddingModel:
        return self.text_model(folder)
