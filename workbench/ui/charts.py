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
    series: Mapping[str, Sequence[int]], *, window_tokens: int | None = None, height: int = 190
) -> go.Figure:
    """Return how many chunks have how many tokens, one stepped line per configuration on common bins.

    ``window_tokens`` draws the model's limit: chunks right of it are not read to their end.
    """
    figure = _figure(height)
    plain = {name: [int(v) for v in values] for name, values in series.items()}
    edges = bin_edges(list(plain.values()))
    middles = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    for place, (name, values) in enumerate(plain.items()):
        counts = np.histogram(values, bins=edges)[0].tolist() if len(edges) > 1 else []
        ranges = [f"{a:.0f}–{b:.0f}" for a, b in itertools.pairwise(edges)]
        figure.add_scatter(
            x=middles,
            y=counts,
            customdata=ranges,
            name=_text(name),
            mode="lines",
            line={"shape": "hvh", "width": 1.8},
            fill="tozeroy" if len(plain) == 1 or place == 0 else None,
            opacity=0.95,
            hovertemplate="%{customdata} tokens: %{y} chunks<extra>%{fullData.name}</extra>",
        )
    if window_tokens:
        figure.add_vline(x=window_tokens, line={"dash": "dot", "width": 1.5, "color": GREY})
        figure.add_annotation(
            x=window_tokens,
            y=1,
            yref="paper",
            text=f"model window, {window_tokens:,}",
            showarrow=False,
            xanchor="right" if window_tokens > 0.6 * (edges[-1] if edges else 0) else "left",
            yanchor="bottom",
            font={"size": 11, "color": GREY},
        )
    figure.update_xaxes(title_text="tokens in a chunk", rangemode="tozero")
    figure.update_yaxes(title_text="chunks", rangemode="tozero")
    figure.update_layout(showlegend=len(plain) > 1)
    return figure


def bars(values: Mapping[str, float], *, unit: str = "", height: int | None = None) -> go.Figure:
    """Return horizontal bars, in the order given from the top, with their values written at the end."""
    names = [_text(name) for name in values]
    figure = _figure(height or 40 + 30 * max(1, len(names)))
    figure.add_bar(
        x=list(values.values()),
        y=names,
        orientation="h",
        text=[f"{value:,.6g}{' ' + unit if unit else ''}" for value in values.values()],
        textposition="auto",
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", title_text=None, showgrid=False)
    figure.update_xaxes(title_text=None, rangemode="tozero")
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
        marker={"size": 10},
        error_x=error,
        hovertemplate="%{y}: %{x:.4g}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", title_text=None)
    figure.update_xaxes(title_text=label or None)
    return figure


def _text(name: str) -> str:
    # Plotly reads a few tags in names; as entities they are letters.
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _figure(height: int) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 22, "b": 8},
        hovermode="closest",
        dragmode=False,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title_text": ""},
        bargap=0.35,
    )
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True)
    return figure
