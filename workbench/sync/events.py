"""What a sync says while it runs: the page, the command line and orchestrators read the same events."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from workbench.ingest.entries import Figures


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    kind: ClassVar[str] = "event"

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values, with its ``kind``."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A run began; it holds the pipeline's lock."""

    kind: ClassVar[str] = "started"
    run_id: int
    pipeline: str
    table: str


@dataclass(frozen=True, slots=True)
class SourceListed(Event):
    """A source was listed. ``message`` says why it is not complete, and which single items cannot be listed.

    ``changes``: it was asked only for what changed since an earlier listing. ``unlisted``: about how many items could
    not be listed. ``complete_but_for_faults``: all was listed but these; where one of them may be a known one, it is
    not complete, and deletions wait for a confirmation.
    """

    kind: ClassVar[str] = "source_listed"
    source: str
    items: int
    complete: bool
    message: str
    changes: bool = False
    unlisted: int = 0
    complete_but_for_faults: bool = False


@dataclass(frozen=True, slots=True)
class TablePlanned(Event):
    """What is going to be done to a table, by action.

    ``refused`` holds a sentence per source whose deletions are refused.
    """

    counts: dict[str, int]
    expected_chunks: int | None
    expected_tokens: int | None
    expected_money: float | None
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planned(TablePlanned):
    """What is going to be done to the config's own table."""

    kind: ClassVar[str] = "planned"


@dataclass(frozen=True, slots=True)
class ReleasePlanned(TablePlanned):
    """What is going to be done to the published release's table, where it is another than the config's own."""

    kind: ClassVar[str] = "release_planned"
    table: str


@dataclass(frozen=True, slots=True)
class StageDone(Event):
    """One document passed a stage: ``read``, ``parse`` or ``cut``."""

    kind: ClassVar[str] = "stage_done"
    stage: str
    source: str
    item_id: str
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class GroupDone(Event):
    """A group of documents passed a stage: ``embed``, ``intend``, ``write``, ``record``, or of a removal."""

    kind: ClassVar[str] = "group_done"
    stage: str
    documents: int
    chunks: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ItemFailed(Event):
    """One item could not be brought in; the others go on."""

    kind: ClassVar[str] = "item_failed"
    stage: str
    source: str
    item_id: str
    name: str
    cause: str
    message: str
    retryable: bool
    next_try_utc: str | None
    in_release: bool = False
    """Whether it is about the published release's table, where that is another than the config's own."""


@dataclass(frozen=True, slots=True)
class ItemPartlyRead(Event):
    """One item is in the table in part: its file is incomplete, and there was no earlier version."""

    kind: ClassVar[str] = "item_partly_read"
    source: str
    item_id: str
    name: str
    message: str
    in_release: bool = False
    """Whether it is about the published release's table, where that is another than the config's own."""


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far the run is."""

    kind: ClassVar[str] = "progress"
    done: int
    total: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Stopped(Event):
    """The run ends early and cleanly: ``failures``, ``budget``, ``quota`` or ``cancelled``."""

    kind: ClassVar[str] = "stopped"
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The run is over."""

    kind: ClassVar[str] = "finished"
    run_id: int
    status: str
    message: str
    seconds: float
    figures: Figures
