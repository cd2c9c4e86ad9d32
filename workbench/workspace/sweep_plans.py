"""What a sweep would do and take, before it is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.config import Config
from workbench.contracts import Embedder
from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.sweep import Expansion, Sweep, screening_config
from workbench.sweep.course import PASS, POOLING, Bench, shown_seconds
from workbench.sweep.standing import ordered

if TYPE_CHECKING:
    from workbench.workspace.workspace import Workspace

CHARACTERS_A_TOKEN = 4.0
"""Of English text, for estimates."""
ASKING_S = 0.02
"""Cutting, building and asking beside the model's reading, per question: seen on two cores with the sample library."""


@dataclass(frozen=True)
class SweepPlan:
    """What a run would do. ``seconds`` is None while this machine's speed is not known."""

    expansion: Expansion
    to_screen: int
    """Configurations without figures by screening."""
    screenable: int
    to_confirm: int
    """Configurations that are to be confirmed, at most: the finalists are not known before screening."""
    seconds: float | None

    @property
    def is_done(self) -> bool:
        """Whether another run would find nothing to do."""
        return not self.to_screen and not self.to_confirm

    @property
    def sentence(self) -> str:
        """What a run would do, for people."""
        count = len(self.expansion.configs)
        text = counted(count, "configuration")
        left_out = []
        if self.expansion.dropped:
            left_out.append(f"{len(self.expansion.dropped):,} impossible")
        if self.expansion.merged:
            left_out.append(f"{self.expansion.merged:,} there already")
        if left_out:
            text += f" ({' and '.join(left_out)} left out)"
        if self.is_done:
            return f"{text}: everything is measured already."
        todo = []
        if self.to_screen:
            todo.append(f"{self.to_screen:,} to screen")
        if self.to_confirm:
            todo.append(f"{'up to ' if self.to_screen else ''}{self.to_confirm:,} to confirm")
        known = " (the rest is known)" if self.to_screen < self.screenable else ""
        time = "" if self.seconds is None else f"; about {shown_seconds(self.seconds)}"
        return f"{text}: {' and '.join(todo)}{known}{time}."


def plan(
    workspace: Workspace, sweep: Sweep, expanded: Expansion, bench: Bench, question_count: int
) -> SweepPlan:
    """Return what a run would do: a pass of each model for screening, and one for each configuration confirmed."""
    cheap = [c for c in expanded.configs if sweep.screening and screening_config(c) is not None]
    names = {config.name for config in cheap}
    screened = {c.name: found for c in cheap if (found := bench.kept(c, "screened")) is not None}
    unscreened = [config for config in cheap if config.name not in screened]
    straight = [config for config in expanded.configs if config.name not in names]
    finalists = cheap[: sweep.finalists]
    if not unscreened:
        best = {s.config for s in ordered(list(screened.values()), sweep.measure)[: sweep.finalists]}
        finalists = [config for config in cheap if config.name in best]
    # While they are not known, any may be new.
    confirming = straight if unscreened else [*finalists, *straight]
    to_confirm = [config for config in confirming if bench.kept(config, "confirmed") is None]
    if unscreened:
        to_confirm += finalists
    screening_s = _screening_seconds(workspace, unscreened, bool(screened))
    confirming_s = [_pass_seconds(workspace, config) for config in to_confirm]
    every = [screening_s, *confirming_s, ASKING_S * question_count * (len(unscreened) + len(to_confirm))]
    known = [seconds for seconds in every if seconds is not None]
    return SweepPlan(
        expanded,
        len(unscreened),
        len(cheap),
        len(to_confirm),
        sum(known) if len(known) == len(every) else None,
    )


def _screening_seconds(workspace: Workspace, configs: Sequence[Config], begun: bool) -> float | None:
    by_model: dict[Embedder, list[Config]] = {}
    for config in configs:
        by_model.setdefault(config.embedder, []).append(config)
    seconds = 0.0
    for found in by_model.values():
        one = _pass_seconds(workspace, found[0])
        if one is None:
            return None
        # Sentences are known after the first configuration.
        seconds += one * (POOLING * len(found) + (0.0 if begun else PASS - POOLING))
    return seconds


def _pass_seconds(workspace: Workspace, config: Config) -> float | None:
    """Return how long a model reads all documents once; None where its speed, or the model, is not known."""
    try:
        rate = workspace.embedding_rates.tokens_per_second(workspace.model(config.embedder).text_model)
    except WorkbenchError:
        return None
    characters = sum(row.character_count for row in workspace.documents())
    return None if rate is None else characters / CHARACTERS_A_TOKEN / rate
