"""Tuning the weights of a fused search on a question set, and taking them to a config."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.evaluation.scoring import name_and_k
from workbench.evaluation.significance import bootstrap_interval
from workbench.tuning import FOLDS, Tuning, tunable_config, tuned_config
from workbench.ui.evaluate.runs import Choice
from workbench.ui.session import state
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import plain

KIND = "tune"
TABLE = "tuned table"


def tuning(choice: Choice) -> None:
    """Draw the section: which table, the job, and what came of it."""
    st.subheader("Weights of a fused search", anchor=False)
    st.caption(
        "How much the chunk's vector, its best sentence and shared words should count. The weights are chosen on part of "
        f"the questions and measured on the others, in {FOLDS} turns: no figure comes from a question that had a say."
    )
    if name_and_k(choice.measure)[1] is None:
        st.info(
            "Choose a measure with a number of hits, such as recall@5, to tune for it.",
            icon=":material/tune:",
        )
        return
    label = st.selectbox("Table to tune", list(choice.configs), key=TABLE)
    config = choice.configs[label]
    here = workspace()
    found = here.tunings.kept(config, choice.questions, choice.options, choice.measure)
    running = jobs().active([KIND])
    if found is None:
        st.button(
            "Tune the weights",
            icon=":material/tune:",
            disabled=bool(running),
            on_click=partial(_start, choice, label),
        )
    job_panel(KIND, finished=1 if found is None else 0, key="tuning")
    if found is not None:
        _result(choice, label, found)


def _start(choice: Choice, label: str) -> None:
    key = workspace().tunings.key(choice.configs[label], choice.questions, choice.options, choice.measure)
    if jobs().active_with(key) is None:
        jobs().start(f"Tuning {label}", KIND, _work, choice, label, key=key, unit="questions")


def _work(job: Job, choice: Choice, label: str) -> str:
    found = workspace().tunings.tuned(
        choice.configs[label], choice.questions, choice.options, choice.measure, job.tick
    )
    return counted(len(found.question_ids), "question")


def _result(choice: Choice, label: str, found: Tuning) -> None:
    names = ("Vector", "Best sentence", "Keywords")
    for place, name, weight in zip(st.columns(len(names)), names, found.weights, strict=True):
        place.metric(name, f"{weight:g}", border=True)
    gain = bootstrap_interval(found.gain)
    if gain.low > 0:
        verdict = "Tuning found more than equal weights do"
    elif gain.high < 0:
        verdict = "Tuning found less than equal weights do: keep those equal"
    else:
        verdict = "Not distinguishable from equal weights, which need no tuning"
    st.markdown(
        f"**{verdict}**: {plain(found.measure)} {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], "
        f"n = {len(found.question_ids)}, on questions that the weights were not chosen on."
    )
    rows = []
    for name, values in (("tuned, on questions left out", found.held_out), *found.references.items()):
        figure = bootstrap_interval(values)
        rows.append(
            {
                "Way to search": name,
                found.measure: round(figure.value, 4),
                "95 % interval": f"{figure.low:.3f}–{figure.high:.3f}",
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    folds = "; ".join("/".join(f"{weight:g}" for weight in weights) for weights in found.fold_weights)
    st.caption(
        f"Chosen in each of the {len(found.fold_weights)} turns ({'/'.join(n.lower() for n in names)}): {folds}."
    )
    if st.button("Export with these weights", icon=":material/ios_share:"):
        told = found.sentence(choice.questions.name)
        state.export(tuned_config(tunable_config(choice.configs[label]), found, told))
        st.switch_page(page_script("export"))
