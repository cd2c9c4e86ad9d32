"""What embedding costs: refused before it would exceed the budget, and booked the moment it was computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.contracts import EmbeddingModel, KeptVectors, Passage, Tick, no_tick
from workbench.errors import InputError, ServiceError
from workbench.records import Vectors
from workbench.sections import Budget
from workbench.sync.tally import Tally


class Unaffordable(ServiceError):
    """Embedding it would cost more than is left of the budget."""


class TooDear(InputError):
    """Embedding this one document would cost more than the whole budget."""

    def __init__(self, money: float, budget: float) -> None:
        super().__init__(
            f"embedding it would cost {money:.4f}, more than the whole of budget.money ({budget:g}): raise it",
            "too_expensive",
        )


@dataclass(frozen=True, slots=True)
class Purse:
    """The money of a run."""

    budget: Budget
    tally: Tally

    def price(self, tokens: int) -> float:
        """Return what embedding so many tokens costs."""
        return tokens * self.budget.price_per_million_tokens / 1e6

    def check(self, tokens: int, before: int = 0) -> None:
        """Raise ``Unaffordable`` where so much is not left once ``before`` are paid, ``TooDear`` where it never was."""
        most = self.budget.money
        money, spent = self.price(tokens), self.tally.money + self.price(before)
        if most is None or not money or spent + money <= most:
            return
        if 0 < most < money:
            raise TooDear(money, most)
        raise Unaffordable(
            f"budget.money ({most:g}) is used up: {spent:.4f} are spent, and the next document would cost"
            f" {money:.4f}; raise it, or sync again under the next budget"
        )

    def book(self, tokens: int) -> None:
        """Note what was embedded."""
        self.tally.count("tokens", tokens)
        self.tally.pay(self.price(tokens))


class PaidModel(EmbeddingModel):
    """A model whose work is paid from a purse: passages, and texts that stand alone.

    A slice is booked once its vectors are there, so that what was paid before an error is not forgotten.
    """

    def __init__(self, model: EmbeddingModel, purse: Purse) -> None:
        self._model, self._purse = model, purse
        self.id, self.title, self.dimension = model.id, model.title, model.dimension
        self.window_tokens, self.tokenizer = model.window_tokens, model.tokenizer
        self.passage_prefix, self.query_prefix = model.passage_prefix, model.query_prefix

    @property
    def text_model(self) -> EmbeddingModel:
        """The model of texts that stand alone, paid from the same purse."""
        alone = self._model.text_model
        return self if alone is self._model else PaidModel(alone, self._purse)

    def key(self, text: str) -> str:
        """Return the model's own key."""
        return self._model.key(text)

    def passage_key(self, passage: Passage) -> str:
        """Return the model's own key."""
        return self._model.passage_key(passage)

    def unread(self, passages: Sequence[Passage], kept: KeptVectors) -> list[Passage]:
        """Return what the model would have to read."""
        return self._model.unread(passages, kept)

    def passage_vectors(
        self, passages: Sequence[Passage], kept: KeptVectors, tick: Tick = no_tick
    ) -> Vectors:
        """Return the model's vectors; raises ``Unaffordable`` before anything is spent that is not there."""
        tokens = sum(passage.token_count for passage in self._model.unread(passages, kept))
        self._purse.check(tokens)
        found = self._model.passage_vectors(passages, kept, tick)
        self._purse.book(tokens)
        return found

    def vectors(self, texts: Sequence[str], *, query: bool = False, tick: Tick = no_tick) -> Vectors:
        """Return the model's vectors; raises ``Unaffordable`` before anything is spent that is not there."""
        tokens = sum(len(self.tokenizer.offsets(text)) for text in texts)
        self._purse.check(tokens)
        found = self._model.vectors(texts, query=query, tick=tick)
        self._purse.book(tokens)
        return found

    def raw_vectors(self, inputs: Sequence[str], tick: Tick = no_tick) -> np.ndarray[Any, Any]:
        """Return the model's own numbers."""
        return self._model.raw_vectors(inputs, tick)
