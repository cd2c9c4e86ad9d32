"""A place that holds documents → what is there, and the bytes of one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from workbench.contracts.plugin import Plugin
from workbench.errors import Cancelled, ContractError, WorkbenchError
from workbench.records import RawItem, SourceItem

if TYPE_CHECKING:
    from workbench.http import Http

LONGEST_ITEM_ID_CHARACTERS = 4_096
KEPT_PROBLEMS = 200
KEPT_FAULTS = 1_000


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """What a source is given by its surroundings, because it is no setting.

    ``folder``: where relative paths of its settings start, which is the folder of the config. ``http``: polite and
    guarded requests; None makes one with the operator's allow-list (``WORKBENCH_ALLOW_HOSTS``). ``cancelled`` is
    asked often; a source that sees it raises ``Cancelled``.
    """

    folder: Path = field(default_factory=Path)
    cancelled: Callable[[], bool] = _never
    http: Http | None = None

    def check(self) -> None:
        """Raise ``Cancelled`` once the user asked to stop."""
        if self.cancelled():
            raise Cancelled("stopped while the source was read")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a source that should be an item and cannot be listed: a row without an id, a part that stays shut.

    ``name`` says where it is, ``message`` in a sentence what is wrong. ``items``: how many items it stands for, about.
    ``hides``: it may be an item that is known, so that what is missing in this listing need not be gone.
    """

    name: str
    message: str
    items: int = 1
    hides: bool = True


@dataclass(frozen=True, slots=True)
class ItemPage:
    """A part of a listing, as large as the source likes; a source that streams gives many.

    ``removed``: ids that are gone or in the bin, where the source says so itself (a feed of changes does).
    ``cursor``: opaque text that stands for all pages up to this one: a listing from it, in another process and days
    later, names everything behind it, and whatever of these pages was added, changed, moved or removed since. A source
    that cannot promise this gives "", whatever its own pages are called.
    ``problems``: sentences about what was met and is no item; they stop nothing.
    ``faults``: what should be an item and cannot be listed; it counts as failed.
    ``complete``: on the last page only: everything that is in the source now, but for faults, has been listed since
    the first page.
    """

    items: tuple[SourceItem, ...] = ()
    removed: tuple[str, ...] = ()
    cursor: str = ""
    problems: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    complete: bool = False


class Listing:
    """The items of a source as they come. Iterate once, to the end; only then do the other fields hold.

    What is missing in a listing is gone only if ``complete``. A listing that fails half-way does not raise: it
    ends, with the reason in ``failure``, and is not complete. ``Cancelled`` and bugs are raised.
    """

    def __init__(self, pages: Iterator[ItemPage], name: str) -> None:
        self.complete = False
        self.complete_but_for_faults = False
        """Whether all was listed that can be: what is missing is gone, or is behind one of the faults that hide."""
        self.finished = False
        """Whether it came to its end without a failure: true of every complete listing, and of a feed of changes."""
        self.failure: WorkbenchError | None = None
        self.cursor = ""
        """Where the next listing may begin. Keep it once everything listed so far is safely in the ledger."""
        self.removed: set[str] = set()
        """Ids that the source itself called gone; removal wins where one of them was also yielded before."""
        self.problem_count = 0
        self.problems: list[str] = []
        """The first ``KEPT_PROBLEMS`` of them; what is said of faults is among them."""
        self._faults: list[Fault] = []
        self._more_items = 0
        self._hides = False
        self._pages = pages
        self._name = name
        self._begun = False

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield each item once; an id that comes again is reported as a problem."""
        if self._begun:
            raise ContractError(f"a listing of {self._name} can be read only once")
        self._begun = True
        seen: set[str] = set()
        complete = False
        try:
            for page in self._pages:
                if complete:
                    raise ContractError(f"{self._name} gave a page after the complete one")
                for item in page.items:
                    if not _fits(item.item_id):
                        raise ContractError(f"{self._name} gave the item id {item.item_id!r:.60}")
                    self.removed.discard(item.item_id)
                    if item.item_id in seen:
                        self._note(f"{item.path or item.item_id} is listed twice; the first one counts")
                        continue
                    seen.add(item.item_id)
                    yield item
                self.removed.update(page.removed)
                for problem in page.problems:
                    self._note(problem)
                for fault in page.faults:
                    self._note(fault.message)
                    self._hides = self._hides or fault.hides
                    if len(self._faults) < KEPT_FAULTS:
                        self._faults.append(fault)
                    else:
                        self._more_items += fault.items
                self.cursor = page.cursor or self.cursor
                complete = page.complete
        except Cancelled:
            raise
        except WorkbenchError as error:
            self.failure = error
            return
        self.finished = True
        self.complete = complete and not self._hides
        self.complete_but_for_faults = complete

    @property
    def faults(self) -> list[Fault]:
        """What could not be listed; behind the first ``KEPT_FAULTS`` one that stands for all others."""
        more = self._more_items
        rest = Fault(f"{more:,} more", f"{more:,} more cannot be listed", more, self._hides)
        return [*self._faults, *([rest] if more else [])]

    def _note(self, problem: str) -> None:
        self.problem_count += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)


def _fits(item_id: str) -> bool:
    """Say whether a database keeps this id: neither empty nor endless, no NUL, no half of a surrogate pair."""
    if not 0 < len(item_id) <= LONGEST_ITEM_ID_CHARACTERS or "\x00" in item_id:
        return False
    try:
        item_id.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


class SourceConnection(ABC):
    """A source opened for one run. ``read`` may be called from several threads; use it in a ``with``."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def pages(self, cursor: str) -> Iterator[ItemPage]:
        """Yield what is there, cheaply: nothing is fetched that only ``read`` needs.

        With "" everything; with the cursor of an earlier listing what is behind it and what changed since, in the
        order in which it happened, or everything where the cursor is good no longer. One request that fails is
        repeated here, not by the caller. Raises any ``WorkbenchError`` when it cannot go on: the pages given until then
        count, and a later listing goes on behind them.
        """

    @abstractmethod
    def read(self, item: SourceItem, validator: str = "") -> RawItem | None:
        """Return the item's bytes; None when nothing changed since a read that gave this ``validator``.

        Raises ``InputError``, with the status ``gone`` for an item that vanished after it was listed and
        ``too_large`` beyond the limit, ``ElsewhereError`` for a second address of another listed item, or
        ``ServiceError`` when trying again later may help.
        """

    def items(self, cursor: str = "") -> Listing:
        """Return the listing; nothing is asked of the source before it is iterated."""
        return Listing(self.pages(cursor), self.name)

    def close(self) -> None:  # noqa: B027, most sources keep nothing open
        """Give back what is open; nothing by default."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Source(Plugin):
    """Settings of a place that holds documents."""

    @abstractmethod
    def place(self) -> str:
        """Return what is read, for people and for keys: a folder, an address, a bucket; never a secret.

        Filters and limits are no part of it: changing them must not give every document a new id.
        """

    @abstractmethod
    def connection(self, access: SourceAccess) -> SourceConnection:
        """Return the source opened; raises ``SettingsError`` for settings that cannot work here."""

    @property
    def key(self) -> str:
        """The ``source`` of every ``document_id``: the plug-in's name and the place."""
        return f"{self.name}:{self.place()}"
