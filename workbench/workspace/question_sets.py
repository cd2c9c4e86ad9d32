"""The question sets of a workspace: one JSON file each under ``questions/``, written whole."""

from __future__ import annotations

import json
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path

from workbench.errors import InputError, SettingsError
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.files import write_atomically, writing
from workbench.records import Document, Judgment, digest
from workbench.spans import trimmed

LONGEST_SET_NAME = 80


def set_name(text: str) -> str:
    """Return a set's name on one line, bounded; raises ``SettingsError`` when nothing is left.

    >>> set_name("  My\\nquestions ")
    'My questions'
    """
    kept = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) not in ("Cf", "Cs")
    )
    name = " ".join(kept.split())[:LONGEST_SET_NAME].strip()
    if not name:
        raise SettingsError("give the question set a name")
    return name


class QuestionSets:
    """All sets of one workspace. A set's file is named by the digest of its name, so any name is safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changing = threading.RLock()

    def sets(self) -> list[QuestionSet]:
        """Return the sets by name; a file that is none is left out."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(unpacked(path.read_bytes()))
            except (OSError, ValueError, TypeError, KeyError, SettingsError):
                continue
        return sorted(found, key=lambda one: (one.name.casefold(), one.name))

    def newest_first(self) -> list[QuestionSet]:
        """Return the sets, the one that was changed last first."""
        return sorted(self.sets(), key=lambda one: -self._changed_ns(self._path(one.name)))

    def version(self) -> str:
        """Return a key that is another one whenever a set was added, changed or deleted."""
        return digest([[path.name, self._changed_ns(path)] for path in sorted(self._folder.glob("*.json"))])

    @staticmethod
    def _changed_ns(path: Path) -> int:
        try:
            return path.stat().st_mtime_ns
        except OSError:
            return 0

    def get(self, name: str) -> QuestionSet:
        """Return one set; raises ``InputError`` when it is not here."""
        found = next((one for one in self.sets() if one.name == name), None)
        if found is None:
            raise InputError(f"there is no question set called {name!r:.100} (any more)", "unknown")
        return found

    def save(self, questions: QuestionSet) -> QuestionSet:
        """Keep a set under its name, in place of an older one of that name, and return it as it was kept."""
        name = set_name(questions.name)
        if name != questions.name:
            questions = QuestionSet(name, questions.questions, questions.judgments, questions.texts)
        with writing(self._folder):
            write_atomically(self._path(name), packed(questions))
        return questions

    def changed(self, name: str, change: Callable[[QuestionSet], QuestionSet]) -> QuestionSet:
        """Keep what ``change`` makes of the set as it is now, and return it; raises ``InputError`` for an unknown name.

        Sessions of one process take turns, so none of them writes over what another has just kept.
        """
        with self._changing:
            return self.save(change(self.get(name)))

    def judge(
        self, name: str, question: str, document: Document, start: int, end: int, grade: int
    ) -> QuestionSet:
        """Keep one judgment in the set ``name`` (made now where there is none) and return the set.

        ``grade`` 0 says that the range does not answer the question, 1 to 3 how well it does; judging a range again
        replaces its grade. A question with the same text gets the judgment, else a new one is added. Blanks at the
        ends of the range are left out. Raises ``SettingsError`` for an empty question or range, or another grade.
        """
        text = question.strip()
        if not text:
            raise SettingsError("type the question before judging a passage")
        span = trimmed(document.text, max(0, start), min(end, len(document.text)))
        if span is None:
            raise SettingsError(f"the range {start}–{end} holds no text to judge")
        with self._changing:
            wanted = set_name(name)
            kept = next((one for one in self.sets() if one.name == wanted), QuestionSet(wanted))
            asked = kept.asking(text)
            judgment = Judgment(asked.id, document.id, *span, grade)
            return self.save(kept.with_question(asked).with_judgment(judgment, document.text[slice(*span)]))

    def delete(self, name: str) -> None:
        """Forget a set; an unknown name is ignored."""
        with writing(self._folder):
            self._path(name).unlink(missing_ok=True)

    def free_name(self, wanted: str) -> str:
        """Return ``wanted``, or with a number behind it when a set of that name is here."""
        name = set_name(wanted)
        taken = {one.name for one in self.sets()}
        number = 2
        free = name
        while free in taken:
            free = f"{name[: LONGEST_SET_NAME - 6]} ({number})"
            number += 1
        return free

    def _path(self, name: str) -> Path:
        return self._folder / f"{digest(['question set', name])[:16]}.json"


def packed(questions: QuestionSet) -> bytes:
    """Return a set as JSON with everything that it holds."""
    body = {
        "name": questions.name,
        "questions": [[question.id, question.text] for question in questions.questions],
        "judgments": [
            [j.question_id, j.document_id, j.start, j.end, j.grade, text]
            for j, text in zip(questions.judgments, questions.texts, strict=True)
        ],
    }
    # Escaped to ASCII: half of a surrogate pair in a text is no valid UTF-8.
    return json.dumps(body, indent=0).encode("ascii")


def unpacked(data: bytes) -> QuestionSet:
    """Return the set in ``data``; raises what ``json`` and the records raise for other files."""
    body = json.loads(data)
    judged = [
        (Judgment(q, d, start, end, grade), text) for q, d, start, end, grade, text in body["judgments"]
    ]
    return question_set(str(body["name"]), [Question(i, text) for i, text in body["questions"]], judged)
