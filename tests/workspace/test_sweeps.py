"""Sweeps on real tables: the figures are those of an evaluation, and nothing that was measured is measured again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench import plugins
from workbench.contracts import Embedder, EmbeddingModel
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.experiment import Options
from workbench.records import Judgment
from workbench.sweep import Ending, Failure, Measured, Sweep, expansion, parsed, screening_config
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
TEXTS = {
    "tram.txt": "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night.",
    "battery.txt": "The battery is cooled at forty degrees. A bus with a hot battery is taken out of service.",
    "notice.txt": "Notice. The counter opens at nine. Ask there for a form. Bring the ticket.",
}
ANSWERS = {
    "Is half of the fare refunded?": ("tram.txt", "Half of the fare is refunded after thirty minutes."),
    "What happens to a hot battery?": ("battery.txt", "A bus with a hot battery is taken out of service."),
    "When does the counter open?": ("notice.txt", "The counter opens at nine."),
}
SWEEP = """\
version: 1
name: small
finalists: 2
base:
  chunker: {name: nltk_sentences}
  embedder: {name: hashing}
factors:
  chunkers: [fixed_size, nltk_sentences]
  size_tokens: [8, 12, 30]
"""
MODEL_SWEEP = SWEEP.replace("{name: hashing}", "{name: sentence_transformers}").replace(
    "[8, 12, 30]", "[8, 16]"
)


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / "workspace")
    for name, text in TEXTS.items():
        found.add(name, text.encode())
    return found


def the_questions(here: Workspace) -> QuestionSet:
    ids = {row.name: row.id for row in here.documents()}
    judged = []
    for question, (name, text) in ANSWERS.items():
        start = TEXTS[name].index(text)
        judged.append((Judgment(question, ids[name], start, start + len(text), 1), text))
    return question_set("three", [Question(text, text) for text in ANSWERS], judged)


def new(here: Workspace, sweep: Sweep) -> list[tuple[str, str]]:
    """Run a sweep and return what was measured anew."""
    events = list(here.sweeps.run(sweep, the_questions(here)))
    assert not any(isinstance(event, Failure) for event in events)
    return [(e.config.name, e.kind) for e in events if isinstance(e, Measured) and not e.was_known]


def test_confirmed_figures_are_those_of_building_and_evaluating(here: Workspace) -> None:
    sweep, questions = parsed(SWEEP), the_questions(here)
    events = list(here.sweeps.run(sweep, questions))
    assert events[-1] == Ending(())
    assert {event.kind for event in events[:-1]} == {"confirmed"}
    for event in events[:-1]:
        expected = here.evaluations.measured(event.config, questions, Options())[0]
        for measure in ("recall@5", "iou@3", "ndcg@10", "precision_omega", "tokens_shown@5"):
            assert event.outcome.scores.of(measure).tolist() == expected.scores.of(measure).tolist()
        # The Evaluate page has nothing left to measure.
        assert here.evaluations.is_kept(event.config, questions)
    found = here.sweeps.standing([e.config for e in events[:-1]], questions, "recall@5")
    assert len(found.confirmed) == 6
    assert found.screened == ()


def test_screened_figures_are_those_of_sentence_means_and_leave_no_table(here: Workspace) -> None:
    sweep, questions = parsed(MODEL_SWEEP), the_questions(here)
    plan = here.sweeps.plan(sweep, questions)
    assert (plan.to_screen, plan.to_confirm) == (4, 2)
    events = list(here.sweeps.run(sweep, questions))
    assert [e.kind for e in events[:-1]] == ["screened"] * 4 + ["confirmed"] * 2
    event = events[0]
    cheap = screening_config(event.config)
    assert cheap is not None
    assert here.tables.connection(cheap).tables() == []
    assert {row.config_name for row in here.tables.rows()} == {e.config.name for e in events[4:6]}
    # The same by hand: a cosine of the question with every chunk's vector, chunks of a question's three best.
    here.tables.build(cheap)
    table = here.tables.table(cheap)
    ids, vectors = table.vectors()
    chunks = {chunk.id: chunk for chunk in table.chunks()}
    model = here.model(cheap.embedder)
    for row, judgment in enumerate(questions.judgments):
        cosines = vectors @ model.vectors([judgment.question_id], query=True)[0]
        shown = [chunks[ids[i]] for i in np.argsort(-cosines)[:3]]
        mask = np.zeros(200, bool)
        for chunk in shown:
            if chunk.document_id == judgment.document_id:
                mask[chunk.start : chunk.end] = True
        recall = mask[judgment.start : judgment.end].mean()
        assert event.outcome.scores.of("recall@3")[row] == recall
    assert here.sweeps.plan(sweep, questions).is_done
    assert new(here, sweep) == []


def test_a_second_run_measures_nothing_and_a_larger_grid_only_what_is_new(here: Workspace) -> None:
    sweep = parsed(SWEEP)
    assert len(new(here, sweep)) == 6
    assert new(here, sweep) == []
    assert new(Workspace(here.folder), sweep) == []
    larger = parsed(SWEEP.replace("[8, 12, 30]", "[8, 12, 30, 40]").replace("small", "large"))
    assert sorted(name for name, _ in new(here, larger)) == ["fixed_size 40", "nltk_sentences 40"]


def test_what_decides_a_result_makes_it_count_as_missing(here: Workspace) -> None:
    sweep, questions = parsed(SWEEP), the_questions(here)
    new(here, sweep)
    keys = here.sweeps.keys(here.sweeps.plan(sweep, questions).expansion.configs, questions)
    assert len(keys) == 6
    fewer = question_set(
        "two", questions.questions[:2], list(zip(questions.judgments, questions.texts, strict=True))[:2]
    )
    assert here.sweeps.plan(sweep, fewer).to_confirm == 6
    assert here.sweeps.plan(sweep, questions, Options(credit_everywhere=False)).to_confirm == 6
    other = replace(sweep, base=replace(sweep.base, store=plugins.build("stores", "memory")))
    assert here.sweeps.plan(other, questions).to_confirm == 6
    here.add("late.txt", b"One more document.")
    assert here.sweeps.plan(sweep, questions).to_confirm == 6


def test_the_files_of_a_model_are_looked_at_once_for_all_configurations_and_again_at_each_look(
    here: Workspace, tmp_path: Path
) -> None:
    class Counting(Workspace):
        looked = 0

        def model(self, embedder: Embedder) -> EmbeddingModel:
            self.looked += 1
            return super().model(embedder)

    sweep, questions = parsed(SWEEP), the_questions(here)
    configs = expansion(sweep).configs
    new(here, sweep)
    again = Counting(tmp_path / "workspace")
    assert again.sweeps.keys(configs, questions) == here.sweeps.keys(configs, questions)
    assert (len(configs), again.looked) == (6, 1)
    again.sweeps.keys(configs, questions)
    assert again.looked == 2


def test_a_run_that_was_killed_goes_on_where_it_was(here: Workspace, tmp_path: Path) -> None:
    sizes = ", ".join(str(n) for n in range(8, 24))
    (tmp_path / "sweep.yaml").write_text(
        SWEEP.replace("[8, 12, 30]", f"[{sizes}]").replace("[fixed_size, nltk_sentences]", "[fixed_size]")
    )
    rows = [f"{question},{text},{name}" for question, (name, text) in ANSWERS.items()]
    (tmp_path / "q.csv").write_text("question,expected text,document\n" + "\n".join(rows) + "\n")
    command = [
        sys.executable, "-m", "workbench", "--workspace", str(here.folder),
        "sweep", str(tmp_path / "sweep.yaml"), "--questions", str(tmp_path / "q.csv"),
    ]  # fmt: skip
    results = here.folder / "sweeps" / "results"
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("confirmed fixed_size 12"):
                break
        process.kill()
    kept = {path: path.read_bytes() for path in results.glob("*.json")}
    assert 5 <= len(kept) < 16
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    measured_now = [line for line in done.stderr.splitlines() if line.startswith("confirmed fixed_size")]
    assert len(measured_now) == 16 - len(kept)
    after = {path: path.read_bytes() for path in results.glob("*.json")}
    assert len(after) == 16
    assert all(after[path] == data for path, data in kept.items())
    # One that was never interrupted gives the same figures.
    whole = subprocess.run(
        [*command[:4], str(tmp_path / "other"), "add", *_written(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert whole.returncode == 0
    command[4] = str(tmp_path / "other")
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == done.stdout


def _written(folder: Path) -> list[str]:
    (folder / "in").mkdir()
    for name, text in TEXTS.items():
        (folder / "in" / name).write_text(text)
    return [str(folder / "in" / name) for name in TEXTS]


def test_a_configuration_that_cannot_be_built_is_a_failure_of_its_own(here: Workspace) -> None:
    text = (
        SWEEP + "  embedders: [hashing, {name: sentence_transformers, model: /not/here}]\nscreening: false\n"
    )
    assert here.sweeps.plan(parsed(text), the_questions(here)).to_confirm == 12
    events = list(here.sweeps.run(parsed(text), the_questions(here)))
    failed = [event for event in events if isinstance(event, Failure)]
    assert len(failed) == 6
    assert all("/not/here" in event.message for event in failed)
    assert sum(isinstance(event, Measured) for event in events) == 6


def test_grids_are_kept_by_name_and_forgotten_without_their_results(here: Workspace) -> None:
    sweep = parsed(SWEEP)
    new(here, sweep)
    here.sweeps.save(sweep)
    here.sweeps.save(replace(sweep, finalists=3))
    here.sweeps.save(replace(sweep, name="../another"[3:]))
    (here.folder / "sweeps" / "broken.yaml").write_text("name: [")
    assert [(one.name, one.finalists) for one in here.sweeps.grids()] == [("another", 2), ("small", 3)]
    here.sweeps.delete("small")
    assert [one.name for one in here.sweeps.grids()] == ["another"]
    assert new(here, sweep) == []


def test_the_estimate_counts_passes_of_the_model_and_questions(here: Workspace) -> None:
    sweep, questions = parsed(SWEEP), the_questions(here)
    assert here.sweeps.plan(sweep, questions).seconds is None
    model = here.model(sweep.base.embedder)
    here.embedding_rates.note(model, 1000, 10.0)
    characters = sum(map(len, TEXTS.values()))
    # Six configurations without a cheap way: six passes at 100 tokens a second, and three questions each.
    found = here.sweeps.plan(sweep, questions)
    assert found.seconds == pytest.approx(6 * characters / 4 / 100 + 6 * 3 * 0.02, rel=1e-6)
    assert found.sentence.startswith("6 configurations: 6 to confirm; about ")
