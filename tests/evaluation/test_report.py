"""The report stands alone, shows the figures that were measured, and runs nothing."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from workbench.evaluation.checks import Finding
from workbench.evaluation.leaderboard import as_csv, as_json, best_trade_offs, interval_of, rows
from workbench.evaluation.report import LostAnswer, QuestionStory, Report, html, shown
from workbench.evaluation.scoring import Scores
from workbench.evaluation.significance import bootstrap_interval, wilson
from workbench.evaluation.verdict import verdict

EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>\u202eevil\x00"


def scored(name: str, shift: float, tokens: float) -> Scores:
    rng = np.random.default_rng(7)
    recall = np.clip(rng.random(80) * 0.8 + shift, 0, 1)
    values = {
        "recall@5": recall,
        "hit@5": (recall > 0.4).astype(float),
        "iou@5": recall / 10,
        "tokens_shown@5": np.full(80, tokens),
        "precision_omega": recall / 3,
    }
    return Scores(name, tuple(f"q{i}" for i in range(80)), values)


CONFIGS = [scored("small", 0.0, 700), scored(EVIL, 0.12, 1200), scored("=wide", 0.05, 2400)]


def report() -> Report:
    return Report(
        title=f"Report {EVIL}",
        created_at_utc="2024-05-01 10:00",
        question_set_name=EVIL,
        question_set_hash="a" * 32,
        verdict=verdict(CONFIGS),
        rows=rows(CONFIGS),
        costs={EVIL: {"chunks": "1,204", EVIL: EVIL}},
        questions=[QuestionStory(EVIL, (EVIL,), (LostAnswer(EVIL, EVIL),))],
        findings=[Finding("elsewhere", EVIL)] * 41,
        config_yaml={EVIL: f"name: {EVIL}", "small": "name: small"},
        about={EVIL: EVIL},
    )


class Tags(HTMLParser):
    """Collects tags and attributes as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "line", "rect", "circle", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_no_text_becomes_markup_and_nothing_is_fetched() -> None:
    page = html(report())
    seen = Tags()
    seen.feed(page)
    assert seen.open == []
    assert not {"script", "img", "link", "iframe", "object"} & {*seen.tags}
    assert not {name for name in seen.attributes if name.startswith("on")} | (
        {"src", "href"} & seen.attributes
    )
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>alert('x')</script>" in seen.text
    assert "\u202e" not in page
    assert "\x00" not in page


def test_the_report_shows_verdict_figures_and_reasons() -> None:
    page = html(report())
    found = interval_of(rows(CONFIGS), "small", "recall@5")
    assert found is not None
    assert f"<b>{100 * found.value:.1f}</b>" in page
    for part in (
        "Leaderboard",
        "Quality against text shown",
        "Is the difference real?",
        "What it costs",
        "and 1 more",
        "Worst questions",
        "Configurations",
        "a" * 32,
        "winner",
    ):
        assert part in page


def test_a_report_of_nothing_is_still_a_page() -> None:
    page = html(Report("Empty", "now", "none", "0", verdict([]), []))
    assert "choose configurations and a question set" in page


def test_every_row_is_what_the_single_calculation_gives() -> None:
    found = rows(CONFIGS)
    assert len(found) == 15
    for scores in CONFIGS:
        for measure, values in scores.values.items():
            row = next(r for r in found if r.config == scores.config and r.measure == measure)
            single = wilson(values.sum(), 80) if measure == "hit@5" else bootstrap_interval(values)
            assert (row.value, row.low, row.high) == pytest.approx(
                (single.value, single.low, single.high), abs=1e-12
            )
            assert row.questions == 80
    assert interval_of(found, "small", "bleu") is None


def test_figures_for_machines_are_harmless_and_complete() -> None:
    found = rows(CONFIGS)
    table = list(csv.DictReader(io.StringIO(as_csv(found).decode(), newline="")))
    assert [row["config"] for row in table[-5:]] == ["'=wide"] * 5
    assert float(table[0]["value"]) == found[0].value
    assert [row["k"] for row in table[:5]] == ["5", "5", "5", "5", ""]
    body = json.loads(as_json(found, {"question_set": "s"}))
    assert body["question_set"] == "s"
    assert body["figures"][0] == {
        "config": "small",
        "metric": "recall",
        "k": 5,
        "value": found[0].value,
        "low": found[0].low,
        "high": found[0].high,
        "questions": 80,
    }


def test_the_best_trade_offs_are_those_no_other_beats() -> None:
    points = {"a": (1.0, 0.2), "b": (2.0, 0.1), "c": (2.0, 0.5), "d": (3.0, 0.5), "e": (4.0, 0.9)}
    assert best_trade_offs(points) == ["a", "c", "e"]
    assert best_trade_offs({}) == []


def test_figures_are_shown_in_their_unit() -> None:
    assert [shown(m, 0.1234) for m in ("recall@5", "seconds")] == ["12.3", "0.123"]
    assert shown("tokens_shown@5", 1234.5) == "1,234"
