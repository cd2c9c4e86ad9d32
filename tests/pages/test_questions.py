"""The Questions page, run as Streamlit runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.evaluation.formats import FORMATS
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.records import Judgment
from workbench.ui.questions.question_sets import CHOSEN, VIEW
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
TEXT = "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night."
REFUND = "Half of the fare is refunded after thirty minutes."
CSV = f"question,expected text,document\nIs the fare refunded?,{REFUND},tram.txt\nWho pays?,Nobody ever said so.,tram.txt\n"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


@pytest.fixture
def here(empty: Workspace) -> Workspace:
    empty.add("tram.txt", TEXT.encode())
    return empty


@pytest.fixture
def with_set(here: Workspace) -> Workspace:
    here.question_sets.save(the_set(here))
    return here


def the_set(here: Workspace, name: str = "fares") -> QuestionSet:
    (row,) = here.documents()
    start = TEXT.index(REFUND)
    judged = [(Judgment("q1", row.id, start, start + len(REFUND), 1), REFUND)]
    return question_set(name, [Question("q1", "Is the *fare* refunded?"), Question("q2", "Why?")], judged)


def page(**address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/questions.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def button(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label == label).click().run()


def words(app: AppTest) -> str:
    groups = (app.markdown, app.caption, app.info, app.success, app.error, app.warning)
    return "\n".join(str(element.value) for group in groups for element in group)


@pytest.mark.usefixtures("empty")
def test_without_documents_the_page_sends_to_them() -> None:
    app = page()
    assert not app.exception
    assert "No documents yet" in words(app)


@pytest.mark.usefixtures("here")
def test_without_questions_the_page_offers_the_ways_to_some() -> None:
    app = page()
    assert not app.exception
    assert "No questions yet" in words(app)
    assert len(app.file_uploader) == 1
    # The sample questions are about the sample library, which is not here.
    assert not any(b.label == "Add the sample questions" for b in app.button)


def test_an_imported_file_becomes_a_set_and_its_odd_lines_are_listed(here: Workspace) -> None:
    app = page()
    app.file_uploader[0].upload("my questions.csv", CSV.encode(), "text/csv").run()
    assert not app.exception
    assert "are now the set “my questions”" in words(app)
    odd = app.dataframe[0].value.to_dict("records")
    assert [row["Line"] for row in odd] == ["3"]
    assert "could not be placed" in odd[0]["What is the matter"]
    (kept,) = here.question_sets.sets()
    assert kept.texts == (REFUND,)
    assert list(app.dataframe[1].value["Passages"]) == [1, 0]
    app = button(app, "Dismiss")
    assert "are now the set" not in words(app)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"question,expected text\n"])
def test_a_file_without_questions_is_explained_and_keeps_nothing(here: Workspace, content: bytes) -> None:
    app = page()
    app.file_uploader[0].upload("odd.zip", content, "application/zip").run()
    assert not app.exception
    assert app.error
    assert here.question_sets.sets() == []


def test_the_sample_questions_are_one_click_away(empty: Workspace) -> None:
    empty.add("app-release-notes.md", (SAMPLES / "app-release-notes.md").read_bytes())
    app = button(page(), "Add the sample questions")
    assert not app.exception
    (kept,) = empty.question_sets.sets()
    assert kept.name == "Sample questions"
    assert len(kept.judgments) > 0
    # Those about documents that are not here are named.
    assert "rule-book" in "\n".join(app.dataframe[0].value["What is the matter"])


def test_a_new_set_begins_with_marking(here: Workspace) -> None:
    app = page()
    app.text_input[0].input("Mine")
    app = button(app, "Start")
    assert not app.exception
    assert [one.name for one in here.question_sets.sets()] == ["Mine"]
    assert app.session_state[VIEW] == "mark"
    assert "Select the answer" in words(app)


def test_a_selected_text_and_a_typed_question_become_a_judgment(with_set: Workspace) -> None:
    (row,) = with_set.documents()
    app = page(view="mark")
    start = TEXT.index("A taxi")
    picked = {"column": "text", "start": start - 2, "end": len(TEXT), "text": TEXT[start - 2 :]}
    app.session_state[f"judged text {row.id}"] = {"selection": picked}
    app.run()
    assert not app.exception
    app = button(app, "Keep this answer")
    assert "Type the question first" in words(app)
    app.session_state[f"judged text {row.id}"] = {"selection": picked}
    app.run()
    app.text_area[0].input("Is a taxi paid?")
    app.radio[0].set_value(2)
    app = button(app, "Keep this answer")
    assert not app.exception
    kept = with_set.question_sets.get("fares")
    assert kept.questions[-1].text == "Is a taxi paid?"
    added = kept.by_question[kept.questions[-1].id]
    assert [(j.document_id, j.start, j.end, j.grade) for j in added] == [(row.id, start, len(TEXT), 2)]
    assert kept.text_of(added[0]) == "A taxi is paid at night."


def test_a_rectangle_drawn_on_the_page_marks_the_words_under_it(with_set: Workspace) -> None:
    pdf = SAMPLES / "fares-and-timetable.pdf"
    added = with_set.add(pdf.name, pdf)
    document, layout = with_set.document(str(added.document_id)), with_set.layout(str(added.document_id))
    start = document.text.index("Children under six travel free")
    boxes = layout.rectangles(start, start + len("Children under six travel free"))
    drawn = [min(b.x0 for b in boxes), boxes[0].y0, max(b.x1 for b in boxes), boxes[-1].y1]
    app = page(view="mark")
    app.selectbox(key="judged document").set_value(document.id).run()
    app.session_state[f"judged page {document.id} 1"] = {
        "rectangle": [drawn[2], drawn[3], drawn[0], drawn[1]]
    }
    app.run()
    assert not app.exception
    # The whole lines: words before it on its first line were under the rectangle, too.
    assert any("Children under six travel free" in e.proto.body for e in app.get("html"))
    app.text_area[0].input("Who travels free?")
    app = button(app, "Keep this answer")
    assert not app.exception
    (answer,) = with_set.question_sets.get("fares").by_question[
        with_set.question_sets.get("fares").asking("Who travels free?").id
    ]
    words_under = {
        (int(a), int(b))
        for a, b, p, (x0, y0, x1, y1) in zip(
            layout.starts, layout.ends, layout.pages, layout.boxes, strict=True
        )
        if p == 1 and drawn[0] <= (x0 + x1) / 2 <= drawn[2] and drawn[1] <= (y0 + y1) / 2 <= drawn[3]
    }
    assert (answer.start, answer.end) == (min(words_under)[0], max(b for _, b in words_under))


def test_a_rectangle_over_an_empty_part_of_the_page_marks_nothing(with_set: Workspace) -> None:
    pdf = SAMPLES / "fares-and-timetable.pdf"
    document_id = with_set.add(pdf.name, pdf).document_id
    app = page(view="mark")
    app.selectbox(key="judged document").set_value(document_id).run()
    app.session_state[f"judged page {document_id} 1"] = {"rectangle": [1, 1, 9, 9]}
    app.run()
    assert not app.exception
    assert "no text under this rectangle" in app.toast[0].value
    assert not app.text_area


@pytest.mark.usefixtures("with_set")
def test_the_check_says_what_to_look_at_and_what_the_set_can_tell() -> None:
    app = page(view="check")
    assert not app.exception
    assert "1 question tells apart" in words(app)
    assert "1 question has no judged answer" in words(app)


def test_answers_that_moved_are_put_in_their_new_place(with_set: Workspace) -> None:
    (row,) = with_set.documents()
    with_set.add("tram.txt", b"New first line.\n\n" + TEXT.encode())
    app = page(view="check")
    assert "reads differently now" in words(app)
    app = button(app, "Find the answers at their new places")
    assert not app.exception
    assert "reads differently now" not in words(app)
    (judgment,) = with_set.question_sets.get("fares").judgments
    text = with_set.document(row.id).text
    assert text[judgment.start : judgment.end] == REFUND


def test_an_answer_that_lost_its_place_is_counted_and_kept(with_set: Workspace) -> None:
    (row,) = with_set.documents()
    known = with_set.question_sets.get("fares")
    gone = [Judgment("q2", "gone", 0, 5), Judgment("q2", "gone", 9, 12), Judgment("q2", row.id, 900, 905)]
    here = Judgment("q2", row.id, 400, 400 + len(REFUND), 2)
    judged = [*zip(known.judgments, known.texts, strict=True), *((j, "Never") for j in gone), (here, REFUND)]
    with_set.question_sets.save(question_set("fares", known.questions, judged))
    app = page(view="check")
    assert "4 answers outside the documents here" in [expander.label for expander in app.expander]
    app = button(app, "Find the answers at their new places")
    assert not app.exception
    assert "3 answers stay as they were" in app.toast[0].value
    found = with_set.question_sets.get("fares").by_question["q2"]
    start = TEXT.index(REFUND)
    assert set(found) == {*gone, Judgment("q2", row.id, start, start + len(REFUND), 2)}


@pytest.mark.usefixtures("with_set")
def test_every_format_can_be_downloaded() -> None:
    app = page(view="export")
    assert not app.exception
    assert len(app.get("download_button")) == len(FORMATS)


def test_deleting_a_set_asks_first(with_set: Workspace) -> None:
    app = page()
    app.button(key="judged delete").click().run()
    assert with_set.question_sets.sets()
    app = button(app, "Delete")
    assert not app.exception
    assert with_set.question_sets.sets() == []
    assert "No questions yet" in words(app)


def test_a_link_opens_a_set_and_a_view(with_set: Workspace) -> None:
    with_set.question_sets.save(the_set(with_set, "a second & one"))
    app = page(set="fares", view="check")
    assert app.selectbox(key=CHOSEN).value == "fares"
    assert app.session_state[VIEW] == "check"
    odd = page(set="gone", view="nothing")
    assert not odd.exception
    assert odd.session_state[VIEW] == "questions"
