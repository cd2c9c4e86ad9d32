"""The configs under comparison, computed: chunks and figures of one document per column.

Every column stands alone: one whose settings cannot work, or whose document cannot be read that way, carries a
message and leaves the others as they are. What takes longer than a moment goes on as a job, and the page is drawn
again when it is done.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from workbench import pipeline
from workbench.config import Config
from workbench.contracts import EmbeddingModel
from workbench.errors import Cancelled, SettingsError, WorkbenchError
from workbench.records import Chunk, Layout, ParsedFile, digest
from workbench.ui.chunks.statistics import Figures, figures
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.state import Draft
from workbench.ui.widgets.labels import labelled
from workbench.workspace import DocumentRow, Workspace

JOB_KIND = "cut"
PATIENCE_S = 0.6
"""How long a page waits for a column before it shows progress instead."""
HELD_CHARACTERS = 64_000_000
HELD_RESULTS = 64


@dataclass(frozen=True, eq=False)
class Result:
    """What one config makes of one document, or the sentence that says why nothing."""

    parsed: ParsedFile | None = None
    model: EmbeddingModel | None = None
    chunks: list[Chunk] = field(default_factory=list)
    figures: Figures | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Cuts:
    """One column: a draft and what came of it. While ``job`` is set, it is being computed."""

    draft: Draft
    config: Config | None = None
    result: Result = field(default_factory=Result)
    job: Job | None = None

    @property
    def title(self) -> str:
        """The config's name."""
        return self.draft.name

    @property
    def problem(self) -> str:
        """A sentence when there is nothing to show."""
        return self.result.problem

    @property
    def layout(self) -> Layout:
        """Where the words stand on the pages."""
        return self.result.parsed.layout if self.result.parsed else Layout.empty()


class HeldResults:
    """The newest results, shared by all sessions, up to a number and a sum of characters."""

    def __init__(self, count: int = HELD_RESULTS, characters: int = HELD_CHARACTERS) -> None:
        self._limits = count, characters
        self._held: OrderedDict[str, tuple[Result, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Result | None:
        """Return the result kept under ``key``, or None."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: str, result: Result) -> None:
        """Keep a result; the oldest ones go when there are too many."""
        size = len(result.parsed.document.text) if result.parsed else 0
        with self._lock:
            self._held[key] = result, size
            while len(self._held) > 1 and (
                len(self._held) > self._limits[0] or sum(s for _, s in self._held.values()) > self._limits[1]
            ):
                self._held.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget one result, so that it is computed anew."""
        with self._lock:
            self._held.pop(key, None)


@st.cache_resource(show_spinner=False)
def held_results() -> HeldResults:
    """Return the results of this process."""
    return HeldResults()


def columns(
    workspace: Workspace, row: DocumentRow, drafts: Sequence[Draft], patience_s: float = PATIENCE_S
) -> list[Cuts]:
    """Return a column per draft; one that is not ready within ``patience_s`` carries its job."""
    found = [_started(workspace, row, draft) for draft in drafts]
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(column.job and column.job.active for column in found):
        time.sleep(0.005)
    return [_finished(column, result_key(workspace, row, column.config)) for column in found]


def result_key(workspace: Workspace, row: DocumentRow, config: Config | None) -> str:
    """Return the key of everything that decides a column."""
    fingerprint = config.fingerprint if config else ""
    return digest([str(workspace.folder), row.id, row.content_hash, fingerprint])


def retry(workspace: Workspace, row: DocumentRow, column: Cuts) -> None:
    """Forget what went wrong with a column, so that the next run tries again."""
    held_results().drop(result_key(workspace, row, column.config))


def computed(job: Job | None, workspace: Workspace, row: DocumentRow, config: Config) -> Result:
    """Return what a config makes of a document; foreseeable trouble becomes the result's ``problem``."""

    def tick(done: int, total: int) -> None:
        if job is not None:
            job.tick(done, total, row.name)

    try:
        parsed = workspace.parsed(row.id, config.parser)
        model = workspace.model(config.embedder)
        analysis = pipeline.analysis(parsed.document, model, workspace.memo, workspace.vector_cache, tick)
        chunks = config.chunker.chunks(parsed.document, analysis)
        return Result(parsed, model, chunks, figures(chunks, analysis, model))
    except Cancelled:
        raise
    except SettingsError as error:
        # What only the model itself can refuse, such as more tokens than it has places for.
        plugins = (config.parser, config.chunker, config.embedder)
        fields = {name: field for plugin in plugins for name, field in type(plugin).model_fields.items()}
        return Result(problem=labelled(str(error), fields))
    except WorkbenchError as error:
        return Result(problem=str(error))


def _started(workspace: Workspace, row: DocumentRow, draft: Draft) -> Cuts:
    try:
        config = draft.config()
    except WorkbenchError as error:
        _cancel_job_of(draft, "")
        return Cuts(draft, result=Result(problem=str(error)))
    key = result_key(workspace, row, config)
    held = held_results().get(key)
    _cancel_job_of(draft, key)
    if held is not None:
        return Cuts(draft, config, held)
    job = jobs().active_with(key)
    if job is None:
        # Quick work must not wait behind a build, so it is not counted as heavy.
        job = jobs().start(
            f"Cut {row.name}: {config.name}", JOB_KIND, _work, workspace, row, config, key=key, heavy=False
        )
    st.session_state[f"job of {draft.id}"] = (key, job.id)
    return Cuts(draft, config, job=job)


def _work(job: Job, workspace: Workspace, row: DocumentRow, config: Config) -> Result:
    result = computed(job, workspace, row, config)
    held_results().put(job.key or "", result)
    return result


def _cancel_job_of(draft: Draft, key: str) -> None:
    """Stop what an earlier setting of the same column still computes."""
    before, job_id = st.session_state.pop(f"job of {draft.id}", ("", ""))
    job = jobs().job(job_id) if before and before != key else None
    if job is not None and job.active:
        job.cancel()


def _finished(column: Cuts, key: str) -> Cuts:
    job = column.job
    if job is None or job.active:
        return column
    jobs().dismiss(job)
    if job.state == "done":
        return replace(column, result=job.result, job=None)
    problem = "stopped before it was done" if job.state == "cancelled" else job.error
    result = Result(problem=problem)
    held_results().put(key, result)
    return replace(column, result=result, job=None)
