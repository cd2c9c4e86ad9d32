"""Small Plotly charts in the colours of the theme, without a mode bar.

Each function makes a figure; ``show`` draws one. Colours come from Streamlit's theme at drawing time, so a figure
follows a switch between light and dark.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

# Registers the template "streamlit", which otherwise exists only after the first chart is drawn.
import streamlit.elements.plotly_chart

BINS = 36
GREY = "#8a94a3"
"""Legible on both backgrounds: for lines that belong to no configuration."""


def show(figure: go.Figure, key: str) -> None:
    """Draw a figure as wide as its place, with the theme's type and colours."""
    st.plotly_chart(
        figure,
        width="stretch",
        theme="streamlit",
        key=key,
        config={"displayModeBar": False, "displaylogo": False, "scrollZoom": False},
    )


def bin_edges(counts: Sequence[Sequence[int]], bins: int = BINS) -> list[float]:
    """Return common bin edges for several series: whole numbers, round widths, from 0 to past the largest.

    >>> bin_edges([[3, 9], [12]], bins=4)
    [0.0, 5.0, 10.0, 15.0]
    """
    largest = max((max(series, default=0) for series in counts), default=0)
    width = max(1.0, largest / bins)
    step = next(base * 10**power for power in range(10) for base in (1, 2, 5) if base * 10**power >= width)
    return [float(edge) for edge in range(0, (int(largest // step) + 1) * step + 1, step)]


def token_histogram(
    series: Mapping[str, Sequence[int]], *, window_tokens: int | None = None, height: int | None = None
) -> go.Figure:
    """Return how many chunks have how many tokens: a row per configuration, one scale of tokens for all.

    Each row has its own height, so that a config with few chunks is as readable as one with many; hovering tells the
    numbers. ``window_tokens`` draws the model's limit: chunks right of it are not read to their end.
    """
    rows = max(1, len(series))
    edges = bin_edges(list(series.values()))
    ranges = [f"{a:,.0f}–{b - 1:,.0f}" for a, b in itertools.pairwise(edges)]
    # Between the rows there is room for the name of the lower one.
    spacing = 0.34 / rows
    row_height = (1 - spacing * (rows - 1)) / rows
    suffixes = ["", *map(str, range(2, rows + 1))]
    lines, names, limits = [], [], []
    axes: dict[str, Any] = {}
    for row, (suffix, (name, values)) in enumerate(zip(suffixes, series.items() or [("", [])], strict=True)):
        counts = np.histogram(values, bins=edges)[0].tolist()
        lines.append(
            {
                "type": "scatter",
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                # A point at each edge, and one back on the ground at either end.
                "x": [edges[0], *edges],
                "y": [0, *counts, 0],
                "customdata": ["", *ranges, ""],
                "mode": "lines",
                "line": {"shape": "hv", "width": 1.6, "color": _colour(row)},
                "fill": "tozeroy",
                "hovertemplate": "%{customdata} tokens: %{y:,} chunks<extra></extra>",
            }
        )
        lowest = row == rows - 1
        top = 1 - row * (row_height + spacing)
        axes[f"xaxis{suffix}"] = _FIXED | {
            "anchor": f"y{suffix}",
            "range": [0, max(edges[-1], 1.06 * (window_tokens or 0))],
            "showticklabels": lowest,
            "title": {"text": "tokens in a chunk" if lowest else ""},
        }
        axes[f"yaxis{suffix}"] = _FIXED | {
            "anchor": f"x{suffix}",
            "domain": [max(0.0, top - row_height), top],
            "rangemode": "tozero",
            "nticks": 2 if rows > 1 else 5,
        }
        if rows > 1:
            names.append(
                _NOTE
                | {"xref": "x domain", "yref": f"y{suffix} domain", "x": 0, "y": 1, "xanchor": "left"}
                | {"text": _text(name), "font": {"size": 12}}
            )
        if window_tokens:
            limits.append(
                {"type": "line", "line": {"dash": "dot", "width": 1.4, "color": GREY}}
                | {"xref": f"x{suffix}", "x0": window_tokens, "x1": window_tokens}
                | {"yref": f"y{suffix} domain", "y0": 0, "y1": 1}
            )
    if window_tokens:
        side = "right" if window_tokens > 0.6 * edges[-1] else "left"
        names.append(
            _NOTE
            | {"xref": "x", "yref": "paper", "x": window_tokens, "y": 1, "xanchor": side}
            | {"text": f"model window: {window_tokens:,}", "font": {"size": 11, "color": GREY}}
        )
    # In one piece: put together by calls, it took most of a run after a slider was moved.
    return go.Figure(
        lines,
        _layout(height or 78 + (110 if rows == 1 else 78 * rows))
        | axes
        | {"annotations": names, "shapes": limits, "showlegend": False},
    )


def bars(values: Mapping[str, float], *, unit: str = "", height: int | None = None) -> go.Figure:
    """Return horizontal bars, in the order given from the top, with their values written at the end."""
    names = [_text(name) for name in values]
    figure = _figure(height or 40 + 30 * max(1, len(names)))
    figure.add_bar(
        x=list(values.values()),
        y=names,
        orientation="h",
        marker={"color": _colour(0), "cornerradius": 4},
        text=[f"{value:,.6g}{' ' + unit if unit else ''}" for value in values.values()],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", title_text=None, showgrid=False)
    # Room for the text beside the longest bar.
    figure.update_xaxes(title_text=None, range=[0, 1.22 * max([*values.values(), 0]) or 1])
    return figure


def dots(
    values: Mapping[str, float],
    *,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    label: str = "",
    height: int | None = None,
) -> go.Figure:
    """Return one dot per name, with its interval ``(low, high)`` where one is known."""
    names = list(values)
    points = list(values.values())
    figure = _figure(height or 60 + 30 * max(1, len(names)))
    error: dict[str, Any] | None = None
    if intervals:
        known = [intervals.get(name, (values[name], values[name])) for name in names]
        error = {
            "type": "data",
            "symmetric": False,
            "array": [high - value for (_, high), value in zip(known, points, strict=True)],
            "arrayminus": [value - low for (low, _), value in zip(known, points, strict=True)],
            "thickness": 1.5,
            "width": 0,
        }
    figure.add_scatter(
        x=points,
        y=[_text(name) for name in names],
        mode="markers",
        marker={"size": 10, "color": _colour(0)},
        error_x=error,
        hovertemplate="%{y}: %{x:.4g}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", title_text=None)
    figure.update_xaxes(title_text=label or None)
    return figure


def stacked_bars(
    places: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    label: str,
    unit: str = "",
    height: int = 260,
) -> go.Figure:
    """Return one bar per place, made of a piece per name."""
    figure = _figure(height)
    for place, (name, values) in enumerate(series.items()):
        figure.add_bar(
            x=[_text(text) for text in places],
            y=list(values),
            name=_text(name),
            marker={"color": _colour(place)},
            hovertemplate=f"{_text(name)}: %{{y:,.3g}}{' ' + unit if unit else ''}",
        )
    figure.update_layout(barmode="stack", hovermode="x unified", legend={"traceorder": "normal"})
    figure.update_xaxes(type="category", title_text=None)
    figure.update_yaxes(title_text=label, rangemode="tozero")
    return figure


def lines(
    places: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    label: str,
    unit: str = "",
    height: int = 260,
) -> go.Figure:
    """Return one line per name over the same places; None is a gap."""
    figure = _figure(height)
    for place, (name, values) in enumerate(series.items()):
        figure.add_scatter(
            x=[_text(text) for text in places],
            y=list(values),
            name=_text(name),
            mode="lines+markers",
            line={"width": 1.8, "color": _colour(place)},
            marker={"size": 6, "color": _colour(place)},
            hovertemplate=f"{_text(name)}: %{{y:,.3g}}{' ' + unit if unit else ''}<extra></extra>",
        )
    figure.update_layout(hovermode="x unified", showlegend=len(series) > 1)
    figure.update_xaxes(type="category", title_text=None)
    figure.update_yaxes(title_text=label, rangemode="tozero")
    return figure


def trade_offs(
    points: Mapping[str, tuple[float, float, float, float]],
    joined: Sequence[str],
    *,
    cost: str,
    quality: str,
    height: int = 400,
) -> go.Figure:
    """Return name → (cost, value, low, high) as dots with intervals, some joined by a line; shares become points of 100."""
    figure = _figure(height)
    figure.add_scatter(
        x=[points[name][0] for name in joined],
        y=[100 * points[name][1] for name in joined],
        mode="lines",
        line={"dash": "dot", "width": 1.6, "color": GREY},
        hoverinfo="skip",
        showlegend=False,
    )
    for place, (name, (amount, value, low, high)) in enumerate(points.items()):
        figure.add_scatter(
            x=[amount],
            y=[100 * value],
            name=_text(name),
            mode="markers",
            marker={"size": 12, "color": _colour(place)},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [100 * (high - value)],
                "arrayminus": [100 * (value - low)],
                "thickness": 1.5,
                "width": 0,
            },
            hovertemplate=f"%{{y:.1f}} [{100 * low:.1f}, {100 * high:.1f}]<br>%{{x:,.0f}} {cost}",
        )
    figure.update_xaxes(title_text=cost, rangemode="tozero")
    figure.update_yaxes(title_text=quality)
    return figure


def _colour(place: int) -> str:
    # Streamlit's stand-ins for the theme's chart colours; the browser puts the real ones in.
    return f"#{place % 8 + 1:06d}"


def _text(name: str) -> str:
    # Plotly reads a few tags in names; as entities they are letters.
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_FIXED = {"fixedrange": True, "automargin": True}
_NOTE = {"showarrow": False, "yanchor": "bottom"}


def _layout(height: int) -> dict[str, Any]:
    return {
        "template": "streamlit",
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 22, "b": 8},
        "hovermode": "closest",
        "dragmode": False,
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": {"text": ""}},
        "bargap": 0.35,
    }


def _figure(height: int) -> go.Figure:
    return go.Figure(layout=_layout(height) | {"xaxis": _FIXED, "yaxis": _FIXED})
