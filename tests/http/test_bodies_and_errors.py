"""Requests with a body, and what errors mean: whether to ask again, whom to wait for, when to stop for good."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.web_site import Clock, Site, Visitor, answering
from workbench.errors import InputError, QuotaError, ServiceError, WorkbenchError
from workbench.http import AllowList, ErrorAnswer, Http, Limits, TryAgain
from workbench.http.answers import LARGEST_ERROR_BYTES
from workbench.http.patience import retry_after_s


def test_json_and_forms_are_sent_as_what_they_are(site: Site, http: Http) -> None:
    site.put("/a", b'{"id": 1}')
    assert http.request("POST", f"{site.url}/a", json={"query": "größe", "n": [1]}).data == b'{"id": 1}'
    http.request("POST", f"{site.url}/a", form={"grant_type": "a b", "x": "ü&="})
    assert json.loads(site.bodies[0]) == {"query": "größe", "n": [1]}
    assert site.bodies[1] == b"grant_type=a+b&x=%C3%BC%26%3D"
    assert [h["Content-Type"] for h in site.headers] == [
        "application/json",
        "application/x-www-form-urlencoded",
    ]


def test_a_request_has_one_body(http: Http) -> None:
    with pytest.raises(ValueError, match="one body"):
        http.request("POST", "https://a.example/", json={}, form={})


def test_a_post_is_guarded_like_any_request(site: Site) -> None:
    with Http(AllowList()) as http, pytest.raises(InputError, match="an address of this machine"):
        http.request("POST", f"{site.url}/a", json={})
    assert site.asked == []


@pytest.mark.parametrize("status", [408, 429, 500, 503, 520, 524, 529])
def test_a_post_is_asked_again_only_where_it_reads(site: Site, http: Http, status: int) -> None:
    site.put_in_turn("/a", answering(b"", status), answering(b"ok"))
    with pytest.raises(ServiceError, match=f"answered {status}; asked once"):
        http.request("POST", f"{site.url}/a", json={})
    assert len(site.asked) == 1
    site.put_in_turn("/b", answering(b"", status), answering(b"ok"))
    assert http.request("POST", f"{site.url}/b", json={}, reads=True).data == b"ok"
    assert len(site.bodies) == 3


def test_a_post_that_breaks_off_is_not_repeated_unless_it_reads(site: Site, http: Http) -> None:
    def cut(visitor: Visitor) -> None:
        visitor.close_connection = True

    site.put_in_turn("/a", cut)
    with pytest.raises(ServiceError, match="asked once"):
        http.request("POST", f"{site.url}/a", json={})
    assert len(site.asked) == 1


def test_a_post_follows_no_redirect(site: Site, http: Http) -> None:
    site.put("/a", b"", 307, Location="/b")
    site.put("/b", b"")
    with pytest.raises(InputError, match="points elsewhere \\(307\\)"):
        http.request("POST", f"{site.url}/a", json={"secret": 1}, reads=True)
    assert site.asked == ["/a"]


def test_two_accounts_at_one_host_do_not_wait_for_each_other(site: Site, http: Http, clock: Clock) -> None:
    site.put_in_turn("/a", answering(b"", 429, Retry_After="3600"))
    site.put("/b", b"")
    limits = Limits(total_s=60)
    with pytest.raises(ServiceError, match="3,600 seconds"):
        http.get(f"{site.url}/a", {"Authorization": "Bearer one"}, limits=limits)
    http.get(f"{site.url}/b", {"Authorization": "Bearer two"}, limits=limits)
    http.get(f"{site.url}/b", limits=limits)
    assert clock.slept == []
    with pytest.raises(ServiceError, match="left alone"):
        http.get(f"{site.url}/b", {"authorization": "Bearer one"}, limits=limits)


def test_a_pace_never_holds_the_credential_itself(site: Site, http: Http) -> None:
    site.put("/a", b"", 429, Retry_After="1")
    with pytest.raises(ServiceError):
        http.get(f"{site.url}/a", {"Authorization": "Bearer hunter2"}, limits=Limits(attempts=1))
    assert "hunter2" not in repr(http.pace)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": " 2 "}, 2.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "9", "retry-after-ms": "250.5"}, 0.2505),
        ({"retry-after": "9", "retry-after-ms": "soon"}, 9.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:30 GMT"}, 30.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:30 GMT"}, 0.0),
        ({"retry-after": "9" * 5_000}, 1e9),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_what_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, 60.0) == seconds


def test_a_fraction_of_a_second_is_waited(site: Site, http: Http, clock: Clock) -> None:
    site.put_in_turn("/a", answering(b"", 429, Retry_After="1.5"), answering(b"ok"))
    assert http.get(f"{site.url}/a").data == b"ok"
    assert sum(clock.slept) == pytest.approx(1.5)


def google(reason: str) -> bytes:
    body = {"error": {"code": 403, "message": "m", "errors": [{"domain": "usageLimits", "reason": reason}]}}
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (google("userRateLimitExceeded"), {}),
        (google("rateLimitExceeded"), {}),
        (b"", {"Retry_After": "0"}),
        (b"", {"X_RateLimit_Remaining": "0"}),
    ],
)
def test_a_403_that_means_a_rate_limit_is_asked_again(
    site: Site, http: Http, body: bytes, headers: dict[str, str]
) -> None:
    site.put_in_turn("/a", answering(body, 403, **headers), answering(b"ok"))
    assert http.get(f"{site.url}/a").data == b"ok"


def test_any_other_403_is_a_refusal(site: Site, http: Http) -> None:
    site.put("/a", google("insufficientFilePermissions"), 403, X_RateLimit_Remaining="17")
    with pytest.raises(InputError) as caught:
        http.get(f"{site.url}/a")
    assert caught.value.status == "forbidden"
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, b'{"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}'),
        (403, google("dailyLimitExceeded")),
        (402, b""),
    ],
)
def test_a_quota_that_no_wait_heals_is_not_asked_again(
    site: Site, http: Http, status: int, body: bytes
) -> None:
    site.put("/a", body, status, Retry_After="1")
    with pytest.raises(QuotaError, match="waiting does not help"):
        http.get(f"{site.url}/a")
    assert len(site.asked) == 1


def test_a_source_says_what_an_error_means(site: Site, http: Http) -> None:
    seen: list[ErrorAnswer] = []

    def meaning(answer: ErrorAnswer) -> WorkbenchError | None:
        seen.append(answer)
        if answer.json() == {"code": "warming_up"}:
            return TryAgain("it warms up", 2.0)
        return InputError("it is too large to export", "too_large") if answer.status == 418 else None

    site.put_in_turn("/a", answering(b'{"code": "warming_up"}', 400), answering(b"", 418))
    with pytest.raises(InputError, match="too large to export") as caught:
        http.get(f"{site.url}/a?key=hunter2", classify=meaning)
    assert caught.value.status == "too_large"
    assert [(one.status, one.data) for one in seen] == [(400, b'{"code": "warming_up"}'), (418, b"")]
    assert "hunter2" not in seen[0].name
    site.put("/b", b"", 404)
    with pytest.raises(InputError) as usual:
        http.get(f"{site.url}/b", classify=meaning)
    assert usual.value.status == "gone"


def test_an_error_is_read_up_to_64_kb(site: Site, http: Http) -> None:
    lengths: list[int] = []

    def meaning(answer: ErrorAnswer) -> None:
        lengths.append(len(answer.data))

    site.put("/long", b"x" * 1_000_000, 400)
    site.put("/packed", gzip.compress(b"y" * 500), 400, Content_Encoding="gzip")
    site.put("/bomb", gzip.compress(b"\0" * 1_000_000), 400, Content_Encoding="gzip")
    for path in ("/long", "/packed", "/bomb"):
        with pytest.raises(InputError):
            http.get(f"{site.url}{path}", classify=meaning)
    assert lengths == [LARGEST_ERROR_BYTES, 500, 0]


def test_an_error_whose_body_breaks_off_keeps_its_meaning(site: Site, http: Http) -> None:
    def half(visitor: Visitor) -> None:
        visitor.send_response(404)
        visitor.send_header("Content-Length", "100")
        visitor.end_headers()
        visitor.wfile.write(b"half")
        visitor.close_connection = True

    site.pages["/a"] = half
    with pytest.raises(InputError) as caught:
        http.get(f"{site.url}/a")
    assert caught.value.status == "gone"


def test_what_a_service_says_is_never_repeated(site: Site, http: Http) -> None:
    for status in (400, 401, 402, 403, 404, 429, 500, 529):
        site.put("/a", b'{"error": {"message": "wrong key hunter2", "code": "hunter2"}}', status)
        with pytest.raises(WorkbenchError) as caught:
            http.get(f"{site.url}/a", {"Authorization": "Bearer hunter2"}, limits=Limits(attempts=1))
        assert "hunter2" not in str(caught.value)


def test_a_wait_longer_than_is_borne_is_not_begun(site: Site, http: Http, clock: Clock) -> None:
    site.put("/a", b"", 429, Retry_After="61")
    with pytest.raises(ServiceError, match="asks to wait 61 seconds; asked once"):
        http.get(f"{site.url}/a", limits=Limits(longest_wait_s=60))
    assert clock.slept == []


def test_words_far_down_in_an_errors_body_are_not_looked_for() -> None:
    def reasons(body: object) -> frozenset[str]:
        return ErrorAnswer("a", 403, {}, json.dumps(body).encode(), 0.0).reasons

    assert reasons({"error": {"errors": [{"reason": "near"}], "status": "top"}}) == {"near", "top"}
    deep: object = {"reason": "far"}
    for _ in range(200):
        deep = {"errors": [deep]}
    assert reasons(deep) == frozenset()
