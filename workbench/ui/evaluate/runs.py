"""The Evaluate page's choice of tables and questions, the job that measures, and what is known of the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from workbench.config import Config
from workbench.counts import counted
from workbench.errors import BusyError, Cancelled, WorkbenchError
from workbench.evaluation import leaderboard
from workbench.evaluation.costs import Costs
from workbench.evaluation.leaderboard import Row
from workbench.evaluation.questions import QuestionSet
from workbench.evaluation.scoring import Scores, name_and_k
from workbench.evaluation.verdict import Verdict, verdict
from workbench.experiment import Options, Outcome, on_common_questions
from workbench.records import digest
from workbench.ui.session import state, url_state
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.messages import shown_error, term_help
from workbench.ui.widgets.table_picker import first_labels, labels_meant
from workbench.ui.widgets.verdict import MEASURES
from workbench.workspace import TableRow, Workspace

KIND = "evaluate"
TABLES, SET, MEASURE, EVERYWHERE = "verdict tables", "verdict set", "verdict measure", "verdict everywhere"
DEFAULT_MEASURE = "recall@5"
FIRST_TABLES = 4
HELD = 8


@dataclass(frozen=True)
class Choice:
    """What is to be compared, on what, by which measure."""

    configs: Mapping[str, Config]
    """Label → config."""
    questions: QuestionSet
    measure: str
    options: Options = field(default_factory=Options)

    @property
    def k(self) -> int:
        """How many hits the measure looks at; 5 for one that looks at none."""
        return name_and_k(self.measure)[1] or 5


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything measured for a choice, on the questions that all tables share."""

    outcomes: Mapping[str, Outcome]
    costs: Mapping[str, Costs]
    scores: tuple[Scores, ...]
    rows: tuple[Row, ...]

    def of(self, label: str) -> Scores:
        """Return one table's figures."""
        return next(scores for scores in self.scores if scores.config == label)


def controls(tables: Mapping[str, TableRow], sets: Sequence[QuestionSet]) -> Choice | None:
    """Draw the choice; the address bar holds it. None while no table is chosen."""
    labels, by_name = list(tables), {one.name: one for one in sets}
    first = first_labels(tables, FIRST_TABLES)
    url_state.entered(TABLES, "tables", first, lambda texts: labels_meant(texts, tables) or None)
    url_state.entered(SET, "set", state.current_question_set(sets), lambda texts: texts[-1])
    url_state.entered(MEASURE, "measure", DEFAULT_MEASURE, lambda texts: texts[-1])
    # What was deleted meanwhile is no option any more.
    st.session_state[TABLES] = [label for label in st.session_state[TABLES] if label in tables]
    if st.session_state[SET] not in by_name:
        st.session_state[SET] = state.usual_question_set(sets)
    if st.session_state[MEASURE] not in MEASURES:
        st.session_state[MEASURE] = DEFAULT_MEASURE
    picked = st.multiselect("Tables to compare", labels, key=TABLES, help=term_help("table"))
    url_state.entered(EVERYWHERE, "everywhere", True, lambda texts: texts[-1] != "no")
    left, right = st.columns(2)
    name = left.selectbox("Question set", list(by_name), key=SET)
    state.choose_question_set(name)
    measure = right.selectbox(
        "What counts",
        list(MEASURES),
        format_func=MEASURES.__getitem__,
        key=MEASURE,
        help="The verdict is about this measure. All others are measured, too, and change nothing.",
    )
    everywhere = st.toggle(
        "Credit every occurrence of an answer",
        key=EVERYWHERE,
        help="Where the text of an answer stands in other places too, whoever reads it there has read the answer. "
        "Switch it off to count the judged place alone.",
    )
    url_state.left(TABLES, MEASURE, EVERYWHERE)
    url_state.shown(
        {
            "tables": picked if picked != first else [],
            "set": name if name != state.usual_question_set(sets) else "",
            "measure": measure if measure != DEFAULT_MEASURE else "",
            "everywhere": "" if everywhere else "no",
        }
    )
    found = {label: tables[label].config for label in picked}
    configs = {label: config for label, config in found.items() if config is not None}
    options = Options(credit_everywhere=bool(everywhere))
    return Choice(configs, by_name[name], measure, options) if configs else None


def missing(choice: Choice) -> list[str]:
    """Return the labels of the tables that were not measured on these questions yet, as they are now."""
    here = workspace().evaluations
    return [
        label
        for label, config in choice.configs.items()
        if not here.is_kept(config, choice.questions, choice.options)
    ]


def offer(choice: Choice, left: Sequence[str]) -> None:
    """Draw the button that measures what is not known yet."""
    count = len({j.question_id for j in choice.questions.judgments if j.grade > 0})
    done, without = len(choice.configs) - len(left), len(choice.questions.questions) - count
    asked = f"{counted(count, 'question')} will be asked"
    rest = f" {without:,} without an answer {'is' if without == 1 else 'are'} left out." if without else ""
    known = f" {done} of {len(choice.configs)} are measured already." if done else ""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"{asked} in {counted(len(left), 'table')}.{known}{rest}", width="stretch")
        if st.button(
            "Measure", type="primary", icon=":material/play_arrow:", disabled=bool(jobs().active([KIND]))
        ):
            _start(workspace(), choice, left)
            st.rerun()


def _start(here: Workspace, choice: Choice, left: Sequence[str]) -> None:
    configs, questions = {label: choice.configs[label] for label in left}, choice.questions

    def measure(job: Job) -> str:
        failed = []
        for number, (label, config) in enumerate(configs.items()):

            def tick(done: int, total: int, number: int = number, label: str = label) -> None:
                job.tick(number * total + done, total * len(configs), label)

            try:
                here.evaluations.outcome(config, questions, choice.options, tick)
            except Cancelled:
                raise
            except WorkbenchError as error:
                failed.append(f"{label}: {error}")
        job.trouble = bool(failed)
        done = len(configs) - len(failed)
        return ". ".join([f"{counted(done, 'table')} measured", *failed])

    key = " ".join(
        [
            KIND,
            questions.key,
            digest(choice.options.identity),
            *(config.table_name for config in configs.values()),
        ]
    )
    try:
        jobs().start(f"Measure on {questions.name}", KIND, measure, unit="questions", key=key)
    except BusyError as error:
        shown_error(error)


def measured(choice: Choice) -> Measured:
    """Return what is known of a choice that has nothing missing."""
    here = workspace()
    keys = tuple(here.evaluations.key(c, choice.questions, choice.options) for c in choice.configs.values())
    found = _measured(str(here.folder), tuple(choice.configs), keys, choice)
    # Asked for anew each time: a build may have told more of them since.
    costs = {label: here.evaluations.costs(c, found.outcomes[label]) for label, c in choice.configs.items()}
    cost_rows = leaderboard.cost_rows(found.scores, costs)
    return replace(found, costs=costs, rows=(*found.rows, *cost_rows))


@st.cache_resource(show_spinner=False, max_entries=HELD)
def _measured(folder: str, labels: tuple[str, ...], keys: tuple[str, ...], _choice: Choice) -> Measured:
    outcomes = {}
    for label, config in _choice.configs.items():
        found = workspace().evaluations.outcome(config, _choice.questions, _choice.options)
        outcomes[label] = replace(found, scores=replace(found.scores, config=label))
    scores = on_common_questions(list(outcomes.values()))
    return Measured(outcomes, {}, tuple(scores), tuple(leaderboard.rows(scores)))


def verdict_of(choice: Choice, found: Measured) -> Verdict:
    """Return the verdict on the chosen measure."""
    return verdict(found.scores, choice.measure)


def notes(choice: Choice, found: Measured, tables: Mapping[str, TableRow]) -> list[str]:
    """Return what a reader of the figures should know: documents a table lacks, answers that have no place."""
    lines = []
    for label in choice.configs:
        if lack := tables[label].lack:
            lines.append(f"{label}: {lack}")
        lines += [f"{label}: {reason}" for reason in dict.fromkeys(found.outcomes[label].lost)]
    return lines
