"""Weights are chosen on some questions and reported on others: by hand, and through the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.retrievers.made_table import asked as put
from tests.retrievers.made_table import built_table
from workbench import plugins
from workbench.__main__ import DONE, WRONG_USAGE, main
from workbench.config import parsed
from workbench.errors import InputError, SettingsError
from workbench.evaluation.results import JudgedRange, Truth, question_result
from workbench.evaluation.scoring import scores
from workbench.records import Judgment
from workbench.tuning import WEIGHTS, cross_validated, grid, tuned, with_weights


@pytest.mark.parametrize(("steps", "count"), [(1, 3), (2, 6), (10, 66)])
def test_the_grid_holds_every_weighting_once_and_begins_with_the_most_even(steps: int, count: int) -> None:
    found = grid(steps)
    assert len(set(found)) == len(found) == count
    assert all(sum(weights) == pytest.approx(1) for weights in found)
    spread = [round(sum(weight**2 for weight in weights), 9) for weights in found]
    assert spread == sorted(spread)


def test_each_question_is_scored_with_the_way_that_was_best_without_it() -> None:
    """Three ways, four questions, each a fold of its own: leave one out by hand."""
    figures = np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    held_out, chosen = cross_validated(figures, figures, 4)
    # Without 0 the second way is best (2 of 3), which gives 0 there. Without 1 the first, second and third are
    # equal and the first is taken; so without 2. Without 3 the second is best again.
    assert held_out.tolist() == [0, 0, 0, 0]
    assert sorted(chosen) == [0, 0, 1, 1]


@given(st.integers(2, 8), st.integers(8, 20), st.integers(0, 1_000))
def test_no_way_is_chosen_by_the_question_it_is_reported_on(folds: int, count: int, seed: int) -> None:
    """Whatever a question's own figures are, the ways chosen for its fold stay the same."""
    rng = np.random.default_rng(seed)
    figures = rng.integers(0, 3, (4, count)) / 2
    _, before = cross_validated(figures, figures, folds)
    order = np.random.default_rng(0).permutation(count)
    fold = np.array_split(order, folds)[0]
    changed = figures.copy()
    changed[:, fold] = rng.random((4, len(fold)))
    _, after = cross_validated(changed, changed, folds)
    assert after[0] == before[0]


TEXTS = [
    f"{animal} {verb} in the {place}"
    for animal in ("cats", "dogs", "owls")
    for verb in ("sleep", "hunt")
    for place in ("barn", "woods")
]


def test_a_figure_is_what_evaluating_the_weights_gives(tmp_path: Path) -> None:
    model = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    table = built_table(tmp_path, model, TEXTS)
    chunks = table.chunks()
    questions = {f"q{i}": f"where do {text.split()[0]} {text.split()[1]}?" for i, text in enumerate(TEXTS)}
    truths = [
        Truth(f"q{i}", (JudgedRange(Judgment(f"q{i}", "d", chunk.start, chunk.end)),))
        for i, chunk in enumerate(chunks)
    ]
    fused = plugins.build("retrievers", "fused", {"repeated": True})
    told: list[tuple[int, int]] = []
    found = tuned(
        fused,
        questions,
        truths,
        lambda text: put(text, table, model),
        "recall@2",
        3,
        4,
        lambda *at: told.append(at),
    )
    assert told == [(done, 12) for done in range(13)]
    by_weights = {}
    for weights in {*grid(4), (1.0, 1.0, 1.0)}:
        way = with_weights(fused, weights).model_copy(update={"top_k": 2})
        results = [question_result(q, way.hits(put(text, table, model))) for q, text in questions.items()]
        by_weights[weights] = scores("w", truths, results, cutoffs=(2,)).of("recall@2")
    best = max(values.mean() for values in by_weights.values())
    assert by_weights[found.weights].mean() == pytest.approx(best)
    assert found.references["equal weights"].tolist() == by_weights[(1.0, 1.0, 1.0)].tolist()
    order = np.random.default_rng(0).permutation(12)
    for fold, weights in zip(np.array_split(order, 3), found.fold_weights, strict=True):
        assert found.held_out[fold].tolist() == by_weights[weights][fold].tolist()


def test_what_cannot_be_tuned_is_refused(tmp_path: Path) -> None:
    model = plugins.build("embedders", "hashing").embedding_model(tmp_path)
    table = built_table(tmp_path, model, TEXTS)
    truths = [Truth("q", (JudgedRange(Judgment("q", "d", 0, 3)),))]
    for retriever, measure, kind, told in (
        ("nearest", "recall@5", SettingsError, "nearest has no weights to tune: use fused or reranked"),
        ("fused", "recall", SettingsError, "give one such as recall@5"),
        ("fused", "recall@5", InputError, "1 question with an answer cannot be divided into 5 folds"),
    ):
        with pytest.raises(kind, match=told):
            tuned(
                plugins.build("retrievers", retriever),
                {"q": "?"},
                truths,
                lambda text: put(text, table, model),
                measure,
            )


CONFIG = "# A note.\nversion: 1\nname: small\nchunker: {name: fixed_size, size_tokens: 12}\nembedder: {name: hashing}\n"


@pytest.mark.slow
def test_the_command_writes_a_config_that_is_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ". ".join(f"{sentence.capitalize()} and nowhere else at all" for sentence in TEXTS) + "."
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "small.yaml").write_text(CONFIG)
    rows = ["question,references,corpus_id"]
    for sentence in TEXTS:
        start = text.lower().index(sentence)
        reference = [
            {
                "content": text[start : start + len(sentence)],
                "start_index": start,
                "end_index": start + len(sentence),
            }
        ]
        rows.append(
            f'Where do {sentence.split()[0]} {sentence.split()[1]} {start}?,"{json.dumps(reference).replace(chr(34), chr(34) * 2)}",a'
        )
    (tmp_path / "questions.csv").write_text("\n".join(rows))
    place = ["--workspace", str(tmp_path / "w")]
    asked = ["tune", str(tmp_path / "small.yaml"), "--questions", str(tmp_path / "questions.csv"), *place]
    assert main(["add", str(tmp_path / "a.txt"), *place]) == DONE
    assert main(asked) == WRONG_USAGE
    assert "build it first" in capsys.readouterr().err
    assert main(["build", str(tmp_path / "small.yaml"), *place]) == DONE
    capsys.readouterr()
    assert main([*asked, "--folds", "3", "--measure", "recall@1"]) == DONE
    said = capsys.readouterr()
    config = parsed(said.out)
    assert config.retriever.name == "fused"
    assert sum(getattr(config.retriever, name) for name in WEIGHTS) == pytest.approx(1)
    assert config.comment.startswith("A note.\nWeights ")
    assert "on all 12 questions of questions.csv" in config.comment
    assert "tuned, out of fold" in said.err
    output = tmp_path / "tuned.yaml"
    assert main([*asked, "--folds", "3", "--measure", "recall@1", "--output", str(output), "--json"]) == DONE
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["config"] for row in figures} == {
        "tuned, out of fold", "equal weights", "vector alone", "keywords alone",
    }  # fmt: skip
    assert all(row["low"] <= row["value"] <= row["high"] and row["questions"] == 12 for row in figures)
    assert output.read_text() == said.out
