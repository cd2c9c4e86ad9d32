"""Configs × questions → scores on real tables, the cache behind them, and the question sets that are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.config import Config, parsed
from workbench.errors import Cancelled, InputError, SettingsError
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.experiment import Options, on_common_questions
from workbench.records import Judgment
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

TEXTS = {
    "tram.txt": "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night.",
    "battery.txt": "The battery is cooled at forty degrees. A bus with a hot battery is taken out of service.",
    "notice.txt": "Notice. Half of the fare is refunded after thirty minutes. Ask at the counter.",
}
ANSWERS = {
    "is half of the fare refunded?": ("tram.txt", "Half of the fare is refunded after thirty minutes."),
    "what happens to a hot battery?": ("battery.txt", "A bus with a hot battery is taken out of service."),
}
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path)
    for name, text in TEXTS.items():
        found.add(name, text.encode())
    return found


def config(size: int, name: str = "") -> Config:
    return parsed(CONFIG.format(name=name or f"size {size}", size=size))


def the_questions(here: Workspace) -> QuestionSet:
    ids = {row.name: row.id for row in here.documents()}
    judged = []
    for question, (name, text) in ANSWERS.items():
        start = TEXTS[name].index(text)
        judged.append((Judgment(question, ids[name], start, start + len(text), 1), text))
    return question_set("two", [Question(text, text) for text in ANSWERS], judged)


def test_the_figures_are_those_of_the_search_itself_by_plain_masks(here: Workspace) -> None:
    found_config, questions = config(9), the_questions(here)
    here.tables.build(found_config)
    found = here.evaluations.outcome(found_config, questions, Options(credit_everywhere=False))
    for row, judgment in enumerate(questions.judgments):
        hits = here.tables.search(found_config, judgment.question_id, 3).hits
        judged, shown = np.zeros(200, bool), np.zeros(200, bool)
        judged[judgment.start : judgment.end] = True
        total = 0
        for hit in hits:
            total += hit.chunk.end - hit.chunk.start
            if hit.chunk.document_id == judgment.document_id:
                shown[hit.chunk.start : hit.chunk.end] = True
        both = int((judged & shown).sum())
        assert found.scores.of("recall@3")[row] == both / judged.sum()
        assert found.scores.of("precision@3")[row] == both / total
        assert found.scores.of("tokens_shown@3")[row] == sum(hit.chunk.token_count for hit in hits)
    assert found.chunk_count == here.tables.table(found_config).row_count()


def test_the_same_text_elsewhere_is_credited_unless_told_otherwise(here: Workspace) -> None:
    found_config, questions = config(60), the_questions(here)
    here.tables.build(found_config)
    everywhere = here.evaluations.outcome(found_config, questions).scores.of("hit@3")
    only_there = here.evaluations.outcome(
        found_config, questions, Options(credit_everywhere=False)
    ).scores.of("hit@3")
    assert (everywhere >= only_there).all()
    here.tables.table(found_config).drop_documents([questions.judgments[0].document_id])
    assert here.evaluations.outcome(found_config, questions).scores.of("hit@3")[0] == 1
    alone = here.evaluations.outcome(found_config, questions, Options(credit_everywhere=False))
    assert alone.scores.of("hit@3")[0] == 0


def test_a_second_look_searches_nothing_and_gives_the_same_to_the_last_digit(here: Workspace) -> None:
    found_config, questions = config(9), the_questions(here)
    here.tables.build(found_config)
    assert not here.evaluations.is_kept(found_config, questions)
    ticks: list[int] = []
    first = here.evaluations.outcome(found_config, questions, tick=lambda done, total: ticks.append(done))
    assert ticks == [0, 1, 2]
    assert here.evaluations.is_kept(found_config, questions)
    second = Workspace(here.folder).evaluations.outcome(
        found_config, questions, tick=lambda done, total: ticks.append(done)
    )
    assert ticks == [0, 1, 2]
    assert second.results == first.results
    assert second.scores.values.keys() == first.scores.values.keys()
    for measure, values in first.scores.values.items():
        assert second.scores.of(measure).tolist() == values.tolist()


def test_whatever_decides_the_figures_is_part_of_the_cache_key(here: Workspace) -> None:
    found_config, questions, options = config(9), the_questions(here), Options()
    here.tables.build(found_config)
    keys = {here.evaluations.key(found_config, questions, options)}
    keys.add(here.evaluations.key(found_config, questions, Options(cutoffs=(5,))))
    keys.add(here.evaluations.key(found_config, questions, Options(credit_everywhere=False)))
    keys.add(here.evaluations.key(found_config, questions.without_judgment(questions.judgments[0]), options))
    other = parsed(CONFIG.format(name="x", size=9) + "retriever: {name: nearest, top_k: 7}\n")
    keys.add(here.evaluations.key(other, questions, options))
    here.add("late.txt", b"A late document.")
    keys.add(here.evaluations.key(found_config, questions, options))
    here.tables.build(found_config)
    keys.add(here.evaluations.key(found_config, questions, options))
    assert len(keys) == 7
    renamed = config(9, "another name")
    assert here.evaluations.key(renamed, questions, options) in keys


def test_a_damaged_file_in_the_cache_is_measured_again(here: Workspace) -> None:
    found_config, questions = config(9), the_questions(here)
    here.tables.build(found_config)
    first = here.evaluations.outcome(found_config, questions)
    (path,) = (here.folder / "evaluations").glob("*.json")
    path.write_bytes(path.read_bytes()[:100])
    again = here.evaluations.outcome(found_config, questions)
    assert again.scores.of("recall@5").tolist() == first.scores.of("recall@5").tolist()


def test_a_table_that_is_not_built_is_said_and_not_built_on_the_way(here: Workspace) -> None:
    with pytest.raises(InputError, match="build it first"):
        here.evaluations.outcome(config(9), the_questions(here))
    assert here.tables.rows() == []


def test_stopping_keeps_nothing_half(here: Workspace) -> None:
    found_config, questions = config(9), the_questions(here)
    here.tables.build(found_config)

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        here.evaluations.outcome(found_config, questions, tick=stop)
    assert not here.evaluations.is_kept(found_config, questions)


def test_an_answer_in_a_deleted_document_is_named_and_its_question_left_out(here: Workspace) -> None:
    small, questions = config(9), the_questions(here)
    here.tables.build(small)
    whole = here.evaluations.outcome(small, questions)
    here.delete([questions.judgments[1].document_id])
    found = here.evaluations.outcome(small, questions)
    assert len(found.lost) == 1
    assert found.scores.question_ids == (questions.questions[0].id,)
    both = on_common_questions([whole, found])
    assert [s.question_ids for s in both] == [found.scores.question_ids] * 2
    assert both[0].of("recall@5").tolist() == whole.scores.of("recall@5")[:1].tolist()


@pytest.mark.parametrize("name", ["../../etc/passwd", "ü & 50 %", "a\x00b\nc", "x" * 500, "CON", "‮evil"])
def test_a_set_of_any_name_comes_back_as_it_was(here: Workspace, name: str) -> None:
    questions = the_questions(here)
    kept = here.question_sets.save(
        question_set(name, questions.questions, zip(questions.judgments, questions.texts, strict=True))
    )
    (found,) = here.question_sets.sets()
    assert found == kept
    assert found.key == questions.key
    assert found.texts == questions.texts
    assert len(list((here.folder / "questions").iterdir())) == 1
    assert here.question_sets.get(kept.name) == kept
    here.question_sets.delete(kept.name)
    assert here.question_sets.sets() == []
    with pytest.raises(InputError, match="no question set"):
        here.question_sets.get(kept.name)


def test_a_set_without_a_name_is_refused_and_a_damaged_file_is_left_out(here: Workspace) -> None:
    with pytest.raises(SettingsError, match="name"):
        here.question_sets.save(QuestionSet(" \n "))
    here.question_sets.save(QuestionSet("good"))
    (here.folder / "questions" / "bad.json").write_text("{")
    (here.folder / "questions" / "odd.json").write_text('{"name": 1, "questions": [[1]], "judgments": []}')
    assert [one.name for one in here.question_sets.sets()] == ["good"]
    assert here.question_sets.free_name("good") == "good (2)"
    assert here.question_sets.free_name("new") == "new"


def test_half_of_a_surrogate_pair_in_a_text_is_kept(here: Workspace) -> None:
    here.question_sets.save(QuestionSet("odd", (Question("q", "why \ud800?"),)))
    assert here.question_sets.get("odd").questions[0].text == "why \ud800?"
