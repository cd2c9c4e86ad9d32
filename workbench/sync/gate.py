"""The gate before publishing: what a table holds and answers, against a minimum and against what is published now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench import pipeline
from workbench.config import parsed
from workbench.contracts import Tick, no_tick
from workbench.counts import counted
from workbench.errors import Cancelled, InputError, WorkbenchError
from workbench.ingest.entries import WRITTEN, Release
from workbench.sections import Evaluate
from workbench.sync.asking import Answered, answered
from workbench.sync.coverage import Coverage, coverage, remarks, shortcomings
from workbench.sync.place import Place, parse_key
from workbench.sync.texts import Held, Texts


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate measured. ``reasons`` says, in sentences, why it stays shut; empty when it opens."""

    reasons: tuple[str, ...]
    metric: str = ""
    value: float | None = None
    minimum: float | None = None
    questions: int = 0
    unplaced: int = 0
    """Judgments whose text is nowhere in these documents: they count nowhere."""
    published_value: float | None = None
    """Of the published release, on the questions that it can answer."""
    compared_value: float | None = None
    """Of this table, on the same questions."""
    max_drop: float | None = None
    notes: tuple[str, ...] = ()
    """What should be known of these figures and shuts no gate."""
    partly_read: int = 0
    """Documents of which only a part is in the table; that alone shuts no gate."""

    @property
    def passed(self) -> bool:
        """Whether publishing is allowed."""
        return not self.reasons

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "passed": self.passed,
            **asdict(self),
            "reasons": list(self.reasons),
            "notes": list(self.notes),
        }


def partly_read_words(figures: Mapping[str, Any]) -> str:
    """Return how many documents are in a table only in part, "" for none; ``figures`` are those of a release's gate.

    >>> partly_read_words({"partly_read": 2}), partly_read_words({})
    ('2 documents only in part', '')
    """
    # Releases of earlier versions do not say it.
    count = figures.get("partly_read") or 0
    return f"{counted(count, 'document')} only in part" if count else ""


def gate(place: Place, published: Release | None, tick: Tick = no_tick) -> GateResult:
    """Return whether the config's table may be published; raises ``InputError`` where there is nothing to publish.

    Whatever cannot be measured is a reason, so that somebody may decide to publish all the same.
    """
    try:
        table = place.connection.table(place.table_name)
    except InputError as error:
        raise InputError(f"{place.name} has no table for this config yet: sync first", "not_built") from error
    if not table.row_count():
        raise InputError(f"the table of {place.name} is empty: sync first", "not_built")
    held: Held = {}
    texts = None if published is None else Texts(place, published.table_name, held)
    found = coverage(place, published, texts)
    reasons, notes = tuple(shortcomings(place, found)), tuple(remarks(found))
    result = GateResult(reasons, notes=notes, partly_read=len(found.partly_read))
    if place.config.evaluate is None:
        return result
    return _Measuring(place, place.config.evaluate, published, found, held, result, tick).result()


@dataclass
class _Measuring:
    place: Place
    asked_for: Evaluate
    published: Release | None
    coverage: Coverage
    held: Held
    before: GateResult
    tick: Tick

    def result(self) -> GateResult:
        gate, place = self.asked_for, self.place
        reasons, notes = [*self.before.reasons], [*self.before.notes]
        theirs: Answered | None = None
        if self.published is not None:
            try:
                theirs = self._of(self.published)
            except Cancelled:
                raise
            except WorkbenchError as error:
                reasons.append(
                    f"release {self.published.id}, which is published, cannot be compared with: {error}"
                )
        try:
            texts = Texts(place, place.table_name, self.held)
            own = answered(
                place, place.config, place.table_name, gate, texts, self.coverage.absent, self.tick
            )
        except Cancelled:
            raise
        except WorkbenchError as error:
            reasons.append(f"the questions of the gate cannot be asked: {error}")
            return replace(
                self.before,
                reasons=tuple(reasons),
                metric=gate.metric,
                minimum=gate.minimum,
                max_drop=gate.max_drop,
                notes=tuple(notes),
            )
        lost: set[str] = set()
        if theirs is not None and self.published is not None:
            lost = self._answered_only_there(self.published, theirs, own)
            own = own.with_unanswered(lost)
        count = len(own.values)
        if not count:
            reasons.append(f"no question of {gate.questions} has an answer in these documents")
        elif own.mean < gate.minimum:
            reasons.append(
                f"{gate.metric} is {own.mean:.4f} on {counted(count, 'question')}, below the minimum of {gate.minimum:g}"
            )
        common = [one for one in theirs.values if one in own.values] if theirs is not None else []
        before = compared = None
        if theirs is not None and common:
            before, compared = theirs.mean_of(common), own.mean_of(common)
            if before - compared > gate.max_drop:
                reasons.append(
                    f"{gate.metric} falls from {before:.4f} (published) to {compared:.4f} on the same questions,"
                    f" more than max_drop ({gate.max_drop:g})"
                )
        notes += _notes(own, lost)
        return GateResult(
            tuple(reasons),
            gate.metric,
            own.mean,
            gate.minimum,
            count,
            len(own.unplaced),
            before,
            compared,
            gate.max_drop,
            tuple(notes),
            self.before.partly_read,
        )

    def _of(self, published: Release) -> Answered:
        config = parsed(published.config, f"release {published.id}")
        texts = Texts(self.place, published.table_name, self.held)
        there = self.place.beside(config)
        return answered(there, config, published.table_name, self.asked_for, texts, tick=self.tick)

    def _answered_only_there(self, published: Release, theirs: Answered, own: Answered) -> set[str]:
        """Return the questions that the release can answer and that have no place in the texts of this table.

        Not those whose document has left its source or was changed since the release's table was cut: there an
        answer may be gone with good reason.
        """
        parser = parsed(published.config, f"release {published.id}").parser
        ledger, name = self.place.ledger, self.place.name
        items = ledger.items(name)
        current = {
            document_id
            for document_id, state in ledger.states(name, published.table_name).items()
            if state.status == WRITTEN
            and (item := items.get(state.key)) is not None
            and state.parse_key == parse_key(pipeline.parser_for(item.name, parser), item)
        }
        return {
            question
            for question, documents in theirs.judged.items()
            if question not in own.values and not current.isdisjoint(documents)
        }


def _notes(own: Answered, lost: set[str]) -> list[str]:
    notes = []
    if own.absent:
        notes.append(
            f"{counted(len(own.absent), 'question is', 'questions are')} about documents that are not in the table:"
            " what stands there counts as not found"
        )
    if lost:
        them = "it" if len(lost) == 1 else "them"
        notes.append(
            f"{counted(len(lost), 'question counts', 'questions count')} as 0: the published release has what answers"
            f" {them}, the texts of this table have not"
        )
    if own.unplaced:
        count = "counts" if len(own.unplaced) == 1 else "count"
        notes.append(
            f"{counted(len(own.unplaced), 'judgment has', 'judgments have')} no place in these documents and {count}"
            " nowhere: look at the question file"
        )
    if own.unread:
        notes.append(f"{counted(own.unread, 'line')} of the question file cannot be used")
    return notes
