"""The gate before publishing: what a table answers, against a minimum and against what is published now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workbench import pipeline
from workbench.config import Config, parsed
from workbench.contracts import Tick, no_tick
from workbench.errors import InputError
from workbench.evaluation.formats import Imported, imported_path
from workbench.evaluation.results import ChunkRanges
from workbench.experiment import Options, Outcome, asked, on_common_questions, outcome
from workbench.ingest.entries import WRITTEN, Release
from workbench.records import Document, Hit
from workbench.sections import Evaluate
from workbench.sync.place import Place
from workbench.sync.texts import Texts
from workbench.workspace.tables import with_top_k

QuestionReader = Callable[[Sequence[Document]], Imported]
"""The documents of a table → the questions, with every judgment placed in them that has a place there."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate measured. ``reasons`` says, in sentences, why it stays shut; empty when it opens."""

    reasons: tuple[str, ...]
    metric: str = ""
    value: float | None = None
    minimum: float | None = None
    questions: int = 0
    unplaced: int = 0
    """Judgments whose text is nowhere in these documents."""
    published_value: float | None = None
    """Of the published release, on the questions that both can answer."""
    compared_value: float | None = None
    """Of this table, on the same questions."""
    max_drop: float | None = None

    @property
    def passed(self) -> bool:
        """Whether publishing is allowed."""
        return not self.reasons

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"passed": self.passed, **asdict(self), "reasons": list(self.reasons)}


def gate(place: Place, published: Release | None, tick: Tick = no_tick) -> GateResult:
    """Return whether the config's table may be published; raises ``InputError`` where there is nothing to publish."""
    states = place.ledger.states(place.name, place.table_name)
    try:
        table = place.connection.table(place.table_name)
    except InputError as error:
        raise InputError(f"{place.name} has no table for this config yet: sync first", "not_built") from error
    if not table.row_count():
        raise InputError(f"the table of {place.name} is empty: sync first", "not_built")
    reasons = []
    done = {state.key for state in states.values() if state.status == WRITTEN and state.recipe}
    undone = place.ledger.items(place.name).keys() - done - place.ledger.failures(place.name).keys()
    if undone:
        reasons.append(f"{len(undone):,} documents are not in the table yet: sync first")
    asked_for = place.config.evaluate
    if asked_for is None:
        return GateResult(tuple(reasons))
    own, unplaced = measured(place, place.config, place.table_name, _reader(place, asked_for), tick)
    value = own.scores.mean(asked_for.metric)
    count = len(own.scores.question_ids)
    if not count:
        reasons.append(f"no question of {asked_for.questions} has an answer in these documents")
    elif value < asked_for.minimum:
        reasons.append(
            f"{asked_for.metric} is {value:.4f} on {count:,} questions, below the minimum of {asked_for.minimum:g}"
        )
    before = compared = None
    if published is not None and count:
        before, compared = _against(place, published, own, asked_for, tick)
        if before is not None and compared is not None and before - compared > asked_for.max_drop:
            reasons.append(
                f"{asked_for.metric} falls from {before:.4f} (published) to {compared:.4f} on the same questions,"
                f" more than max_drop ({asked_for.max_drop:g})"
            )
    return GateResult(
        tuple(reasons),
        asked_for.metric,
        value,
        asked_for.minimum,
        count,
        unplaced,
        before,
        compared,
        asked_for.max_drop,
    )


def _against(
    place: Place, published: Release, own: Outcome, asked_for: Evaluate, tick: Tick
) -> tuple[float | None, float | None]:
    """Return the figures of the published release and of this table on the questions that both can answer."""
    config = parsed(published.config, f"release {published.id}")
    reader = _reader(place, asked_for)
    other, _ = measured(place.beside(config), config, published.table_name, reader, tick)
    theirs, ours = on_common_questions([other, own])
    if not theirs.question_ids:
        return None, None
    return theirs.mean(asked_for.metric), ours.mean(asked_for.metric)


def _reader(place: Place, asked_for: Evaluate) -> QuestionReader:
    return lambda documents: imported_path(place.folder / asked_for.questions, documents)


def measured(
    place: Place, config: Config, table_name: str, questions: QuestionReader, tick: Tick = no_tick
) -> tuple[Outcome, int]:
    """Return what one table gives, asked through a config, and how many judgments have no place in its texts."""
    texts = Texts(place, table_name)
    documents = texts.documents()
    read = questions(documents)
    options = Options()
    truths, elsewhere = asked(read.question_set, documents, options)
    table = place.connection.table(table_name)

    def search(text: str, k: int) -> tuple[Sequence[Hit], float]:
        started = time.perf_counter()
        hits = pipeline.hits(
            text,
            with_top_k(config, k),
            table,
            place.model,
            cache=place.workspace.vector_cache,
            document=texts.document,
        )
        return hits, time.perf_counter() - started

    ids = {judgment.document_id for judgment in read.question_set.judgments}
    ids |= {document_id for places in elsewhere.values() for document_id, _, _ in places}
    found = outcome(
        f"{config.name} ({table_name})",
        read.question_set,
        truths,
        search,
        ChunkRanges(table.chunks(sorted(ids))),
        options,
        table.row_count(),
        table.size_bytes(),
        tick,
    )
    return found, len(read.problems)
