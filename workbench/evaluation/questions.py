"""Questions and their judged ranges: one set scores every configuration, before and after re-chunking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from workbench.errors import SettingsError
from workbench.evaluation.anchoring import Anchors, matched
from workbench.records import Document, Judgment, digest
from workbench.spans import trimmed

GRADES = (0, 1, 2, 3)
"""0 was judged and is no answer; 1 to 3 answer, the higher the better."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question as a user would type it."""

    id: str
    text: str


def question_id(text: str) -> str:
    """Return the id of a question that came without one: the same text gets the same id everywhere."""
    return "q" + digest(["question", text])[:12]


@dataclass(frozen=True)
class QuestionSet:
    """Questions in their order and the ranges that answer them, ordered by question and place.

    ``texts`` holds, beside each judgment, the text that was judged ("" where nobody kept it): with it a judgment
    finds its place again after the document was parsed anew. The same range judged twice for one question counts
    once, with the higher grade.
    """

    name: str
    questions: tuple[Question, ...] = ()
    judgments: tuple[Judgment, ...] = ()
    texts: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        order = {question.id: number for number, question in enumerate(self.questions)}
        if len(order) != len(self.questions):
            raise SettingsError(f"the question set {self.name!r} holds two questions with one id")
        texts = self.texts or ("",) * len(self.judgments)
        if len(texts) != len(self.judgments):
            raise SettingsError("texts must name one judged text per judgment")
        kept: dict[tuple[int, str, int, int], tuple[Judgment, str]] = {}
        for judgment, text in zip(self.judgments, texts, strict=True):
            if judgment.question_id not in order:
                raise SettingsError(
                    f"a judgment names the question {judgment.question_id!r}, which is not here"
                )
            if judgment.grade not in GRADES:
                raise SettingsError(f"grade ({judgment.grade}) must be 0, 1, 2 or 3")
            if not 0 <= judgment.start < judgment.end:
                raise SettingsError(f"the judged range {judgment.start}–{judgment.end} holds no characters")
            place = (order[judgment.question_id], judgment.document_id, judgment.start, judgment.end)
            before = kept.get(place)
            if before is None or before[0].grade < judgment.grade:
                kept[place] = (judgment, text or (before[1] if before else ""))
            elif text and not before[1]:
                kept[place] = (before[0], text)
        ordered = [kept[place] for place in sorted(kept)]
        object.__setattr__(self, "judgments", tuple(judgment for judgment, _ in ordered))
        object.__setattr__(self, "texts", tuple(text for _, text in ordered))

    @cached_property
    def hash(self) -> str:
        """32 hex digits of what is asked and judged, whatever the order, the name and the ids on this machine.

        Two machines that hold the same questions with the same judged ranges and texts agree on it.
        """
        asked = {question.id: question.text for question in self.questions}
        judged: dict[str, list[list[int | str]]] = defaultdict(list)
        for judgment, text in zip(self.judgments, self.texts, strict=True):
            judged[judgment.question_id].append([judgment.start, judgment.end, judgment.grade, text])
        return digest(["questions", sorted([asked[i], sorted(judged[i])] for i in asked)])

    @cached_property
    def key(self) -> str:
        """32 hex digits of everything that changes a score on this machine, ids included: for caches."""
        return digest(
            [
                "question set",
                sorted([question.id, question.text] for question in self.questions),
                sorted([j.question_id, j.document_id, j.start, j.end, j.grade] for j in self.judgments),
            ]
        )

    @cached_property
    def by_question(self) -> Mapping[str, tuple[Judgment, ...]]:
        """Judgments per question id; every question has an entry."""
        found: dict[str, list[Judgment]] = {question.id: [] for question in self.questions}
        for judgment in self.judgments:
            found[judgment.question_id].append(judgment)
        return {question: tuple(judgments) for question, judgments in found.items()}

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The judged documents, by id."""
        return tuple(sorted({judgment.document_id for judgment in self.judgments}))

    def text_of(self, judgment: Judgment) -> str:
        """Return the text that was judged, "" where it was not kept."""
        return self._texts.get(judgment, "")

    @cached_property
    def _texts(self) -> dict[Judgment, str]:
        return dict(zip(self.judgments, self.texts, strict=True))

    def asking(self, text: str) -> Question:
        """Return the question with this text, blanks at its ends aside: one that is here, or a new one."""
        wanted = text.strip()
        for question in self.questions:
            if question.text.strip() == wanted:
                return question
        taken, number = set(self.by_question), 1
        free = question_id(wanted)
        while free in taken:  # the question that once had this text was worded anew
            number += 1
            free = f"{question_id(wanted)}-{number}"
        return Question(free, wanted)

    def grade_of(self, text: str, document: Document, start: int, end: int) -> int | None:
        """Return how exactly this range, blanks at its ends aside, was judged for a question; None where it was not."""
        span = trimmed(document.text, max(0, start), min(end, len(document.text)))
        judged = self.by_question.get(self.asking(text).id, ())
        return next(
            (j.grade for j in judged if (j.document_id, (j.start, j.end)) == (document.id, span)), None
        )

    def with_judgment(self, judgment: Judgment, text: str = "") -> QuestionSet:
        """Return the set with one more judgment; judging a range again replaces its grade."""
        kept = [
            (j, t)
            for j, t in zip(self.judgments, self.texts, strict=True)
            if (j.question_id, j.document_id, j.start, j.end)
            != (judgment.question_id, judgment.document_id, judgment.start, judgment.end)
        ]
        return replace(self, judgments=(*(j for j, _ in kept), judgment), texts=(*(t for _, t in kept), text))

    def with_question(self, question: Question) -> QuestionSet:
        """Return the set with one more question, or with this question's text where the id is known."""
        if any(known.id == question.id for known in self.questions):
            changed = tuple(question if known.id == question.id else known for known in self.questions)
            return replace(self, questions=changed)
        return replace(self, questions=(*self.questions, question))

    def without_question(self, question_id: str) -> QuestionSet:
        """Return the set without a question and its judgments."""
        return question_set(
            self.name,
            [question for question in self.questions if question.id != question_id],
            [(j, t) for j, t in zip(self.judgments, self.texts, strict=True) if j.question_id != question_id],
        )

    def without_judgment(self, judgment: Judgment) -> QuestionSet:
        """Return the set without one judgment; its question stays."""
        kept = [(j, t) for j, t in zip(self.judgments, self.texts, strict=True) if j != judgment]
        return question_set(self.name, self.questions, kept)


def question_set(
    name: str, questions: Iterable[Question], judged: Iterable[tuple[Judgment, str]] = ()
) -> QuestionSet:
    """Return a set from judgments paired with their texts."""
    pairs = list(judged)
    return QuestionSet(name, tuple(questions), tuple(j for j, _ in pairs), tuple(t for _, t in pairs))


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A judgment whose text is no longer where it was, and not anywhere else in its document either."""

    judgment: Judgment
    text: str
    reason: str


def reanchored(questions: QuestionSet, documents: Sequence[Document]) -> tuple[QuestionSet, list[Unplaced]]:
    """Return the set with every judgment at the place where its text stands now, and those that lost theirs.

    A judgment whose text still stands at its range is left alone. One without a kept text stays as long as its
    range lies inside the document. Places of one text that were judged apart stay apart. Questions are never dropped.
    """
    anchors = {document.id: Anchors(document.text) for document in documents}
    apart = _places_apart(questions, anchors)
    kept: list[tuple[Judgment, str]] = []
    lost: list[Unplaced] = []
    for judgment, text in zip(questions.judgments, questions.texts, strict=True):
        if judgment.document_id not in anchors:
            lost.append(Unplaced(judgment, text, f"the document {judgment.document_id} is not here any more"))
            continue
        here = anchors[judgment.document_id]
        if not text:
            if judgment.end <= len(here.text):
                kept.append((judgment, here.text[judgment.start : judgment.end]))
            else:
                reason = f"the document ends at {len(here.text)}, before {judgment.end}, and no text was kept"
                lost.append(Unplaced(judgment, text, reason))
            continue
        if judgment in apart:
            start = apart[judgment]
            if start is None:
                lost.append(Unplaced(judgment, text, "its text stands in the document fewer times now"))
            else:
                kept.append((replace(judgment, start=start, end=start + len(text)), text))
            continue
        found = here.placed(text, near=judgment.start)
        if found is None:
            lost.append(Unplaced(judgment, text, "its text is nowhere in the document now"))
            continue
        if found.how == "other numbers":
            lost.append(Unplaced(judgment, text, "its text stands in the document with other numbers now"))
            continue
        moved = replace(judgment, start=found.start, end=found.end)
        kept.append((moved, here.text[found.start : found.end]))
    return question_set(questions.name, questions.questions, kept), lost


def _places_apart(questions: QuestionSet, anchors: Mapping[str, Anchors]) -> dict[Judgment, int | None]:
    """Return where judgments of a text that was judged in several places of a document for one question begin now.

    None for one too many. Where the text stands nowhere to the letter, its judgments are left out.
    """
    groups: dict[tuple[str, str, str], list[Judgment]] = defaultdict(list)
    for judgment, text in zip(questions.judgments, questions.texts, strict=True):
        if text and judgment.document_id in anchors:
            groups[judgment.question_id, judgment.document_id, text].append(judgment)
    result: dict[Judgment, int | None] = {}
    for (_, document, text), judged in groups.items():
        places = anchors[document].occurrences(text) if len(judged) > 1 else []
        if not places:
            continue
        there = {judgment.start for judgment in judged}.intersection(places)
        result.update({judgment: judgment.start for judgment in judged if judgment.start in there})
        moved = sorted((j for j in judged if j.start not in there), key=lambda judgment: judgment.start)
        free = [place for place in places if place not in there]
        starts = [judgment.start for judgment in moved]
        if len(starts) <= len(free):
            result.update(zip(moved, (free[i] for i in matched(starts, free)), strict=True))
        else:
            taken = dict(zip(matched(free, starts), free, strict=True))
            result.update({judgment: taken.get(i) for i, judgment in enumerate(moved)})
    return result
