"""Two tables on aligned axes: kept, repeatable, and true about what changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.workspace.test_maps import text
from workbench.config import Config, parsed
from workbench.errors import Cancelled, InputError
from workbench.workspace import Workspace, map_pairs, maps
from workbench.workspace.map_pairs import counterparts
from workbench.workspace.maps import MapSettings

pytestmark = pytest.mark.slow


def config(size: int, dimension: int = 64) -> Config:
    return parsed(
        f"version: 1\nname: S{size}\nchunker: {{name: fixed_size, size_tokens: {size}}}\n"
        f"embedder: {{name: hashing, dimension: {dimension}}}\n"
    )


SMALL, LARGE, OTHER_MODEL = config(8), config(20), config(8, 128)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    for number in range(3):
        here.add(f"{number}.txt", text(number))
    for one in (SMALL, LARGE, OTHER_MODEL):
        here.tables.build(one)
    return here.folder


@pytest.fixture
def here(folder: Path) -> Workspace:
    return Workspace(folder)


def test_a_table_beside_itself_has_lost_nothing(here: Workspace) -> None:
    pair = here.map_pairs.compute(here.map_pairs.sample(SMALL, SMALL), MapSettings())
    for changed in pair.changed:
        assert changed.tolist() == [0.0] * len(changed)


def test_another_model_changes_the_share_of_neighbours_that_differ(here: Workspace) -> None:
    pair = here.map_pairs.compute(here.map_pairs.sample(SMALL, OTHER_MODEL), MapSettings())
    assert [c.id for c in pair.first.sample.chunks] == [c.id for c in pair.second.sample.chunks]
    rows = [
        np.argsort(-(v @ v.T) + 2 * np.eye(len(v)), axis=1, kind="stable")[:, :10]
        for v in (pair.first.sample.vectors, pair.second.sample.vectors)
    ]
    by_hand = [1 - len(set(a) & set(b)) / 10 for a, b in zip(rows[0].tolist(), rows[1].tolist(), strict=True)]
    assert pair.changed[0].tolist() == pytest.approx(by_hand, abs=1e-6)
    assert pair.changed[1].tolist() == pytest.approx(by_hand, abs=1e-6)
    assert 0 < np.mean(by_hand) < 1


def test_the_second_map_lies_where_its_text_lies_on_the_first(here: Workspace) -> None:
    sample = here.map_pairs.sample(SMALL, LARGE)
    pair = here.map_pairs.compute(sample, MapSettings())
    begun = map_pairs.starting_points(pair.first.points, sample.found, len(pair.second.points))
    near = np.linalg.norm(pair.second.points - begun, axis=1).mean()
    apart = np.linalg.norm(pair.second.points - begun[::-1], axis=1).mean()
    assert near < 0.7 * apart


def test_a_pair_is_kept_and_repeats(here: Workspace, folder: Path) -> None:
    sample = here.map_pairs.sample(LARGE, SMALL)
    assert here.map_pairs.finished(sample, MapSettings(neighbours=7)) is None
    made = here.map_pairs.compute(sample, MapSettings(neighbours=7))
    again = Workspace(folder)
    found = again.map_pairs.finished(again.map_pairs.sample(LARGE, SMALL), MapSettings(neighbours=7))
    assert found is not None
    assert np.array_equal(found.second.points, made.second.points)
    assert np.array_equal(found.first.points, made.first.points)
    recomputed = again.map_pairs.compute(again.map_pairs.sample(LARGE, SMALL), MapSettings(neighbours=7))
    assert np.array_equal(recomputed.second.points, made.second.points)


def test_of_a_sampled_pair_the_chunks_share_their_text(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "MOST_POINTS", 20)
    monkeypatch.setattr(map_pairs, "MOST_POINTS", 20)
    for sample, drawn, like in (
        (found := here.map_pairs.sample(LARGE, SMALL), found.second, found.first),
        (found := here.map_pairs.sample(SMALL, LARGE), found.first, found.second),
    ):
        assert len(drawn.chunks) == 20 < drawn.total
        assert 0 < len(like.chunks) <= 20
        assert (sample.found.forth >= 0).all()
        assert (sample.found.back >= 0).all()


def test_counterparts_share_text(here: Workspace) -> None:
    sample = here.map_pairs.sample(LARGE, SMALL)
    found = counterparts(sample, 0, [0])
    large = sample.first.chunks[0]
    by_hand = [
        row
        for row, chunk in enumerate(sample.second.chunks)
        if chunk.document_id == large.document_id and chunk.start < large.end and chunk.end > large.start
    ]
    assert found == by_hand
    assert 0 in counterparts(sample, 1, found)


def test_a_cancelled_pair_leaves_nothing_half_done(here: Workspace) -> None:
    sample = here.map_pairs.sample(SMALL, LARGE)
    settings = MapSettings(neighbours=9)

    def stop(done: int, total: int) -> None:
        if done > 60:
            raise Cancelled

    with pytest.raises(Cancelled):
        here.map_pairs.compute(sample, settings, stop)
    assert here.map_pairs.finished(sample, settings) is None
    assert here.maps.finished(sample.first, settings) is not None


def test_a_pair_with_a_table_that_is_not_built_is_refused(here: Workspace) -> None:
    with pytest.raises(InputError, match="build it first"):
        here.map_pairs.sample(SMALL, config(50))


def test_topics_and_trust_are_kept(here: Workspace, folder: Path) -> None:
    sample = here.maps.sample(SMALL)
    found = here.maps.figures.topics(sample)
    assert len(found.numbers) == len(sample.chunks)
    assert Workspace(folder).maps.figures.topics(sample).labels == found.labels
    trusted = here.maps.figures.trust(here.maps.quick(sample))
    assert trusted is not None
    assert 0 < trusted.kept_share < 1
    assert Workspace(folder).maps.figures.trust(here.maps.quick(sample)) == trusted
