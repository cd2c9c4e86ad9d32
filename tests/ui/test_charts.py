"""Charts: bins that hold everything, names that stay text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.widgets import charts


@given(st.lists(st.lists(st.integers(0, 10_000), max_size=30), max_size=4))
def test_bins_hold_every_count(counts: list[list[int]]) -> None:
    edges = charts.bin_edges(counts)
    assert edges[0] == 0
    assert edges[-1] > max((max(c, default=0) for c in counts), default=0)
    assert len(edges) <= charts.BINS + 2


def test_a_histogram_counts_every_chunk_in_a_row_of_its_own() -> None:
    figure = charts.token_histogram({"a <b>": [3, 4, 200], "b": [5]}, window_tokens=256)
    assert [sum(trace.y) for trace in figure.data] == [3, 1]
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["a &lt;b&gt;", "b", "model window: 256"]


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [], "b": [1]}])
def test_nothing_to_count_is_an_empty_chart(series: dict[str, list[int]]) -> None:
    assert json.loads(charts.token_histogram(series).to_json())["layout"]["height"] > 0


def test_bars_and_dots_take_any_names() -> None:
    assert list(charts.bars({"<i>": 3}, unit="chunks").data[0].y) == ["&lt;i&gt;"]
    dots = charts.dots({"a": 0.5, "b": 0.6}, intervals={"a": (0.4, 0.7)})
    assert list(dots.data[0].error_x.arrayminus) == pytest.approx([0.1, 0])
    assert charts.bars({}).data[0].y in ((), [])


def test_trade_offs_are_drawn_in_points_with_their_intervals_and_the_best_joined() -> None:
    points = {"a<b>": (100.0, 0.5, 0.4, 0.7), "dear": (300.0, 0.4, 0.3, 0.5), "large": (400.0, 0.9, 0.8, 1.0)}
    figure = charts.trade_offs(points, ["a<b>", "large"], cost="tokens", quality="recall@5")
    line, first, *_ = figure.data
    assert (list(line.x), list(line.y)) == ([100.0, 400.0], [50.0, 90.0])
    assert first.name == "a&lt;b&gt;"
    assert (first.error_y.array[0], first.error_y.arrayminus[0]) == pytest.approx((20.0, 10.0))
