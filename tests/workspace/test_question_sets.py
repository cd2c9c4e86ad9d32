"""Question sets that are kept: judging while searching, and several sessions at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.errors import InputError, SettingsError
from workbench.evaluation.questions import Question
from workbench.records import Document, Page
from workbench.workspace.question_sets import QuestionSets

TEXT = "The tram was late.\n  Half of the fare is refunded.  \nA taxi is paid at night."
DOCUMENT = Document("d", TEXT, (Page(1, 0, len(TEXT)),), "Fares", "upload:fares.txt")
START = TEXT.index("Half")
END = TEXT.index("A taxi")


@pytest.fixture
def sets(tmp_path: Path) -> QuestionSets:
    return QuestionSets(tmp_path)


def test_a_judged_hit_makes_the_set_and_the_question_and_keeps_the_text_without_blanks(
    sets: QuestionSets,
) -> None:
    kept = sets.judge("Mine", " Is the fare refunded? ", DOCUMENT, START - 2, END, 3)
    assert sets.get("Mine") == kept
    assert [question.text for question in kept.questions] == ["Is the fare refunded?"]
    (judgment,) = kept.judgments
    assert (judgment.document_id, judgment.grade) == ("d", 3)
    assert TEXT[judgment.start : judgment.end] == "Half of the fare is refunded."
    assert kept.texts == ("Half of the fare is refunded.",)


def test_judging_again_replaces_the_grade_and_another_range_is_added(sets: QuestionSets) -> None:
    for grade in (3, 1, 0):
        kept = sets.judge("Mine", "Is the fare refunded?", DOCUMENT, START, END, grade)
        assert kept.grade_of("Is the fare refunded?", DOCUMENT, START - 1, END) == grade
    assert len(kept.judgments) == 1
    kept = sets.judge("Mine", "Is the fare refunded?", DOCUMENT, 0, 18, 1)
    assert [(j.start, j.grade) for j in kept.judgments] == [(0, 1), (START, 0)]
    assert kept.grade_of("Who pays?", DOCUMENT, 0, 18) is None
    assert kept.grade_of("Is the fare refunded?", DOCUMENT, 0, 17) is None


def test_a_question_whose_wording_was_changed_is_not_taken_for_the_old_one(sets: QuestionSets) -> None:
    first = sets.judge("Mine", "Who pays?", DOCUMENT, 0, 18, 1)
    changed = first.with_question(Question(first.questions[0].id, "Who pays the fare?"))
    sets.save(changed)
    kept = sets.judge("Mine", "Who pays?", DOCUMENT, START, END, 1)
    assert [question.text for question in kept.questions] == ["Who pays the fare?", "Who pays?"]
    assert [len(judged) for judged in kept.by_question.values()] == [1, 1]


@pytest.mark.parametrize(
    ("question", "start", "end", "grade", "said"),
    [(" ", 0, 9, 1, "question"), ("Why?", 18, 21, 1, "no text"), ("Why?", 0, 9, 4, "grade")],
)
def test_what_cannot_be_judged_is_refused_and_nothing_is_kept(
    sets: QuestionSets, question: str, start: int, end: int, grade: int, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        sets.judge("Mine", question, DOCUMENT, start, end, grade)
    assert sets.sets() == []


def test_sessions_that_judge_at_once_lose_nothing(sets: QuestionSets) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: sets.judge("Mine", f"Question {n}?", DOCUMENT, 0, 18, 1), range(40)))
    assert len(sets.get("Mine").judgments) == 40


def test_changing_a_set_that_is_gone_says_so(sets: QuestionSets) -> None:
    with pytest.raises(InputError, match="no question set called 'Gone'"):
        sets.changed("Gone", lambda questions: questions)
