"""Tuning the weights of a fused search on the Evaluate page: measured on questions left out, kept, exported."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_evaluate import ANSWERS, TEXTS, config, empty, here, measured, page, words
from workbench.evaluation.questions import Question, question_set
from workbench.experiment import Options
from workbench.records import Judgment
from workbench.tuning import tunable_config, tuned
from workbench.ui.session import state
from workbench.ui.session.jobs import jobs
from workbench.workspace import Workspace

__all__ = ["empty", "here"]

pytestmark = pytest.mark.slow

MORE = {f"{question} {word}": answer for question, answer in ANSWERS.items() for word in ("please", "really")}


@pytest.fixture
def six(here: Workspace) -> Workspace:
    ids = {row.name: row.id for row in here.documents()}
    judged = [
        (Judgment(question, ids[name], (start := TEXTS[name].index(text)), start + len(text), 1), text)
        for question, (name, text) in MORE.items()
    ]
    here.question_sets.save(question_set("six", [Question(text, text) for text in MORE], judged))
    return here


def tuned_page(questions: str) -> AppTest:
    app = measured(page(tables=["Small"], set=questions))
    next(button for button in app.button if button.label == "Tune the weights").click().run()
    while jobs().active():
        app.run()
    return app.run()


def test_weights_are_tuned_kept_and_taken_to_the_export_page(six: Workspace) -> None:
    app = tuned_page("six")
    assert not app.exception
    assert not app.error
    assert "n = 6, on questions that the weights were not chosen on" in words(app)
    questions, small = six.question_sets.get("six"), tunable_config(config("Small", 9))
    found = six.tunings.kept(small, questions, Options(), "recall@5")
    assert found is not None
    assert [metric.value for metric in app.metric][-3:] == [f"{weight:g}" for weight in found.weights]
    # The same by the library, without the workspace's file.
    ground = six.evaluations.ground(small, questions, Options())
    texts = {question.id: question.text for question in questions.questions}
    again = tuned(
        small.retriever, texts, ground.truths, lambda text: six.tables.asked(small, text), "recall@5"
    )
    assert (again.weights, again.fold_weights) == (found.weights, found.fold_weights)
    assert np.array_equal(again.held_out, found.held_out)
    assert {name: values.tolist() for name, values in again.references.items()} == {
        name: values.tolist() for name, values in found.references.items()
    }
    assert not [button for button in app.button if button.label == "Tune the weights"]
    next(button for button in app.button if button.label == "Export with these weights").click().run()
    exported = app.session_state[state.EXPORTED]
    assert exported.retriever.name == "fused"
    assert exported.retriever.weights == dict(
        zip(("vector", "sentence", "keyword"), found.weights, strict=True)
    )
    assert "Chosen without the questions asked" in exported.comment


@pytest.mark.usefixtures("six")
def test_too_few_questions_are_told_and_nothing_is_kept() -> None:
    app = tuned_page("three")
    assert not app.exception
    assert "3 questions with an answer cannot be divided into 5 folds" in words(app).replace("\u2060", "")


def test_another_table_state_is_tuned_anew(six: Workspace) -> None:
    questions, small = six.question_sets.get("six"), config("Small", 9)
    six.tunings.tuned(small, questions, Options(), "recall@5")
    assert six.tunings.kept(small, questions, Options(), "recall@5") is not None
    assert six.tunings.kept(small, questions, Options(credit_everywhere=False), "recall@5") is None
    assert six.tunings.kept(small, questions, Options(), "recall@1") is None
    six.add("more.txt", b"Another text about a battery that is hot.")
    six.tables.build(small)
    assert six.tunings.kept(small, questions, Options(), "recall@5") is None
