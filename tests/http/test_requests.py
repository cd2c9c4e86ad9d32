"""Requests against a real server on this machine: paced, patient, guarded and within limits."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import tracemalloc
import zlib
from contextlib import closing
from email.utils import formatdate

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web_site import Clock, Site, Visitor, answering, serving
from workbench.errors import Cancelled, InputError, ServiceError, WorkbenchError
from workbench.http import AllowList, Http, Limits, unpacked


def test_an_answer_is_read_whole(site: Site, http: Http) -> None:
    site.put("/a", b"hello", Content_Type="text/plain", ETag='"1"')
    found = http.get(f"{site.url}/a?x=1#part")
    assert (found.status, found.data, found.url) == (200, b"hello", f"{site.url}/a?x=1")
    assert (found.headers["etag"], found.headers["content-type"]) == ('"1"', "text/plain")
    assert site.asked == ["/a?x=1"]
    assert site.headers[0]["User-Agent"].startswith("retrieval-workbench/")


def test_this_machine_is_not_talked_to_unless_it_is_listed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Http() as http, pytest.raises(InputError, match="an address of this machine"):
        http.get(f"{site.url}/")
    assert site.asked == []
    monkeypatch.setenv("WORKBENCH_ALLOW_HOSTS", "127.0.0.0/8")
    site.put("/", b"in")
    with Http() as http:
        assert http.get(f"{site.url}/").data == b"in"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/",
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://2130706433:1/",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_inside_is_refused(site: Site, http: Http, target: str) -> None:
    site.put("/a", b"", 302, Location=target)
    with pytest.raises(InputError) as caught:
        http.get(f"{site.url}/a")
    assert caught.value.status == "refused"


def test_a_name_that_changes_its_address_is_reached_where_it_was_checked(
    site: Site, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer, which a second look-up for connecting would use, is never asked for."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked = []

    def resolved(host: str, port: int, *args: object, **kwargs: object) -> list[object]:
        if host.replace(".", "").isdigit():
            return real(host, port, *args, **kwargs)  # type: ignore[arg-type]
        asked.append(host)
        return [(2, 1, 6, "", (address, port)) for address in answers.pop(0)]

    real = socket.getaddrinfo
    monkeypatch.setattr("socket.getaddrinfo", resolved)
    site.put("/", b"first")
    assert http.get(f"http://rebinding.example:{site.port}/").data == b"first"
    assert asked == ["rebinding.example"]
    assert site.headers[0]["Host"] == f"rebinding.example:{site.port}"


def test_redirects_are_followed_and_checked_one_by_one(site: Site, http: Http) -> None:
    site.put("/a", b"", 301, Location="b/c")
    site.put("/b/c", b"", 307, Location="/d")
    site.put("/d", b"end")
    seen: list[str] = []
    assert http.get(f"{site.url}/a", check=seen.append).url == f"{site.url}/d"
    assert seen == [f"{site.url}{path}" for path in ("/a", "/b/c", "/d")]


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ("/gr\u00f6\u00dfe?q=\u2713 a".encode(), "/gr%C3%B6%C3%9Fe?q=%E2%9C%93%20a"),
        (b"/gr\xf6\xdfe", "/gr%F6%DFe"),
        (b"/%C3%B6", "/%C3%B6"),
    ],
    ids=["utf-8", "other bytes", "encoded"],
)
def test_a_redirect_leads_to_the_very_bytes_that_were_sent(
    site: Site, http: Http, sent: bytes, asked: str
) -> None:
    site.put("/a", b"", 302, Location=sent.decode("latin-1"))
    site.put(asked.partition("?")[0], b"end")
    assert http.get(f"{site.url}/a").data == b"end"
    assert site.asked == ["/a", asked]


def test_an_etag_of_any_letters_goes_back_as_it_came(site: Site, http: Http) -> None:
    site.put("/a", b"", ETag='"\u00e9\u00ff"')
    etag = http.get(f"{site.url}/a").headers["etag"]
    http.get(f"{site.url}/a", {"If-None-Match": etag})
    assert site.headers[1]["If-None-Match"] == etag == '"\u00e9\u00ff"'


def test_redirects_in_a_circle_end(site: Site, http: Http) -> None:
    site.put("/a", b"", 302, Location="/a")
    with pytest.raises(InputError, match="redirected more than 5 times"):
        http.get(f"{site.url}/a")
    assert len(site.asked) == 6


def test_credentials_stay_with_the_host_they_were_meant_for(site: Site, clock: Clock) -> None:
    with serving() as other, Http(AllowList.parsed("127.0.0.1"), clock=clock, sleep=clock.sleep) as http:
        site.put("/a", b"", 302, Location="/b")
        site.put("/b", b"", 302, Location=f"{other.url}/c")
        other.put("/c", b"")
        http.get(f"{site.url}/a", {"Authorization": "Bearer hunter2"})
        assert [h.get("Authorization") for h in site.headers] == ["Bearer hunter2"] * 2
        assert "Authorization" not in other.headers[0]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_obeyed(site: Site, http: Http, clock: Clock, status: int) -> None:
    site.put_in_turn("/a", answering(b"", status, Retry_After="7"), answering(b"ok"))
    assert http.get(f"{site.url}/a").data == b"ok"
    assert sum(clock.slept) == pytest.approx(7)


def test_retry_after_as_a_date_is_obeyed(site: Site, http: Http, clock: Clock) -> None:
    date = formatdate(1_700_000_000 + 42, usegmt=True)
    site.put_in_turn("/a", answering(b"", 429, Retry_After=date), answering(b"ok"))
    assert http.get(f"{site.url}/a").data == b"ok"
    assert sum(clock.slept) == pytest.approx(42)


def test_a_wait_beyond_the_total_time_is_not_begun(site: Site, http: Http, clock: Clock) -> None:
    site.put("/a", b"", 429, Retry_After="3600")
    with pytest.raises(ServiceError, match=r"answered 429, and asks to wait 3,600 seconds; asked once"):
        http.get(f"{site.url}/a")
    assert clock.slept == []
    with pytest.raises(ServiceError, match="left alone for another 3,600 seconds"):
        http.get(f"{site.url}/b")
    assert site.asked == ["/a"]


def test_a_host_that_asked_one_thread_to_wait_is_left_alone_by_all(
    site: Site, http: Http, clock: Clock
) -> None:
    site.put_in_turn("/a", answering(b"", 429, Retry_After="20"), answering(b"ok"))
    http.pace.leave_alone("127.0.0.1", 20)
    site.put("/b", b"")
    http.get(f"{site.url}/b")
    assert sum(clock.slept) == pytest.approx(20)


def test_failures_without_a_date_are_retried_with_growing_random_waits(
    site: Site, http: Http, clock: Clock
) -> None:
    site.put("/a", b"", 500)
    with pytest.raises(ServiceError, match="answered 500; asked 6 times"):
        http.get(f"{site.url}/a")
    assert len(site.asked) == 6
    assert 0 < sum(clock.slept) <= 1 + 2 + 4 + 8 + 16
    assert len({round(s, 6) for s in clock.slept}) > 1


def test_the_total_time_ends_the_attempts(site: Site, clock: Clock) -> None:
    limits = Limits(total_s=50, attempts=1_000)
    site.put("/a", b"", 503, Retry_After="20")
    with (
        Http(AllowList.parsed(site.allowed), limits, clock=clock, sleep=clock.sleep) as http,
        pytest.raises(ServiceError, match="asked 3 times"),
    ):
        http.get(f"{site.url}/a")
    assert sum(clock.slept) == pytest.approx(40)


@pytest.mark.parametrize(
    ("status", "word"),
    [(404, "gone"), (410, "gone"), (401, "forbidden"), (403, "forbidden"), (400, "refused")],
)
def test_a_refusal_is_not_retried(site: Site, http: Http, status: int, word: str) -> None:
    site.put("/a", b"", status)
    with pytest.raises(InputError) as caught:
        http.get(f"{site.url}/a")
    assert caught.value.status == word
    assert site.asked == ["/a"]


def test_a_closed_port_is_a_service_error(http: Http, clock: Clock) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        Http(AllowList.parsed(f"127.0.0.1:{port}"), clock=clock, sleep=clock.sleep) as http,
        pytest.raises(ServiceError, match="cannot be reached or broke off; asked 6 times"),
    ):
        http.get(f"http://127.0.0.1:{port}/")


def test_an_answer_that_breaks_off_is_asked_for_again(site: Site, http: Http) -> None:
    def half(visitor: Visitor) -> None:
        visitor.send_response(200)
        visitor.send_header("Content-Length", "100")
        visitor.end_headers()
        visitor.wfile.write(b"half")
        visitor.close_connection = True

    site.put_in_turn("/a", half, answering(b"whole"))
    assert http.get(f"{site.url}/a").data == b"whole"


def endless_body(visitor: Visitor) -> None:
    visitor.send_response(200)
    visitor.end_headers()
    while not visitor.site.closing.is_set():
        visitor.wfile.write(b"x" * 500)


def endless_headers(visitor: Visitor) -> None:
    visitor.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not visitor.site.closing.is_set():
        visitor.wfile.write(b"X-More: " + b"x" * 100 + b"\r\n")


def dripping(visitor: Visitor) -> None:
    visitor.send_response(200)
    visitor.end_headers()
    while not visitor.site.closing.wait(0.01):
        visitor.wfile.write(b"x")
        visitor.wfile.flush()


def silent(visitor: Visitor) -> None:
    visitor.site.closing.wait()


def test_an_endless_answer_stops_at_the_limit_of_bytes(site: Site, http: Http) -> None:
    site.pages["/a"] = endless_body
    with pytest.raises(InputError, match=r"larger than 10,000 bytes") as caught:
        http.get(f"{site.url}/a")
    assert caught.value.status == "too_large"


def test_endless_headers_end(site: Site, http: Http) -> None:
    site.pages["/a"] = endless_headers
    with pytest.raises(ServiceError, match="cannot be reached or broke off"):
        http.get(f"{site.url}/a", limits=Limits(attempts=1))


def test_an_answer_that_drips_for_ever_ends_with_the_total_time(site: Site) -> None:
    """Every wait for a byte is short, so only a look at the whole time ends it."""
    clock = Clock(step_s=0.5)
    site.pages["/a"] = dripping
    with (
        Http(AllowList.parsed(site.allowed), clock=clock, sleep=clock.sleep) as http,
        pytest.raises(ServiceError, match="did not answer in time"),
    ):
        http.get(f"{site.url}/a", limits=Limits(total_s=20, attempts=1))


def test_a_silent_server_ends_with_the_idle_time(site: Site, http: Http) -> None:
    site.pages["/a"] = silent
    with pytest.raises(ServiceError, match="did not answer in time; asked 2 times"):
        http.get(f"{site.url}/a", limits=Limits(idle_s=0.05, attempts=2))


def test_the_user_stops_a_silent_server(site: Site, http: Http) -> None:
    asked = threading.Event()

    def page(visitor: Visitor) -> None:
        asked.set()
        silent(visitor)

    site.pages["/a"] = page
    with pytest.raises(Cancelled):
        http.get(f"{site.url}/a", cancelled=asked.is_set)


def test_the_user_stops_a_long_wait(site: Site, http: Http, clock: Clock) -> None:
    site.put("/a", b"", 503, Retry_After="200")
    with pytest.raises(Cancelled):
        http.get(f"{site.url}/a", cancelled=lambda: clock.now > 1_010)
    assert sum(clock.slept) < 11


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(b"word " * 100, mtime=0)),
        ("gzip", gzip.compress(b"word " * 50, mtime=0) + gzip.compress(b"word " * 50, mtime=0) + b"\0" * 7),
        ("deflate", zlib.compress(b"word " * 100)),
        ("deflate", zlib.compress(b"word " * 100)[2:-4]),
    ],
)
def test_packed_answers_are_unpacked(site: Site, http: Http, name: str, data: bytes) -> None:
    site.put("/a", data, Content_Encoding=name)
    assert http.get(f"{site.url}/a").data == b"word " * 100


def test_a_bomb_is_not_unpacked(site: Site, http: Http) -> None:
    bomb = gzip.compress(b"\0" * 5_000_000, mtime=0)
    assert len(bomb) < 10_000
    site.put("/a", bomb, Content_Encoding="gzip")
    with pytest.raises(InputError, match=r"unpacks to more than 20,000 bytes") as caught:
        http.get(f"{site.url}/a")
    assert caught.value.status == "too_large"


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, mtime=0)
    tracemalloc.start()
    with pytest.raises(InputError, match="unpacks to more"):
        unpacked(bomb, 100_000, "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("data", [b"not packed", gzip.compress(b"word " * 100, mtime=0)[:-20]])
def test_what_cannot_be_unpacked_is_damaged(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        unpacked(data, 10_000, "a")
    assert caught.value.status == "damaged"


def test_many_small_parts_count_together() -> None:
    with pytest.raises(InputError, match="unpacks to more"):
        unpacked(gzip.compress(b"x" * 1_000, mtime=0) * 30, 20_000, "a")


def test_parts_without_end_are_refused() -> None:
    with pytest.raises(InputError, match="packed in more than 10,000 parts") as caught:
        unpacked(gzip.compress(b"", mtime=0) * 10_001, 20_000, "a")
    assert caught.value.status == "too_large"
    assert unpacked(gzip.compress(b"x", mtime=0) * 10_000, 20_000, "a") == b"x" * 10_000


def test_what_follows_a_part_is_not_copied_for_each_of_them() -> None:
    """Or the time grows with the square of the size."""
    data = gzip.compress(b"word", mtime=0) * 3 + b"\0" * 20_000_000
    tracemalloc.start()
    assert unpacked(data, 20_000, "a") == b"word" * 3
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@given(st.lists(st.binary(max_size=200_000), min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=30)
def test_parts_are_joined_wherever_they_end(texts: list[bytes], zeros: int) -> None:
    packed = (b"\0" * zeros).join(gzip.compress(text, 0, mtime=0) for text in texts)
    assert unpacked(packed, 2_000_000, "a") == b"".join(texts)


def test_an_unwanted_packing_is_named(site: Site, http: Http) -> None:
    site.put("/a", b"", Content_Encoding="br")
    with pytest.raises(InputError, match="packed as 'br'"):
        http.get(f"{site.url}/a")


def test_requests_to_one_host_keep_their_distance(site: Site, http: Http, clock: Clock) -> None:
    site.put("/a", b"")
    http.pace.slow_down("127.0.0.1", 2.0)
    http.pace.slow_down("127.0.0.1", 1.0)
    for _ in range(4):
        http.get(f"{site.url}/a")
    assert sum(clock.slept) == pytest.approx(3 * 2.0)


def test_waiting_for_ones_turn_does_not_use_up_the_time_for_the_answer(
    site: Site, http: Http, clock: Clock
) -> None:
    site.put("/a", b"ok")
    http.pace.slow_down("127.0.0.1", 1_000.0)
    for _ in range(3):
        assert http.get(f"{site.url}/a").data == b"ok"
    assert sum(clock.slept) == pytest.approx(2_000)


def test_threads_take_turns(site: Site, http: Http) -> None:
    http.pace.slow_down("127.0.0.1", 1.0)
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(http.pace.wait_s("127.0.0.1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [float(n) for n in range(8)]


def test_not_modified_comes_back_without_a_body(site: Site, http: Http) -> None:
    site.put("/a", b"", 304, ETag='"1"')
    assert http.get(f"{site.url}/a", {"If-None-Match": '"1"'}).status == 304


@pytest.mark.parametrize("status", [404, 403, 400, 500, 200])
def test_no_error_tells_a_token(site: Site, http: Http, status: int) -> None:
    site.put("/a", b"x" * 20_000, status)
    with pytest.raises(WorkbenchError) as caught:
        http.get(
            f"{site.url}/a?token=hunter2",
            {"Authorization": "Bearer hunter2"},
            limits=Limits(size_bytes=1, attempts=1),
        )
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in repr(error)
        error = error.__cause__ or error.__context__


def test_a_header_that_cannot_be_sent_is_not_repeated(site: Site, http: Http) -> None:
    with pytest.raises(InputError) as caught:
        http.get(f"{site.url}/a", {"Authorization": "hunter2\r\nX: y"})
    assert "hunter2" not in str(caught.value)
    assert site.asked == []


def test_a_certificate_is_checked_against_the_name_not_the_address(clock: Clock) -> None:
    authority = trustme.CA()
    speaking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(speaking)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)
    allowed = AllowList.parsed("127.0.0.0/8, ::1")
    with serving(speaking) as site:
        site.put("/", b"sealed" * 10_000)
        with Http(allowed, clock=clock, sleep=clock.sleep, ssl_context=trusting) as http:
            assert http.get(f"https://localhost:{site.port}/").data == b"sealed" * 10_000
            with pytest.raises(ServiceError, match="cannot prove who it is"):
                http.get(f"https://127.0.0.1:{site.port}/")
        with (
            Http(allowed, clock=clock, sleep=clock.sleep) as http,
            pytest.raises(ServiceError, match="cannot prove"),
        ):
            http.get(f"https://localhost:{site.port}/")
