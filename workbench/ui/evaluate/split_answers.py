"""Which judged answers does each table cut in two? No search finds a whole answer that no chunk holds whole."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.config import Config
from workbench.evaluation.losses import CutJudgment, cut_in_two
from workbench.evaluation.results import ChunkRanges
from workbench.table_cells import one_line
from workbench.ui.evaluate.ground_truth import ground
from workbench.ui.evaluate.runs import HELD, Choice
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import plain

Answer = tuple[str, str]
"""Question id and the answer's text: its place may differ between two readings of a file."""


def cut_answers(choice: Choice) -> None:
    """Draw the answers that a table cuts, with the number of chunks that hold their parts."""
    asked = {question.id: question.text for question in choice.questions.questions}
    counts: dict[Answer, dict[str, int]] = {}
    for label, config in choice.configs.items():
        questions = ground(choice, config).questions
        for cut in cuts(choice, config):
            answer = cut.judgment.question_id, questions.text_of(cut.judgment)
            counts.setdefault(answer, {})[label] = len(cut.chunks)
    totals = {label: sum(label in found for found in counts.values()) for label in choice.configs}
    title = "Answers cut in two: " + ", ".join(f"{count:,} by {label}" for label, count in totals.items())
    cutting = [label for label, count in totals.items() if count]
    with st.expander(plain(title), icon=":material/content_cut:"):
        if not counts:
            st.caption("None: every answer is whole in at least one chunk of every table.")
            return
        st.caption("In how many chunks each answer lies; nothing where one chunk holds it whole.")
        answers = sorted(counts, key=lambda answer: -len(counts[answer]))
        st.dataframe(
            pd.DataFrame(
                {
                    **{label: [counts[answer].get(label) for answer in answers] for label in cutting},
                    "Question": [asked[question] for question, _ in answers],
                    "Answer": [one_line(text) for _, text in answers],
                }
            ),
            hide_index=True,
            height=min(35 * (len(answers) + 1) + 3, 320),
            column_config={
                **{label: st.column_config.NumberColumn(format="%d", width=110) for label in cutting},
                "Question": st.column_config.TextColumn(width="large"),
                "Answer": st.column_config.TextColumn(width="large"),
            },
        )


def cuts(choice: Choice, config: Config) -> list[CutJudgment]:
    """Return the answers that no chunk of a config's table holds whole."""
    return _cuts(workspace().evaluations.key(config, choice.questions, choice.options), choice, config)


@st.cache_resource(show_spinner=False, max_entries=HELD)
def _cuts(key: str, _choice: Choice, _config: Config) -> list[CutJudgment]:
    here = ground(_choice, _config)
    chunks = ChunkRanges(workspace().tables.table(_config).chunks(list(here.document_ids)))
    return cut_in_two(here.questions.judgments, chunks)
