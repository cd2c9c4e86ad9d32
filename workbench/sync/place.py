"""Where a pipeline keeps its things in a workspace, and what decides the rows of its table.

Everything lies under ``pipelines/``, apart from the browser's own documents and tables: a sync may delete without
asking whose a document is, and deleting in the browser never takes a pipeline's document away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePath

from workbench import pipeline
from workbench.analysis import Memo
from workbench.config import Config, written
from workbench.contracts import EmbeddingModel, Parser, StoreConnection, Table, TableInfo
from workbench.errors import InputError
from workbench.ingest.entries import Item
from workbench.ingest.ledger import Ledger
from workbench.records import Document, digest
from workbench.sync.found_again import find_releases
from workbench.sync.kept import Kept
from workbench.workspace import Workspace
from workbench.workspace.store_catalog import Area, store_key

MEMO_BYTES = 16 * 2**20


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """Return a time as the ledger keeps it: ISO 8601 in UTC to the second, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def parse_key(parser: Parser, item: Item) -> str:
    """Return the key under which the text of an item is kept, as this parser reads it."""
    return digest([parser.key(item.content_hash), item.name])


def ledger_of(workspace: Workspace) -> Ledger:
    """Return the ledger of all pipelines of a workspace, for readers without a config at hand."""
    ledger = Ledger(workspace.folder / "pipelines" / "ledger.db")
    workspace.notice(ledger.notice)
    return ledger


@dataclass(frozen=True)
class Place:
    """One config's pipeline in one workspace. ``folder`` is where relative paths of the config start."""

    workspace: Workspace
    config: Config
    folder: Path = field(default_factory=Path)
    clock: Callable[[], datetime] = utc_now

    @property
    def name(self) -> str:
        """The pipeline's name, which is the config's: configs that share it are versions of one pipeline."""
        return self.config.name

    @property
    def query_side(self) -> Config:
        """The config without what only a sync reads: a release must outlive its sources."""
        return replace(
            self.config,
            sources=(),
            deletes=None,
            failures=None,
            budget=None,
            evaluate=None,
            release=None,
            schedule=None,
        )

    @property
    def root(self) -> Path:
        """The folder of all pipelines."""
        return self.workspace.folder / "pipelines"

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of all pipelines."""
        ledger = ledger_of(self.workspace)
        self.workspace.notice(find_releases(ledger, self.connection, self.name))
        return ledger

    @cached_property
    def kept(self) -> Kept:
        """Contents and parsed texts."""
        return Kept(self.root / "kept.db")

    @cached_property
    def memo(self) -> Memo:
        """Tokens of the texts under way, in memory only: a hundred thousand rows must not become as many files."""
        return Memo(None, MEMO_BYTES)

    @cached_property
    def model(self) -> EmbeddingModel:
        """The model of the config."""
        return self.workspace.model(self.config.embedder)

    @property
    def lock_path(self) -> Path:
        """The file that a running sync holds locked."""
        return self.root / f"{digest(['pipeline', self.name])[:16]}.lock"

    def now_utc(self) -> str:
        """Return the time now as the ledger keeps it."""
        return stamp(self.clock())

    # ── table ────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def table_name(self) -> str:
        """The table of this pipeline and config. Other weights under the same model name are another table.

        So is another server.
        """
        owner = digest(["pipeline", self.name])[:8]
        decides = [self.config.fingerprint, self.model.id, self.model.tokenizer.id]
        if self.config.store.place():
            # What the ledger says of a table must not be taken for what one of the same name in another store holds.
            decides.append(store_key(self.config.store))
        what = digest(decides)[:12]
        return f"p{owner}__{self.config.chunker.name}__{self.config.embedder.name}__{what}"

    @cached_property
    def connection(self) -> StoreConnection:
        """The store that the config names."""
        return self.workspace.stores.connection(self.config.store, Area.PIPELINES)

    def opened_table(self) -> Table:
        """Return the table, made now if it is not there; its store is known to the workspace from here on."""
        self.workspace.stores.use(self.config.store, Area.PIPELINES)
        about = {
            "config": written(self.query_side),
            "fingerprint": self.config.fingerprint,
            "pipeline": self.name,
            "model_id": self.model.id,
            "model_title": self.model.title,
            "built_at_utc": self.now_utc(),
        }
        return self.connection.create(TableInfo(self.table_name, self.model.dimension, about))

    def has_table(self, name: str) -> bool:
        """Return whether a table is there."""
        try:
            self.connection.table(name)
        except InputError:
            return False
        return True

    def beside(self, config: Config) -> Place:
        """Return the same place for another config of the pipeline."""
        return replace(self, config=replace(config, name=self.name))

    # ── what decides rows ────────────────────────────────────────────────────────────────────────────────────────

    def recipe(self, name: str) -> str:
        """Return everything that decides a document's rows apart from its content, by the ending of its name."""
        suffix = PurePath(name).suffix.lower()
        if suffix not in self._recipes:
            try:
                parser = pipeline.parser_for(name, self.config.parser).identity()
            except InputError:
                parser = {}
            self._recipes[suffix] = digest(["recipe", parser, self._cut])
        return self._recipes[suffix]

    @cached_property
    def _recipes(self) -> dict[str, str]:
        return {}

    @cached_property
    def _cut(self) -> str:
        # The chunk key of an empty text holds everything of the chunker, its packages and the tokenizer.
        return pipeline.state_key(Document("", "", (), "", ""), self.config, self.model)

    @cached_property
    def failure_recipe(self) -> str:
        """Return what makes a failed document worth another try once it changes: what reads, cuts and pays for it."""
        config = self.config
        money = (
            None if config.budget is None else [config.budget.money, config.budget.price_per_million_tokens]
        )
        sources = [source.identity() for source in config.sources]
        return digest(["failures", config.parser.identity(), self._cut, sources, money])
