"""Building a table from any page: what can be built, what is being built, and why a table is empty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from workbench.config import Config
from workbench.counts import counted
from workbench.errors import BusyError
from workbench.pipeline import BuildStep
from workbench.ui.session import presets
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import workspace
from workbench.ui.widgets.job_panel import progress_line, shown_duration
from workbench.ui.widgets.messages import plain, shown_error
from workbench.workspace import BuildResult, Workspace

BUILD = "build"


STEPS = 1_000
"""A build's progress bar moves in thousandths of the documents: a long document moves it, too."""


def choosable(here: Workspace) -> dict[str, Config]:
    """Return name → config: the saved ones first, then presets, then those of tables; equal tables once."""
    found: dict[str, Config] = {}
    defaults = [preset.draft().config() for preset in presets.PRESETS]
    tables = (row.config for row in here.tables.rows() if row.config is not None)
    for config in [*here.configs(), *defaults, *tables]:
        if config.table_name not in {other.table_name for other in found.values()}:
            found.setdefault(config.name, config)
    return found


def continue_build(config: Config) -> None:
    """Build a table with every document of the workspace: what is done already is left alone."""
    here = workspace()
    _start_build(here, config, tuple(row.id for row in here.documents()))


def build_under_way(config: Config) -> Job | None:
    """Return the job that is building this config's table, None while none is."""
    return jobs().active_with(_key(BUILD, config.table_name))


def why_empty(config: Config) -> None:
    """Say why a table has no chunks: it is being built, or was built without documents."""
    job = build_under_way(config)
    if job is None:
        st.info("This table is empty: build it again with documents.", icon=":material/inbox:")
        return
    st.info(
        f"This table is being built: {plain(progress_line(job))}. Its first chunks can be found as soon as a document "
        "is done; look again in a moment.",
        icon=":material/hourglass_top:",
    )


def _start_build(here: Workspace, config: Config, document_ids: Sequence[str]) -> None:
    def build(job: Job) -> BuildResult:
        def on_step(step: BuildStep) -> None:
            note = f"{step.documents_done} of {counted(step.documents_total, 'document')}, {counted(step.chunks_done, 'chunk')}"
            job.tick(round(step.fraction * STEPS), STEPS, " · ".join(filter(None, [note, step.note])))

        result = here.tables.build(config, document_ids, on_step)
        job.summary, job.trouble = summary(result), bool(result.failed or result.lacking)
        return result

    here.save_config(config)
    _start(f"Build {config.name}", BUILD, build, config.table_name, "%")


def _start(name: str, kind: str, work: object, key: str, unit: str) -> None:
    try:
        jobs().start(name, kind, work, unit=unit, key=_key(kind, key))  # type: ignore[arg-type]
    except BusyError as error:
        shown_error(error)


def _key(kind: str, key: str) -> str:
    return f"{kind} {key}"


def summary(result: BuildResult) -> str:
    """Return what a build did, in a sentence."""
    text = (
        f"{counted(result.chunks, 'chunk')} written, {result.embedded:,} embedded and {result.reused:,} from the cache; "
        f"the table holds {counted(result.documents, 'document')}"
    )
    failed = "; ".join(f"{name}: {message}" for name, message in result.failed)
    lacking = f"It cannot be searched yet: {result.lacking}" if result.lacking else ""
    return ". ".join(filter(None, [text, result.note, failed and f"Left out: {failed}", lacking]))


def age(at_utc: str) -> str:
    """Return how long ago a time was, as people say it; nothing for a text that is no time."""
    try:
        then = datetime.fromisoformat(at_utc)
    except ValueError:
        return ""
    return f"{shown_duration((datetime.now(UTC) - then).total_seconds())} ago"
