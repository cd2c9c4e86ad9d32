"""The nearest retriever adds nothing to what the store says: rank, score and parts are the cosine's."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from workbench import plugins
from workbench.contracts import Asked, DocumentRows, TableInfo
from workbench.errors import SettingsError
from workbench.records import Chunk, Query


def test_scores_are_the_cosines_of_question_and_chunk(tmp_path: Path) -> None:
    model = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    table = plugins.build("stores", "memory").connection(tmp_path).create(TableInfo("t", model.dimension))
    texts = ["rails and trains", "cats and mats", "trains"]
    chunks = [Chunk(str(i), "d", i, i, i + 1, text, 1, 1, 1) for i, text in enumerate(texts)]
    vectors = model.vectors(texts)
    table.replace_documents([DocumentRows("d", "s", chunks, vectors)])
    hits = plugins.build("retrievers", "nearest", {"top_k": 3}).hits(Asked(Query("trains"), table, model))
    asked = model.vectors(["trains"], query=True)[0]
    assert hits[0].chunk.text == "trains"
    for hit in hits:
        assert hit.score == pytest.approx(float(vectors[hit.chunk.ordinal] @ asked), abs=1e-5)
        assert dict(hit.parts) == {"vector": hit.score}


def test_the_message_for_a_wrong_model_names_both_sizes(tmp_path: Path) -> None:
    model = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    name = f"t{uuid.uuid4().hex}"
    table = plugins.build("stores", "memory").connection(tmp_path).create(TableInfo(name, 3))
    with pytest.raises(SettingsError, match=f"{model.dimension} numbers, the table {name} holds 3"):
        plugins.build("retrievers", "nearest").hits(Asked(Query("q"), table, model))
