"""Any order of source changes, crashes, publishes and roll-backs leaves the index equal to a fresh build."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.sync.fragile import Fuse, Killed, with_fuse
from tests.sync.shelf import SHELVES, Clock, made_config, new_books, rows, synced, with_config
from workbench import pipeline as flow
from workbench import plugins
from workbench.analysis import Memo
from workbench.config import Config
from workbench.errors import InputError, ServiceError
from workbench.records import Chunk
from workbench.sync import Pipeline
from workbench.workspace import Workspace

NAMES = ("a", "b", "c", "d")
SENTENCE = st.sampled_from(["Trams are red.", "Buses are late.", "Dogs travel free.", "It is noon."])
TEXT = st.lists(SENTENCE, min_size=1, max_size=3).map(lambda parts: " ".join(parts).encode())
QUESTION = "are dogs late?"
MEMO = Memo(None)
MEMORY = Path("/dev/shm")
"""Where waiting for a disk costs nothing: what is tested here is the order of writes, not the disk."""


def variants(config: Config) -> list[Config]:
    hashing = plugins.build("embedders", "hashing", {"dimension": 16})
    return [
        config,
        replace(config, chunker=plugins.build("chunkers", "fixed_size", {"size_tokens": 9})),
        replace(config, embedder=hashing),
    ]


def built(config: Config, texts: dict[str, bytes], folder: Path) -> dict[str, tuple[Chunk, np.ndarray]]:
    """What the flow gives for these texts, without a ledger, a plan or a store: the oracle."""
    model = config.embedder.embedding_model(folder)
    found = {}
    for name, data in texts.items():
        document_id = flow.document_id(config.sources[0].key, name)
        document = config.parser.parsed(data, f"{name}.txt", document_id, f"shelf:{name}").document
        chunks = flow.chunks(document, config, model, MEMO)
        vectors = model.vectors([chunk.text for chunk in chunks])
        found.update({chunk.id: (chunk, row) for chunk, row in zip(chunks, vectors, strict=True)})
    return found


@dataclass
class Published:
    """A release as the model knows it: the config, and whether the table is as some finished sync left it."""

    release_id: int
    variant: int


class AnyOrder(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.books = new_books()
        self.clock = Clock()
        everywhere = plugins.build("retrievers", "nearest", {"repeated": True})
        config = replace(made_config(self.books), retriever=everywhere)
        place = Pipeline(Workspace(Path(self.folder.name)), config, clock=self.clock)
        self.pipelines = [
            with_config(place, **{"chunker": config.chunker, "embedder": config.embedder})
            for config in variants(place.place.config)
        ]
        self.now = 0
        self.synced: dict[int, dict[str, bytes]] = {}
        self.stack: list[Published] = []
        # Begun with one variant published while the config says another: what a sync must keep true are two tables.
        synced(self.pipeline)
        self.synced[0] = dict(self.books.texts)
        self.stack.append(Published(self.pipeline.publish(force=True)[0].id, 0))
        self.now = 1

    @property
    def pipeline(self) -> Pipeline:
        return self.pipelines[self.now]

    @property
    def written(self) -> set[int]:
        """The variants whose tables a sync writes: the config's own, and what is published."""
        return {self.now, *(one.variant for one in self.stack[-1:])}

    def unsure(self) -> None:
        """Note that a sync ended in the middle: these tables may hold either text."""
        for variant in self.written:
            self.synced.pop(variant, None)

    @rule(name=st.sampled_from(NAMES), text=TEXT)
    def write(self, name: str, text: bytes) -> None:
        self.books.texts[name] = text

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        self.books.texts.pop(name, None)

    @rule(variant=st.integers(0, 2))
    def change_the_config(self, variant: int) -> None:
        self.now = variant

    @rule(versions=st.booleans())
    def the_source_says_versions(self, versions: bool) -> None:
        self.books.versions = versions

    @rule()
    def sync(self) -> None:
        self.clock.forward(days=8)
        self.books.reads.clear()
        assert synced(self.pipeline, confirmed=True).status == "done"
        assert len(self.books.reads) == len(set(self.books.reads)), "read twice for two tables"
        for variant in self.written:
            self.synced[variant] = dict(self.books.texts)
            there = self.pipelines[variant]
            assert there.verified().findings == ()
            expected = built(there.place.config, self.books.texts, Path(self.folder.name))
            found = rows(there)
            assert found.keys() == expected.keys()
            for chunk_id, vector in found.items():
                np.testing.assert_allclose(vector, expected[chunk_id][1], atol=1e-6)
        again = synced(self.pipeline).figures
        assert (again.chunks_written, again.embedded, again.removed) == (0, 0, 0)

    @rule(safe=st.integers(0, 3))
    def a_sync_dies_at_the_store(self, safe: int) -> None:
        self.unsure()
        with suppress(Killed):
            synced(with_fuse(self.pipeline, Fuse(safe, Killed())), confirmed=True)

    @rule(safe=st.integers(0, 3))
    def the_store_refuses_once(self, safe: int) -> None:
        self.unsure()
        # What is refused is tried again in the same run.
        synced(with_fuse(self.pipeline, Fuse(safe, ServiceError("the disk is full"))), confirmed=True)

    @rule(events=st.integers(1, 25))
    def a_sync_is_left_in_the_middle(self, events: int) -> None:
        self.unsure()
        course = self.pipeline.sync()
        for _ in range(events):
            if next(course, None) is None:
                break
        course.close()  # type: ignore[attr-defined]

    @rule()
    def the_source_breaks_while_it_is_listed(self) -> None:
        self.unsure()
        self.books.breaks_after = len(self.books.texts) // 2
        synced(self.pipeline)
        self.books.breaks_after = None

    @precondition(lambda self: self.synced.get(self.now))
    @rule()
    def publish(self) -> None:
        before = self.stack[-1] if self.stack else None
        release, _ = self.pipeline.publish(force=True)
        if before is None or release.id != before.release_id:
            self.stack.append(Published(release.id, self.now))

    @rule()
    def roll_back(self) -> None:
        if len(self.stack) < 2:
            with pytest.raises(InputError):
                self.pipeline.roll_back()
            return
        self.stack.pop()
        assert self.pipeline.roll_back().id == self.stack[-1].release_id

    @invariant()
    def what_is_published_answers_as_its_table_was_synced_last(self) -> None:
        if not getattr(self, "stack", None):
            return
        published = self.stack[-1]
        texts = self.synced.get(published.variant)
        if texts is None:
            return  # a sync of it ended in the middle: it may hold either text
        answer = self.pipeline.answer(QUESTION)
        assert answer.release is not None
        assert answer.release.id == published.release_id
        config = self.pipelines[published.variant].place.config
        expected = built(config, texts, Path(self.folder.name))
        asked = config.embedder.embedding_model(Path(self.folder.name)).vectors([QUESTION], query=True)[0]
        scores = {chunk_id: float(row @ asked) for chunk_id, (_, row) in expected.items()}
        best = sorted(scores.values(), reverse=True)[:5]
        np.testing.assert_allclose([hit.score for hit in answer.hits], best, atol=1e-6)
        np.testing.assert_allclose([scores[hit.chunk.id] for hit in answer.hits], best, atol=1e-6)

    def teardown(self) -> None:
        if hasattr(self, "books"):
            del SHELVES[self.books.name]
            self.folder.cleanup()


@pytest.mark.slow
class TestAnyOrder(AnyOrder.TestCase):
    settings = settings(
        max_examples=15,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
