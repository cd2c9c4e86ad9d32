"""Maps: the same vectors give the same picture, few points do no harm, neighbours stay neighbours."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import Cancelled
from workbench.projection import (
    FEWEST_FOR_UMAP,
    Projection,
    load_projection,
    nearest_others,
    pca_projection,
    sample_rows,
    save_projection,
    umap_projection,
)
from workbench.records import Vectors


def _unit(count: int, dimension: int = 16, groups: int = 0, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(count, dimension))
    if groups:
        centres = np.random.default_rng(99).normal(size=(groups, dimension))
        made = centres[np.arange(count) % groups] + 0.15 * made
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


# ── PCA ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [0, 1, 2, 3, 14, 500])
@pytest.mark.parametrize("dimension", [1, 2, 16])
def test_any_number_of_points_has_a_picture(count: int, dimension: int) -> None:
    vectors = _unit(count, dimension)
    for made in (pca_projection(vectors), umap_projection(vectors) if count < FEWEST_FOR_UMAP else None):
        if made is not None:
            assert (made.method, made.points.shape, made.points.dtype) == ("pca", (count, 2), np.float32)
            assert np.isfinite(made.points).all()
            assert made.transform(_unit(2, dimension, seed=1)).shape == (2, 2)


def test_equal_vectors_lie_on_one_point() -> None:
    vectors = np.repeat(_unit(1), 40, axis=0)
    for made in (pca_projection(vectors), umap_projection(vectors)):
        assert np.ptp(made.points, axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_pca_keeps_its_orientation_whatever_the_order_of_rows() -> None:
    vectors = _unit(200)
    order = np.random.default_rng(1).permutation(200)
    assert pca_projection(vectors[order]).points == pytest.approx(
        pca_projection(vectors).points[order], abs=1e-5
    )


def test_pca_points_have_the_largest_variance() -> None:
    """The singular values are the reference: no plane keeps more of the variance."""
    vectors = _unit(200)
    centred = vectors - vectors.mean(axis=0)
    expected = np.linalg.svd(centred.astype(np.float64), compute_uv=False)[:2] ** 2
    assert (pca_projection(vectors).points.astype(np.float64) ** 2).sum(axis=0) == pytest.approx(
        expected, rel=1e-4
    )


def test_a_row_of_the_map_is_placed_on_its_own_point() -> None:
    vectors = _unit(100)
    made = pca_projection(vectors)
    assert made.transform(vectors) == pytest.approx(made.points, abs=1e-6)
    umap = Projection("umap", np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32), vectors)
    assert umap.transform(vectors) == pytest.approx(umap.points, abs=1e-3)


def test_nothing_to_place_gives_no_points() -> None:
    assert pca_projection(_unit(20)).transform(np.zeros((0, 16), np.float32)).shape == (0, 2)


# ── neighbours and samples ───────────────────────────────────────────────────────────────────────────────────────


def test_neighbours_are_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.projection.neighbours._BLOCK_CELLS", 700)
    vectors = _unit(90)
    rows, cosines = nearest_others(vectors, 7)
    exact = vectors @ vectors.T
    np.fill_diagonal(exact, -2)
    assert np.array_equal(rows, np.argsort(-exact, axis=1, kind="stable")[:, :7])
    assert cosines == pytest.approx(-np.sort(-exact, axis=1)[:, :7], abs=1e-6)


def test_equal_neighbours_come_by_row_number() -> None:
    rows, cosines = nearest_others(np.repeat(_unit(1), 6, axis=0), 3)
    assert rows.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2], [0, 1, 2]]
    assert cosines == pytest.approx(np.ones((6, 3)), abs=1e-6)


def test_a_sample_is_seeded_and_always_holds_what_is_kept() -> None:
    assert sample_rows(50_000, 100, 3) == sample_rows(50_000, 100, 3) != sample_rows(50_000, 100, 4)
    kept = sample_rows(50_000, 100, 3, keep=[49_999, 0, 60_000])
    assert len(kept) == 100
    assert {0, 49_999} <= set(kept)
    assert kept == sorted(kept)
    assert sample_rows(10, 2, keep=range(5)) == [0, 1, 2, 3, 4]
    assert sample_rows(0) == []


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_kept_map_is_the_same_map(tmp_path: Path) -> None:
    vectors = _unit(30)
    points = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    for made in (pca_projection(vectors), Projection("umap", points, vectors)):
        save_projection(made, tmp_path / "map")
        loaded = load_projection(tmp_path / "map")
        assert loaded is not None
        assert loaded.method == made.method
        assert np.array_equal(loaded.points, made.points)
        asked = _unit(5, seed=3)
        assert np.array_equal(loaded.transform(asked), made.transform(asked))


def test_what_is_not_a_whole_map_is_no_map(tmp_path: Path) -> None:
    assert load_projection(tmp_path / "nothing") is None
    for spoil in ("points.npy", "basis.npy", "projection.json"):
        save_projection(pca_projection(_unit(30)), tmp_path)
        content = (tmp_path / spoil).read_bytes()
        for damaged in (b"", content[: len(content) // 2], b"[]"):
            (tmp_path / spoil).write_bytes(damaged)
            assert load_projection(tmp_path) is None
    save_projection(pca_projection(_unit(30)), tmp_path)
    (tmp_path / "projection.json").write_text('{"format": 99, "method": "pca"}')
    assert load_projection(tmp_path) is None


# ── UMAP ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_seeded_maps_repeat_bit_for_bit() -> None:
    vectors = _unit(300, groups=6)
    first = umap_projection(vectors, seed=4)
    assert first.method == "umap"
    assert np.array_equal(first.points, umap_projection(vectors, seed=4).points)
    assert not np.array_equal(first.points, umap_projection(vectors, seed=5).points)


@pytest.mark.slow
def test_neighbours_stay_neighbours_and_questions_fall_among_them() -> None:
    from sklearn.manifold import trustworthiness

    vectors = _unit(600, groups=6)
    made = umap_projection(vectors)
    assert trustworthiness(vectors, made.points, n_neighbors=10, metric="cosine") > 0.85
    groups = np.arange(600) % 6
    centres = np.array([made.points[groups == group].mean(axis=0) for group in range(6)])
    placed = made.transform(_unit(60, groups=6, seed=8))
    nearest = np.linalg.norm(placed[:, None] - centres[None], axis=2).argmin(axis=1)
    assert nearest.tolist() == (np.arange(60) % 6).tolist()


@pytest.mark.slow
def test_few_and_repeated_rows_can_be_laid_out() -> None:
    for vectors in (
        _unit(15),
        _unit(40),
        np.concatenate([_unit(20), np.repeat(_unit(1, seed=2), 50, axis=0)]),
    ):
        made = umap_projection(vectors, n_neighbors=100)
        assert made.method == "umap"
        assert np.isfinite(made.points).all()


@pytest.mark.slow
def test_a_fit_tells_its_progress_and_stops_between_epochs() -> None:
    vectors = _unit(200, groups=4)
    seen: list[int] = []
    umap_projection(vectors, tick=lambda done, total: seen.append(done))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 100)
    assert len(set(seen)) > 50
    heard: list[int] = []

    def stop(done: int, total: int) -> None:
        heard.append(done)
        if done > 50:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        umap_projection(vectors, tick=stop)
    assert heard[-1] < 55
    assert umap_projection(vectors).method == "umap"


@pytest.mark.slow
def test_a_stopped_layout_holds_up_no_other_thread_that_counts() -> None:
    """The bar that UMAP counts its epochs with has one lock for the whole program."""
    from tqdm import tqdm

    def stopped(done: int, total: int) -> None:
        if done > 50:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        umap_projection(_unit(60), n_epochs=20, tick=stopped)
    other = threading.Thread(target=lambda: list(tqdm(range(3), disable=True)), daemon=True)
    other.start()
    other.join(20)
    assert not other.is_alive()


WARM = """
import sys
from pathlib import Path
from workbench.projection import warm_up
assert "umap" not in sys.modules and "numba" not in sys.modules
warm_up(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_what_was_compiled_is_kept_in_the_folder(tmp_path: Path) -> None:
    elsewhere = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    subprocess.run([sys.executable, "-c", WARM, str(tmp_path)], check=True, timeout=280, env=elsewhere)
    assert any("optimize_layout" in path.name for path in tmp_path.rglob("*.nbc"))
