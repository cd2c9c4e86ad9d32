"""The optional sections of a config that only the pipeline reads: deletes, failures, budget, evaluate, release, schedule."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

GATE_MEASURES = (
    *(
        f"{name}@{k}"
        for name in (
            *("recall", "precision", "iou", "f1"),
            *("hit", "rank_recall", "rank_precision", "mrr", "map", "ndcg"),
        )
        for k in (1, 3, 5, 10)
    ),
    "precision_omega",
)
"""What a gate may ask for: shares from 0 to 1 of which more is better."""


class Section(BaseModel):
    """Settings without a choice of plug-ins."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Deletes(Section):
    """When documents that are gone from their source leave the index."""

    min_present_ratio: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of a source's known items that must still be there; below it nothing is deleted"
        " until somebody confirms",
    )


class Failures(Section):
    """What a run makes of documents that cannot be brought in."""

    max_ratio: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the attempted documents that may fail; the run stops above both limits",
    )
    max_count: int = Field(
        20, ge=0, le=1_000_000, description="documents that may fail, whatever their share"
    )
    max_attempts: int = Field(
        8,
        ge=1,
        le=1_000,
        description="how often a document is tried at growing distances; from then on it is tried once a week",
    )
    first_retry_minutes: float = Field(
        5, ge=0, le=100_000, description="wait before the second try; it doubles after each further failure"
    )


class Budget(Section):
    """Where a run stops cleanly, keeping what is done."""

    money: float | None = Field(None, ge=0, description="most that the embedding of one run may cost")
    minutes: float | None = Field(None, gt=0, le=100_000, description="longest time a run may take")
    price_per_million_tokens: float = Field(
        0, ge=0, le=100_000, description="what the embedder's service asks for a million tokens"
    )


class Evaluate(Section):
    """The gate before publishing."""

    questions: str = Field(
        min_length=1, description="file with judged questions; a relative path starts at the config's folder"
    )
    metric: str = Field("recall@5", min_length=1, description="what is measured; higher is better")
    minimum: float = Field(0, ge=0, le=1, description="least value that may be published")
    max_drop: float = Field(
        0.02,
        ge=0,
        le=1,
        description="most that may be lost against the published release, on the same questions",
    )

    @field_validator("metric")
    @classmethod
    def _is_measured(cls, value: str) -> str:
        if value not in GATE_MEASURES:
            raise ValueError(f"metric ({value!r:.40}) must be one of {', '.join(GATE_MEASURES)}")
        return value


class Release(Section):
    """How many releases can be gone back to."""

    keep: int = Field(
        3, ge=1, le=100, description="releases whose tables are kept, the published one included"
    )


class Schedule(Section):
    """When the app starts a sync by itself. Small installations only: elsewhere use cron and the command line."""

    every_minutes: int = Field(60, ge=1, le=100_000, description="time from the start of one run to the next")


SECTIONS: dict[str, type[Section]] = {
    "deletes": Deletes,
    "failures": Failures,
    "budget": Budget,
    "evaluate": Evaluate,
    "release": Release,
    "schedule": Schedule,
}
