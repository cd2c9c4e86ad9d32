"""The pictures of a report as SVG text: drawn from numbers, with every name escaped."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from html import escape

from workbench.evaluation.leaderboard import best_trade_offs
from workbench.evaluation.significance import Interval

COLOURS = ("#3b6fb6", "#d98032", "#3f9d78", "#8a63b5", "#c2566e", "#6d8a3a", "#2f97a8", "#8c7356")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 760, 380, 64, 52, 18, 24


_OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def escaped(text: str) -> str:
    """Escape for text and attributes; control characters and direction overrides are replaced."""
    kept = "".join(
        "�" if c not in "\n\t" and (unicodedata.category(c) in ("Cc", "Cs") or c in _OVERRIDES) else c
        for c in text
    )
    return escape(kept, quote=True)


def colour(number: int) -> str:
    """Return the colour of a configuration by its place."""
    return COLOURS[number % len(COLOURS)]


def trade_off_picture(
    points: Mapping[str, tuple[float, Interval]], cost_label: str, quality_label: str
) -> str:
    """Return quality against cost with intervals as whiskers, the best trade-offs joined by a line."""
    if not points:
        return ""
    largest = max(cost for cost, _ in points.values()) * 1.08 or 1.0
    low = min(i.low for _, i in points.values())
    high = max(i.high for _, i in points.values())
    margin = max(0.02, (high - low) * 0.08)
    low, high = max(0.0, low - margin), high + margin
    x_ticks, y_ticks = ticks(0.0, largest), ticks(low, high)

    def x(cost: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * cost / largest

    def y(quality: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * (quality - low) / (high - low)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escaped(quality_label)} against {escaped(cost_label)}">'
    ]
    for value in y_ticks:
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        )
        parts.append(_text(_LEFT - 8, y(value) + 4, f"{100 * value:g}", "tick end"))
    for value in x_ticks:
        parts.append(_text(x(value), _HEIGHT - _BOTTOM + 18, f"{value:,.0f}", "tick middle"))
    best = best_trade_offs({name: (cost, i.value) for name, (cost, i) in points.items()})
    line = " ".join(f"{x(points[name][0]):.1f},{y(points[name][1].value):.1f}" for name in best)
    parts.append(f'<polyline class="front" points="{line}"/>')
    for number, (name, (cost, interval)) in enumerate(points.items()):
        at, paint = x(cost), colour(number)
        ends = f'y1="{y(interval.low):.1f}" y2="{y(interval.high):.1f}"'
        parts.append(
            f"<g><title>{escaped(name)}: {100 * interval.value:.1f} [{100 * interval.low:.1f}, "
            f"{100 * interval.high:.1f}], {cost:,.0f}</title>"
            f'<line x1="{at:.1f}" x2="{at:.1f}" {ends} stroke="{paint}" stroke-opacity=".45" stroke-width="2"/>'
            f'<circle cx="{at:.1f}" cy="{y(interval.value):.1f}" r="5.5" fill="{paint}"/></g>'
        )
        side = "end" if at > _WIDTH * 0.75 else "start"
        shift = -9 if side == "end" else 9
        parts.append(_text(at + shift, y(interval.value) - 7, _shortened(name, 34), f"name {side}"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, cost_label, "axis middle"))
    parts.append(_text(_LEFT, _TOP - 6, quality_label, "axis start"))
    return "".join(parts) + "</svg>"


def bar(interval: Interval, highest: float, number: int) -> str:
    """Return a small bar with its interval, for a cell of the leaderboard."""
    scale = 150 / highest if highest > 0 else 0.0
    value, low, high = (max(0.0, v) * scale for v in (interval.value, interval.low, interval.high))
    return (
        f'<svg class="bar" viewBox="0 0 156 14" aria-hidden="true"><rect x="0" y="3" width="{value:.1f}" height="8" '
        f'rx="2" fill="{colour(number)}" fill-opacity=".75"/><line x1="{low:.1f}" x2="{high:.1f}" y1="7" y2="7" '
        'class="whisker"/></svg>'
    )


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers between the two.

    >>> ticks(0, 1000)
    [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    """
    rough = (high - low) / about
    if rough <= 0 or not math.isfinite(rough):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _text(x: float, y: float, text: str, css: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}">{escaped(text)}</text>'


def _shortened(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
