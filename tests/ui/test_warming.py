"""After the start the newest table is read ahead, and a first search finds its words ready."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config import Config, parsed
from workbench.retrievers import _bm25
from workbench.ui.session.warmup import WarmUp, read_table
from workbench.workspace import Workspace


def config(retriever: str) -> Config:
    return parsed(
        "version: 1\nname: tiny\nchunker: {name: fixed_size, size_tokens: 20}\n"
        f"embedder: {{name: hashing}}\nretriever: {retriever}\n"
    )


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path)
    found.add("tram.txt", b"The tram was late. Half of the fare is refunded after thirty minutes.")
    return found


@pytest.mark.parametrize(
    "retriever", ["{name: nearest}", "{name: keyword, k1: 1.2}", "{name: fused, language: german}"]
)
def test_after_reading_ahead_no_search_by_words_makes_an_index(
    here: Workspace, retriever: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.tables.build(config(retriever))
    read_table(here, here.tables.rows()[0])

    def made(*_: object) -> None:
        pytest.fail("an index was made at the first search")

    monkeypatch.setattr(_bm25.Bm25, "of", made)
    assert here.tables.search(config(retriever), "tram").hits


@pytest.mark.slow
def test_a_retriever_that_cannot_work_stops_nothing(here: Workspace) -> None:
    broken = config("{name: reranked, model: /nowhere}")
    here.tables.build(broken)
    warm_up = WarmUp(here)
    warm_up.thread.join(60)
    assert warm_up.doing == ""
