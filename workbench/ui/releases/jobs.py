"""Measuring and publishing as background jobs: asking every question of the gate can take minutes."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.config import written
from workbench.ingest.entries import Release
from workbench.sync.gate import GateResult, gate
from workbench.sync.publishing import GateRefused
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.session.jobs import Job, jobs
from workbench.workspace import Workspace

GATE = "gate"
MEASURE, PUBLISH, FORCE = "Measure", "Publish", "Publish against the gate"


@dataclass(frozen=True)
class Measured:
    """What the gate said of a config's table, and the release where it was published."""

    pipeline: str
    config: str
    result: GateResult
    release: Release | None = None


def start(here: Workspace, file: PipelineFile, what: str) -> None:
    """Start measuring or publishing; raises ``BusyError`` while this pipeline is measured or published."""

    def work(job: Job) -> Measured:
        pipeline = file.pipeline(here)
        text = written(file.config)

        def tick(done: int, total: int) -> None:
            job.tick(done, total, "asking the questions of the gate")

        if what == MEASURE:
            published = pipeline.ledger.releases.published(file.name)
            job.summary = "measured"
            return Measured(file.name, text, gate(pipeline.place, published, tick))
        try:
            release, result = pipeline.publish(what == FORCE, tick)
        except GateRefused as refused:
            job.summary, job.trouble = "refused by the gate; nothing was changed", True
            return Measured(file.name, text, refused.result)
        job.summary = f"questions are answered from release {release.id} now"
        return Measured(file.name, text, result, release)

    forget(file.name)
    jobs().start(f"{what} {file.name}", GATE, work, unit="questions", key=f"{GATE} {file.name}")


def forget(name: str) -> None:
    """Take away what was said of an earlier measurement of this pipeline: it is no longer so."""
    for old in jobs().listing([GATE]):
        if old.key == f"{GATE} {name}":
            jobs().dismiss(old)


def newest(file: PipelineFile) -> Measured | None:
    """Return what was measured last of this pipeline as it is now."""
    for job in jobs().listing([GATE]):
        if job.key == f"{GATE} {file.name}" and isinstance(job.result, Measured):
            return job.result if job.result.config == written(file.config) else None
    return None


def busy(file: PipelineFile) -> bool:
    """Return whether this pipeline is being measured or published."""
    return jobs().active_with(f"{GATE} {file.name}") is not None
