"""BM25 over the chunks of a table, worked out when the index is made: a question only adds up."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.contracts import Asked
from workbench.retrievers import _words
from workbench.retrievers._held import HELD
from workbench.retrievers._rows import HeldRows, Scores


@dataclass(frozen=True, slots=True, eq=False)
class Bm25:
    """For every word the chunks it stands in, and what it adds to their score."""

    chunk_count: int
    terms: dict[str, int]
    starts: npt.NDArray[np.int64]
    """Where a term's entries begin; one more than there are terms."""
    positions: npt.NDArray[np.int32]
    """Positions of chunks, increasing within a term."""
    weights: npt.NDArray[np.float32]

    @classmethod
    def of(cls, texts: list[str], language: str, k1: float, b: float) -> Bm25:
        """Return the index of these texts.

        A word adds idf x tf / (tf + k1 (1 - b + b length / mean length)) with idf = ln(1 + (N - df + .5) / (df + .5)):
        Robertson and Zaragoza 2009, https://doi.org/10.1561/1500000019, in the form that Lucene uses.
        """
        terms: dict[str, int] = {}
        ids, owners, counts = array("i"), array("i"), array("f")
        lengths = np.zeros(len(texts))
        for position, text in enumerate(texts):
            found = _words.words(text, language)
            lengths[position] = len(found)
            for word, count in Counter(found).items():
                ids.append(terms.setdefault(word, len(terms)))
                owners.append(position)
                counts.append(count)
        term = np.frombuffer(ids, np.int32) if ids else np.zeros(0, np.int32)
        order = np.argsort(term, kind="stable")
        owner = np.array(owners, np.int32)[order]
        frequency = np.array(counts, np.float64)[order]
        df = np.bincount(term, minlength=len(terms)).astype(np.float64)
        idf = np.log1p((len(texts) - df + 0.5) / (df + 0.5))
        mean = lengths.mean() if lengths.any() else 1.0
        norm = k1 * (1 - b + b * lengths / mean)
        weights = np.repeat(idf, df.astype(np.int64)) * frequency / (frequency + norm[owner])
        starts = np.concatenate([[0], np.cumsum(df)]).astype(np.int64)
        return cls(len(texts), terms, starts, owner, weights.astype(np.float32))

    def scores(self, question: Mapping[str, float]) -> Scores:
        """Return one score per chunk; 0 for a chunk without any word of the question."""
        scores = np.zeros(self.chunk_count)
        for word, count in question.items():
            entries = self._entries(word)
            scores[self.positions[entries]] += count * self.weights[entries].astype(np.float64)
        return scores

    def parts(self, question: Mapping[str, float], position: int) -> dict[str, float]:
        """Return what each word adds to a chunk's score, the largest first; words that add nothing are left out."""
        result = {}
        for word, count in question.items():
            entries = self._entries(word)
            positions = self.positions[entries]
            # The method: numpy's function of the same name takes three times as long to be called.
            place = int(positions.searchsorted(position))
            if place < len(positions) and positions[place] == position:
                result[word] = count * float(self.weights[entries.start + place])
        return dict(sorted(result.items(), key=lambda pair: (-pair[1], pair[0])))

    def _entries(self, word: str) -> slice:
        term = self.terms.get(word)
        return slice(0, 0) if term is None else slice(int(self.starts[term]), int(self.starts[term + 1]))

    @property
    def size_bytes(self) -> int:
        """The memory it takes, about: a term with its place in the dictionary takes some 150 bytes."""
        return self.positions.nbytes + self.weights.nbytes + self.starts.nbytes + 150 * len(self.terms)


def held_bm25(asked: Asked, rows: HeldRows, language: str, k1: float, b: float) -> Bm25:
    """Return the index of the table's rows, made once per version of the table and settings."""
    return HELD.thing(
        Bm25,
        asked.table.info.name,
        rows.version,
        (language, str(k1), str(b), str(_words.VERSION)),
        lambda: Bm25.of([chunk.text for chunk in rows.chunks], language, k1, b),
    )
