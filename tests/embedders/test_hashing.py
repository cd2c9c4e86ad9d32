from __future__ import annotations

from pathlib import Path

import numpy as np

from workbench.contracts import EmbeddingModel
from workbench.embedders.hashing import Hashing, word_place

GOLDEN = [0.143, -0.571, 0.0, 0.0, 0.0, 0.571, 0.0, 0.571, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def _model() -> EmbeddingModel:
    return Hashing().embedding_model(Path("unused"))


def test_texts_that_share_words_are_nearer_than_texts_that_do_not() -> None:
    a, b, c = _model().vectors(
        ["batteries age with heat", "heat ages batteries", "the council met on Monday"]
    )
    assert a @ b > a @ c


def test_case_does_not_matter_and_order_neither() -> None:
    rows = _model().vectors(["Heat and light", "LIGHT and heat"])
    assert np.allclose(rows[0], rows[1])


def test_the_vectors_never_change() -> None:
    # The first numbers of one known text: a change here must raise VERSION.
    row = Hashing(dimension=16).embedding_model(Path("unused")).vectors(["the cat sat"])[0]
    assert np.allclose(row, GOLDEN, atol=1e-3)


def test_a_corpus_whose_words_never_end_does_not_fill_the_memory() -> None:
    model = Hashing(dimension=8).embedding_model(Path())
    model.vectors(
        [" ".join(f"w{number}" for number in range(start, start + 500)) for start in range(0, 30_000, 500)]
    )
    assert word_place.cache_info().currsize <= 10_000
