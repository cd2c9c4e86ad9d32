"""A source tried out before it is added: how far it is listed, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web_site import serving
from workbench.contracts import Source
from workbench.plugins import build
from workbench.ui.sources import probe
from workbench.ui.sources.probe import Tried, tried


def table(path: Path, rows: int, bad_row: int | None = None) -> Source:
    lines = [f"{n},The tram {n} leaves." if n != bad_row else "one cell" for n in range(rows)]
    path.write_text("\n".join(["id,text", *lines]))
    found: Source = build(
        "sources", "csv_file", {"path": str(path), "id_column": "id", "text_columns": ["text"]}
    )
    return found


def trial(source: Source) -> Tried:
    parser = build("parsers", "pdf")
    return tried(source, parser, Path(), lambda: False, lambda done, total, note="": None)


def test_a_bad_row_far_below_the_first_items_is_told(tmp_path: Path) -> None:
    found = trial(table(tmp_path / "a.csv", 40, bad_row=30))
    assert (len(found.items), found.count, found.more, found.complete) == (10, 39, False, False)
    assert "row 32 has 1 cell," in found.problems[0]
    assert [preview.text for preview in found.previews] == [f"The tram {n} leaves." for n in range(3)]


def test_a_source_without_end_is_counted_only_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "MOST_COUNTED", 25)
    found = trial(table(tmp_path / "a.csv", 40))
    assert (found.count, found.more) == (25, True)


def test_a_server_in_trouble_is_not_waited_for_as_a_sync_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as site:
        monkeypatch.setenv("WORKBENCH_ALLOW_HOSTS", site.allowed)
        site.put("/sitemap.xml", b"", 503, Retry_After="120")
        found = trial(build("sources", "sitemap", {"url": f"{site.url}/sitemap.xml"}))
    assert "answered 503, and asks to wait 120 seconds" in found.failure
    assert site.asked == ["/sitemap.xml"]
