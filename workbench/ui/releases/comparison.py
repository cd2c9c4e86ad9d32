"""Measuring what is published, and what could be, with any judged questions: as a job, and nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from workbench.config import written
from workbench.counts import counted
from workbench.errors import SettingsError
from workbench.evaluation.formats import exported
from workbench.evaluation.significance import Interval
from workbench.ingest.entries import Release
from workbench.sync.measuring import MEASURES, Measurement
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import guarded, plain
from workbench.workspace import Workspace

FIGURES = "release figures"
A_FILE = "A file …"


@dataclass(frozen=True)
class Figures:
    """What was measured, and of what."""

    config: str
    published: int | None
    questions: str
    found: tuple[Measurement, ...]


def show(here: Workspace, file: PipelineFile, published: Release | None) -> None:
    """Draw the form that asks for questions, and the figures that came of them last."""
    st.subheader("Figures")
    st.caption(
        "Asks judged questions now: what is published, and the candidate where it is another table or is asked in "
        "another way. Nothing is changed, and no gate is needed."
    )
    _form(here, file, published)
    job_panel(FIGURES, finished=0, key="figures")
    job = next((job for job in jobs().listing([FIGURES]) if job.key == _key(file)), None)
    if job is None or job.active:
        return
    if not isinstance(job.result, Figures):
        if job.error:
            st.error(plain(job.error[:1].upper() + job.error[1:]), icon=":material/error:")
        return
    if (job.result.config, job.result.published) != _measured_of(file, published):
        st.info(
            "The pipeline or what is published was changed since: measure again.", icon=":material/update:"
        )
        return
    _table(job.result)


def _key(file: PipelineFile) -> str:
    return f"{FIGURES} {file.name}"


def _measured_of(file: PipelineFile, published: Release | None) -> tuple[str, int | None]:
    return written(file.config), published.id if published is not None else None


def _form(here: Workspace, file: PipelineFile, published: Release | None) -> None:
    names = [questions.name for questions in here.question_sets.newest_first()]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox("Questions", [*names, A_FILE], key=f"figures.{file.name}.set", width="stretch")
        busy = any(job.key == _key(file) for job in jobs().active([FIGURES]))
        asked = st.button(
            "Measure", icon=":material/speed:", disabled=busy, key=f"figures.{file.name}.measure"
        )
    given = (
        st.file_uploader(
            "File with judged questions",
            type=["csv", "jsonl", "zip"],
            max_upload_size=50,
            key=f"figures.{file.name}.file",
        )
        if name == A_FILE
        else None
    )
    if asked:
        with guarded():
            if name == A_FILE and given is None:
                raise SettingsError("choose a file with judged questions first")
            data, title = (given.getvalue(), given.name) if given is not None else (b"", name)
            _start(here, file, published, data, title)
            st.rerun()


def _start(here: Workspace, file: PipelineFile, published: Release | None, data: bytes, title: str) -> None:
    """Start measuring: with the file's bytes, or with the question set of this name where there are none."""

    def work(job: Job) -> Figures:
        def tick(done: int, total: int, note: str = "") -> None:
            job.tick(done, total, note or "asking the questions")

        content, file_name = (data, title) if data else (_as_file(here, title), f"{title}.csv")
        found = file.pipeline(here).measurements(content, file_name, tick)
        job.summary = "measured"
        return Figures(*_measured_of(file, published), title, tuple(found))

    for old in jobs().listing([FIGURES]):
        if old.key == _key(file):
            jobs().dismiss(old)
    jobs().start(f"Measure {file.name}", FIGURES, work, unit="questions", key=_key(file))


def _as_file(here: Workspace, name: str) -> bytes:
    """Return a question set as a file: its answers find their places in the pipeline's documents by name and text."""
    questions = here.question_sets.get(name)
    there = {row.id for row in here.documents()}
    judged = {judgment.document_id for judgment in questions.judgments}
    return exported(questions, [here.document(document_id) for document_id in sorted(judged & there)], "csv")


def _table(found: Figures) -> None:
    rows = [
        {
            "Table": "candidate" if one.release_id is None else f"release {one.release_id}",
            **{name: _said(one.figures[name]) for name in MEASURES},
        }
        for one in found.found
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content")
    count = found.found[0].questions
    unplaced = max(one.unplaced for one in found.found)
    lost = (
        f" {counted(unplaced, 'judgment has', 'judgments have')} no place in these documents."
        if unplaced
        else ""
    )
    both = " that both can answer" if len(found.found) > 1 else ""
    st.caption(f"{plain(found.questions)}: {counted(count, 'question')}{both}, with 95 % intervals.{lost}")


def _said(figure: Interval) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
