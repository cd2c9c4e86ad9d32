"""``evaluate`` is a contract: one JSON object per figure, the verdict beside them, nothing built on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench import sentences
from workbench.__main__ import DONE, SOME_FAILED, WRONG_USAGE, main
from workbench.config import parsed
from workbench.evaluation.formats import imported_path
from workbench.evaluation.leaderboard import cost_rows as cost_figures
from workbench.evaluation.leaderboard import rows as figures
from workbench.evaluation.verdict import verdict
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

CONFIG = "version: 1\nname: {name}\nchunker: {{name: fixed_size, size_tokens: {size}}}\nembedder: {{name: hashing}}\n"
TEXT = "The tram stops at red. It goes at white.\n\nThe depot opens at four. Tickets are sold until nine."
QUESTIONS = """question,references,corpus_id
When does the depot open?,"[{""content"": ""The depot opens at four."", ""start_index"": 42, ""end_index"": 66}]",a
What does a ticket cost?,"[{""content"": ""A ticket costs two crowns."", ""start_index"": 9, ""end_index"": 35}]",b
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TEXT)
    (tmp_path / "in" / "b.md").write_text("# Fares\n\nA ticket costs two crowns. Dogs travel free.")
    (tmp_path / "small.yaml").write_text(CONFIG.format(name="small", size=8))
    (tmp_path / "large.yaml").write_text(CONFIG.format(name="large", size=60))
    (tmp_path / "questions.csv").write_text(QUESTIONS)
    assert main(["add", str(tmp_path / "in"), *place(tmp_path)]) == DONE
    assert (
        main(["build", str(tmp_path / "small.yaml"), str(tmp_path / "large.yaml"), *place(tmp_path)]) == DONE
    )
    return tmp_path


def place(folder: Path) -> list[str]:
    return ["--workspace", str(folder / "workspace")]


def evaluated(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    *configs: str,
    questions: str = "questions.csv",
    **more: str,
) -> tuple[int, list[dict[str, Any]], str]:
    capsys.readouterr()
    words = [str(folder / f"{config}.yaml") for config in configs]
    options = [word for name, value in more.items() for word in (f"--{name}", value)]
    status = main(
        ["evaluate", *words, "--questions", str(folder / questions), "--json", *options, *place(folder)]
    )
    printed = capsys.readouterr()
    return status, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_each_figure_is_one_object_with_exactly_the_promised_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows, message = evaluated(folder, capsys, "small", "large")
    assert status == DONE
    assert {frozenset(row) for row in rows} == {
        frozenset({"config", "metric", "k", "value", "low", "high", "questions"})
    }
    assert {row["config"] for row in rows} == {"small", "large"}
    assert {row["questions"] for row in rows} == {2}
    assert {
        "recall", "precision", "iou", "precision_omega", "hit", "mrr", "map", "ndcg", "tokens_shown", "characters_shown",
    } <= {row["metric"] for row in rows}  # fmt: skip
    assert [row["k"] for row in rows if row["metric"] == "precision_omega"] == [None, None]
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    assert "not distinguishable (n = 2)" in message
    assert "corrected" in message


def test_the_figures_are_those_of_the_library_and_a_second_run_repeats_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, first, message = evaluated(folder, capsys, "small", "large")
    assert evaluated(folder, capsys, "small", "large")[1:] == (first, message)
    here = Workspace(folder / "workspace")
    documents = [here.document(row.id) for row in here.documents()]
    questions = imported_path(folder / "questions.csv", documents).question_set
    configs = [parsed((folder / f"{name}.yaml").read_text()) for name in ("small", "large")]
    outcomes = {config.name: here.evaluations.outcome(config, questions) for config in configs}
    scores = [outcome.scores for outcome in outcomes.values()]
    costs = {config.name: here.evaluations.costs(config, outcomes[config.name]) for config in configs}
    known = {
        (row.config, row.metric, row.k): (row.value, row.low, row.high)
        for row in (*figures(scores), *cost_figures(scores, costs))
    }
    assert {(r["config"], r["metric"], r["k"]): (r["value"], r["low"], r["high"]) for r in first} == known
    assert message.rstrip().endswith(verdict(scores).sentence)


def test_costs_are_beside_the_measures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, rows, _ = evaluated(folder, capsys, "small", "large")
    here = Workspace(folder / "workspace")
    for name in ("small", "large"):
        found = {row["metric"]: row["value"] for row in rows if row["config"] == name}
        chunks = here.tables.table(parsed((folder / f"{name}.yaml").read_text())).chunks()
        assert found["chunks"] == len(chunks)
        assert found["embedding_tokens"] == sum(chunk.token_count for chunk in chunks)
        assert found["index_bytes"] > 0
        assert found["embedding_seconds"] > 0
        assert found["embedding_from_cache"] == 0
        assert found["seconds"] > 0
        assert "embedding_usd" not in found


def test_another_occurrence_of_the_answer_counts_unless_switched_off(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in" / "copy.txt").write_text("The depot opens at four.")
    assert main(["add", str(folder / "in"), *place(folder)]) == DONE
    assert main(["build", str(folder / "large.yaml"), *place(folder)]) == DONE
    counts = []
    for more in ([], ["--every-occurrence"], ["--no-every-occurrence"]):
        capsys.readouterr()
        words = [str(folder / "large.yaml"), "--questions", str(folder / "questions.csv"), "--json"]
        assert main(["evaluate", *words, *more, *place(folder)]) == DONE
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        counts.append({(row["metric"], row["k"]): row["value"] for row in rows})
    assert counts[0] == counts[1]
    # The copy holds nothing but the answer, so it comes first; the judged place itself is third.
    assert counts[0]["mrr", 3] == 1.0
    assert counts[2]["mrr", 3] == pytest.approx((1 / 3 + 1) / 2)


def test_people_get_the_verdict_last_on_the_same_stream(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    words = [str(folder / "small.yaml"), "--questions", str(folder / "questions.csv")]
    assert main(["evaluate", *words, *place(folder)]) == DONE
    printed = capsys.readouterr()
    assert "One configuration alone is no comparison" in printed.out.splitlines()[-1]
    assert "recall@5" in printed.out


def test_people_get_a_line_per_config_with_the_best_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for measure, less_is_better in (("recall@3", False), ("tokens_shown@3", True)):
        _, rows, _ = evaluated(folder, capsys, "small", "large", measure=measure)
        name, k = measure.split("@")
        values = {row["config"]: row["value"] for row in rows if (row["metric"], row["k"]) == (name, int(k))}
        words = [str(folder / f"{config}.yaml") for config in ("small", "large")]
        words += ["--questions", str(folder / "questions.csv"), "--measure", measure]
        assert main(["evaluate", *words, *place(folder)]) == DONE
        headings, first, second, *_ = capsys.readouterr().out.splitlines()
        assert headings.split()[:2] == ["config", measure]
        best = sorted(values, key=lambda config: values[config], reverse=not less_is_better)
        assert [first.split()[0], second.split()[0]] == best
        assert f"{values[best[0]]:,.{0 if less_is_better else 3}f} [" in first


def test_the_verdict_can_be_about_another_measure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ndcg@3" in evaluated(folder, capsys, "small", "large", measure="ndcg@3")[2]
    status, rows, message = evaluated(folder, capsys, "small", "large", measure="taste")
    assert (status, rows) == (WRONG_USAGE, [])
    assert "is not measured; there are: " in message


@pytest.mark.parametrize("measure", ["recall@x", "recall@-1", "recall@²", "recall@"])
def test_a_measure_that_cannot_be_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str], measure: str
) -> None:
    status, rows, message = evaluated(folder, capsys, "small", measure=measure)
    assert (status, rows) == (WRONG_USAGE, [])
    assert message.startswith(f"error: '{measure}'")
    assert message.count("\n") == 1


def test_what_cannot_be_compared_is_said_before_anything_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "twin.yaml").write_text(CONFIG.format(name="small", size=60))
    for configs, measure, said in (
        (("small", "large"), "recall@4", "'recall@4' is not measured"),
        (("small", "large"), "recall@x", "'recall@x' is not a measure"),
        (("small", "twin"), "recall@5", "two of these configs are named small"),
    ):
        status, rows, message = evaluated(folder, capsys, *configs, measure=measure)
        assert (status, rows) == (WRONG_USAGE, [])
        assert message.startswith(f"error: {said}")
        assert message.count("\n") == 1
    assert not (folder / "workspace" / "evaluations").exists()


def test_a_table_that_is_not_built_is_said_before_anything_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "new.yaml").write_text(CONFIG.format(name="new", size=30))
    status, rows, message = evaluated(folder, capsys, "small", "new")
    assert (status, rows) == (WRONG_USAGE, [])
    assert "new is not built yet: build it first" in message
    assert len(Workspace(folder / "workspace").tables.rows()) == 2
    assert not (folder / "workspace" / "evaluations").exists()


def test_lines_that_cannot_be_placed_are_named_and_the_rest_is_scored(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = (
        'Who?,"[{""content"": ""Nobody at all was ever here."", ""start_index"": 0, ""end_index"": 28}]",a\n'
    )
    gone = 'Where?,"[{""content"": ""Here."", ""start_index"": 0, ""end_index"": 5}]",nowhere\n'
    (folder / "half.csv").write_text(QUESTIONS + odd + gone)
    status, rows, message = evaluated(folder, capsys, "small", questions="half.csv")
    assert status == SOME_FAILED
    assert {row["questions"] for row in rows} == {2}
    assert "line 4" in message
    assert "'nowhere' is not here" in message


def test_documents_that_a_table_lacks_are_mentioned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "late.txt").write_text("One more tram.")
    assert main(["add", str(folder / "late.txt"), *place(folder)]) == DONE
    status, _, message = evaluated(folder, capsys, "small")
    assert status == DONE
    assert "small: 1 document is not in its table" in message


def test_a_table_that_is_out_of_date_is_said_to_be(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "out of date" not in evaluated(folder, capsys, "small")[2]
    monkeypatch.setattr(sentences, "VERSION", 99)
    said = "small: its table is out of date (2 documents): build it again"
    assert said in evaluated(folder, capsys, "small")[2]
    assert main(["search", str(folder / "small.yaml"), "When?", *place(folder)]) == DONE
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "\x00\x01", "question,expected text\n", "nothing here"])
def test_a_file_without_questions_is_one_clear_line(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (folder / "odd.csv").write_text(content)
    status, rows, message = evaluated(folder, capsys, "small", questions="odd.csv")
    assert (status, rows) == (WRONG_USAGE, [])
    assert "no question with an answer" in message
    assert "Traceback" not in message


def test_a_file_that_is_not_there_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, message = evaluated(folder, capsys, "small", questions="gone.csv")
    assert status == WRONG_USAGE
    assert "gone.csv cannot be read" in message
