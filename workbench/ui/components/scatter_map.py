"""A map of points on a canvas: hover, click, lasso, zoom, and a question with lines to its hits.

    event = scatter_map(xy, key="map", groups=document_numbers, group_names=titles, labels=heads)
    if event.lasso: …  # indexes into xy

Mount it inside ``@st.fragment``: every changed argument sends all points again. The view stays where the user left it
until other points come.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import streamlit as st

from workbench.errors import SettingsError
from workbench.records import content_digest, digest
from workbench.table_cells import one_line
from workbench.ui.components._source import source

MOST_GROUPS = 8
MOST_LABELS = 20_000
LABEL_CHARACTERS = 80
SHADES = 32
MISSING = SHADES
"""The code of a point whose value is NaN: drawn grey."""
QUANTILES = (0.02, 0.98)

Points = npt.NDArray[np.floating[Any]]


class MapEvent(NamedTuple):
    """What the user just did: the index clicked, the indexes in the lasso (empty: selection taken back)."""

    point: int | None
    lasso: list[int] | None


def compacted(
    groups: Sequence[int], names: Sequence[str]
) -> tuple[npt.NDArray[np.uint8], list[dict[str, Any]]]:
    """Return a code per point and the legend: the largest groups by size, the rest together as the last one.

    >>> codes, legend = compacted([5, 5, 2], ["", "", "two", "", "", "five"])
    >>> codes.tolist(), [entry["name"] for entry in legend]
    ([0, 0, 1], ['five', 'two'])
    """
    values = np.asarray(groups, np.int64)
    present, counts = np.unique(values, return_counts=True)
    order = np.lexsort((present, -counts))
    shown = order if len(order) <= MOST_GROUPS else order[: MOST_GROUPS - 1]
    code_of = np.full(len(present), len(shown), np.uint8)
    code_of[shown] = np.arange(len(shown), dtype=np.uint8)
    legend = [
        {"name": names[g] if g < len(names) else f"Group {g + 1}", "count": int(counts[i])}
        for i in shown
        for g in [int(present[i])]
    ]
    if len(shown) < len(order):
        rest = len(order) - len(shown)
        count = int(counts.sum() - counts[shown].sum())
        legend.append({"name": f"{rest} others", "count": count, "other": True})
    return code_of[np.searchsorted(present, values)], legend


def shaded(
    values: Sequence[float], scale: tuple[float, float] | None = None
) -> tuple[npt.NDArray[np.uint8], float, float]:
    """Return a shade per point, 0 to 31, and the values at both ends of the scale; outliers take the end's shade.

    ``scale`` sets the ends; without it they are the 2nd and the 98th percentile. NaN has the shade ``MISSING``.
    """
    numbers = np.asarray(values, np.float64)
    known = np.isfinite(numbers)
    if not known.any():
        low, high = scale or (0.0, 0.0)
        return np.full(numbers.shape, MISSING, np.uint8), low, high
    if scale is None:
        low, high = (float(v) for v in np.quantile(numbers[known], QUANTILES))
        if high <= low:
            low, high = float(numbers[known].min()), float(numbers[known].max())
    else:
        low, high = scale
    span = (high - low) or 1.0
    shades = np.clip((np.where(known, numbers, low) - low) / span * (SHADES - 1), 0, SHADES - 1)
    return np.where(known, np.rint(shades), MISSING).astype(np.uint8), low, high


def map_data(
    xy: Points,
    *,
    groups: Sequence[int] | None = None,
    group_names: Sequence[str] = (),
    values: Sequence[float] | None = None,
    value_label: str = "",
    value_scale: tuple[float, float] | None = None,
    labels: Sequence[str] | None = None,
    question: tuple[float, float] | None = None,
    hits: Sequence[int] = (),
    neighbours: npt.NDArray[np.int32] | None = None,
    marked: Sequence[int] = (),
    height: int = 560,
    noun: str = "chunks",
    sig: str | None = None,
) -> dict[str, Any]:
    """Return what is sent to the browser."""
    points = np.ascontiguousarray(xy, "<f4").reshape(-1, 2)
    count = len(points)
    for name, given in (
        ("groups", groups),
        ("values", values),
        ("labels", labels),
        ("lists of neighbours", neighbours),
    ):
        if given is not None and len(given) != count:
            raise SettingsError(f"the map has {count} points but {len(given)} {name}")
    if not np.isfinite(points).all():
        raise SettingsError("the map has points without a place: every coordinate must be a finite number")
    colour: dict[str, Any] = {"kind": "one"}
    codes = np.zeros(count, np.uint8)
    if values is not None:
        codes, low, high = shaded(values, value_scale)
        colour = {"kind": "scale", "label": value_label, "low": low, "high": high}
    elif groups is not None:
        codes, legend = compacted(groups, group_names)
        colour = {"kind": "groups", "legend": legend}
    shown_labels = [] if labels is None or count > MOST_LABELS else [_short(label) for label in labels]
    return {
        "x": _base64(points[:, 0]),
        "y": _base64(points[:, 1]),
        "codes": _base64(codes),
        "sig": sig or content_digest(points.tobytes()),
        "look": digest([colour, content_digest(codes.tobytes())]),
        "colour": colour,
        "labels": shown_labels,
        "question": None if question is None else [float(question[0]), float(question[1])],
        "hits": [int(i) for i in hits if 0 <= int(i) < count],
        "neighbours": None
        if neighbours is None or neighbours.shape[1] == 0
        else {"each": neighbours.shape[1], "rows": _base64(neighbours.astype("<i4"))},
        "marked": [int(i) for i in marked if 0 <= int(i) < count],
        "height": height,
        "noun": noun,
    }


def lassoed(value: Any, count: int) -> list[int] | None:
    """Return the indexes that the browser sent, without those that no point has."""
    if value is None:
        return None
    return [int(i) for i in value.get("indexes", []) if 0 <= int(i) < count]


def _short(label: str) -> str:
    line = one_line(label[: 4 * LABEL_CHARACTERS])
    return line if len(line) <= LABEL_CHARACTERS else line[: LABEL_CHARACTERS - 1] + "…"


def _base64(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


_ICONS = {
    "lasso": "M8 2.5c3.3 0 6 1.7 6 4s-2.7 4-6 4-6-1.7-6-4 2.7-4 6-4ZM4.6 9.8c-.9.8-.9 2.2.2 2.7 1 .4 1.2 1.5.2 2",
    "move": "M8 1.5v13M1.5 8h13M8 1.5 6.2 3.4M8 1.5l1.8 1.9M8 14.5l-1.8-1.9M8 14.5l1.8-1.9"
    "M1.5 8l1.9-1.8M1.5 8l1.9 1.8M14.5 8l-1.9-1.8M14.5 8l-1.9 1.8",
    "nearer": "M8 3v10M3 8h10",
    "farther": "M3 8h10",
    "fit": "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
}


def _button(name: str, title: str, text: str = "") -> str:
    icon = f'<svg viewBox="0 0 16 16" aria-hidden="true"><path d="{_ICONS[name]}"/></svg>'
    return (
        f'<button type="button" data-tool="{name}" title="{title}" aria-label="{title}">{icon}{text}</button>'
    )


_mount = st.components.v2.component(
    "workbench_scatter_map",
    html='<div class="map"><div class="bar"><div class="tools" role="toolbar" aria-label="Map tools">'
    + _button("lasso", "Draw around points to select them", "Select")
    + _button("move", "Drag the map; or hold Shift while selecting", "Move")
    + _button("nearer", "Zoom in")
    + _button("farther", "Zoom out")
    + _button("fit", "Show everything again", "Reset")
    + '</div><div class="legend"></div></div><div class="field"><canvas class="layer"></canvas>'
    '<canvas class="canvas" tabindex="0" role="application"></canvas></div>'
    '<div class="foot"><span class="said" aria-live="polite"></span><span class="hint"></span></div></div>'
    '<div class="tip" role="presentation"></div>',
    css=source("tip.css", "scatter_map.css"),
    js=source("tip.js", "scatter_geometry.js", "scatter_pixels.js", "scatter_map.js"),
)


def scatter_map(
    xy: Points,
    key: str,
    *,
    groups: Sequence[int] | None = None,
    group_names: Sequence[str] = (),
    values: Sequence[float] | None = None,
    value_label: str = "",
    value_scale: tuple[float, float] | None = None,
    labels: Sequence[str] | None = None,
    question: tuple[float, float] | None = None,
    hits: Sequence[int] = (),
    neighbours: npt.NDArray[np.int32] | None = None,
    marked: Sequence[int] = (),
    height: int = 560,
    noun: str = "chunks",
    sig: str | None = None,
    on_click: Callable[[], None] | None = None,
    on_lasso: Callable[[], None] | None = None,
) -> MapEvent:
    """Draw points and return what was clicked or selected.

    ``xy``: ``(n, 2)``, finite. Colour comes from ``groups`` (an index into ``group_names`` per point; the eight largest
    get a colour, or seven and "others") or from ``values`` (a continuous scale, named ``value_label``, its ends
    ``value_scale``; NaN is grey). Lines join a point that is picked or pointed at with its ``neighbours``, ``(n, k)``
    rows; the points ``marked`` have a ring. ``labels`` are shown in the tip, cut at 80 characters, up to 20,000 points. ``hits`` are indexes in rank order; ``question`` is where
    the question stands. ``sig`` names the set of points (their own digest when None): the view is kept while it
    stays. The callbacks find the values in ``st.session_state[key]["clicked"]`` (``{"index"}``) and ``["lasso"]``
    (``{"indexes"}``). Raises ``SettingsError`` when lengths differ or a coordinate is not finite.
    """
    data = map_data(
        xy,
        groups=groups,
        group_names=group_names,
        values=values,
        value_label=value_label,
        value_scale=value_scale,
        labels=labels,
        question=question,
        hits=hits,
        neighbours=neighbours,
        marked=marked,
        height=height,
        noun=noun,
        sig=sig,
    )
    result = _mount(
        key=key, data=data, on_clicked_change=on_click or _nothing, on_lasso_change=on_lasso or _nothing
    )
    return _event(result, len(xy))


def map_event(key: str, count: int) -> MapEvent:
    """Return what the user just did on the map ``key`` of ``count`` points, before it is drawn again."""
    return _event(st.session_state.get(key) or {}, count)


def _event(values: Any, count: int) -> MapEvent:
    clicked = values.get("clicked")
    index = int(clicked["index"]) if clicked else None
    return MapEvent(
        index if index is not None and 0 <= index < count else None,
        lassoed(values.get("lasso"), count),
    )


def _nothing() -> None:
    """The events are in the result; Streamlit lists only those that have a callback."""
