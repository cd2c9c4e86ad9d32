"""A sync as a background job: its events become the job's progress, and a record that any page can draw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from workbench.counts import counted
from workbench.errors import BusyError, Cancelled
from workbench.ingest import entries
from workbench.ingest.entries import Figures
from workbench.sync import events
from workbench.sync.run import Wishes
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.widgets.messages import shown_error
from workbench.workspace import Workspace

SYNC = "sync"

STAGES = {
    "list": "List the sources",
    "plan": "Plan",
    "read": "Read",
    "parse": "Parse",
    "cut": "Cut",
    "embed": "Embed",
    "intend": "Note what will be written",
    "write": "Write",
    "record": "Note what was written",
    "remove": "Remove",
    "optimise": "Tidy the table",
}
"""Stage of a run → what people call it, in the order in which a document goes through them."""
LIVE = ("read", "parse", "cut", "embed", "write", "remove")
KEPT_FAILURES = 100


@dataclass
class Course:
    """How far a sync is. Written by the job's thread, read by pages: fields are replaced or added to, never taken out."""

    pipeline: str
    table: str = ""
    run_id: int | None = None
    sources: list[events.SourceListed] = field(default_factory=list)
    planned: events.Planned | None = None
    released: events.ReleasePlanned | None = None
    counts: dict[str, int] = field(default_factory=dict)
    """Stage → documents that passed it."""
    seconds: dict[str, float] = field(default_factory=dict)
    failures: list[events.ItemFailed] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    stopped: str = ""
    finished: events.Finished | None = None

    def note(self, event: events.Event) -> None:
        """Take one event in."""
        match event:
            case events.Started(run_id=run_id, table=table):
                self.run_id, self.table = run_id, table
            case events.SourceListed():
                self.sources.append(event)
            case events.Planned():
                self.planned = event
            case events.ReleasePlanned():
                self.released = event
            case events.StageDone(stage=stage, seconds=seconds):
                self._passed(stage, 1, seconds)
            case events.GroupDone(stage=stage, documents=documents, seconds=seconds):
                self._passed(stage, documents, seconds)
            case events.ItemFailed() if len(self.failures) < KEPT_FAILURES:
                self.failures.append(event)
            case events.Progress(figures=figures):
                self.figures = figures
            case events.Stopped(message=message):
                self.stopped = message
            case events.Finished(figures=figures):
                self.finished, self.figures = event, figures
            case _:
                pass

    @property
    def total(self) -> int:
        """How many documents need work, over both tables where what is published is another one."""
        planned = [one.counts for one in (self.planned, self.released) if one is not None]
        return sum(n for counts in planned for action, n in counts.items() if action not in ("keep", "wait"))

    @property
    def summary(self) -> str:
        """What the run did, in a sentence."""
        f = self.figures
        parts = [
            (f.added, "added"),
            (f.changed, "changed"),
            (f.rebuilt, "rebuilt"),
            (f.kept + f.unchanged, "unchanged"),
            (f.removed, "removed"),
            (f.failed, "failed"),
            (f.gone, "gone"),
            (f.unlisted, "not listed"),
            (f.waiting, "waiting for another try"),
        ]
        documents = ", ".join(f"{count:,} {word}" for count, word in parts if count) or "no documents"
        released = [
            (f.release_written, "written"),
            (f.release_removed, "removed"),
            (f.release_failed, "failed"),
            (f.release_gone, "gone"),
            (f.release_waiting, "waiting"),
        ]
        if any(count for count, _ in released):
            documents += "; in the published release " + ", ".join(
                f"{count:,} {word}" for count, word in released if count
            )
        text = f"{documents}; {counted(f.embedded, 'chunk')} embedded, {counted(f.reused, 'embedding')} saved"
        said = self.stopped or (self.finished.message if self.finished else "")
        return f"{text}. {said}" if said else text

    def _passed(self, stage: str, documents: int, seconds: float) -> None:
        self.counts = {**self.counts, stage: self.counts.get(stage, 0) + documents}
        self.seconds = {**self.seconds, stage: self.seconds.get(stage, 0.0) + seconds}


def followed(course: Iterable[events.Event], job: Job, into: Course) -> Course:
    """Follow a sync to its end; raises ``Cancelled`` only once the run itself has ended."""
    job.result = into
    done = total = 0
    for event in course:
        into.note(event)
        if isinstance(event, events.Progress):
            done, total = event.done, event.total
        elif isinstance(event, events.TablePlanned):
            total = into.total
        # The run looks for itself whether it is to stop: a tick that raised here would cut off its farewell.
        if not job.cancel_asked():
            job.tick(done, total, _note(event))
    job.summary = into.summary
    status = into.finished.status if into.finished else entries.BROKEN
    job.trouble = status != entries.DONE
    if status == entries.CANCELLED:
        raise Cancelled(into.stopped)
    return into


def start_sync(here: Workspace, file: PipelineFile, wishes: Wishes | None = None) -> None:
    """Start a sync in the background; raises ``BusyError`` while one of this pipeline runs here."""

    def work(job: Job) -> Course:
        return followed(
            file.pipeline(here).sync(wishes or Wishes(), job.cancel_asked), job, Course(file.name)
        )

    jobs().start(f"Sync {file.name}", SYNC, work, unit="documents", key=f"{SYNC} {file.name}")


def ask_for_sync(here: Workspace, file: PipelineFile, wishes: Wishes | None = None) -> None:
    """Start a sync, or draw why none can start."""
    try:
        start_sync(here, file, wishes)
    except BusyError as error:
        shown_error(error)


def last_course(pipeline: str) -> Job | None:
    """Return the newest sync of a pipeline that this process remembers."""
    return next(
        (
            job
            for job in jobs().listing([SYNC])
            if isinstance(job.result, Course) and job.result.pipeline == pipeline
        ),
        None,
    )


def _note(event: events.Event) -> str:
    match event:
        case events.StageDone(stage=stage, name=name):
            return f"{STAGES.get(stage, stage).lower()}: {name}"
        case events.GroupDone(stage=stage):
            return STAGES.get(stage, stage).lower()
        case events.SourceListed(source=source, items=items):
            return f"{source}: {counted(items, 'item')}"
        case _:
            return ""
