"""Maps of a table: the same table, the same map; kept on disk; nothing that was found is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.config import Config, parsed
from workbench.errors import Cancelled, InputError
from workbench.projection import nearest_others, sample_rows
from workbench.records import Vectors
from workbench.workspace import Workspace, maps
from workbench.workspace.map_figures import Neighbours
from workbench.workspace.maps import MapSettings

CONFIG = parsed(
    "version: 1\nname: Small\nchunker: {name: fixed_size, size_tokens: 8}\nembedder: {name: hashing}\n"
)
WORDS = [
    "tram",
    "bus",
    "fare",
    "refund",
    "battery",
    "camera",
    "record",
    "night",
    "rule",
    "driver",
    "depot",
    "brake",
    "ticket",
    "snow",
]


def text(seed: int, words: int = 160) -> bytes:
    drawn = np.random.default_rng(seed).integers(0, len(WORDS), words)
    return " ".join(f"{WORDS[i]}{n % 7}" for n, i in enumerate(drawn)).encode()


def unit(count: int, seed: int = 0) -> Vectors:
    made = np.random.default_rng(seed).normal(size=(count, 16))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    for number in range(3):
        workspace.add(f"{number}.txt", text(number))
    workspace.tables.build(CONFIG)
    return workspace


def test_a_table_that_is_not_built_has_no_map(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="build it first"):
        Workspace(tmp_path).maps.sample(CONFIG)


def test_every_chunk_of_a_small_table_is_drawn_beside_its_own_vector(here: Workspace) -> None:
    sample = here.maps.sample(CONFIG)
    ids, vectors = here.tables.table(CONFIG).vectors()
    assert [chunk.id for chunk in sample.chunks] == ids
    assert sample.total == len(ids)
    assert np.array_equal(sample.vectors, vectors)
    assert here.maps.quick(sample).points.shape == (len(ids), 2)
    assert here.maps.quick(sample).method == "pca"


def test_a_large_table_is_sampled_always_alike_and_a_hit_outside_is_placed(
    here: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = here.maps.sample(CONFIG)
    monkeypatch.setattr(maps, "MOST_POINTS", 20)
    sample = here.maps.sample(CONFIG)
    assert (len(sample.chunks), sample.total) == (20, len(whole.chunks))
    again = Workspace(tmp_path).maps.sample(CONFIG)
    assert [chunk.id for chunk in again.chunks] == [chunk.id for chunk in sample.chunks]
    drawn = {chunk.id for chunk in sample.chunks}
    outside = [chunk.id for chunk in whole.chunks if chunk.id not in drawn]
    placed = here.maps.placed_chunks(CONFIG, here.maps.quick(sample), [*outside, "gone"])
    assert placed.shape == (len(outside) + 1, 2)
    assert np.isfinite(placed).all()


def test_a_sample_holds_the_rows_that_reading_everything_would_give(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "MOST_POINTS", 20)
    table = here.tables.table(CONFIG)
    table.optimise()
    rows = sample_rows(table.row_count(), 20, maps.SEED)
    every = table.rows()
    sample = here.maps.sample(CONFIG)
    assert sample.chunks == [every.chunks[row] for row in rows]
    assert np.array_equal(sample.vectors, every.vectors[rows])


def test_a_changed_table_has_another_map_and_an_unchanged_one_the_same(here: Workspace) -> None:
    before = here.maps.sample(CONFIG)
    here.tables.build(CONFIG)
    assert here.maps.sample(CONFIG) is before
    here.add("more.txt", text(9))
    here.tables.build(CONFIG)
    after = here.maps.sample(CONFIG)
    assert after.key != before.key
    assert len(after.chunks) > len(before.chunks)


def test_density_is_kept(here: Workspace, tmp_path: Path) -> None:
    sample = here.maps.sample(CONFIG)
    density = here.maps.figures.neighbours(sample).density
    assert density.shape == (len(sample.chunks),)
    assert np.array_equal(Workspace(tmp_path).maps.figures.neighbours(sample).density, density)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_density_of_few_chunks_is_finite(count: int) -> None:
    rows, cosines = nearest_others(unit(count), 10)
    density = Neighbours(rows, cosines).density
    assert (density.shape, density.dtype) == ((count,), np.float32)
    assert np.isfinite(density).all()


def test_chunks_of_a_tight_group_are_denser() -> None:
    tight = unit(1) + 0.01 * unit(30, seed=2)
    rows, cosines = nearest_others(np.concatenate([tight, unit(30, seed=3)]), 10)
    density = Neighbours(rows, cosines).density
    assert density[:30].min() > density[30:].max()


def test_other_settings_are_another_map(here: Workspace) -> None:
    sample = here.maps.sample(CONFIG)
    keys = {
        here.maps.key(sample, settings)
        for settings in (MapSettings(), MapSettings(neighbours=30), MapSettings(min_distance=0.2))
    }
    assert len(keys) == 3
    assert here.maps.finished(sample, MapSettings()) is None


@pytest.mark.slow
def test_a_computed_map_is_found_again_in_another_process_and_places_what_is_on_it(
    here: Workspace, tmp_path: Path
) -> None:
    sample = here.maps.sample(CONFIG)
    shares: list[float] = []
    made = here.maps.compute(sample, MapSettings(), lambda done, total: shares.append(done / total))
    assert made.method == "umap"
    assert shares == sorted(shares)
    assert shares[-1] == 1
    other = Workspace(tmp_path)
    found = other.maps.finished(other.maps.sample(CONFIG), MapSettings())
    assert found is not None
    assert np.array_equal(found.points, made.points)
    first = sample.chunks[3].id
    assert other.maps.placed_chunks(CONFIG, found, [first])[0] == pytest.approx(found.points[3], abs=1e-2)


def test_a_cancelled_map_leaves_nothing(here: Workspace) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled("stopped")

    sample = here.maps.sample(CONFIG)
    with pytest.raises(Cancelled):
        here.maps.compute(sample, MapSettings(), stop)
    assert here.maps.finished(sample, MapSettings()) is None


def test_few_chunks_are_drawn_by_pca_and_old_maps_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "KEPT_ON_DISK", 2)
    here = Workspace(tmp_path)
    here.add("few.txt", text(1, words=20))
    here.tables.build(CONFIG)
    sample = here.maps.sample(CONFIG)
    for neighbours in (5, 6, 7):
        assert here.maps.compute(sample, MapSettings(neighbours)).method == "pca"
    assert len(list((tmp_path / "maps").iterdir())) == 2


def test_an_empty_table_has_an_empty_map(tmp_path: Path) -> None:
    here = Workspace(tmp_path)
    config: Config = CONFIG
    here.tables.build(config)
    sample = here.maps.sample(config)
    assert here.maps.quick(sample).points.shape == (0, 2)
    assert here.maps.figures.neighbours(sample).density.shape == (0,)
