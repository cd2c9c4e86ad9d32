"""The sentences of a table's chunks as one matrix: how near the best sentence inside a chunk is to a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.contracts import Asked, EmbeddingModel, Tick
from workbench.contracts.embedder import KeptVectors
from workbench.records import Vectors
from workbench.retrievers._held import HELD
from workbench.retrievers._rows import HeldRows, Scores, products
from workbench.sentences import VERSION, punkt_sentences

_FEWEST_WORDS = 4
"""Shorter sentences are headings and the like: they say little alone, and may be near to any question."""


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """Every different sentence once, and for each chunk which ones it holds."""

    vectors: Vectors
    members: npt.NDArray[np.int32]
    """Places in ``vectors``, chunk after chunk."""
    starts: npt.NDArray[np.int64]
    """Where the members of a chunk begin; each has one at least."""

    @classmethod
    def of(
        cls, texts: Sequence[str], language: str, model: EmbeddingModel, kept: KeptVectors, tick: Tick
    ) -> Sentences:
        """Return the sentences of these texts, those embedded that are not kept yet."""
        places: dict[str, int] = {}
        members: list[int] = []
        starts = np.zeros(len(texts), np.int64)
        for number, text in enumerate(texts):
            starts[number] = len(members)
            members += [places.setdefault(sentence, len(places)) for sentence in telling(text, language)]
        distinct = list(places)

        def compute(which: Sequence[int], part: Tick) -> Vectors:
            return model.vectors([distinct[place] for place in which], tick=part)

        vectors, _ = kept.rows([model.key(text) for text in distinct], model.dimension, compute, tick)
        return cls(vectors, np.array(members, np.int32), starts)

    def cosines(self, vector: Vectors) -> Scores:
        """Return for each chunk the cosine of its best sentence."""
        if not len(self.starts):
            return np.zeros(0)
        best = np.maximum.reduceat(products(self.vectors, vector)[self.members], self.starts)
        return best.astype(np.float64)

    @property
    def size_bytes(self) -> int:
        """The memory it takes."""
        return self.vectors.nbytes + self.members.nbytes + self.starts.nbytes


def telling(text: str, language: str) -> list[str]:
    """Return the sentences of at least four words, all where there is none, the text itself where it has none."""
    spans = punkt_sentences(text, language).tolist()
    found = [text[start:end] for start, end in spans]
    long = [sentence for sentence in found if len(sentence.split()) >= _FEWEST_WORDS]
    return long or found or [text]


def held_sentences(asked: Asked, rows: HeldRows, language: str) -> Sentences:
    """Return the sentences of the table's rows: embedded once, read from the cache once per version."""
    model = asked.model.text_model

    def made() -> Sentences:
        texts = [chunk.text for chunk in rows.chunks]
        return Sentences.of(texts, language, model, asked.kept, asked.tick)

    return HELD.thing(
        Sentences, asked.table.info.name, rows.version, (model.id, language, str(VERSION)), made
    )
