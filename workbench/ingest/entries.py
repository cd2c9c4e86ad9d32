"""What the ledger holds, as frozen records. Times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

Key = tuple[str, str]
"""Source key and item id: where an item lives."""

RUNNING, DONE, SOME_FAILED, STOPPED, CANCELLED, INTERRUPTED, BROKEN = (
    "running",
    "done",
    "some_failed",
    "stopped",
    "cancelled",
    "interrupted",
    "broken",
)
"""What a run can be: ``stopped`` by a budget or by too many failures, ``interrupted`` by a kill, ``broken`` by an error."""

WRITING, WRITTEN, REMOVING = "writing", "written", "removing"
"""What a document's rows in a table can be: intended, there, or about to go."""

NOT_LISTED = "not_listed"
"""The kind of failure of what its source could not list."""


@dataclass(frozen=True, slots=True)
class Item:
    """The newest content of an item that was read, whatever table it is in."""

    source: str
    item_id: str
    document_id: str
    version: str
    """The source's own word for this state (ETag, date of change); "" where it has none."""
    validator: str
    content_hash: str
    name: str
    uri: str
    size_bytes: int
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Where it lives."""
        return self.source, self.item_id


@dataclass(frozen=True, slots=True)
class State:
    """What a table holds of a document, or is about to hold."""

    document_id: str
    source: str
    item_id: str
    status: str
    recipe: str
    """Everything that decides its rows, known without reading anything; "" makes the next sync look again."""
    state_key: str
    parse_key: str
    uri: str
    chunk_count: int
    token_count: int
    partly_read: str = ""
    """Why only a part of its file was read, "" where all of it was."""

    @property
    def key(self) -> Key:
        """Where its item lives."""
        return self.source, self.item_id


@dataclass(frozen=True, slots=True)
class Moved:
    """A document that is as it was, at another address: its folder was moved."""

    key: Key
    document_id: str
    uri: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be brought in: the dead letter."""

    source: str
    item_id: str
    name: str
    version: str
    recipe: str
    stage: str
    kind: str
    message: str
    retryable: bool
    """Whether time may heal it; else it is tried again when its version or the config changes, or on demand."""
    attempts: int
    first_at_utc: str
    last_at_utc: str
    next_try_utc: str | None
    run_id: int
    table_name: str = ""
    """The table that it could not be brought into."""

    @property
    def key(self) -> Key:
        """Where its item lives."""
        return self.source, self.item_id


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Something in a source that should be an item and could not be listed: a failure before there is an item."""

    source: str
    name: str
    message: str
    items: int
    """How many items it stands for, about."""
    hides: bool
    """Whether it may be an item that is known."""
    first_at_utc: str
    last_at_utc: str
    run_id: int

    @property
    def failure(self) -> Failure:
        """The same among the failures of documents; every sync looks at it again."""
        return Failure(
            source=self.source,
            item_id=self.name,
            name=self.name,
            version="",
            recipe="",
            stage="list",
            kind=NOT_LISTED,
            message=self.message,
            retryable=True,
            attempts=1,
            first_at_utc=self.first_at_utc,
            last_at_utc=self.last_at_utc,
            next_try_utc=None,
            run_id=self.run_id,
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one run did to one item."""

    source: str
    item_id: str
    action: str
    outcome: str
    chunks: int = 0
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run did, in numbers; of documents unless the name says otherwise."""

    added: int = 0
    changed: int = 0
    rebuilt: int = 0
    kept: int = 0
    unchanged: int = 0
    """Read because the source's version said so, and found to be the same."""
    removed: int = 0
    failed: int = 0
    gone: int = 0
    """Listed, and not there when they were read; what the table held of them is among the removed as well."""
    unlisted: int = 0
    """Items, about, that their sources could not list."""
    waiting: int = 0
    """Failed earlier, and not due yet."""
    chunks_written: int = 0
    embedded: int = 0
    reused: int = 0
    """Chunks whose vector was kept: embeddings saved."""
    tokens: int = 0
    """Tokens that were embedded."""
    money: float = 0.0
    bytes_read: int = 0
    release_kept: int = 0
    """This and the next five: in the table of the published release, where the config writes another one."""
    release_written: int = 0
    release_removed: int = 0
    release_failed: int = 0
    release_gone: int = 0
    release_waiting: int = 0


FIGURE_NAMES = tuple(one.name for one in fields(Figures))


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a stage of a run took in all; stages that ran side by side add up."""

    stage: str
    seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class Run:
    """One sync."""

    id: int
    pipeline: str
    table_name: str
    status: str
    message: str
    started_at_utc: str
    ended_at_utc: str | None
    figures: Figures
    complete_sources: tuple[str, ...] | None = None
    """Keys of the sources that were listed to their end; None where no source was asked."""

    @property
    def came_to_its_end(self) -> bool:
        """Whether everything planned was carried out or failed by itself."""
        return self.status in (DONE, SOME_FAILED)


@dataclass(frozen=True, slots=True)
class Release:
    """A table with the config it is asked through, as it was published."""

    id: int
    pipeline: str
    table_name: str
    config: str
    """The config as canonical YAML: the query side takes model and settings from it."""
    model_title: str
    created_at_utc: str
    gate: Mapping[str, object]
    forced: bool
    previous_id: int | None
    price_per_million_tokens: float | None = None
    """What its model asked for when it was published, as its config's budget said; None where that said nothing."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One move of the pointer: ``publish`` or ``roll_back``."""

    at_utc: str
    action: str
    from_id: int | None
    to_id: int
