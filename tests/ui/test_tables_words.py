"""The sentences of the Tables page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workbench.ui.widgets.table_builds import age, summary
from workbench.workspace import BuildResult


def test_an_age_is_said_as_people_say_it_and_no_time_is_nothing() -> None:
    assert age((datetime.now(UTC) - timedelta(minutes=5, seconds=1)).isoformat()) == "5 min 1 s ago"
    assert age("") == ""


def test_a_build_says_what_it_did_what_it_left_out_and_what_is_lacking() -> None:
    result = BuildResult("t", 3, 1200, 200, 1000, 4.2, (("x.pdf", "is damaged"),), "", "no model")
    assert summary(result) == (
        "1,200 chunks written, 200 embedded and 1,000 from the cache; the table holds 3 documents. "
        "Left out: x.pdf: is damaged. It cannot be searched yet: no model"
    )
