"""Drafts by a model: what is sent, what comes of each answer a service may give, and that the key never shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from tests.evaluation.chat_service import KEY, Service, chat_service
from tests.web_site import Clock
from workbench.errors import Cancelled, InputError, QuotaError, ServiceError, SettingsError, WorkbenchError
from workbench.evaluation.chat import ChatAddress, reply
from workbench.evaluation.drafts import Drafts, DraftService, Shipment, drafted
from workbench.http import Http
from workbench.records import Document, Page

TEXT = (
    "Page one says nothing.\n\nHalf of the fare is refunded after thirty\nminutes. A taxi is paid at night.\n\n"
    "The last page is not sent."
)
DOCUMENT = Document("d", TEXT, (Page(1, 0, len(TEXT)),), "Fares", "upload:fares.pdf")
START, END = TEXT.index("Half"), TEXT.index("The last")
REFUND = "Half of the fare is refunded after thirty\nminutes."
MESSAGES = [{"role": "user", "content": "?"}]


@pytest.fixture
def service() -> Iterator[Service]:
    with chat_service() as found:
        yield found


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAFT_API_KEY", KEY)
    monkeypatch.setenv("WORKBENCH_ALLOW_HOSTS", "127.0.0.0/8")


def shipment(service: Service, key_variable: str = "DRAFT_API_KEY", count: int = 3) -> Shipment:
    return Shipment(DraftService(service.address, "small", key_variable), DOCUMENT, START, END, count)


def sent(service: Service, **known: list[str]) -> Drafts:
    which = shipment(service)
    return drafted(which, which.sentence, **known)


def test_drafts_carry_the_place_of_their_answer_in_the_document(service: Service) -> None:
    service.drafts(("Is  the fare\nrefunded?", REFUND), ("Who pays at night?", "a TAXI is  paid at night."))
    found = sent(service)
    assert [(d.question, d.how) for d in found.drafts] == [
        ("Is the fare refunded?", "exact"),
        ("Who pays at night?", "blanks and case"),
    ]
    for draft in found.drafts:
        assert TEXT[draft.start : draft.end] == draft.answer
    assert found.drafts[0].start == START
    assert found.drafts[1].answer == "A taxi is paid at night."
    assert found.dropped == ()


def test_the_request_is_a_chat_completion_with_the_chosen_text_and_nothing_else(service: Service) -> None:
    service.drafts(("Why?", REFUND))
    sent(service)
    ((path, headers, body),) = service.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert set(body) == {"model", "messages"}
    assert body["model"] == "small"
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == TEXT[START:END]
    assert "Page one" not in json.dumps(body)
    assert "last page" not in json.dumps(body)
    assert "Write 3 questions" in body["messages"][0]["content"]


def test_nothing_is_sent_without_the_very_sentence_that_says_what_goes_where(service: Service) -> None:
    which = shipment(service)
    assert which.sentence == (
        f"{END - START:,} characters of fares.pdf are sent to {service.address}/chat/completions, for the model small."
    )
    longer = Shipment(which.service, DOCUMENT, 0, END, 3)
    for confirmed in ("", "yes", longer.sentence):
        with pytest.raises(SettingsError, match="nothing was sent"):
            drafted(which, confirmed)
    assert service.requests == []


def test_what_cannot_be_a_draft_is_dropped_and_said(service: Service) -> None:
    service.drafts(
        ("Who invented it?", "Mister Nobody invented all of it in 1830."),
        ("  ?! ", REFUND),
        ("Is the fare refunded?", REFUND),
        ("is the fare REFUNDED", REFUND),
        ("Who pays?", "The last page is not sent."),
        ("Known already?", REFUND),
        ("x" * 501, REFUND),
    )
    found = sent(service, known=["known already"])
    assert [draft.question for draft in found.drafts] == ["Is the fare refunded?"]
    assert len(found.dropped) == 6
    said = "\n".join(found.dropped)
    assert "Mister Nobody invented all of it in 1830.” does not stand in the document" in said
    assert "“is the fare REFUNDED” is asked already" in said
    # It stands in the document, but not in what the model was shown.
    assert "“Who pays?”: its answer" in said


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "```\n{}\n```", "  {}  "])
def test_a_reply_in_a_code_fence_is_read(service: Service, wrapped: str) -> None:
    service.says(wrapped.replace("{}", json.dumps([{"question": "Why?", "answer": REFUND}])))
    assert len(sent(service).drafts) == 1


@pytest.mark.parametrize(
    "content",
    ["", "Sure! Here are some questions.", "{", "[1, 2]", '{"drafts": 3}', '{"drafts": [{"question": 1, "answer": 2}]}',
     '{"drafts": [{"question": "Why?"}]}', "null", "[" * 100_000],
)  # fmt: skip
def test_a_reply_that_is_no_list_of_drafts_is_one_clear_message(service: Service, content: str) -> None:
    service.says(content)
    with pytest.raises(InputError, match="no list of questions"):
        sent(service)


def test_a_model_that_proposes_nothing_is_said(service: Service) -> None:
    service.drafts()
    with pytest.raises(ServiceError, match="proposed no question"):
        sent(service)


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": null}}]}', b"\xff"])  # fmt: skip
def test_an_answer_that_is_no_chat_completion_is_one_clear_message(service: Service, body: bytes) -> None:
    service.answers.append((200, {}, body))
    with pytest.raises(InputError, match="no chat completion: check the address"):
        sent(service)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, SettingsError, "refused the key in the environment variable DRAFT_API_KEY"),
        (403, SettingsError, "refused the key in the environment variable DRAFT_API_KEY"),
        (404, SettingsError, "no model 'small'"),
        (400, SettingsError, "did not take the request"),
        (302, SettingsError, "points elsewhere"),
        (501, ServiceError, "does not work now"),
    ],
)
def test_each_refusal_has_its_sentence_and_never_repeats_what_the_service_said(
    service: Service, status: int, kind: type[WorkbenchError], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.refuses(status, Location=f"{service.address}/elsewhere")
    with caplog.at_level(logging.DEBUG), pytest.raises(kind, match=said) as caught:
        sent(service)
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text
    assert KEY not in repr(shipment(service))
    assert len(service.requests) == 1  # no redirect was followed, nothing was asked twice


def test_a_service_that_wants_a_key_and_gets_none_says_so(service: Service) -> None:
    service.refuses(401)
    which = shipment(service, key_variable="")
    with pytest.raises(SettingsError, match="a request without a key"):
        drafted(which, which.sentence)
    assert "Authorization" not in service.requests[0][1]


def test_a_busy_service_is_asked_again_as_late_as_it_says(service: Service) -> None:
    service.refuses(429, Retry_After="7")
    service.refuses(503)
    service.says("done")
    clock = Clock()
    http = Http(clock=clock, sleep=clock.sleep)
    assert reply(ChatAddress(service.address), "small", MESSAGES, KEY, http=http) == "done"
    assert (
        7.0 <= sum(clock.slept) <= 7.0 + 4.0
    )  # the seven that were asked for, and at most four before the third try
    assert len(service.requests) == 3


def test_a_service_that_stays_busy_or_wants_a_long_wait_is_given_up(service: Service) -> None:
    service.refuses(429, Retry_After="3600")
    with pytest.raises(
        ServiceError, match=r"no more requests now \(429\), and asks to wait 3,600 seconds; asked once"
    ):
        sent(service)
    assert len(service.requests) == 1
    service.answers.clear()
    service.refuses(429, Retry_After="0")
    with pytest.raises(ServiceError, match="429"):
        sent(service)
    assert len(service.requests) == 1 + 3


def test_a_quota_that_is_used_up_is_not_asked_again(service: Service) -> None:
    body = json.dumps({"error": {"message": f"You exceeded your quota, {KEY}", "type": "insufficient_quota"}})
    service.answers.append((429, {"Retry-After": "1"}, body.encode()))
    with pytest.raises(QuotaError, match="quota is used up, and waiting does not help") as caught:
        sent(service)
    assert len(service.requests) == 1
    assert KEY not in str(caught.value)


def test_a_service_of_this_machine_has_to_be_allowed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the page types the address: it must not lead them around inside the network."""
    monkeypatch.delenv("WORKBENCH_ALLOW_HOSTS")
    with pytest.raises(SettingsError, match=r"can allow it with WORKBENCH_ALLOW_HOSTS=127\.0\.0\.1:"):
        sent(service)
    assert service.requests == []


def test_waiting_for_a_busy_service_can_be_stopped(service: Service) -> None:
    service.refuses(429, Retry_After="30")
    which = shipment(service)
    with pytest.raises(Cancelled):
        drafted(which, which.sentence, cancelled=lambda: True)


def test_a_service_that_does_not_answer_is_left_after_the_limit(service: Service) -> None:
    service.hang = True
    service.says("too late")
    with pytest.raises(ServiceError, match="did not answer in time; asked once"):
        reply(ChatAddress(service.address), "small", MESSAGES, KEY, answer_s=0.2)


def test_a_service_that_is_not_there_is_named(service: Service) -> None:
    gone = ChatAddress("http://127.0.0.1:9/v1")
    clock = Clock()
    http = Http(clock=clock, sleep=clock.sleep)
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:9/v1/chat/completions cannot be reached"):
        reply(gone, "small", MESSAGES, KEY, http=http)
    assert service.requests == []


@pytest.mark.parametrize(
    ("address", "model", "variable", "said"),
    [
        ("ftp://a.example/v1", "m", "", "http"),
        ("", "m", "", "address of the service"),
        ("https://joe:secret@a.example/v1", "m", "", "user name or password"),
        ("https://a.example/v1?key=secret", "m", "", "before any"),
        ("https://a.example/v1", " ", "", "name the model"),
        ("https://a.example/v1", "m", KEY, "not the key itself"),
        ("https://a.example/v1", "m", "AWS_SECRET_ACCESS_KEY", "no other variable"),
        ("http://a.example/v1", "m", "DRAFT_API_KEY", "without encryption"),
    ],
)
def test_settings_that_cannot_work_or_would_leak_are_refused(
    address: str, model: str, variable: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        DraftService(address, model, variable)
    assert "secret" not in str(caught.value).replace("a secret may", "")
    assert KEY not in str(caught.value)


def test_a_key_that_is_not_set_is_named_by_its_variable_only(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRAFT_API_KEY")
    with pytest.raises(SettingsError, match="the environment variable DRAFT_API_KEY is not set"):
        sent(service)
    monkeypatch.setenv("DRAFT_API_KEY", "odd\nkey")
    with pytest.raises(SettingsError, match="odd characters") as caught:
        sent(service)
    assert "odd\nkey" not in str(caught.value)
    assert service.requests == []


def test_too_much_text_too_many_drafts_and_empty_pages_are_refused(service: Service) -> None:
    which = DraftService(service.address, "small")
    long = Document("l", "word " * 20_000, (), "Long", "upload:long.txt")
    with pytest.raises(SettingsError, match="too many at once"):
        Shipment(which, long, 0, 100_000, 3)
    with pytest.raises(SettingsError, match="no text"):
        Shipment(which, long, 4, 5, 3)
    for count in (0, 21):
        with pytest.raises(SettingsError, match="1 to 20 drafts"):
            Shipment(which, DOCUMENT, START, END, count)
