"""A document of which pages fell short, drawn as the Documents page draws it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.parsers.made_pdfs import report_pdf
from workbench.ui.documents.reader import LAYOUT_WIDGET
from workbench.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("here")]

ROOT = Path(__file__).parent.parent.parent
READER = ROOT / "tests" / "browser" / "apps" / "document_reader_app.py"


def reader(**address: str) -> AppTest:
    app = AppTest.from_file(str(READER), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def drawn(app: AppTest) -> dict[str, Any]:
    """Return what the layout viewer was given."""
    (element,) = (e for e in app.get("bidi_component") if "layout_viewer" in e.proto.component_name)
    found: dict[str, Any] = json.loads(element.proto.json)
    return found


def lines(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def test_a_page_that_fell_short_says_so_above_it_and_shows_its_layout() -> None:
    app = reader(short="2,7", page="2")
    assert any(r"Page 2\: 812 of 1\,014 letters are in the text" in line for line in lines(app))
    assert app.toggle(key=LAYOUT_WIDGET).value is True
    assert drawn(app)["drawn"] is True
    assert {block["kind"] for block in drawn(app)["blocks"]} == {"heading", "text", "table", "omitted"}


def test_a_whole_page_says_nothing_and_its_layout_is_off_until_it_is_asked_for() -> None:
    app = reader(short="2,7")
    assert not any("letters are in the text" in line for line in lines(app))
    assert drawn(app)["drawn"] is False
    app.toggle(key=LAYOUT_WIDGET).set_value(True).run()
    assert drawn(app)["drawn"] is True
    # The choice holds for the next whole page, and says nothing of those that fell short.
    app.get("button_group")[0].set_value(7).run()
    app.toggle(key=LAYOUT_WIDGET).set_value(False).run()
    assert drawn(app)["drawn"] is False


def test_pages_that_fell_short_are_marked_and_one_click_away() -> None:
    app = reader(short="2,7")
    (marks,) = app.get("button_group")
    assert [option.content for option in marks.proto.options] == ["2", "7"]
    assert marks.value in (None, [])
    marks.set_value(7).run()
    assert not app.exception
    assert drawn(app)["caption"] == "Page 7 of 30"
    assert app.query_params["page"] in ("7", ["7"])


def test_of_many_pages_that_fell_short_twelve_are_marked_and_the_rest_counted() -> None:
    app = reader(short=",".join(str(number) for number in range(2, 22)), page="15")
    (marks,) = app.get("button_group")
    assert [option.content for option in marks.proto.options] == [*map(str, range(2, 14)), "15"]
    assert any("Problems on 20 pages" in line for line in lines(app))
    assert any("and 7 more" in line for line in lines(app))


def test_a_file_without_such_pages_has_no_marks() -> None:
    app = reader()
    assert not app.get("button_group")
    assert not any("Problems on" in line for line in lines(app))


def test_a_file_that_is_cut_off_says_so_before_all_other_warnings() -> None:
    app = reader(incomplete="1")
    assert [warning.icon for warning in app.warning] == [":material/warning:", ":material/info:"]
    assert app.warning[0].value.startswith(r"The file is incomplete\: the file was cut off")


def test_a_whole_file_of_one_page_is_drawn_by_the_page_itself(here: Workspace) -> None:
    here.add("report.pdf", report_pdf())
    app = AppTest.from_file(str(ROOT / "workbench" / "ui" / "main.py"), default_timeout=60).run()
    assert not app.exception
    data = drawn(app)
    assert data["caption"] == "Page 1 of 2"
    assert data["text"].startswith("On the Care of Trams")
    assert [block["number"] for block in data["blocks"]] == list(range(1, 9))
