"""An evaluation to take away: one HTML file for people, CSV and JSON for programs."""

from __future__ import annotations

import platform
from datetime import UTC, datetime

import numpy as np
import streamlit as st

from workbench import __version__
from workbench.config import written
from workbench.evaluation import leaderboard
from workbench.evaluation.checks import findings
from workbench.evaluation.costs import embedding_text, money_text, size_text
from workbench.evaluation.report import LostAnswer, QuestionStory, Report, html
from workbench.evaluation.scoring import LESS_IS_BETTER, name_and_k
from workbench.evaluation.verdict import Verdict
from workbench.ui.evaluate.ground_truth import ground, reasons, told
from workbench.ui.evaluate.runs import Choice, Measured
from workbench.ui.evaluate.summary import cost_measure
from workbench.ui.session import state
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.messages import plain

WORST_QUESTIONS = 10
TITLE = "Which configuration finds more?"


def downloads(choice: Choice, found: Measured, verdict: Verdict) -> None:
    """Draw the three downloads; the report is written when it is asked for."""
    st.subheader("Take it away")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Report (HTML)",
            data=lambda: html(report(choice, found, verdict)),
            file_name="evaluation.html",
            mime="text/html",
            icon=":material/description:",
            type="primary",
            on_click="ignore",
            help="One file to send: verdict, leaderboard, pictures, worst questions and every configuration.",
        )
        st.download_button(
            "Figures (CSV)",
            data=leaderboard.as_csv(found.rows),
            file_name="evaluation.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
        )
        st.download_button(
            "Figures (JSON)",
            data=leaderboard.as_json(found.rows, about(choice, verdict)),
            file_name="evaluation.json",
            mime="application/json",
            icon=":material/data_object:",
            on_click="ignore",
        )
        best = verdict.recommended or verdict.winner
        if (
            best is not None
            and best in choice.configs
            and st.button(f"{plain(best)} as YAML", icon=":material/ios_share:")
        ):
            state.export(choice.configs[best])
            st.switch_page(page_script("export"))


def about(choice: Choice, verdict: Verdict) -> dict[str, object]:
    """Return what the figures were measured on, for programs."""
    return {
        "question_set": choice.questions.name,
        "question_set_hash": choice.questions.hash,
        "every_occurrence": choice.options.credit_everywhere,
        "verdict": verdict.sentence,
        "winner": verdict.winner,
        "recommended": verdict.recommended,
        "fingerprints": {label: config.fingerprint for label, config in choice.configs.items()},
    }


def report(choice: Choice, found: Measured, verdict: Verdict) -> Report:
    """Return everything that the HTML file shows."""
    here = workspace()
    first = next(iter(choice.configs.values()))
    priced = any(costs.usd is not None for costs in found.costs.values())
    return Report(
        title=TITLE,
        created_at_utc=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        question_set_name=choice.questions.name,
        question_set_hash=choice.questions.hash,
        verdict=verdict,
        rows=found.rows,
        measures=tuple(
            dict.fromkeys([choice.measure, "recall@5", "iou@5", "ndcg@5", "hit@5", "precision_omega"])
        ),
        cost_measure=cost_measure(choice),
        costs={
            label: {
                "tokens shown": f"{found.of(label).mean(cost_measure(choice)):,.0f}",
                "chunks": f"{found.costs[label].chunks:,}",
                "size": size_text(found.costs[label].size_bytes),
                "time to embed": embedding_text(found.costs[label]),
                **({"money to embed": money_text(found.costs[label])} if priced else {}),
                "search": _milliseconds(outcome.scores.values.get("seconds")),
                "model": here.model(choice.configs[label].embedder).title,
            }
            for label, outcome in found.outcomes.items()
        },
        questions=stories(choice, found),
        findings=findings(choice.questions, ground(choice, first).documents),
        config_yaml={label: written(config) for label, config in choice.configs.items()},
        about={
            **{f"fingerprint of {label}": c.fingerprint for label, c in choice.configs.items()},
            "Retrieval Workbench": __version__,
            "Python": platform.python_version(),
            "credited": "every occurrence of an answer"
            if choice.options.credit_everywhere
            else "the judged place alone",
            "repeat with": "python -m workbench evaluate CONFIG.yaml … --questions FILE --measure "
            + choice.measure
            + ("" if choice.options.credit_everywhere else " --no-every-occurrence"),
        },
    )


def stories(choice: Choice, found: Measured) -> list[QuestionStory]:
    """Return the questions with the lowest mean over all tables, and who lost them how."""
    sign = -1.0 if name_and_k(choice.measure)[0] in LESS_IS_BETTER else 1.0
    means = sign * np.mean([scores.of(choice.measure) for scores in found.scores], axis=0)
    ids = found.scores[0].question_ids
    asked = {question.id: question.text for question in choice.questions.questions}
    names = {row.id: row.name for row in workspace().documents()}
    result = []
    for row in np.argsort(means, kind="stable")[:WORST_QUESTIONS]:
        lost = []
        for label, config in choice.configs.items():
            truth = ground(choice, config).truth(ids[row])
            outcome = found.outcomes[label].results.get(ids[row])
            if truth is not None and outcome is not None:
                found_reasons = reasons(choice, config, truth, outcome)
                lost += [LostAnswer(label, told(one, truth, names)) for one in found_reasons]
        if lost:
            answers = [j for j in choice.questions.by_question[ids[row]] if j.grade > 0]
            texts = tuple(filter(None, (choice.questions.text_of(judgment) for judgment in answers)))
            result.append(QuestionStory(asked[ids[row]], texts, tuple(lost)))
    return result


def _milliseconds(seconds: np.ndarray[tuple[int], np.dtype[np.float64]] | None) -> str:
    return "–" if seconds is None or not len(seconds) else f"{1000 * float(seconds.mean()):.0f} ms"
