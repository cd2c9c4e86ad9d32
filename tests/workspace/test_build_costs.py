"""What embedding a table took: measured while it is built, summed over builds, not forgotten by a cached one."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.config import Config, parsed
from workbench.errors import Cancelled
from workbench.evaluation.questions import Question, question_set
from workbench.ingest.metering import Meter
from workbench.pipeline import BuildStep
from workbench.records import Judgment
from workbench.workspace import Workspace
from workbench.workspace.build_costs import BuildCosts

TEXTS = {f"{n}.txt": " ".join(f"word{n}x{i}" for i in range(200)) for n in range(3)}
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""


def config(size: int, name: str = "") -> Config:
    return parsed(CONFIG.format(name=name or f"size {size}", size=size))


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path)
    for name, text in TEXTS.items():
        found.add(name, text.encode())
    return found


def spent(here: Workspace, which: Config) -> Meter:
    return here.tables.build_costs.of(which.table_name, here.model(which.embedder).id)


def tokens_of(here: Workspace, which: Config) -> int:
    return sum(chunk.token_count for chunk in here.tables.table(which).chunks())


def test_a_build_is_metered_and_one_from_the_cache_forgets_nothing(here: Workspace) -> None:
    here.tables.build(config(20))
    first = spent(here, config(20))
    assert first.tokens == tokens_of(here, config(20)) == 600
    assert first.seconds > 0
    here.tables.build(config(20))
    here.tables.drop(config(20).table_name)
    again = here.tables.build(config(20))
    assert again.embedded == 0
    assert spent(here, config(20)) == first


def test_a_new_document_adds_what_it_took(here: Workspace) -> None:
    here.tables.build(config(20))
    before = spent(here, config(20))
    here.add("more.txt", b"quite new words stand in here")
    here.tables.build(config(20))
    after = spent(here, config(20))
    assert after.tokens == before.tokens + 6
    assert after.seconds > before.seconds


def test_what_a_stopped_build_embedded_is_counted_once(here: Workspace) -> None:
    def stop(step: BuildStep) -> None:
        if step.chunks_done:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        here.tables.build(config(20), on_step=stop)
    here.tables.build(config(20))
    assert spent(here, config(20)).tokens == 600


def test_the_costs_of_a_measured_table_are_counted_from_its_chunks(here: Workspace) -> None:
    (row, *_) = here.documents()
    text = here.document(row.id).text
    questions = question_set("one", [Question("q", text[:50])], [(Judgment("q", row.id, 0, 50), text[:50])])
    here.tables.build(config(20))
    found = here.evaluations.outcome(config(20), questions)
    for outcome in (found, here.evaluations.outcome(config(20), questions)):  # measured, and kept
        costs = here.evaluations.costs(config(20), outcome)
        assert costs.chunks == len(here.tables.table(config(20)).chunks()) == 30
        assert costs.tokens == tokens_of(here, config(20))
        assert costs.from_cache == 0
        assert costs.embedding_seconds == spent(here, config(20)).seconds
        assert costs.size_bytes > 0
        assert costs.usd is None


def test_another_model_under_the_same_name_begins_anew_and_damage_counts_as_nothing(tmp_path: Path) -> None:
    costs = BuildCosts(tmp_path)
    costs.add("t", "model 1", Meter(10, 1.0))
    costs.add("t", "model 1", Meter(5, 0.5))
    assert costs.of("t", "model 1") == Meter(15, 1.5)
    assert costs.of("t", "model 2") == Meter()
    costs.add("t", "model 2", Meter(7, 0.7))
    assert costs.of("t", "model 2") == Meter(7, 0.7)
    (tmp_path / "t.json").write_text("[1")
    assert costs.of("t", "model 2") == Meter()
