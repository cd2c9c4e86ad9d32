"""What configs found for question sets, kept under ``evaluations/``: a second look costs nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import Tick, no_tick
from workbench.errors import Cancelled, WorkbenchError
from workbench.evaluation.costs import Costs
from workbench.evaluation.questions import QuestionSet, reanchored
from workbench.evaluation.results import ChunkRanges, FoundRange, QuestionResult, Truth
from workbench.evaluation.scoring import Scores
from workbench.experiment import Options, Outcome, asked, outcome
from workbench.files import touch, write_atomically, writing
from workbench.records import Document, Hit, digest

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Ground:
    """What one config is scored on: its own text of the documents, and where the answers stand in it."""

    documents: tuple[Document, ...]
    questions: QuestionSet
    truths: tuple[Truth, ...]
    lost: tuple[str, ...]
    """Judgments that have no place in this text, and documents that could not be read, in words."""
    document_ids: tuple[str, ...]
    """The documents that an answer stands in, somewhere."""
    complete: bool
    """Whether every document could be read."""

    def truth(self, question_id: str) -> Truth | None:
        """Return what answers a question, None when nothing does."""
        return next((truth for truth in self.truths if truth.question_id == question_id), None)


class Evaluations:
    """All evaluations of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def ground(self, config: Config, questions: QuestionSet, options: Options) -> Ground:
        """Return where the answers stand in the documents as the config's parser reads them."""
        documents: list[Document] = []
        problems: list[str] = []
        for row in self._workspace.documents():
            try:
                documents.append(self._workspace.document(row.id, config))
            except Cancelled:
                raise
            except WorkbenchError as error:
                problems.append(f"{row.name}: {error}")
        placed, lost = reanchored(questions, documents)
        truths, elsewhere = asked(placed, documents, options)
        ids = {j.document_id for j in placed.judgments}
        ids |= {document for places in elsewhere.values() for document, _, _ in places}
        return Ground(
            tuple(documents),
            placed,
            tuple(truths),
            (*problems, *(one.reason for one in lost)),
            tuple(sorted(ids)),
            complete=not problems,
        )

    def outcome(
        self, config: Config, questions: QuestionSet, options: Options | None = None, tick: Tick = no_tick
    ) -> Outcome:
        """Return what a config finds for a set, from the cache where nothing that decides it has changed.

        Raises ``InputError`` when the config's table is not built. ``tick`` may raise ``Cancelled``: then nothing
        is kept.
        """
        options = options or Options()
        key = self.key(config, questions, options)
        found = self._kept(key, config.name)
        if found is not None:
            return found
        made, complete = self.measured(config, questions, options, tick)
        # A build that ran meanwhile has mixed two tables into these figures: they count now and are not kept.
        # Nor are those without a document that could not be read just now.
        if complete and self.key(config, questions, options) == key:
            with writing(self._workspace.folder):
                write_atomically(self._path(key), packed(made))
        return made

    def measured(
        self, config: Config, questions: QuestionSet, options: Options, tick: Tick = no_tick
    ) -> tuple[Outcome, bool]:
        """Return an outcome measured now, and whether every document could be read: only then is it worth keeping.

        Raises ``InputError`` when the config's table is not built.
        """
        table = self._workspace.tables.table(config)
        ground = self.ground(config, questions, options)

        def search(text: str, k: int) -> tuple[Sequence[Hit], float]:
            result = self._workspace.tables.search(config, text, k)
            return result.hits, result.seconds

        chunks = table.chunks()
        judged = set(ground.document_ids)
        made = outcome(
            config.name,
            ground.questions,
            ground.truths,
            search,
            ChunkRanges([chunk for chunk in chunks if chunk.document_id in judged]),
            options,
            table.row_count(),
            table.size_bytes(),
            tick,
        )
        made = replace(made, token_count=sum(chunk.token_count for chunk in chunks), lost=ground.lost)
        return made, ground.complete

    def costs(self, config: Config, found: Outcome) -> Costs:
        """Return what a measured table costs. Times are those of its builds, whenever it was measured."""
        model = self._workspace.model(config.embedder)
        spent = self._workspace.tables.build_costs.of(config.table_name, model.id)
        return Costs(
            found.chunk_count,
            found.size_bytes,
            found.token_count,
            spent.tokens,
            spent.seconds,
            self._workspace.embedding_rates.tokens_per_second(model.text_model),
            model.price_usd_per_million_tokens,
        )

    def is_kept(self, config: Config, questions: QuestionSet, options: Options | None = None) -> bool:
        """Return whether an outcome is in the cache; raises ``InputError`` when the table is not built."""
        return self._path(self.key(config, questions, options or Options())).is_file()

    def key(self, config: Config, questions: QuestionSet, options: Options) -> str:
        """Return the digest of everything that decides an outcome; raises ``InputError`` without a table."""
        states = self._workspace.tables.table(config).states()
        return digest(
            [
                "evaluation",
                config.table_name,
                sorted(states.items()),
                self._workspace.model(config.embedder).id,
                config.store.identity(),
                config.retriever.identity(),
                *self.given(config, questions, options),
            ]
        )

    def given(self, config: Config, questions: QuestionSet, options: Options) -> list[object]:
        """Return what is scored on, for keys: the texts as the config's parser reads them, the answers, the rules."""
        texts = [
            [row.id, row.name, pipeline.parser_for(row.name, config.parser).key(row.content_hash)]
            for row in self._workspace.documents()
        ]
        # The same range may carry another text: it decides where the range is after parsing anew.
        return [texts, questions.key, list(questions.texts), options.identity]

    def _path(self, key: str) -> Path:
        return self._workspace.folder / "evaluations" / f"{key}.json"

    def _kept(self, key: str, name: str) -> Outcome | None:
        try:
            found = unpacked(self._path(key).read_bytes(), name)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        touch(self._path(key))
        return found


def packed(found: Outcome) -> bytes:
    """Return an outcome as JSON."""
    body = {
        "questions": list(found.scores.question_ids),
        "figures": {measure: values.tolist() for measure, values in found.scores.values.items()},
        "results": [
            [
                result.question_id,
                result.seconds,
                [
                    [h.chunk_id, h.document_id, h.start, h.end, h.rank, h.score, h.token_count]
                    for h in result.hits
                ],
            ]
            for result in found.results.values()
        ],
        "chunk_count": found.chunk_count,
        "size_bytes": found.size_bytes,
        "token_count": found.token_count,
        "lost": list(found.lost),
    }
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def unpacked(data: bytes, name: str) -> Outcome:
    """Return the outcome in ``data`` under a config's name; raises what ``json`` and the records raise."""
    body = json.loads(data)
    figures = {measure: np.array(values, np.float64) for measure, values in body["figures"].items()}
    results = {
        question: QuestionResult(question, tuple(FoundRange(*hit) for hit in hits), seconds)
        for question, seconds, hits in body["results"]
    }
    found = Scores(name, tuple(body["questions"]), figures)
    return Outcome(
        found,
        results,
        body["chunk_count"],
        body["size_bytes"],
        int(body["token_count"]),
        tuple(body["lost"]),
    )
