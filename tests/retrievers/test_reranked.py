"""Reading again: the order is the cross-encoder's, worked out pair by pair; a model that is not there is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.retrievers.made_table import asked, built_table
from tests.retrievers.tiny_cross_encoder import write_cross_encoder
from workbench import plugins
from workbench.contracts import EmbeddingModel
from workbench.errors import SettingsError
from workbench.retrievers._cross_encoder import fits

pytestmark = pytest.mark.slow

TEXTS = [
    f"{animal} {verb} {place}"
    for animal in ("cats", "dogs", "owls")
    for verb, place in (("sleep", "here"), ("hunt", "at night"))
]


@pytest.fixture
def model(tmp_path: Path) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cross-encoder")
    write_cross_encoder(path)
    return path


def numbers_one_by_one(folder: Path, question: str) -> dict[str, float]:
    """Ask the bare network for each pair, without sentence-transformers."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return {
            text: float(network(**tokenizer(question, text, return_tensors="pt")).logits) for text in TEXTS
        }


def test_the_order_is_the_cross_encoders(tmp_path: Path, model: EmbeddingModel, folder: Path) -> None:
    question = "what do owls do at night?"
    expected = numbers_one_by_one(folder, question)
    table = built_table(tmp_path, model, TEXTS)
    reranked = plugins.build("retrievers", "reranked", {"model": str(folder), "top_k": 6})
    hits = reranked.hits(asked(question, table, model))
    assert [hit.chunk.text for hit in hits] == sorted(TEXTS, key=lambda text: -expected[text])
    assert {hit.chunk.text: hit.score for hit in hits} == pytest.approx(expected, abs=1e-4)
    fused = plugins.build("retrievers", "fused", {"top_k": 6}).hits(asked(question, table, model))
    assert [hit.chunk for hit in hits] != [hit.chunk for hit in fused]
    before = {hit.chunk: (hit.rank, hit.score) for hit in fused}
    assert all((hit.details["rank before"], hit.details["fused"]) == before[hit.chunk] for hit in hits)


def test_only_the_candidates_are_read_and_the_rest_stands_behind_them(
    tmp_path: Path, model: EmbeddingModel, folder: Path
) -> None:
    question = "what do owls do at night?"
    expected = numbers_one_by_one(folder, question)
    table = built_table(tmp_path, model, TEXTS)
    fused = [
        hit.chunk.text
        for hit in plugins.build("retrievers", "fused", {"top_k": 6}).hits(asked(question, table, model))
    ]
    reranked = plugins.build("retrievers", "reranked", {"model": str(folder), "top_k": 6, "candidates": 2})
    hits = reranked.hits(asked(question, table, model))
    assert [hit.chunk.text for hit in hits][:2] == sorted(fused[:2], key=lambda text: -expected[text])
    assert [hit.chunk.text for hit in hits][2:] == fused[2:]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_model_that_is_not_here_is_explained(tmp_path: Path, model: EmbeddingModel) -> None:
    table = built_table(tmp_path, model, TEXTS)
    for name, told in (
        (
            "cross-encoder/ms-marco-MiniLM-L6-v2",
            "not on this machine.*hf download cross-encoder/ms-marco-MiniLM-L6-v2",
        ),
        (str(tmp_path / "absent"), "there is no folder .*absent: give one that holds a cross-encoder"),
        ("", "no name"),
        ("a b/../c", "not on this machine"),
    ):
        with pytest.raises(SettingsError, match=told):
            plugins.build("retrievers", "reranked", {"model": name}).hits(asked("owls", table, model))


def test_a_folder_without_a_cross_encoder_is_refused(tmp_path: Path, model: EmbeddingModel) -> None:
    table = built_table(tmp_path, model, TEXTS)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="empty holds no cross-encoder that can be loaded"):
        plugins.build("retrievers", "reranked", {"model": str(tmp_path / "empty")}).hits(
            asked("owls", table, model)
        )
    write_cross_encoder(tmp_path / "classes", labels=3)
    with pytest.raises(SettingsError, match="classes gives 3 numbers for a pair"):
        plugins.build("retrievers", "reranked", {"model": str(tmp_path / "classes")}).hits(
            asked("owls", table, model)
        )


def test_other_weights_are_another_retriever(tmp_path: Path) -> None:
    """Evaluations are kept by the retriever's identity."""
    write_cross_encoder(tmp_path)
    reranked = plugins.build("retrievers", "reranked", {"model": str(tmp_path)})
    before = reranked.identity()
    assert before == reranked.identity()
    with (tmp_path / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert reranked.identity() != before


def test_a_short_window_does_not_shorten_the_next_questions_long_one(folder: Path) -> None:
    text = "cats sleep here and owls hunt at night " * 4
    whole = fits(folder, "owls", [text], 128)
    cut = fits(folder, "owls", [text], 16)
    assert cut != pytest.approx(whole, abs=1e-4)
    assert fits(folder, "owls", [text], 128) == pytest.approx(whole)
