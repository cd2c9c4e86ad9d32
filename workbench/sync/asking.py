"""Questions put to one table: what it finds, and what of them has no place in its texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import Tick, no_tick
from workbench.evaluation.formats import Imported, imported_path
from workbench.evaluation.library import Library
from workbench.evaluation.results import ChunkRanges
from workbench.experiment import Options, Outcome, asked, outcome
from workbench.records import Document, Hit
from workbench.sections import Evaluate
from workbench.sync.place import Place
from workbench.sync.texts import Texts
from workbench.workspace.tables import with_top_k

QuestionReader = Callable[[Sequence[Document]], Imported]
"""The documents of a table → the questions, with every judgment placed in them that has a place there."""


@dataclass(frozen=True, eq=False)
class Answered:
    """What a table makes of the gate's questions."""

    values: Mapping[str, float]
    """Question id → value of the gate's measure, for every question that counts."""
    judged: Mapping[str, Collection[str]]
    """Question id → ids of the documents that answer it, for those whose answer has a place in a known text."""
    absent: Collection[str]
    """Questions about documents that the table lacks, at least in part."""
    unplaced: Sequence[str]
    """The question of each judgment that has no place in these texts; such a judgment counts nowhere."""
    unread: int
    """Lines of the question file that say nothing that can be used."""

    @property
    def mean(self) -> float:
        """The mean over the questions that count, 0 without any."""
        return self.mean_of(self.values)

    def mean_of(self, questions: Collection[str]) -> float:
        """Return the mean over some of the questions, 0 without any."""
        return sum(self.values[one] for one in questions) / len(questions) if questions else 0.0

    def with_unanswered(self, questions: Collection[str]) -> Answered:
        """Return it with more questions that count, as 0: somebody can answer them, and this table cannot."""
        more = set(questions) - self.values.keys()
        return replace(
            self,
            values={**self.values, **dict.fromkeys(more, 0.0)},
            unplaced=[one for one in self.unplaced if one not in more],
        )


def measured(
    place: Place,
    config: Config,
    table_name: str,
    questions: QuestionReader,
    tick: Tick = no_tick,
    texts: Texts | None = None,
    absent: Sequence[Document] = (),
) -> tuple[Outcome, Imported]:
    """Return what one table gives, asked through a config, and the questions as they were read.

    ``absent`` are documents that should be in the table and are not: what stands only there is not found.
    """
    texts = Texts(place, table_name) if texts is None else texts
    documents = [*texts.documents(), *(document for document in absent if document.text)]
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
    return found, read


def answered(
    place: Place,
    config: Config,
    table_name: str,
    gate: Evaluate,
    texts: Texts,
    absent: Sequence[Document] = (),
    tick: Tick = no_tick,
) -> Answered:
    """Return what one table makes of the gate's questions; one about an absent document counts.

    Raises ``InputError`` for a file of questions or a text that cannot be read.
    """

    def questions(documents: Sequence[Document]) -> Imported:
        return imported_path(place.folder / gate.questions, documents)

    found, read = measured(place, config, table_name, questions, tick, texts, absent)
    values = dict(zip(found.scores.question_ids, found.scores.of(gate.metric).tolist(), strict=True))
    judged = {
        question: {one.document_id for one in read.question_set.by_question[question] if one.grade > 0}
        for question in values
    }
    lacking = {document.id for document in absent}
    about_absent = {question for question, ids in judged.items() if ids & lacking}
    # Of these nobody has a text, so that not even the place of the answer is known.
    nameless = Library(document for document in absent if not document.text)
    wanted = {
        question
        for question, claim in read.unplaced
        if claim.grade != 0 and nameless.named(claim.document, claim.document_id)
    }
    made = Answered(
        values,
        judged,
        about_absent | wanted,
        [question for question, _ in read.unplaced],
        len(read.problems) - len(read.unplaced),
    )
    return made.with_unanswered(wanted)
