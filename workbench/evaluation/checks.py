"""Is the question set itself to be believed? What to look at before any figure is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.counts import counted
from workbench.evaluation.anchoring import Anchors, folded, joined
from workbench.evaluation.library import document_name
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.results import Place
from workbench.evaluation.significance import TYPICAL_SPREAD, detectable_difference, questions_needed
from workbench.records import Document, Judgment

SHORTEST_CREDITED = 20
"""Texts with fewer characters ("in 2023", "12 dollars") stand elsewhere by accident: they are not credited there."""
SHORTEST_GIVEN_AWAY = 3
MOST_PLACES = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """``kind`` is one of empty, unanswered, outside, moved, elsewhere, duplicate, given_away, too_long, too_few."""

    kind: str
    message: str
    question_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Power:
    """What a number of questions can tell apart; differences are shares, .05 is 5 points."""

    count: int
    apart: float
    sought: float
    more: int
    spread: float

    @property
    def sentence(self) -> str:
        """Such as ``40 questions tell apart ± 13 points; 243 more resolve 5``."""
        questions = counted(self.count, "question tells", "questions tell")
        text = f"{questions} apart ± {_points(self.apart)} points"
        return f"{text}; {self.more} more resolve {_points(self.sought)}" if self.more else text


def power(count: int, sought: float = 0.05, spread: float = TYPICAL_SPREAD) -> Power:
    """Return what ``count`` questions tell apart in 8 of 10 tries at level .05: δ = 2.80 · spread / √count.

    ``spread`` is the standard deviation of the paired differences between two configurations: measure it once there
    are results, .30 is typical of recall.
    """
    more = max(0, questions_needed(sought, spread) - count)
    return Power(count, detectable_difference(count, spread), sought, more, spread)


def credited_everywhere(
    questions: QuestionSet, documents: Sequence[Document], at_least_characters: int = SHORTEST_CREDITED
) -> dict[Judgment, tuple[Place, ...]]:
    """Return, per judgment that has any, the other places where exactly its text stands.

    Whoever reads one of them has read the answer, so scoring credits them all, once. Places that overlap a judgment of
    the same question in their document are left out, and so are texts shorter than ``at_least_characters``.
    """
    anchors = [(document.id, Anchors(document.text)) for document in documents]
    texts = {document.id: document.text for document in documents}
    occurrences: dict[str, list[Place]] = {}
    result: dict[Judgment, tuple[Place, ...]] = {}
    for judgment in questions.judgments:
        text = texts.get(judgment.document_id, "")[judgment.start : judgment.end]
        complete = len(text) == judgment.end - judgment.start
        if judgment.grade == 0 or not complete or len(text.strip()) < at_least_characters:
            continue
        if text not in occurrences:
            occurrences[text] = [
                (document, start, start + len(text))
                for document, here in anchors
                for start in here.occurrences(text)[:MOST_PLACES]
            ]
        own = questions.by_question[judgment.question_id]
        others = tuple(
            (document, start, end)
            for document, start, end in occurrences[text]
            if not any(j.document_id == document and j.start < end and start < j.end for j in own)
        )
        if others:
            result[judgment] = others
    return result


def findings(
    questions: QuestionSet,
    documents: Sequence[Document],
    longest_chunk: int | None = None,
    size: Callable[[str], int] = len,
    unit: str = "characters",
    sought: float = 0.05,
    spread: float = TYPICAL_SPREAD,
) -> list[Finding]:
    """Return everything that should be looked at, the worst first.

    ``longest_chunk`` is the largest budget among the configurations, in what ``size`` measures and ``unit`` names.
    """
    if not questions.questions:
        advice = "there are no questions yet: mark an answer in a document, judge a hit while searching, or import a file"
        return [Finding("empty", advice)]
    found = [
        *_unanswered(questions),
        *_misplaced(questions, documents),
        *_duplicates(questions),
        *_given_away(questions),
    ]
    if longest_chunk is not None:
        found += _too_long(questions, longest_chunk, size, unit)
    found += _elsewhere(questions, documents)
    strength = power(_answered(questions), sought, spread)
    if strength.more:
        found.append(Finding("too_few", strength.sentence))
    return found


def _answered(questions: QuestionSet) -> int:
    return len({j.question_id for j in questions.judgments if j.grade > 0})


def _unanswered(questions: QuestionSet) -> list[Finding]:
    missing = tuple(
        q.id for q in questions.questions if not any(j.grade > 0 for j in questions.by_question[q.id])
    )
    if not missing:
        return []
    count = "counts" if len(missing) == 1 else "count"
    text = f"{counted(len(missing), 'question has', 'questions have')} no judged answer and {count} nowhere"
    return [Finding("unanswered", text, missing)]


def _misplaced(questions: QuestionSet, documents: Sequence[Document]) -> list[Finding]:
    by_id = {document.id: document for document in documents}
    result = []
    for judgment, text in zip(questions.judgments, questions.texts, strict=True):
        document = by_id.get(judgment.document_id)
        if document is None:
            message = f"an answer lies in the document {judgment.document_id}, which is not here"
            result.append(Finding("outside", message, (judgment.question_id,)))
        elif judgment.end > len(document.text):
            message = (
                f"an answer at {judgment.start}–{judgment.end} lies outside {document_name(document)}, "
                f"which ends at {len(document.text)}"
            )
            result.append(Finding("outside", message, (judgment.question_id,)))
        elif text and document.text[judgment.start : judgment.end] != text:
            message = f"{document_name(document)} reads differently now at {judgment.start}–{judgment.end}: re-anchor the set"
            result.append(Finding("moved", message, (judgment.question_id,)))
    return result


def _duplicates(questions: QuestionSet) -> list[Finding]:
    same: dict[str, list[str]] = defaultdict(list)
    for question in questions.questions:
        same[re.sub(r"\W+", "", question.text.casefold()) or question.text].append(question.id)
    return [
        Finding("duplicate", f"{len(ids)} questions are the same but for case and punctuation", tuple(ids))
        for ids in same.values()
        if len(ids) > 1
    ]


def _given_away(questions: QuestionSet) -> list[Finding]:
    asked = {question.id: question.text for question in questions.questions}
    given: dict[str, str] = {}
    for judgment, text in zip(questions.judgments, questions.texts, strict=True):
        if (
            judgment.grade > 0
            and len(folded(text)[0]) >= SHORTEST_GIVEN_AWAY
            and _holds_words(asked[judgment.question_id], text)
        ):
            given.setdefault(judgment.question_id, text)
    return [
        Finding("given_away", f"the question holds its answer word for word: “{text:.80}”", (question,))
        for question, text in given.items()
    ]


def _holds_words(text: str, answer: str) -> bool:
    """Return whether ``answer`` stands in ``text`` but for blanks and case, and not as a part of longer words."""
    dense, offsets = folded(text)
    wanted = folded(answer)[0]
    return any(
        not joined(text, int(offsets[at])) and not joined(text, int(offsets[at + len(wanted) - 1]) + 1)
        for at in Anchors(dense).occurrences(wanted)
    )


def _too_long(questions: QuestionSet, longest: int, size: Callable[[str], int], unit: str) -> list[Finding]:
    result = []
    for judgment, text in zip(questions.judgments, questions.texts, strict=True):
        if judgment.grade > 0 and text and (measured := size(text)) > longest:
            message = f"an answer of {measured:,} {unit} fits into no chunk: the largest holds {longest:,}"
            result.append(Finding("too_long", message, (judgment.question_id,)))
    return result


def _elsewhere(questions: QuestionSet, documents: Sequence[Document]) -> list[Finding]:
    result = []
    credited = credited_everywhere(questions, documents)
    for judgment, places in credited_everywhere(questions, documents, at_least_characters=1).items():
        times = "once" if len(places) == 1 else f"{len(places)} times"
        credit = "credited there too" if judgment in credited else "too short to be credited there"
        message = f"the text of an answer stands {times} more elsewhere ({credit})"
        result.append(Finding("elsewhere", message, (judgment.question_id,)))
    return result


def _points(share: float) -> str:
    points = 100 * share
    return f"{points:.0f}" if points >= 10 or abs(points - round(points)) < 0.05 else f"{points:.1f}"
