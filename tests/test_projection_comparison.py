"""Two maps compared: trust, correspondence, kept neighbours, turning, topics, against independent calculations."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from sklearn.manifold import trustworthiness

from workbench.projection import (
    Projection,
    correspondence,
    kept_neighbours,
    nearest_others,
    pca_projection,
    starting_points,
    topics,
    trust,
    turned_onto,
    umap_projection,
)
from workbench.projection import trust as trust_function
from workbench.records import Chunk, Vectors


def unit(count: int, dimension: int = 16, groups: int = 0, seed: int = 0) -> Vectors:
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(count, dimension))
    if groups:
        made = rng.normal(size=(groups, dimension))[np.arange(count) % groups] + 0.15 * made
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def chunk(document: str, start: int, end: int) -> Chunk:
    return Chunk(f"{document}{start}-{end}", document, 0, start, end, "x" * (end - start), 1, 1, 1)


# ── trust ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("k", [1, 5, 10])
def test_trustworthiness_agrees_with_scikit_learn(k: int) -> None:
    vectors = unit(300, groups=6)
    points = pca_projection(vectors).points
    found = trust(vectors, points, k)
    assert found is not None
    assert found.rows == 300
    # Distances on the unit sphere rank as cosines do.
    assert found.trustworthiness == pytest.approx(
        trustworthiness(vectors.astype(np.float64), points.astype(np.float64), n_neighbors=k), abs=1e-9
    )


def test_kept_share_agrees_with_neighbours_found_by_hand() -> None:
    vectors = unit(120, groups=4)
    points = pca_projection(vectors).points
    found = trust(vectors, points, 10)
    assert found is not None
    near, _ = nearest_others(vectors, 10)
    shares = []
    for row in range(120):
        distances = np.linalg.norm(points.astype(np.float64) - points[row].astype(np.float64), axis=1)
        distances[row] = np.inf
        shares.append(
            len(set(near[row].tolist()) & set(np.argsort(distances, kind="stable")[:10].tolist())) / 10
        )
    assert found.kept_share == pytest.approx(float(np.mean(shares)))


def test_a_picture_that_is_the_truth_is_trusted_wholly() -> None:
    # No two gaps are alike, so nothing ties.
    angles = np.linspace(0.2, 1.7, 40) ** 2
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    found = trust(vectors, vectors, 5)
    assert found is not None
    assert (found.trustworthiness, found.kept_share) == (1.0, 1.0)


@pytest.mark.slow
def test_large_maps_are_judged_by_a_seeded_share_of_their_rows() -> None:
    vectors = unit(2_300, groups=9)
    points = pca_projection(vectors).points
    found, again = trust(vectors, points, 10), trust(vectors, points, 10)
    assert found is not None
    assert (found.rows, found) == (2_000, again)
    assert found.trustworthiness == pytest.approx(
        trustworthiness(vectors.astype(np.float64), points.astype(np.float64), n_neighbors=10), abs=0.01
    )


def test_too_few_rows_have_no_trust_to_state() -> None:
    assert trust_function(unit(2), np.zeros((2, 2), np.float32)) is None
    assert trust_function(unit(4), np.zeros((4, 2), np.float32)) is not None


# ── correspondence ───────────────────────────────────────────────────────────────────────────────────────────────

cuts = st.lists(st.integers(0, 60), min_size=2, max_size=9, unique=True).map(sorted)


def chunks_of(document: str, places: list[int], overlap: int) -> list[Chunk]:
    return [chunk(document, max(0, a - overlap), b) for a, b in pairwise(places)]


@settings(max_examples=60)
@given(cuts, cuts, st.integers(0, 5), st.integers(0, 5))
def test_correspondence_is_what_comparing_all_with_all_finds(
    first: list[int], second: list[int], overlap: int, other_overlap: int
) -> None:
    a = chunks_of("d", first, overlap) + chunks_of("e", second, 0)
    b = chunks_of("d", second, other_overlap)
    found = correspondence(a, b)
    shared = {
        (i, j): min(x.end, y.end) - max(x.start, y.start)
        for i, x in enumerate(a)
        for j, y in enumerate(b)
        if x.document_id == y.document_id and min(x.end, y.end) > max(x.start, y.start)
    }
    assert {tuple(pair): int(n) for pair, n in zip(found.pairs.tolist(), found.shared, strict=True)} == shared
    for i in range(len(a)):
        own = {j: n for (row, j), n in shared.items() if row == i}
        assert found.forth[i] == (min(own, key=lambda j: (-own[j], j)) if own else -1)
    for j in range(len(b)):
        own = {i: n for (i, row), n in shared.items() if row == j}
        assert found.back[j] == (min(own, key=lambda i: (-own[i], i)) if own else -1)


def test_the_same_cut_keeps_exactly_the_neighbours_that_are_in_both_lists() -> None:
    same = [chunk("d", 10 * i, 10 * i + 10) for i in range(60)]
    near, _ = nearest_others(unit(60, seed=1), 10)
    other, _ = nearest_others(unit(60, seed=2), 10)
    found = correspondence(same, same)
    kept = kept_neighbours(near, other, found.forth, found.back)
    by_hand = [len(set(a) & set(b)) / 10 for a, b in zip(near.tolist(), other.tolist(), strict=True)]
    assert kept.tolist() == pytest.approx(by_hand)
    assert kept_neighbours(near, near, found.forth, found.back).tolist() == [1.0] * 60


def test_a_neighbour_that_was_joined_with_its_chunk_or_cut_in_two_is_kept() -> None:
    # Three passages 0–10, 10–20, 20–30; there, the first two are one chunk and the third is cut in two.
    here = [chunk("d", 0, 10), chunk("d", 10, 20), chunk("d", 20, 30)]
    there = [chunk("d", 0, 20), chunk("d", 20, 24), chunk("d", 24, 30)]
    found = correspondence(here, there)
    near = np.array([[1], [2], [1]], np.int32)
    # There the joined chunk's neighbour is the small half of the third passage, whose counterpart is the large half.
    near_there = np.array([[1], [0], [0]], np.int32)
    kept = kept_neighbours(near, near_there, found.forth, found.back)
    # Row 0: its neighbour 1 is in its own chunk now. Row 1: passage 2 is reached by its small half. Row 2: its
    # counterpart 24–30 has the joined chunk, which is where passage 1 is.
    assert kept.tolist() == [1.0, 1.0, 1.0]


def test_a_chunk_without_a_counterpart_has_no_figure() -> None:
    here, there = [chunk("d", 0, 10), chunk("e", 0, 10)], [chunk("d", 0, 10)]
    found = correspondence(here, there)
    kept = kept_neighbours(
        np.array([[1], [0]], np.int32), np.zeros((1, 0), np.int32), found.forth, found.back
    )
    assert kept[0] == 0.0
    assert np.isnan(kept[1])


def test_points_begin_at_the_shared_characters_weighted_mean() -> None:
    here = [chunk("d", 0, 10), chunk("d", 10, 40)]
    there = [chunk("d", 0, 20), chunk("d", 20, 40), chunk("e", 0, 5)]
    points = np.array([[0, 0], [3, 6]], np.float32)
    begun = starting_points(points, correspondence(here, there), 3)
    # 0–20 shares ten characters with each: halfway. 20–40 lies in the second alone.
    assert begun[:2].tolist() == [[1.5, 3.0], [3.0, 6.0]]
    assert np.isfinite(begun[2]).all()


# ── turning ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turned_mirrored_and_moved_map_is_brought_back() -> None:
    points = np.random.default_rng(3).normal(size=(50, 2)).astype(np.float32)
    turn = np.array([[0.6, -0.8], [-0.8, -0.6]]) * 2.5
    moved = (points @ turn + np.array([4.0, -7.0])).astype(np.float32)
    made = Projection("umap", moved, unit(50))
    assert turned_onto(made, np.arange(50), points).points == pytest.approx(points, abs=1e-4)


def test_turning_is_as_close_as_scipy_finds_possible() -> None:
    rng = np.random.default_rng(4)
    points, wanted = rng.normal(size=(2, 40, 2))
    made = turned_onto(Projection("umap", points.astype(np.float32), unit(40)), np.arange(40), wanted)
    _, _, disparity = procrustes(wanted, points)
    size = float(((wanted - wanted.mean(axis=0)) ** 2).sum())
    assert float(((made.points - wanted) ** 2).sum()) / size == pytest.approx(disparity, abs=1e-5)


def test_a_turned_map_by_pca_places_further_vectors_where_its_own_lie() -> None:
    vectors = unit(60)
    wanted = np.random.default_rng(5).normal(size=(60, 2)).astype(np.float32)
    turned = turned_onto(pca_projection(vectors), np.arange(60), wanted)
    assert turned.transform(vectors) == pytest.approx(turned.points, abs=1e-4)


def test_a_map_of_equal_points_stays_as_it_is() -> None:
    flat = Projection("umap", np.zeros((5, 2), np.float32), unit(5))
    assert turned_onto(flat, np.arange(5), np.ones((5, 2), np.float32)) is flat


@pytest.mark.slow
def test_umap_begun_at_given_points_keeps_their_arrangement() -> None:
    vectors = unit(200, groups=5)
    first = umap_projection(vectors)
    second = umap_projection(vectors, start=first.points, seed=1)
    aligned = turned_onto(second, np.arange(200), first.points)
    assert np.corrcoef(aligned.points[:, 0], first.points[:, 0])[0, 1] > 0.8
    assert np.corrcoef(aligned.points[:, 1], first.points[:, 1])[0, 1] > 0.8


# ── topics ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_topics_find_the_groups_and_name_them_by_what_sets_them_apart() -> None:
    words = ["battery charging cell", "ticket fare refund", "camera recording privacy"]
    vectors = unit(72, groups=3, seed=7)
    texts = [f"the tram and {words[i % 3]} {words[i % 3].split()[i % 2]}" for i in range(72)]
    found = topics(vectors, texts)
    assert np.array_equal(found.numbers, topics(vectors, texts).numbers)
    for group in range(3):
        assert len(set(found.numbers[group::3].tolist())) == 1
        label = found.labels[int(found.numbers[group])]
        assert set(label.split(", ")) == set(words[group].split())


@pytest.mark.parametrize("count", [0, 1, 4, 9, 10])
def test_few_chunks_have_few_topics(count: int) -> None:
    found = topics(unit(count), ["one two three"] * count)
    assert len(found.numbers) == count
    assert set(found.numbers.tolist()) <= set(range(max(1, len(found.labels))))


def test_topics_of_texts_without_words_are_numbered() -> None:
    found = topics(unit(20, groups=2), ["12 34"] * 20)
    assert found.labels == ("topic 1", "topic 2")
