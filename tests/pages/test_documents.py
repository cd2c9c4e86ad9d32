"""The Documents page, run as Streamlit runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.documents import n_pages_pdf, password_pdf, scanned_pdf
from tests.documents.raw_pdf import paged_pdf
from workbench.ui.session.jobs import jobs
from workbench.ui.session.state import DOCUMENT
from workbench.ui.session.workspace import sample_files
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


def page() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=60).run()


def when_idle(app: AppTest) -> AppTest:
    """Run the page again until its jobs have ended, as the page's own clock does."""
    while jobs().active():
        app.run()
    return app.run()


@pytest.mark.usefixtures("here")
def test_the_empty_page_says_where_to_start() -> None:
    app = page()
    assert not app.exception
    assert any("No documents yet" in m.value for m in app.markdown)
    assert [b.label for b in app.button] == ["Add the sample library"]


def test_with_documents_the_page_leads_on_to_their_chunks(here: Workspace) -> None:
    here.add("a.txt", b"Trams stop at red.")
    app = page()
    assert not app.exception
    assert any("see how they are cut" in link.proto.label for link in app.get("page_link"))


def test_the_sample_library_is_offered_until_it_is_here_under_any_name(here: Workspace) -> None:
    files = sample_files()
    for path in files[1:]:
        here.add(path.name, path.read_bytes())
    app = page()
    (button,) = (b for b in app.button if b.label == "Add the sample library")
    assert button.help.startswith(f"{len(files)} documents")
    here.add(f"renamed{files[0].suffix}", files[0].read_bytes())
    assert not any(b.label == "Add the sample library" for b in page().button)


def as_shown(text: str) -> str:
    """Return a cell of Markdown as it is read on screen."""
    return text.replace("\\", "").replace("\u2060", "")


@pytest.mark.usefixtures("here")
def test_uploaded_files_are_read_and_each_says_what_happened() -> None:
    app = page()
    app.file_uploader[0].upload("a.txt", b"Trams stop at red.", "text/plain")
    app.file_uploader[0].upload("scan.pdf", scanned_pdf(), "application/pdf")
    app.file_uploader[0].upload("../<b>x</b>.md", b"# Title\n\nText.", "text/markdown")
    app = when_idle(app.run())
    assert not app.exception
    listed = {as_shown(row["File"]): row for row in app.table[0].value.to_dict("records")}
    assert listed["a.txt"]["What happened"] == "✓ added"
    assert listed["scan.pdf"]["What happened"] == "▨ no text"
    assert "OCR" in listed["scan.pdf"]["Note"]
    assert listed["b>.md"]["What happened"] == "✓ added"
    documents = app.dataframe[0].value
    assert sorted(documents["Name"]) == ["a.txt", "b>.md"]
    assert app.caption[0].value.startswith("2 documents")


@pytest.mark.usefixtures("here")
def test_a_blank_file_is_not_said_to_hold_pictures() -> None:
    app = page()
    app.file_uploader[0].upload("blank.pdf", paged_pdf([b""]), "application/pdf")
    app.file_uploader[0].upload("blank.txt", b"  \n ", "text/plain")
    app = when_idle(app.run())
    notes = {as_shown(row["File"]): as_shown(row["Note"]) for row in app.table[0].value.to_dict("records")}
    assert notes["blank.pdf"] == "nothing is written in blank.pdf: its only page is blank"
    assert notes["blank.txt"] == "blank.txt holds no text"


@pytest.mark.usefixtures("here")
def test_two_files_of_one_name_in_one_upload_are_two_documents() -> None:
    app = page()
    for content in (b"Trams stop at red.", b"They go at white."):
        app.file_uploader[0].upload("a.txt", content, "text/plain")
    app = when_idle(app.run())
    assert sorted(app.dataframe[0].value["Name"]) == ["a (2).txt", "a.txt"]
    app.file_uploader[0].upload("a.txt", b"The depot opens.", "text/plain")
    app = when_idle(app.run())
    assert sorted(app.dataframe[0].value["Name"]) == ["a (2).txt", "a (3).txt", "a.txt"]
    assert any("shares its name with another document" in row for row in app.table[0].value["Note"])


@pytest.mark.usefixtures("here")
def test_what_needs_somebody_stands_above_what_went_well() -> None:
    app = page()
    for number in range(8):
        app.file_uploader[0].upload(f"{number}.txt", f"Tram {number} is late.".encode(), "text/plain")
    app.file_uploader[0].upload("x" * 150 + ".pdf", b"<html>", "application/pdf")
    app.file_uploader[0].upload("locked.pdf", password_pdf("sesame"), "application/pdf")
    app = when_idle(app.run())
    rows = app.table[0].value.to_dict("records")
    assert [row["What happened"] for row in rows][:3] == [
        "🔒 needs a password",
        "✕ format not supported",
        "✓ added",
    ]
    assert len(as_shown(rows[1]["File"])) <= 40


@pytest.mark.usefixtures("here")
def test_a_locked_file_asks_for_its_password_and_opens() -> None:
    app = page()
    app.file_uploader[0].upload("locked.pdf", password_pdf("sesame"), "application/pdf")
    app = when_idle(app.run())
    assert any("1 waiting for a password" in w.value for w in app.warning)
    app.text_input[0].input("wrong")
    app.button(key=next(b.key for b in app.button if b.label == "Unlock")).click().run()
    assert not app.exception
    assert any("wrong" in w.value or "password" in w.value for w in app.warning)
    app.text_input[0].input("sesame")
    app = next(b for b in app.button if b.label == "Unlock").click().run().run()
    assert not app.exception
    assert not any("waiting for a password" in w.value for w in app.warning)
    assert any("1 added" in s.value for s in app.success)
    assert any(c.value.startswith("1 document ") for c in app.caption)


def test_a_document_can_be_read_and_its_choice_is_shared_with_other_pages(here: Workspace) -> None:
    here.add("a.txt", b"First text.")
    second = here.add("b.txt", b"Second text.")
    app = page()
    app.selectbox(key="doc").set_value(second.document_id).run()
    assert not app.exception
    assert app.session_state[DOCUMENT] == second.document_id


def test_a_link_opens_a_document_at_its_page_and_another_document_begins_at_its_first(
    here: Workspace,
) -> None:
    here.add("long.pdf", n_pages_pdf(12))
    other = here.add("other.pdf", n_pages_pdf(11))
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["doc"] = "long.pdf"
    app.query_params["page"] = "7"
    app.run()
    assert not app.exception
    assert "Page 7 of 12." in shown_text(app)
    app.selectbox(key="doc").set_value(other.document_id).run()
    assert "Page 1 of 11." in shown_text(app)
    assert app.query_params == {"doc": "other.pdf"}


def shown_text(app: AppTest) -> str:
    """Return what the component that shows the text is given."""
    return "".join(str(element.proto) for element in app.get("bidi_component"))


def test_the_sample_library_is_one_click_away(here: Workspace) -> None:
    app = page()
    app.button[0].click().run()
    app = when_idle(app)
    assert not app.exception
    assert len(here.documents()) >= 8
    assert not any(b.label == "Add the sample library" for b in app.button)
