"""What a run has done so far: figures, timings per stage, attempts."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Mapping

from workbench.ingest.entries import FIGURE_NAMES, Attempt, Figures, Timing
from workbench.ingest.steps import Action, Step

OUTCOME_FIGURES = {Action.ADD: "added", Action.CHANGE: "changed", Action.REBUILD: "rebuilt"}
OF_RELEASE = {
    "kept": "release_kept",
    "unchanged": "release_kept",
    "added": "release_written",
    "changed": "release_written",
    "rebuilt": "release_written",
    "removed": "release_removed",
    "failed": "release_failed",
    "gone": "release_gone",
    "waiting": "release_waiting",
}
"""Figure of documents → the one that counts them in the published release's table, where that is another one."""


class Tally:
    """Counts; ``new_attempts`` hands out what was not told to the ledger yet."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._money = {"spent": 0.0}
        self._seconds: dict[str, float] = defaultdict(float)
        self._times: Counter[str] = Counter()
        self._attempts: list[Attempt] = []
        self._names: Mapping[str, str] = {}
        self._where = ""
        self.attempted = 0
        self.failed_count = 0

    def of_release(self) -> Tally:
        """Return one for the published release's table: documents are counted apart, costs together."""
        other = copy.copy(self)
        other._names, other._where = OF_RELEASE, "release: "
        return other

    def count(self, figure: str, by: int = 1) -> None:
        """Add to one of the figures."""
        self._counts[self._names.get(figure, figure)] += by

    def pay(self, money: float) -> None:
        """Add to the money."""
        self._money["spent"] += money

    def time(self, stage: str, seconds: float, count: int = 1) -> None:
        """Add to the time of a stage."""
        self._seconds[stage] += seconds
        self._times[stage] += count

    def done(
        self,
        step: Step,
        outcome: str,
        known: bool,
        chunks: int = 0,
        seconds: float = 0.0,
        message: str = "",
    ) -> None:
        """Note an item that is in the table as it should be; ``known`` says whether it was there before."""
        self.attempted += 1
        if outcome == "unchanged":
            self.count("unchanged")
        else:
            self.count(OUTCOME_FIGURES.get(step.action, "changed" if known else "added"))
        self._attempts.append(
            Attempt(*step.key, step.action.value, self._where + outcome, chunks, seconds, message)
        )

    def failed(self, step: Step, stage: str, message: str) -> None:
        """Note an item that could not be brought in."""
        self.attempted += 1
        self.failed_count += 1
        self.count("failed")
        outcome = f"{self._where}failed: {stage}"
        self._attempts.append(Attempt(*step.key, step.action.value, outcome, message=message))

    def gone(self, step: Step, message: str, removed: bool) -> None:
        """Note an item that its source lists and yet calls gone; its removal is counted where it is carried out."""
        self.attempted += 1
        self.count("gone")
        outcome = self._where + ("removed: gone" if removed else "gone")
        self._attempts.append(Attempt(*step.key, step.action.value, outcome, message=message))

    @property
    def money(self) -> float:
        """What was spent so far, for all tables."""
        return self._money["spent"]

    @property
    def figures(self) -> Figures:
        """The figures so far."""
        counts = {name: self._counts[name] for name in FIGURE_NAMES if name != "money"}
        return Figures(**counts, money=self._money["spent"])

    @property
    def timings(self) -> list[Timing]:
        """The time of every stage so far."""
        return [Timing(stage, seconds, self._times[stage]) for stage, seconds in self._seconds.items()]

    def new_attempts(self) -> list[Attempt]:
        """Return the attempts since the last call."""
        new = list(self._attempts)
        self._attempts.clear()
        return new
