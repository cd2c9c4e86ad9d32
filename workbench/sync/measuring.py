"""What the published release and the table that could follow it make of any question file, gate or no gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.config import Config, parsed, written
from workbench.contracts import Tick, no_tick
from workbench.errors import InputError
from workbench.evaluation.formats import imported
from workbench.evaluation.significance import Interval, bootstrap_interval
from workbench.experiment import on_common_questions
from workbench.ingest.entries import Release
from workbench.sync.asking import measured
from workbench.sync.place import Place

MEASURES = ("recall@1", "recall@5", "precision@5", "mrr@10", "ndcg@10")


@dataclass(frozen=True, slots=True)
class Measurement:
    """The figures of one table, over the questions that all tables of the measurement can answer."""

    release_id: int | None
    """None for the table that could be published next."""
    table_name: str
    questions: int
    unplaced: int
    """Judgments whose text is nowhere in its documents."""
    figures: Mapping[str, Interval]


def is_published(place: Place, release: Release | None) -> bool:
    """Return whether the release is the config's table, asked as the config asks it."""
    return (
        release is not None
        and release.table_name == place.table_name
        and release.config == written(place.query_side)
    )


def measurements(place: Place, data: bytes, file_name: str, tick: Tick = no_tick) -> list[Measurement]:
    """Return the figures of the published release, then of the config's own table unless that is the same.

    Raises ``InputError`` where there is neither, or where no question has an answer in the documents.
    """
    release = place.ledger.releases.published(place.name)
    asked: list[tuple[int | None, Place, Config, str]] = []
    if release is not None:
        config = parsed(release.config, f"release {release.id}")
        asked.append((release.id, place.beside(config), config, release.table_name))
    if not is_published(place, release) and place.has_table(place.table_name):
        asked.append((None, place, place.config, place.table_name))
    if not asked:
        raise InputError(f"{place.name} has no table yet: sync first", "not_built")
    found = [
        measured(there, config, table, lambda documents: imported(data, file_name, documents), tick)
        for _, there, config, table in asked
    ]
    common = on_common_questions([outcome for outcome, _ in found])
    if not common[0].question_ids:
        raise InputError(f"no question of {file_name} has an answer in these documents", "no_text")
    return [
        Measurement(
            release_id,
            table,
            len(scores.question_ids),
            len(read.unplaced),
            {name: bootstrap_interval(scores.of(name)) for name in MEASURES},
        )
        for (release_id, _, _, table), (_, read), scores in zip(asked, found, common, strict=True)
    ]
