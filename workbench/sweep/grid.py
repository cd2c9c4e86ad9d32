"""What a sweep tries: a base config, the values of each factor, and how much may be spent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from workbench.config import Config
from workbench.contracts import Chunker, Embedder, Parser, Retriever
from workbench.errors import SettingsError
from workbench.evaluation.scoring import CUTOFFS, RANGE_MEASURES, RANK_MEASURES

Mode = Literal["full", "one_at_a_time"]
MODES: tuple[Mode, ...] = get_args(Mode)
MEASURES = tuple(f"{name}@{k}" for name in (*RANGE_MEASURES, *RANK_MEASURES) for k in CUTOFFS)
"""What configurations may be ordered by: each knows a k, and with it the text that is shown."""
MOST_VALUES = 200
MOST_COMBINATIONS = 20_000
MOST_FINALISTS = 1_000


@dataclass(frozen=True)
class Factors:
    """The values that are tried. A factor without values stays as the base config has it.

    A chunker's own settings stand: sizes and overlaps of the grid go to chunkers that do not state theirs. Only the
    chunkers that count overlap in tokens take ``overlap_tokens``, and those of sentences ``overlap_sentences``.
    """

    parsers: tuple[Parser, ...] = ()
    chunkers: tuple[Chunker, ...] = ()
    size_tokens: tuple[int, ...] = ()
    overlap_tokens: tuple[int, ...] = ()
    overlap_sentences: tuple[int, ...] = ()
    embedders: tuple[Embedder, ...] = ()
    retrievers: tuple[Retriever, ...] = ()


@dataclass(frozen=True)
class Budget:
    """What one run may spend; None is no limit. What was measured before costs nothing."""

    configurations: int | None = None
    """How many configurations are measured that never were; a finalist is not counted twice."""
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.configurations is not None and self.configurations < 1:
            raise SettingsError(f"budget.configurations ({self.configurations}) must be 1 or more")
        if self.minutes is not None and not 0 < self.minutes <= 10_000:
            raise SettingsError(f"budget.minutes ({self.minutes}) must be above 0 and at most 10000")


@dataclass(frozen=True)
class Sweep:
    """One grid, and how it is run."""

    name: str
    base: Config
    """What factors without values take; its name is of no account."""
    factors: Factors = field(default_factory=Factors)
    mode: Mode = "full"
    """``full``: every combination; ``one_at_a_time``: the base, and each value alone in its place."""
    measure: str = "recall@5"
    """What configurations are ordered by; more is better."""
    screening: bool = True
    finalists: int = 5
    """How many of the best by screening are confirmed."""
    budget: Budget = field(default_factory=Budget)
    comment: str = ""
    """Free text at the head of the file."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise SettingsError(f"mode ({self.mode!r:.40}) must be one of {', '.join(MODES)}")
        if self.measure not in MEASURES:
            raise SettingsError(f"measure ({self.measure!r:.40}) must be one of {', '.join(MEASURES)}")
        if not 1 <= self.finalists <= MOST_FINALISTS:
            raise SettingsError(f"finalists ({self.finalists}) must be from 1 to {MOST_FINALISTS}")
