"""What the map sends and what it takes back."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.ui.components.scatter_map import (
    MISSING,
    MOST_GROUPS,
    SHADES,
    compacted,
    lassoed,
    map_data,
    shaded,
)

POINTS = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


@given(st.lists(st.integers(0, 30), min_size=1, max_size=80))
def test_legend_counts_add_up_and_codes_follow_it(groups: list[int]) -> None:
    codes, legend = compacted(groups, [f"g{n}" for n in range(31)])
    assert len(legend) <= MOST_GROUPS
    assert np.bincount(codes, minlength=len(legend)).tolist() == [entry["count"] for entry in legend]
    named = {int(groups[i]): legend[c]["name"] for i, c in enumerate(codes) if "other" not in legend[c]}
    assert all(name == f"g{group}" for group, name in named.items())
    sizes = [entry["count"] for entry in legend if "other" not in entry]
    assert sizes == sorted(sizes, reverse=True)


def test_eight_groups_all_have_a_name_and_a_ninth_makes_others() -> None:
    names = [f"g{n}" for n in range(9)]
    assert [e["name"] for e in compacted(range(8), names)[1]] == names[:8]
    legend = compacted(range(9), names)[1]
    assert (len(legend), legend[-1]) == (8, {"name": "2 others", "count": 2, "other": True})


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=50))
def test_shades_keep_the_order_of_values(values: list[float]) -> None:
    shades, low, high = shaded(values)
    assert low <= high
    assert shades.max() < SHADES
    order = np.argsort(values, kind="stable")
    assert (np.diff(shades[order].astype(int)) >= 0).all()


def test_points_arrive_as_they_were_given() -> None:
    data = map_data(POINTS, labels=["a", "b " * 200, "c"], hits=[2, 9, 0])
    assert np.frombuffer(base64.b64decode(data["x"]), "<f4").tolist() == [0, 2, 4]
    assert np.frombuffer(base64.b64decode(data["y"]), "<f4").tolist() == [1, 3, 5]
    assert [len(label) for label in data["labels"]] == [1, 80, 1]
    assert data["hits"] == [2, 0]


def test_the_signature_of_the_points_stays_when_colours_and_hits_change() -> None:
    first = map_data(POINTS, groups=[0, 1, 0], group_names=["a", "b"])
    second = map_data(POINTS, values=[1, 2, 3], hits=[1])
    assert first["sig"] == second["sig"]
    assert first["look"] != second["look"]
    assert map_data(POINTS + 1)["sig"] != first["sig"]


def test_lengths_that_differ_and_places_that_are_none_are_refused() -> None:
    with pytest.raises(SettingsError, match="3 points but 2 groups"):
        map_data(POINTS, groups=[0, 1])
    with pytest.raises(SettingsError, match="finite"):
        map_data(np.array([[np.nan, 0.0]]))


def test_no_points_are_a_map_too() -> None:
    assert map_data(np.zeros((0, 2)), groups=[], values=[])["hits"] == []


def test_indexes_of_no_point_are_left_out() -> None:
    assert lassoed({"indexes": [0, 2, 3, -1]}, 3) == [0, 2]
    assert lassoed({"indexes": []}, 3) == []
    assert lassoed(None, 3) is None


def test_a_value_that_is_not_known_is_grey_and_leaves_the_scale_alone() -> None:
    shades, low, high = shaded([0.0, np.nan, 1.0], (0.0, 1.0))
    assert shades.tolist() == [0, MISSING, SHADES - 1]
    assert (low, high) == (0.0, 1.0)
    assert shaded([np.nan])[0].tolist() == [MISSING]


def test_neighbours_are_sent_row_by_row() -> None:
    near = np.array([[1, 2], [0, 2], [1, 0]], np.int32)
    data = map_data(POINTS, neighbours=near, marked=[1, 7])
    assert data["neighbours"]["each"] == 2
    assert np.frombuffer(base64.b64decode(data["neighbours"]["rows"]), "<i4").tolist() == [1, 2, 0, 2, 1, 0]
    assert data["marked"] == [1]
    assert map_data(POINTS)["neighbours"] is None
    with pytest.raises(SettingsError, match="2 lists of neighbours"):
        map_data(POINTS, neighbours=near[:2])
