"""The run of a sweep: screen, take the best, confirm. What was measured before is taken as it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from workbench.config import Config
from workbench.counts import counted
from workbench.errors import Cancelled, WorkbenchError
from workbench.experiment import Outcome
from workbench.sweep.grid import Sweep
from workbench.sweep.screening import screening_config
from workbench.sweep.standing import ordered

Kind = Literal["screened", "confirmed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Share = Callable[[float], None]
"""Called with the share, 0 to 1, of one configuration's work that is done; may raise ``Cancelled``."""

PASS, POOLING = 1.0, 0.1
"""Work in passes of the model over all documents: a confirmation is one, so is the first screening; the others pool."""
SOONEST_ESTIMATE_S = 2.0


class Bench(Protocol):
    """Where results are made and kept."""

    def kept(self, config: Config, kind: Kind) -> Outcome | None:
        """Return the outcome that is known already."""

    def measured(self, config: Config, kind: Kind, share: Share) -> Outcome:
        """Return the outcome, kept the moment it is there; raises ``WorkbenchError`` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One configuration has its figures."""

    config: Config
    kind: Kind
    outcome: Outcome
    was_known: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """One configuration could not be measured."""

    config: Config
    kind: Kind
    message: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One configuration that the budget had no room for."""

    config: Config
    kind: Kind


@dataclass(frozen=True, slots=True)
class Ending:
    """The last event. ``budget`` says which budget was spent; nothing was left out where it is empty."""

    left_out: tuple[LeftOut, ...]
    budget: str = ""

    @property
    def sentence(self) -> str:
        """What the budget left out, for people; empty where nothing was."""
        if not self.left_out:
            return ""
        counts = [(sum(one.kind == kind for one in self.left_out), kind) for kind in KINDS]
        said = " and ".join(
            f"{counted(count, 'configuration was', 'configurations were')} not {kind}"
            for count, kind in counts
            if count
        )
        names = [one.config.name for one in self.left_out]
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        return f"The budget of {self.budget} is spent: {said} ({shown}). Run it again to go on."


Event = Measured | Failure | Ending


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. ``fraction`` is of the work that is not known already, over both stages."""

    kind: Kind
    config: str
    done: int
    """Configurations of this stage that have figures."""
    total: int
    fraction: float
    seconds_left: float | None
    """None until a rate is known."""

    @property
    def note(self) -> str:
        """The stage, how many of its configurations are done, and which one is under way."""
        stage = "screening" if self.kind == "screened" else "confirming"
        return f"{stage} {self.done} of {self.total}" + (f": {self.config}" if self.config else "")

    @property
    def sentence(self) -> str:
        """The note, after the time left where it is known."""
        left = "" if self.seconds_left is None else f"about {shown_seconds(self.seconds_left)} left, "
        return left + self.note


def shown_seconds(seconds: float) -> str:
    """Return a span of time for people.

    >>> shown_seconds(8.2), shown_seconds(75), shown_seconds(7300)
    ('8 s', '1 min', '2.0 h')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class _TimeIsUp(Cancelled):
    """The budget of minutes is spent in the middle of a configuration: it stops as if somebody had asked."""


def course(
    sweep: Sweep,
    configs: Sequence[Config],
    bench: Bench,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Yield what is measured as it is there, at last an ``Ending``.

    Configs with a cheap way are screened, and the best ``finalists`` of them confirmed; those without one are
    confirmed right away, as are all when screening is off. ``on_progress`` may raise ``Cancelled``: what was yielded
    is kept, and another run goes on from there.
    """
    run = _Run(sweep, configs, bench, on_progress, clock)
    screened: list[Outcome] = []
    for event in run.stage("screened", run.to_screen):
        if isinstance(event, Measured):
            screened.append(event.outcome)
        yield event
    best = [scores.config for scores in ordered(screened, sweep.measure)[: sweep.finalists]]
    by_name = {config.name: config for config in configs}
    finalists = [*(by_name[name] for name in best), *run.straight]
    run.confirm_exactly(finalists)
    yield from run.stage("confirmed", finalists)
    yield Ending(tuple(run.left_out), run.budget_spent)


class _Run:
    """What one run has spent and has still to do."""

    def __init__(
        self,
        sweep: Sweep,
        configs: Sequence[Config],
        bench: Bench,
        on_progress: Callable[[Progress], None],
        clock: Callable[[], float],
    ) -> None:
        self.to_screen = [c for c in configs if sweep.screening and screening_config(c) is not None]
        self._screenable = {config.name for config in self.to_screen}
        self.straight = [config for config in configs if config.name not in self._screenable]
        self.left_out: list[LeftOut] = []
        self.budget_spent = ""
        self._sweep = sweep
        self._bench = bench
        self._on_progress = on_progress
        self._clock = clock
        self._started = clock()
        self._counted = 0
        self._work_done = 0.0
        screenings = sum(bench.kept(config, "screened") is None for config in self.to_screen)
        self._screening_work = PASS + POOLING * (screenings - 1) if screenings else 0.0
        self._confirming_work = PASS * (
            min(sweep.finalists, len(self.to_screen))
            + sum(bench.kept(config, "confirmed") is None for config in self.straight)
        )

    def confirm_exactly(self, finalists: Sequence[Config]) -> None:
        """Count the work of the second stage, now that it is known."""
        self._confirming_work = PASS * sum(self._bench.kept(c, "confirmed") is None for c in finalists)

    def stage(self, kind: Kind, configs: Sequence[Config]) -> Iterator[Measured | Failure]:
        """Yield the figures of one stage."""
        first = True
        for number, config in enumerate(configs):
            known = self._bench.kept(config, kind)
            if known is not None:
                yield Measured(config, kind, known, was_known=True)
                continue
            if not self._room(config, kind):
                self.left_out.append(LeftOut(config, kind))
                continue
            work = PASS if first or kind == "confirmed" else POOLING
            first = False

            def share(part: float, number: int = number, name: str = config.name, work: float = work) -> None:
                self._report(kind, name, number, len(configs), work * part)
                if self._time_is_up():
                    raise _TimeIsUp("the time is up")

            try:
                share(0.0)
                yield Measured(config, kind, self._bench.measured(config, kind, share), was_known=False)
            except _TimeIsUp:
                self.left_out.append(LeftOut(config, kind))
                continue
            except Cancelled:
                raise
            except WorkbenchError as error:
                yield Failure(config, kind, str(error))
            self._work_done += work
        self._report(kind, "", len(configs), len(configs), 0.0)

    def _room(self, config: Config, kind: Kind) -> bool:
        if self._time_is_up():
            return False
        most = self._sweep.budget.configurations
        # A finalist was counted when it was screened, in this run or an earlier one.
        if most is None or (kind == "confirmed" and config.name in self._screenable):
            return True
        if self._counted < most:
            self._counted += 1
            return True
        self.budget_spent = self.budget_spent or counted(most, "configuration")
        return False

    def _time_is_up(self) -> bool:
        minutes = self._sweep.budget.minutes
        if minutes is None or self._clock() - self._started < 60 * minutes:
            return False
        self.budget_spent = f"{minutes:g} minute{'' if minutes == 1 else 's'}"
        return True

    def _report(self, kind: Kind, name: str, done: int, total: int, under_way: float) -> None:
        work = self._work_done + under_way
        everything = max(self._screening_work + self._confirming_work, work)
        elapsed = self._clock() - self._started
        left = None
        if work > 0 and elapsed >= SOONEST_ESTIMATE_S:
            left = elapsed * (everything - work) / work
        self._on_progress(Progress(kind, name, done, total, work / everything if everything else 1.0, left))
