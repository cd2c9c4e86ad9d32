"""The drafts of the Questions page: off by default, sent only when agreed to, counted only when accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.evaluation.chat_service import KEY, Service, chat_service
from workbench.evaluation.drafts import Draft, DraftService
from workbench.evaluation.questions import Question, QuestionSet
from workbench.ui.questions.drafts import ON
from workbench.ui.session.jobs import jobs
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
TEXT = "The tram was late. Half of the fare is refunded after thirty minutes.\n\nA taxi is paid at night."
REFUND = "Half of the fare is refunded after thirty minutes."
TAXI = "A taxi is paid at night."


@pytest.fixture
def service() -> Iterator[Service]:
    with chat_service() as found:
        yield found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    monkeypatch.setenv("DRAFT_API_KEY", KEY)
    monkeypatch.setenv("WORKBENCH_ALLOW_HOSTS", "127.0.0.0/8")
    st.cache_resource.clear()
    found = Workspace(tmp_path)
    found.add("tram.txt", TEXT.encode())
    found.question_sets.save(QuestionSet("fares", (Question("q", "Why?"),)))
    yield found
    st.cache_resource.clear()


def page() -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/questions.py")
    app.query_params["view"] = "draft"
    return app.run()


def button(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if b.label == label).click().run()


def words(app: AppTest) -> str:
    groups = (app.markdown, app.caption, app.info, app.success, app.error, app.warning)
    return "\n".join(str(element.value) for group in groups for element in group).replace("\\", "")


def switched_on(here: Workspace, service: Service) -> AppTest:
    here.question_drafts.configure(DraftService(service.address, "small", "DRAFT_API_KEY"))
    return page().toggle(key=ON).set_value(True).run()


def sent(app: AppTest) -> AppTest:
    app.checkbox[0].check().run()
    app = button(app, "Send and draft")
    while jobs().active():
        app.run()
    return app.run()


def test_it_is_off_until_it_is_switched_on(here: Workspace, service: Service) -> None:
    here.question_drafts.configure(DraftService(service.address, "small", "DRAFT_API_KEY"))
    app = page()
    assert not app.exception
    assert app.toggle(key=ON).value is False
    assert "everything stays on this machine" in words(app)
    assert not app.checkbox
    assert service.requests == []


def test_a_service_is_named_by_address_model_and_variable_and_the_key_is_nowhere(
    here: Workspace, service: Service
) -> None:
    app = page().toggle(key=ON).set_value(True).run()
    assert not app.checkbox  # nothing can be sent before there is a service
    fields = {field.label: field for field in app.text_input}
    fields["Address"].input(service.address)
    fields["Model"].input("small")
    fields["Environment variable with the key"].input(KEY)
    app = button(app, "Keep")
    assert "not the key itself" in words(app)
    assert KEY not in words(app)
    next(f for f in app.text_input if f.label.startswith("Environment")).input("DRAFT_API_KEY")
    app = button(app, "Keep")
    assert here.question_drafts.service() == DraftService(service.address, "small", "DRAFT_API_KEY")
    assert all(KEY.encode() not in file.read_bytes() for file in here.folder.rglob("*") if file.is_file())


def test_nothing_is_sent_before_the_sentence_with_address_and_amount_is_agreed_to(
    here: Workspace, service: Service
) -> None:
    service.drafts(("Is the fare refunded?", REFUND))
    app = switched_on(here, service)
    assert not app.exception
    assert f"{len(TEXT)} characters of tram.txt are sent to {service.address}" in words(app).replace(
        "\u2060", ""
    )
    assert next(b for b in app.button if b.label == "Send and draft").disabled
    assert service.requests == []
    sent(app)
    assert [body["messages"][1]["content"] for _, _, body in service.requests] == [TEXT]


def test_drafts_count_only_once_they_are_accepted_edited_or_not(here: Workspace, service: Service) -> None:
    service.drafts(
        ("Is the fare refunded?", REFUND),
        ("Who pays?", TAXI),
        ("Was it late?", "The tram was late."),
        ("X?", "Gone."),
    )
    app = sent(switched_on(here, service))
    assert not app.exception
    assert "3 drafts wait for your decision" in words(app)
    assert "1 dropped" in words(app)
    assert "3 waiting" in words(app)
    assert here.question_sets.get("fares").judgments == ()
    app = button(app, "Accept")
    first = here.question_sets.get("fares")
    assert [question.text for question in first.questions] == ["Why?", "Is the fare refunded?"]
    assert first.texts == (REFUND,)
    # The second is edited: a better question, a shorter answer, a higher grade.
    app.text_area[0].input("Does the company pay a taxi?")
    app.text_area[1].input("A taxi is paid")
    next(r for r in app.radio if r.label == "How good an answer?").set_value(3)
    app = button(app, "Accept")
    second = here.question_sets.get("fares")
    judged = second.by_question[second.asking("Does the company pay a taxi?").id]
    assert [(TEXT[j.start : j.end], j.grade) for j in judged] == [("A taxi is paid", 3)]
    app = button(app, "Reject")
    assert not app.exception
    assert here.question_drafts.waiting("fares") == []
    assert here.question_sets.get("fares") == second


def test_an_answer_edited_into_something_the_document_does_not_say_is_refused(here: Workspace) -> None:
    (row,) = here.documents()
    start = TEXT.index(TAXI)
    draft = Draft("Who pays?", row.id, start, start + len(TAXI), TAXI)
    here.question_drafts.add("fares", [draft])
    app = page()
    app.text_area[1].input("The king pays for everything that he sees.")
    app = button(app, "Accept")
    assert "does not stand in the document" in words(app)
    assert here.question_drafts.waiting("fares") == [draft]
    assert here.question_sets.get("fares").judgments == ()


def test_trouble_with_the_service_is_a_sentence_without_the_key(here: Workspace, service: Service) -> None:
    service.refuses(401)
    app = sent(switched_on(here, service))
    assert not app.exception
    assert "refused the key in the environment variable DRAFT_API_KEY" in words(app).replace("\u2060", "")
    assert KEY not in words(app)


def test_drafts_of_a_deleted_set_go_with_it(here: Workspace) -> None:
    (row,) = here.documents()
    here.question_drafts.add("fares", [Draft("Who pays?", row.id, 0, 4, "The ")])
    app = page()
    app.button(key="judged delete").click().run()
    button(app, "Delete")
    assert here.question_drafts.waiting("fares") == []
