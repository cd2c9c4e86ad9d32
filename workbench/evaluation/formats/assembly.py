"""Rows of a question file → a question set, with a list of what could not be used."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.evaluation.library import Library, document_name
from workbench.evaluation.questions import GRADES, Question, QuestionSet, question_id, question_set
from workbench.records import Document, Judgment
from workbench.table_cells import one_line

LONGEST_QUESTION_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about one line of a file; ``line`` 0 stands for the file as a whole."""

    line: int
    message: str
    file: str = ""

    def __str__(self) -> str:
        place = " ".join(filter(None, [self.file, f"line {self.line}" if self.line else ""]))
        return f"{place}: {self.message}" if place else self.message


@dataclass(frozen=True, slots=True)
class Claim:
    """What a row says about one judgment; whatever it leaves out is found in the documents."""

    document: str = ""
    document_id: str = ""
    start: int | None = None
    end: int | None = None
    grade: int | None = None
    text: str = ""
    whole: bool = False
    """The whole document was judged, not a part of it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file gave. ``problems``: what was left out, by line; ``notes``: what was used but should be looked at."""

    question_set: QuestionSet
    problems: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()
    unplaced: tuple[tuple[str, Claim], ...] = ()
    """Question ids and what was judged, where that has no place in these documents."""


class Assembler:
    """Collects questions and judgments; wrong ones become problems. Without documents claims are taken as they are."""

    def __init__(self, documents: Library | None, file: str = "") -> None:
        self.documents = documents
        self.file = file
        self.problems: list[Remark] = []
        self.notes: list[Remark] = []
        self._questions: dict[str, Question] = {}
        self._judged: list[tuple[Judgment, str]] = []
        self._unplaced: list[tuple[str, Claim]] = []

    def problem(self, line: int, message: str) -> None:
        """Leave something out, and say so."""
        self.problems.append(Remark(line, message, self.file))

    def note(self, line: int, message: str) -> None:
        """Say something about what was used."""
        self.notes.append(Remark(line, message, self.file))

    def question(self, line: int, text: str, given_id: str = "", *, separate: bool = False) -> str | None:
        """Take a question and return its id, or None with a problem.

        Without an id the same text is the same question, unless ``separate`` asks for one question per row.
        """
        if not text.strip():
            self.problem(line, "there is no question")
            return None
        if len(text) > LONGEST_QUESTION_CHARACTERS:
            self.problem(
                line,
                f"the question has {len(text):,} characters; {LONGEST_QUESTION_CHARACTERS:,} is the limit",
            )
            return None
        found = given_id or question_id(text)
        if separate and not given_id:
            repeat = 1
            while found in self._questions:
                repeat += 1
                found = f"{question_id(text)}-{repeat}"
        known = self._questions.setdefault(found, Question(found, text))
        if known.text != text:
            self.problem(
                line, f"the id {found!r:.60} already stands for another question: “{known.text:.60}”"
            )
            return None
        return found

    def judged(self, line: int, question: str, claim: Claim) -> None:
        """Take a judgment, placing its text where it stands now, or add a problem."""
        known = len(self._judged)
        self._placed(line, question, claim)
        if len(self._judged) == known:
            self._unplaced.append((question, claim))

    def _placed(self, line: int, question: str, claim: Claim) -> None:
        grade = 1 if claim.grade is None else claim.grade
        if grade not in GRADES:
            self.problem(line, f"grade ({grade}) must be 0, 1, 2 or 3")
            return
        if self.documents is None:
            self._as_claimed(line, question, claim, grade)
            return
        candidates = self._candidates(line, claim)
        if not candidates:
            return
        if claim.whole:
            text = candidates[0].text
            self._take(question, candidates[0], 0, len(text), grade)
        elif claim.text:
            self._by_text(line, question, claim, grade, candidates)
        elif claim.start is None or claim.end is None:
            self.problem(line, "neither a range nor a text says where the answer is")
        elif not 0 <= claim.start < claim.end <= len(candidates[0].text):
            self.problem(line, f"{_range(claim)} is no range of {_title(candidates[0])}")
        else:
            self._take(question, candidates[0], claim.start, claim.end, grade)

    def result(self, name: str, advice: str) -> Imported:
        """Return what was collected; ``advice`` is what to do when there is no question in it."""
        if not self._questions:
            self.problems.append(Remark(0, advice, self.file))
        found = question_set(name, self._questions.values(), self._judged)
        return Imported(found, tuple(self.problems), tuple(self.notes), tuple(self._unplaced))

    def _as_claimed(self, line: int, question: str, claim: Claim, grade: int) -> None:
        if claim.start is None or claim.end is None or not claim.document_id:
            self.problem(line, "without the documents at hand, a judgment needs document_id, start and end")
        elif not 0 <= claim.start < claim.end:
            self.problem(line, f"{_range(claim)} holds no characters")
        else:
            self._judged.append(
                (Judgment(question, claim.document_id, claim.start, claim.end, grade), claim.text)
            )

    def _candidates(self, line: int, claim: Claim) -> list[Document]:
        assert self.documents is not None
        if not self.documents.documents:
            self.problem(line, "there are no documents here yet: add them, then import the questions again")
            return []
        if not claim.document and not claim.document_id:
            if claim.text:
                return list(self.documents.documents)
            self.problem(line, "no document is named")
            return []
        found = self.documents.named(claim.document, claim.document_id)
        if not found:
            wanted = claim.document or claim.document_id
            self.problem(
                line,
                f"the document {wanted!r:.120} is not here: add it and import again "
                f"(here are: {self.documents.known_names})",
            )
        elif len(found) > 1 and not claim.text:
            self.problem(line, f"{len(found)} documents are called {claim.document!r:.120}; give document_id")
            return []
        return found

    def _by_text(
        self, line: int, question: str, claim: Claim, grade: int, candidates: list[Document]
    ) -> None:
        assert self.documents is not None
        start = claim.start
        if start is not None and start >= 0 and claim.end in (None, start + len(claim.text)):
            # Of several documents with one name, the one that holds the text at this very place is meant.
            for document in candidates:
                if document.text.startswith(claim.text, start):
                    self._take(question, document, start, start + len(claim.text), grade)
                    return
        found = self.documents.placed(claim.text, candidates, claim.start)
        if found is None:
            where = _title(candidates[0]) if len(candidates) == 1 else f"{len(candidates)} documents"
            self.problem(line, f"“{_short(claim.text)}” could not be placed in {where}")
            return
        document, place = found
        if place.how in ("near", "other numbers"):
            other = ", though with other numbers," if place.how == "other numbers" else ""
            self.note(
                line,
                f"placed by similarity ({place.similarity:.0%}){other} in {_title(document)}: "
                f"“{_short(document.text[place.start : place.end])}” for “{_short(claim.text)}”",
            )
        elif place.how == "inside a word":
            around = document.text[max(0, place.start - 20) : place.end + 20]
            self.note(
                line,
                f"“{_short(claim.text)}” stands only inside a longer word of {_title(document)}: “…{_short(around)}…”",
            )
        elif (claim.start is not None and claim.start != place.start) or (
            place.how == "exact" and claim.end not in (None, place.end)
        ):
            self.note(line, f"{_range(claim)} moved to {place.start}–{place.end}, where its text stands")
        self._take(question, document, place.start, place.end, grade)

    def _take(self, question: str, document: Document, start: int, end: int, grade: int) -> None:
        judgment = Judgment(question, document.id, start, end, grade)
        self._judged.append((judgment, document.text[start:end]))


def _range(claim: Claim) -> str:
    return f"{claim.start}–{'?' if claim.end is None else claim.end}"


def _title(document: Document) -> str:
    return document_name(document)


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= 80 else line[:79] + "…"
