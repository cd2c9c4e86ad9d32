"""The sweeps of a workspace: their grids, and every result the moment it is there.

Under ``sweeps/`` one YAML per grid; under ``sweeps/results/`` one JSON per configuration, question set and kind. A
result is a result of the configuration, not of the grid: another grid that holds the configuration takes it as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import sweep as sweeps
from workbench.config import Config, read_config_file
from workbench.contracts import Embedder, EmbeddingModel, Tick
from workbench.errors import ConfigError, SettingsError, WorkbenchError
from workbench.evaluation.questions import QuestionSet
from workbench.experiment import Options, Outcome
from workbench.files import write_atomically, writing
from workbench.pipeline import BuildStep
from workbench.records import Document, digest
from workbench.sweep import Ending, Failure, Measured, Progress, Standing, Sweep, screening_config
from workbench.sweep.course import Kind, Share
from workbench.workspace.evaluations import packed, unpacked
from workbench.workspace.sweep_plans import SweepPlan, plan

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

BUILDING = 0.8
"""The share of a configuration's work that is building its table; the rest is asking the questions."""
_EMPTY = Document("", "", (), "", "")
_screening = threading.Lock()
"""Tables for screening are shared in memory by their name: one is made, asked and dropped at a time."""


class Sweeps:
    """All sweeps of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / "sweeps"

    # ── grids ────────────────────────────────────────────────────────────────────────────────────────────────────

    def save(self, sweep: Sweep) -> None:
        """Keep a grid under its name, in place of an older one of that name."""
        with writing(self._folder):
            write_atomically(self._path(sweep.name), sweeps.written(sweep).encode())

    def grids(self) -> list[Sweep]:
        """Return the kept grids by name; a file that is none is left out."""
        found = []
        for path in sorted(self._folder.glob("*.yaml")):
            try:
                found.append(sweeps.parsed(read_config_file(path, path.name), path.name))
            except ConfigError:
                continue
        return sorted(found, key=lambda one: (one.name.casefold(), one.name))

    def delete(self, name: str) -> None:
        """Forget a grid; its results stay for others that hold the same configurations."""
        with writing(self._folder):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{digest(['sweep', name])[:16]}.yaml"

    # ── running ──────────────────────────────────────────────────────────────────────────────────────────────────

    def plan(self, sweep: Sweep, questions: QuestionSet, options: Options | None = None) -> SweepPlan:
        """Return what a run would do, without doing it."""
        bench = _Bench(self._workspace, questions, options or Options())
        return plan(self._workspace, sweep, sweeps.expansion(sweep), bench, len(questions.questions))

    def run(
        self,
        sweep: Sweep,
        questions: QuestionSet,
        options: Options | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> Iterator[Measured | Failure | Ending]:
        """Yield the results of a sweep as they come; those that are kept come at once.

        ``on_progress`` may raise ``Cancelled``. Whatever stops this, another run computes only what is missing.
        """
        bench = _Bench(self._workspace, questions, options or Options())
        return sweeps.course(sweep, sweeps.expansion(sweep).configs, bench, on_progress)

    def standing(
        self,
        configs: Sequence[Config],
        questions: QuestionSet,
        measure: str,
        options: Options | None = None,
    ) -> Standing:
        """Return what is known of configurations, screened and confirmed apart."""
        bench = _Bench(self._workspace, questions, options or Options())
        known = {
            kind: {c.name: found for c in configs if (found := bench.kept(c, kind)) is not None}
            for kind in sweeps.KINDS
        }
        return sweeps.standing(known["screened"], known["confirmed"], measure)

    def keys(
        self, configs: Sequence[Config], questions: QuestionSet, options: Options | None = None
    ) -> tuple[str, ...]:
        """Return the keys of the results that are kept for configurations: the same keys, the same standing."""
        bench = _Bench(self._workspace, questions, options or Options())
        found = [bench.key(config, kind) for kind in sweeps.KINDS for config in configs]
        return tuple(key for key in found if key is not None and bench.path(key).is_file())


class _Bench:
    """Makes and keeps the results on one question set."""

    def __init__(self, workspace: Workspace, questions: QuestionSet, options: Options) -> None:
        self._workspace = workspace
        self._questions = questions
        self._options = options
        self._given: dict[str, list[object]] = {}
        self._models: dict[Embedder, EmbeddingModel | None] = {}

    def kept(self, config: Config, kind: Kind) -> Outcome | None:
        """Return the result that is kept."""
        key = self.key(config, kind)
        try:
            return None if key is None else unpacked(self.path(key).read_bytes(), config.name)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def measured(self, config: Config, kind: Kind, share: Share) -> Outcome:
        """Return a result measured now, and keep it unless a document could not be read or has changed meanwhile."""
        before = self.key(config, kind)
        if kind == "screened":
            with _screening:
                found, complete = self._screened(config, share)
        else:
            found, complete = self._confirmed(config, share)
        found = replace(found, results={})
        self._given.clear()
        self._models.clear()
        if complete and before is not None and self.key(config, kind) == before:
            with writing(self._workspace.folder):
                write_atomically(self.path(before), packed(found))
        return found

    def _screened(self, config: Config, share: Share) -> tuple[Outcome, bool]:
        cheap = screening_config(config)
        if cheap is None:
            raise SettingsError(f"{config.name}: its embedder has no cheap way to be scored")
        on_step, tick = _shares(share)
        tables = self._workspace.tables
        try:
            built = tables.build(cheap, on_step=on_step)
            found, complete = self._workspace.evaluations.measured(
                cheap, self._questions, self._options, tick
            )
            return found, complete and not built.failed
        finally:
            tables.connection(cheap).drop(cheap.table_name)

    def _confirmed(self, config: Config, share: Share) -> tuple[Outcome, bool]:
        on_step, tick = _shares(share)
        evaluations = self._workspace.evaluations
        built = self._workspace.tables.build(config, on_step=on_step)
        # Through the cache of evaluations: the Evaluate page takes it from there.
        found = evaluations.outcome(config, self._questions, self._options, tick)
        return found, not built.failed and evaluations.is_kept(config, self._questions, self._options)

    def key(self, config: Config, kind: Kind) -> str | None:
        """Return the digest of everything that decides a result; None where there cannot be one."""
        used = screening_config(config) if kind == "screened" else config
        if used is None:
            return None
        model = self._model(used.embedder)
        if model is None:
            return None
        read = digest(used.parser.identity())
        if read not in self._given:
            self._given[read] = self._workspace.evaluations.given(used, self._questions, self._options)
        return digest(
            [
                "sweep",
                kind,
                used.fingerprint,
                # Of a text that says nothing: what is left are settings, versions and packages.
                used.chunker.key(_EMPTY, model.tokenizer, model.id),
                model.id,
                used.store.identity(),
                used.retriever.identity(),
                *self._given[read],
            ]
        )

    def _model(self, embedder: Embedder) -> EmbeddingModel | None:
        """Return the model of an embedder, looked for once: many configurations share it, and its files are compared."""
        if embedder not in self._models:
            try:
                self._models[embedder] = self._workspace.model(embedder)
            except WorkbenchError:
                self._models[embedder] = None  # measuring it says what is wrong
        return self._models[embedder]

    def path(self, key: str) -> Path:
        """Return the file of a result."""
        return self._workspace.folder / "sweeps" / "results" / f"{key}.json"


def _shares(share: Share) -> tuple[Callable[[BuildStep], None], Tick]:
    """Return what building and asking report to: first the one, then the other."""

    def on_step(step: BuildStep) -> None:
        share(BUILDING * step.fraction)

    def tick(done: int, total: int) -> None:
        share(BUILDING + (1 - BUILDING) * done / max(1, total))

    return on_step, tick
