"""A cross-encoder reads the best candidates again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from workbench.contracts import Asked
from workbench.errors import SettingsError
from workbench.records import Hit
from workbench.retrievers._cross_encoder import files_digest, fits, model_folder
from workbench.retrievers._fusion import Fusion


class Reranked(Fusion):
    """Find candidates as fused does, then let a cross-encoder read question and text together; needs a model on disk."""

    label: ClassVar[str] = "Read again by a cross-encoder"

    model: str = Field(
        "cross-encoder/ms-marco-MiniLM-L6-v2",
        description="a folder with a cross-encoder, or the name of one in the Hugging Face cache of this machine",
    )
    candidates: int = Field(
        30, ge=1, le=1_000, description="how many chunks are read again; the rest stand behind them"
    )
    window_tokens: int = Field(
        512,
        ge=16,
        le=8_192,
        description="tokens read of question and text together; the model may allow fewer",
    )

    def identity(self) -> dict[str, Any]:
        """Return the settings with the state of the model's files: other weights give another order."""
        try:
            files = files_digest(model_folder(self.model))
        except (SettingsError, OSError):
            files = "absent"
        return {**super().identity(), "files": files}

    def lacking(self) -> str:
        """Return that the model is not on this machine, where it is not."""
        try:
            model_folder(self.model)
        except SettingsError as error:
            return str(error)
        return ""

    def ranked(self, asked: Asked) -> Iterator[Hit]:
        """Yield the candidates by the cross-encoder's number, then the rest in their order.

        Those behind count from the lowest number downwards, so that one list has one scale.
        """
        folder = model_folder(self.model)
        found = self.fused(asked)
        read = list(islice(found, self.candidates))
        if not read:
            return
        numbers = fits(folder, asked.query.text, [hit.chunk.text for hit in read], self.window_tokens)
        ranked = sorted(
            zip(read, numbers.tolist(), strict=True),
            key=lambda pair: (-pair[1], pair[0].chunk.document_id, pair[0].chunk.ordinal),
        )
        for rank, (hit, number) in enumerate(ranked, start=1):
            details = {**hit.details, "rank before": float(hit.rank), "fused": hit.score}
            yield replace(hit, rank=rank, score=number, parts={"reranked": number}, details=details)
        lowest, last = float(np.min(numbers)), read[-1].score
        for hit in found:
            parts = {"lowest reranked": lowest, "behind in fused": hit.score - last}
            yield replace(
                hit, score=sum(parts.values()), parts=parts, details={**hit.details, "fused": hit.score}
            )
