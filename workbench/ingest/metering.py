"""How long a model really computed, and for how many tokens: what came from the cache costs nothing and is not in it."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.contracts import EmbeddingModel, KeptVectors, Passage, Tick, no_tick
from workbench.records import Vectors


@dataclass(slots=True)
class Meter:
    """Sums over the passages that a metered model was asked for."""

    tokens: int = 0
    seconds: float = 0.0


def metered(model: EmbeddingModel, meter: Meter) -> EmbeddingModel:
    """Return the same model, with what it embeds for passages added to ``meter``.

    Loading the model is not counted. What a chunker embeds to find its cuts is not either: it is no passage.
    """
    result = copy.copy(model)
    warm = False

    def passage_vectors(passages: Sequence[Passage], kept: KeptVectors, tick: Tick = no_tick) -> Vectors:
        nonlocal warm
        if passages and not warm:
            # The first call loads a local model. A hosted one is not asked, and paid, for nothing.
            if model.price_usd_per_million_tokens is None:
                model.text_model.vectors(["warm"])
            warm = True
        started = time.perf_counter()
        found = model.passage_vectors(passages, kept, tick)
        meter.seconds += time.perf_counter() - started
        meter.tokens += sum(passage.token_count for passage in passages)
        return found

    result.passage_vectors = passage_vectors  # type: ignore[method-assign]
    return result
