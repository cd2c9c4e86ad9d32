"""Tuned weights, kept by everything that decides them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.analysis import DAMAGED
from workbench.config import Config
from workbench.contracts import Tick, no_tick
from workbench.evaluation.questions import QuestionSet
from workbench.experiment import Options
from workbench.files import write_atomically, writing
from workbench.records import digest
from workbench.tuning import FOLDS, Tuning, tunable_config, tuned

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

_FORMAT = 1


class Tunings:
    """Every tuning of one workspace, a small file each."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.folder / "tunings"

    def key(self, config: Config, questions: QuestionSet, options: Options, measure: str) -> str:
        """Return the digest of everything that decides a tuning; raises ``InputError`` for a table not built."""
        evaluation = self._workspace.evaluations.key(tunable_config(config), questions, options)
        return digest(["tuning", _FORMAT, evaluation, measure, FOLDS])

    def kept(self, config: Config, questions: QuestionSet, options: Options, measure: str) -> Tuning | None:
        """Return a tuning that was made before, None where something that decides it has changed."""
        path = self._folder / f"{self.key(config, questions, options, measure)}.json"
        try:
            return _unpacked(json.loads(path.read_text("utf-8")))
        except (*DAMAGED, KeyError, TypeError):
            return None

    def tuned(
        self,
        config: Config,
        questions: QuestionSet,
        options: Options,
        measure: str,
        tick: Tick = no_tick,
    ) -> Tuning:
        """Return the weights of a config's fusion (of ``fused`` where it has none), tuned now and kept.

        ``tick`` counts questions and may raise ``Cancelled``.
        """
        key = self.key(config, questions, options, measure)
        one = tunable_config(config)
        ground = self._workspace.evaluations.ground(one, questions, options)
        made = tuned(
            one.retriever,
            {question.id: question.text for question in ground.questions.questions},
            ground.truths,
            lambda text: self._workspace.tables.asked(one, text),
            measure,
            tick=tick,
        )
        with writing(self._folder):
            write_atomically(self._folder / f"{key}.json", json.dumps(_packed(made)).encode())
        return made


def _packed(found: Tuning) -> dict[str, Any]:
    return {
        "measure": found.measure,
        "question_ids": list(found.question_ids),
        "weights": list(found.weights),
        "fold_weights": [list(weights) for weights in found.fold_weights],
        "held_out": found.held_out.tolist(),
        "references": {name: values.tolist() for name, values in found.references.items()},
    }


def _unpacked(values: dict[str, Any]) -> Tuning:
    return Tuning(
        values["measure"],
        tuple(values["question_ids"]),
        tuple(values["weights"]),
        tuple(tuple(weights) for weights in values["fold_weights"]),
        np.array(values["held_out"], np.float64),
        {name: np.array(figures, np.float64) for name, figures in values["references"].items()},
    )
