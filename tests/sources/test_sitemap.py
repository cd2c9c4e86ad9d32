"""A web site as a source, against a real server: sitemaps, robots.txt, canonical addresses, and half answers."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.web_site import Clock, Site, Visitor, answering, serving
from workbench.contracts import Listing, SourceAccess, SourceConnection
from workbench.errors import Cancelled, ElsewhereError, InputError, ServiceError, SettingsError
from workbench.http import AllowList, Http, Response
from workbench.plugins import build
from workbench.records import SourceItem
from workbench.sources import _sitemap_file
from workbench.sources._sitemap_file import entries, version
from workbench.sources._web_page import content_type, marked

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC).timestamp()
HTML = "<html><head><title>T</title>{head}</head><body><main>text</main></body></html>"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        found.put("/robots.txt", "User-agent: *\nDisallow: /private/\n")
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def http(clock: Clock) -> Iterator[Http]:
    with Http(AllowList.parsed("127.0.0.1"), clock=clock, utc_s=lambda: NOW, sleep=clock.sleep) as found:
        yield found


def opened(site: Site, http: Http, path: str = "/sitemap.xml", **settings: object) -> SourceConnection:
    wishes = {"url": site.url + path} | settings
    connection: SourceConnection = build("sources", "sitemap", wishes).connection(SourceAccess(http=http))
    return connection


def urlset(*entries: str) -> str:
    found = "".join(
        f"<url><loc>{url}</loc>{f'<lastmod>{changed}</lastmod>' if changed else ''}</url>"
        for url, _, changed in (entry.partition(" ") for entry in entries)
    )
    return (
        f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{found}</urlset>'
    )


def index(*urls: str) -> str:
    found = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{found}</sitemapindex>'


def paths(listing: Listing) -> list[str]:
    return [item.item_id.split("/", 3)[3] for item in listing]


def page(site: Site, path: str, head: str = "", **headers: str) -> None:
    site.put(path, HTML.replace("{head}", head), Content_Type="text/html", **headers)


def test_pages_are_listed_with_their_last_change_and_read(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", urlset("{site}/a 2024-05-01T10:00:00+02:00", "{site}/b"))
    page(site, "/a", ETag='"1"')
    connection = opened(site, http)
    listing = connection.items()
    items = list(listing)
    assert [item.version for item in items] == ["lastmod 2024-05-01T08:00:00+00:00", ""]
    assert (listing.complete, listing.problems) == (True, [])
    raw = connection.read(items[0])
    assert raw is not None
    assert b"<main>text</main>" in raw.data
    assert (raw.name, raw.uri, raw.content_type) == ("a.html", f"{site.url}/a", "text/html")


def test_an_index_leads_to_packed_sitemaps_and_to_plain_ones(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", index("{site}/one.xml.gz", "/two.txt", "{site}/three.xml"))
    site.put(
        "/one.xml.gz", gzip.compress(urlset(f"{site.url}/a").encode()), Content_Type="application/x-gzip"
    )
    site.put("/two.txt", "{site}/b\n\n{site}/c\n")
    site.put("/three.xml", urlset("{site}/d").replace("http://www.sitemaps.org", "https://www.sitemaps.org"))
    listing = opened(site, http).items()
    assert sorted(paths(listing)) == ["a", "b", "c", "d"]
    assert listing.complete


def test_indexes_in_a_circle_end(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", index("{site}/more.xml", "{site}/sitemap.xml"))
    site.put("/more.xml", index("{site}/sitemap.xml", "{site}/more.xml", "{site}/last.xml"))
    site.put("/last.xml", urlset("{site}/a"))
    listing = opened(site, http).items()
    assert paths(listing) == ["a"]
    assert listing.complete
    assert len([path for path in site.asked if path.endswith(".xml")]) == 3


@pytest.mark.slow
def test_an_index_without_end_is_an_incomplete_listing(
    site: Site, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(visitor: Visitor) -> None:
        number = int(visitor.path.partition("?")[2] or 0)
        visitor.answer(index(f"{site.url}/s?{number + 1}").encode())

    monkeypatch.setattr("workbench.sources.sitemap.MOST_SITEMAPS", 20)
    site.pages["/s"] = endless
    listing = opened(site, http, "/s").items()
    assert list(listing) == []
    assert "leads to more than 20 sitemaps" in str(listing.failure)
    assert not listing.complete


def test_equal_addresses_are_listed_once_and_relative_ones_are_understood(site: Site, http: Http) -> None:
    site.put(
        "/deep/sitemap.xml",
        urlset("../a", "{site}/a#part", "/b?x=1&amp;y=2", "HTTP://127.0.0.1:" + str(site.port) + "/c/../a"),
    )
    listing = opened(site, http, "/deep/sitemap.xml").items()
    assert paths(listing) == ["a", "b?x=1&y=2"]


def test_pages_of_other_sites_are_reported_and_not_listed(site: Site, http: Http) -> None:
    site.put(
        "/sitemap.xml",
        urlset("https://other.example/x?token=hunter2", "{site}/a", "ftp://127.0.0.1/x", "http://[bad"),
    )
    listing = opened(site, http).items()
    assert paths(listing) == ["a"]
    assert listing.complete
    assert listing.problem_count == 3
    assert "list other.example in more_hosts" in listing.problems[0]
    assert "hunter2" not in "".join(listing.problems)


def test_of_many_addresses_that_are_not_read_the_first_are_named_and_the_others_counted(
    site: Site, http: Http
) -> None:
    foreign = (f"https://other.example/{number}" for number in range(3_000))
    site.put("/sitemap.xml", index("{site}/one.xml", "{site}/two.xml"))
    site.put("/one.xml", urlset("{site}/a", *foreign, *(f"{{site}}/private/{n}" for n in range(500))))
    site.put("/two.xml", urlset("{site}/b", *(f"https://more.example/{number}" for number in range(501))))
    found = list(opened(site, http).pages())
    assert sum(len(one.problems) for one in found) == 101
    assert found[-1].problems == ("3,901 more addresses are not read either",)
    listing = opened(site, http).items()
    assert sorted(paths(listing)) == ["a", "b"]
    assert listing.complete


def test_of_many_sitemaps_that_cannot_be_read_the_first_are_named_and_the_others_counted(
    site: Site, http: Http
) -> None:
    foreign = (f"https://other.example/{number}.xml" for number in range(2_000))
    site.put("/sitemap.xml", index("{site}/one.xml", *foreign))
    site.put("/one.xml", urlset("{site}/a", "{site}/b"))
    listing = opened(site, http).items()
    assert sorted(paths(listing)) == ["a", "b"]
    assert len(listing.faults) == 101
    assert listing.faults[-1].message == "1,900 more sitemaps cannot be read either"
    assert sum(fault.items for fault in listing.faults) == 2_000 * 2
    assert (listing.complete, listing.complete_but_for_faults) == (False, True)


@pytest.mark.slow
def test_a_sitemap_of_lines_is_read_line_by_line() -> None:
    data = b"https://other.example/a\n" * 200_000
    tracemalloc.start()
    count = sum(1 for _ in entries(data, "s", len(data)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 2_000_000


def test_hosts_that_are_named_may_be_read(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", urlset(f"http://localhost:{site.port}/a"))
    page(site, "/a")
    connection = opened(site, http, more_hosts=["LOCALHOST"])
    assert connection.read(next(iter(connection.items()))) is not None


def test_patterns_choose_by_path(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", urlset("{site}/docs/a", "{site}/docs/tag/b", "{site}/blog/c"))
    listing = opened(site, http, include=["docs/**"], exclude=["**/tag/**"]).items()
    assert paths(listing) == ["docs/a"]


def test_what_robots_txt_forbids_is_neither_listed_nor_read(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", urlset("{site}/private/a", "{site}/b"))
    page(site, "/private/a")
    site.put("/b", b"", 302, Location="/private/a")
    connection = opened(site, http)
    listing = connection.items()
    items = list(listing)
    assert [item.path for item in items] == ["b"]
    assert "robots.txt asks not to" in listing.problems[0]
    for item in (items[0], SourceItem(f"{site.url}/private/a")):
        with pytest.raises(InputError, match=r"robots\.txt asks not to"):
            connection.read(item)
    assert "/private/a" not in site.asked


def test_the_crawl_delay_is_kept(site: Site, http: Http, clock: Clock) -> None:
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 7\n")
    site.put("/sitemap.xml", urlset("{site}/a", "{site}/b"))
    page(site, "/a")
    page(site, "/b")
    connection = opened(site, http, interval_s=1)
    for item in connection.items():
        connection.read(item)
    assert site.asked.count("/robots.txt") == 1
    # Sitemap, then robots.txt a second later; the delay holds from there on.
    assert sum(clock.slept) == pytest.approx(1 + 1 + 7)


@pytest.mark.parametrize("delay", ["100000", "3601"])
def test_a_site_that_asks_for_endless_waits_is_refused_and_not_waited_for(
    site: Site, http: Http, clock: Clock, delay: str
) -> None:
    site.put("/robots.txt", f"User-agent: *\nCrawl-delay: {delay}\n")
    site.put("/sitemap.xml", urlset("{site}/a"))
    page(site, "/a")
    connection = opened(site, http, interval_s=0)
    listing = connection.items()
    assert list(listing) == []
    assert "between two requests" in str(listing.failure)
    with pytest.raises(InputError, match="between two requests") as caught:
        connection.read(SourceItem(f"{site.url}/a"))
    assert caught.value.status == "refused"
    assert clock.slept == []
    assert site.asked.count("/robots.txt") == 1


def test_the_first_page_leads_to_the_sitemaps_that_robots_txt_names(site: Site, http: Http) -> None:
    site.put("/robots.txt", f"Sitemap: {site.url}/one.xml\nSitemap: /two.xml\n")
    site.put("/one.xml", urlset("{site}/a"))
    site.put("/two.xml", urlset("{site}/b"))
    assert sorted(paths(opened(site, http, "/").items())) == ["a", "b"]


def test_without_robots_txt_everything_may_be_read(site: Site, http: Http) -> None:
    del site.pages["/robots.txt"]
    site.put("/sitemap.xml", urlset("{site}/private/a"))
    assert paths(opened(site, http, "").items()) == ["private/a"]


def test_while_robots_txt_cannot_be_had_nothing_is_read(site: Site, http: Http) -> None:
    site.put("/robots.txt", b"", 503)
    site.put("/sitemap.xml", urlset("{site}/a"))
    listing = opened(site, http).items()
    assert list(listing) == []
    assert isinstance(listing.failure, ServiceError)
    assert not listing.complete


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<urlset><url><loc>http://x/</loc></url>", "is damaged, or no sitemap"),
        (b"<html><body>not found</body></html>", "begins with <html>"),
        (b"", "is damaged, or no sitemap"),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaa">]><urlset><url><loc>&a;</loc></url></urlset>',
            "declares a document type",
        ),
        (b'<!DOCTYPE x SYSTEM "http://169.254.169.254/"><urlset/>', "declares a document type"),
        (gzip.compress(b"<urlset></urlset>", mtime=0)[:-4], "its end is missing"),
        (gzip.compress(b" " * 60_000_000, mtime=0), "unpacks to more than 52 MB"),
    ],
    ids=["cut off", "html", "empty", "entities", "external", "gzip cut off", "bomb"],
)
def test_a_damaged_sitemap_is_a_failure_and_not_a_short_listing(
    site: Site, http: Http, data: bytes, message: str
) -> None:
    site.put("/sitemap.xml", data)
    listing = opened(site, http).items()
    list(listing)
    assert message in str(listing.failure)
    assert not listing.complete


@pytest.mark.parametrize("broken", [(b"", 404), (b"<urlset><url>", 200)])
def test_one_sitemap_of_several_that_cannot_be_read_is_a_fault_as_large_as_the_others(
    site: Site, http: Http, broken: tuple[bytes, int]
) -> None:
    site.put("/sitemap.xml", index("{site}/one.xml", "{site}/two.xml", "{site}/three.xml"))
    site.put("/one.xml", *broken)
    site.put("/two.xml", urlset("{site}/a", "{site}/b", "{site}/c"))
    site.put("/three.xml", urlset("{site}/d"))
    listing = opened(site, http).items()
    assert sorted(paths(listing)) == ["a", "b", "c", "d"]
    assert (listing.complete, listing.finished, listing.problem_count) == (False, True, 1)
    (fault,) = listing.faults
    assert (fault.name, fault.items, fault.hides) == (f"{site.url}/one.xml", 2, True)
    assert listing.complete_but_for_faults


def test_where_no_sitemap_of_several_can_be_read_nothing_was_listed(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", index("{site}/one.xml", "{site}/two.xml"))
    listing = opened(site, http).items()
    assert paths(listing) == []
    assert (listing.complete, listing.complete_but_for_faults, len(listing.faults)) == (False, False, 2)


@pytest.mark.parametrize("url", ["https://other.example/two.xml", "ftp://127.0.0.1/two.xml", "http://[bad"])
def test_a_sitemap_of_another_site_among_several_makes_the_listing_incomplete(
    site: Site, http: Http, url: str
) -> None:
    """Which pages of this site it lists, nobody knows."""
    site.put("/sitemap.xml", index("{site}/one.xml", url))
    site.put("/one.xml", urlset("{site}/a"))
    listing = opened(site, http).items()
    assert paths(listing) == ["a"]
    assert (listing.complete, listing.finished, listing.problem_count) == (False, True, 1)
    assert (listing.complete_but_for_faults, len(listing.faults)) == (True, 1)


@pytest.mark.slow
def test_what_no_sitemap_holds_is_not_kept_in_memory() -> None:
    """Elements of any name, beside the entries and inside of one; a block of the file is held at a time."""
    strange = b"<x/>" * 30_000
    data = (
        b"<urlset>"
        + strange
        + b"<url>"
        + strange
        + b"<loc>http://e.org/a</loc></url><url><lastmod>2024</lastmod>"
        b"</url><url><loc>http://e.org/b<i/></loc></url></urlset>"
    )
    tracemalloc.start()
    found = [entry.location for entry in entries(data, "s", len(data))]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == ["http://e.org/a", "http://e.org/b"]
    assert peak < 2_000_000


@pytest.mark.parametrize("data", [b"<x/>" * 1_000, b"<x>" * 100 + b"</x>" * 100], ids=["many", "deep"])
def test_a_sitemap_with_elements_without_end_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.sources._sitemap_file.MOST_ELEMENTS", 1_000)
    with pytest.raises(InputError, match="too many elements") as caught:
        list(entries(b"<urlset>" + data + b"</urlset>", "s", 10**9))
    assert caught.value.status == "too_large"


def test_more_lines_than_a_sitemap_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.sources._sitemap_file.MOST_ELEMENTS", 10)
    with pytest.raises(InputError, match="too many lines"):
        list(entries(b"https://e.org/a\n" * 11, "s", 10**9))


@pytest.mark.parametrize("long", [b"<!--%s--><url>", b"<url a='%s'>", b"<?a %s?><url>"])
def test_a_long_comment_or_attribute_is_read_in_blocks_that_grow(
    long: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    class Counted(_sitemap_file._Blocks):
        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            read.append(len(found))
            return found

    monkeypatch.setattr(_sitemap_file, "_Blocks", Counted)
    data = b"<urlset>" + long % (b"a" * 8_000_000) + b"<loc>http://e.org/a</loc></url></urlset>"
    assert [entry.location for entry in entries(data, "s", 10**9)] == ["http://e.org/a"]
    # The work of expat: all that it holds of the comment, again with each block.
    assert sum(sum(read[: number + 1]) for number in range(len(read))) < 4 * len(data)


def test_a_server_that_fails_half_way_leaves_an_incomplete_listing(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", index("{site}/one.xml", "{site}/two.xml"))
    site.put("/two.xml", urlset("{site}/a"))
    site.put("/one.xml", b"", 500)
    listing = opened(site, http).items()
    assert paths(listing) == ["a"]
    assert isinstance(listing.failure, ServiceError)
    assert (listing.complete, listing.finished) == (False, False)


def test_more_pages_than_allowed_are_an_incomplete_listing(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", urlset("{site}/a", "{site}/b", "{site}/c"))
    listing = opened(site, http, max_urls=2).items()
    list(listing)
    assert isinstance(listing.failure, SettingsError)
    assert "raise max_urls" in str(listing.failure)
    assert not listing.complete


@pytest.mark.parametrize(
    ("changed", "version"),
    [
        ("2025-05-01", "lastmod 2025-05-01T00:00:00+00:00"),
        ("2025-06-01T11:00:00Z", "lastmod 2025-06-01T11:00:00+00:00"),
        ("2025-06-01", ""),
        ("2025-05-31", ""),
        ("2026-01-01", ""),
        ("2025-05", ""),
        ("yesterday", ""),
        ("9999-12-31", ""),
        ("9999-12-31T23:59:59-14:00", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("2025-06-01T00:00:00Z", ""),
        ("2025-05-31T00:00:00.000+02:00", ""),
        ("2025-05-20T00:00:00+02:00", "lastmod 2025-05-19T22:00:00+00:00"),
    ],
)
def test_a_last_change_counts_only_if_it_can_tell_two_changes_apart(
    site: Site, http: Http, changed: str, version: str
) -> None:
    site.put("/sitemap.xml", urlset(f"{{site}}/a {changed}"))
    assert next(iter(opened(site, http).items())).version == version


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ({"ETag": '"v1"'}, "If-None-Match"),
        ({"Last_Modified": "Mon, 05 May 2025 10:00:00 GMT"}, "If-Modified-Since"),
    ],
)
def test_a_page_that_has_not_changed_is_not_sent_again(
    site: Site, http: Http, header: dict[str, str], asked: str
) -> None:
    def answer(visitor: Visitor) -> None:
        known = visitor.headers.get(asked) == next(iter(header.values()))
        visitor.answer(b"<p>text", 304 if known else 200, Content_Type="text/html", **header)

    site.pages["/a"] = answer
    connection = opened(site, http)
    item = SourceItem(f"{site.url}/a")
    raw = connection.read(item)
    assert raw is not None
    assert connection.read(item, raw.validator) is None
    assert connection.read(item, raw.validator + "x") is not None


def test_a_page_that_calls_another_listed_one_its_proper_address_is_not_read_twice(
    site: Site, http: Http
) -> None:
    site.put("/sitemap.xml", urlset("{site}/a", "{site}/a?print=1", "{site}/old"))
    page(site, "/a", '<link rel="canonical" href="/a">')
    site.put("/old", b"", 301, Location="/a")
    connection = opened(site, http)
    first, second, third = connection.items()
    assert connection.read(first) is not None
    for item in (second, third):
        with pytest.raises(InputError, match="is another address of") as caught:
            connection.read(item)
        assert caught.value.status == "gone"


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ('<link rel="canonical" href="/real">', "/real"),
        ('<base href="/x/"><LINK REL="shortlink Canonical" HREF="real">', "/x/real"),
        ('<link rel="canonical" href="https://elsewhere.example/a">', "/a"),
        ('<link rel="canonical" href="javascript:x">', "/a"),
        ('</head><body><link rel="canonical" href="/real">', "/a"),
    ],
)
def test_a_canonical_address_counts_on_the_same_host_and_in_the_head_alone(
    site: Site, http: Http, head: str, found: str
) -> None:
    page(site, "/a", head)
    raw = opened(site, http).read(SourceItem(f"{site.url}/a"))
    assert raw is not None
    assert raw.uri == site.url + found


def linked(site: Site, links: str) -> None:
    """Put pages that each call another one proper: ``ab bc`` lets a name b and b name c."""
    for here, there in links.split():
        page(site, f"/{here}", f'<link rel="canonical" href="/{there}">')
    site.put("/sitemap.xml", urlset(*(f"{{site}}/{link[0]}" for link in links.split())))


def read_through(connection: SourceConnection, order: int = 1) -> dict[str, str]:
    """Return for every listed page which one is read for it."""
    found = {}
    for item in list(connection.items())[::order]:
        try:
            connection.read(item)
            found[item.path] = item.path
        except ElsewhereError as error:
            found[item.path] = error.item_id.rpartition("/")[2]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("links", "kept"),
    [
        ("ba ab", {"b": "a", "a": "a"}),
        ("cb ba ac", {"c": "a", "b": "a", "a": "a"}),
        ("xb bc cb", {"x": "b", "b": "b", "c": "b"}),
        ("ab bc cc", {"a": "c", "b": "c", "c": "c"}),
        ("ab bz", {"a": "b", "b": "b"}),
        ("aa", {"a": "a"}),
        ("az bz", {"a": "a", "b": "b"}),
    ],
    ids=["two", "circle", "into a circle", "chain", "chain out of the sitemap", "itself", "not listed"],
)
def test_of_pages_that_call_each_other_proper_the_same_one_stays_in_every_order(
    site: Site, http: Http, links: str, kept: dict[str, str], order: int
) -> None:
    linked(site, links)
    assert read_through(opened(site, http), order) == kept


@pytest.mark.parametrize("links", ["ba ab", "ab bc cc"])
def test_a_page_read_alone_gives_way_as_it_does_among_all(site: Site, http: Http, links: str) -> None:
    linked(site, links)
    among_all = read_through(opened(site, http))
    for path, proper in among_all.items():
        connection = opened(site, http)
        item = next(item for item in list(connection.items()) if item.path == path)
        if proper == path:
            assert connection.read(item) is not None
        else:
            with pytest.raises(ElsewhereError, match="is another address of"):
                connection.read(item)


@pytest.mark.parametrize(
    ("answer", "headers"),
    [(404, {}), (403, {}), (200, {"Content_Type": "image/png"}), (302, {"Location": "/private/x"})],
)
def test_a_page_that_cannot_be_read_stands_for_no_other(
    site: Site, http: Http, answer: int, headers: dict[str, str]
) -> None:
    linked(site, "ab bb")
    site.put("/b", b"x", answer, **headers)
    connection = opened(site, http)
    first = next(iter(list(connection.items())))
    assert connection.read(first) is not None


def test_while_the_proper_page_does_not_answer_nothing_is_decided(site: Site, http: Http) -> None:
    linked(site, "ab bb")
    site.put("/b", b"", 503)
    connection = opened(site, http)
    with pytest.raises(ServiceError):
        connection.read(next(iter(list(connection.items()))))


@pytest.mark.slow
def test_a_chain_without_end_is_not_believed(site: Site, http: Http) -> None:
    letters = "abcdefghijklmnop"
    linked(site, " ".join(map("".join, zip(letters, letters[1:] + "p", strict=True))))
    found = read_through(opened(site, http))
    assert (found["a"], found["p"], found["o"], found["g"]) == ("a", "p", "p", "p")


def test_a_proper_page_on_another_host_counts_if_that_is_listed_too(site: Site, http: Http) -> None:
    there = f"http://localhost:{site.port}"
    page(site, "/a", f'<link rel="canonical" href="{there}/b">')
    page(site, "/b")
    site.put("/sitemap.xml", urlset("{site}/a", f"{there}/b"))
    assert read_through(opened(site, http, more_hosts=["localhost"])) == {"a": "b", "b": "b"}
    site.put("/sitemap.xml", urlset("{site}/a"))
    assert read_through(opened(site, http, more_hosts=["localhost"])) == {"a": "a"}


def test_every_page_is_asked_for_once_more_at_most(site: Site, http: Http) -> None:
    linked(site, "az bz cz dz zz")
    read_through(opened(site, http))
    assert site.asked.count("/z") == 2


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/a", "text/html; charset=utf-8", "a.html"),
        ("/a.php", "application/xhtml+xml", "a.html"),
        ("/", "text/html", "127.0.0.1.html"),
        ("/files/tariff.pdf", "application/pdf", "tariff.pdf"),
        ("/download", "application/pdf", "download.pdf"),
        ("/notes.md", "text/plain", "notes.md"),
        ("/notes.md", "application/octet-stream", "notes.md"),
        ("/notes", "text/plain", "notes.txt"),
        ("/%2e%2e%2fx", "text/html", "x.html"),
    ],
)
def test_the_kind_of_a_page_decides_its_parser(
    site: Site, http: Http, path: str, kind: str, name: str
) -> None:
    site.put(path, b"<p>text", Content_Type=kind)
    raw = opened(site, http).read(SourceItem(site.url + path))
    assert raw is not None
    assert raw.name == name


def test_a_picture_is_unsupported(site: Site, http: Http) -> None:
    site.put("/a", b"x", Content_Type="image/png")
    with pytest.raises(InputError, match="is image/png, which is not read") as caught:
        opened(site, http).read(SourceItem(f"{site.url}/a"))
    assert caught.value.status == "unsupported"


def test_the_encoding_of_the_header_reaches_the_parser(site: Site, http: Http) -> None:
    site.put(
        "/a", "<meta charset=utf-8><p>Größe".encode("latin-1"), Content_Type="text/html; charset=iso-8859-1"
    )
    raw = opened(site, http).read(SourceItem(f"{site.url}/a"))
    assert raw is not None
    parsed = build("parsers", "html").parsed(raw.data, raw.name, "id", raw.uri)
    assert parsed.document.text == "Größe"


@pytest.mark.parametrize(
    "declared",
    [
        "charset*=utf-8''a%00b",
        "charset*=a%00b''x",
        "charset*=a\x01''x",
        'charset="a\x00b"',
        "charset=punycode",
        "charset=unicode_escape",
        "charset=utf-7",
        "charset=hex",
        "charset=mbcs",
        "charset=é",
        "charset=..os",
        "charset",
    ],
)
def test_an_encoding_that_no_page_is_in_is_not_heard(declared: str) -> None:
    """Punycode, for one, takes seconds for a page, and the name may be of letters that no codec may have."""
    answer = Response("http://e.org/a", 200, {"content-type": f"text/html; {declared}"}, b"<p>a-\\u0041+AEE-")
    assert content_type(answer) == ("text/html", "")
    assert marked(answer) == answer.data


@given(st.text(st.characters(max_codepoint=255), max_size=60), st.binary(max_size=60))
def test_no_header_and_no_bytes_break_a_reading(header: str, data: bytes) -> None:
    for value in (header, f"text/html; charset{header}"):
        answer = Response("http://e.org/a", 200, {"content-type": value}, data)
        assert content_type(answer)[1] == content_type(answer)[1].lower()
        assert isinstance(marked(answer), bytes)


@given(st.datetimes(), st.sampled_from(["", "Z", "+14:00", "-14:00", "+23:59"]))
@example(datetime.max, "-14:00")
@example(datetime.min, "+14:00")
def test_no_moment_breaks_a_listing(moment: datetime, zone: str) -> None:
    now = datetime(2025, 6, 1, tzinfo=UTC)
    for changed in (moment.isoformat() + zone, moment.date().isoformat()):
        found = version(changed, now)
        assert found == "" or datetime.fromisoformat(found.removeprefix("lastmod ")) <= now


def test_a_page_that_is_not_there_any_more_is_gone(site: Site, http: Http) -> None:
    with pytest.raises(InputError) as caught:
        opened(site, http).read(SourceItem(f"{site.url}/nowhere"))
    assert caught.value.status == "gone"


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/", "https://other.example/login", "http://127.0.0.1:1/"]
)
def test_a_redirect_away_is_refused(site: Site, clock: Clock, target: str) -> None:
    site.put("/a", b"", 302, Location=target)
    with Http(AllowList.parsed(site.allowed), clock=clock, sleep=clock.sleep) as http:
        connection = opened(site, http, more_hosts=["169.254.169.254"])
        with pytest.raises(InputError) as caught:
            connection.read(SourceItem(f"{site.url}/a"))
    assert caught.value.status == "refused"


def test_a_page_is_asked_for_again_when_the_server_says_when(site: Site, http: Http, clock: Clock) -> None:
    site.put_in_turn(
        "/a", answering(b"", 429, Retry_After="30"), answering(b"<p>text", Content_Type="text/html")
    )
    assert opened(site, http, interval_s=0).read(SourceItem(f"{site.url}/a")) is not None
    assert sum(clock.slept) == pytest.approx(30)


def test_a_site_inside_is_refused_unless_it_is_listed(site: Site) -> None:
    with build("sources", "sitemap", {"url": f"{site.url}/sitemap.xml"}).connection(
        SourceAccess()
    ) as connection:
        listing = connection.items()
        assert list(listing) == []
    assert "an address of this machine" in str(listing.failure)
    assert site.asked == []


def test_the_user_stops_a_listing(site: Site, http: Http) -> None:
    site.put("/sitemap.xml", urlset("{site}/a"))
    access = SourceAccess(http=http, cancelled=lambda: "/sitemap.xml" in site.asked)
    connection = build("sources", "sitemap", {"url": f"{site.url}/sitemap.xml"}).connection(access)
    with pytest.raises(Cancelled):
        list(connection.items())


@pytest.mark.parametrize("url", ["", "example.org", "file:///etc/passwd", "https://joe:hunter2@example.org/"])
def test_an_address_that_is_none_is_a_settings_error_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="url") as caught:
        build("sources", "sitemap", {"url": url})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "tail",
    [
        *(
            f"?page=1&{name}=hunter2"
            for name in ("sig", "key", "auth", "pwd", "jwt", "sessionid", "X-Amz-Signature")
        ),
        *(
            f"?{name}=hunter2"
            for name in ("token", "api_key", "apiKey", "PHPSESSID", "subscription-key", "%6Bey")
        ),
        "?a=1;token=hunter2",
        "?token",
        ";token=hunter2",
        "/deep;jsessionid=hunter2/sitemap.xml",
    ],
)
def test_a_secret_may_not_stand_in_the_address(tail: str) -> None:
    with pytest.raises(SettingsError, match="a secret may not stand in an address") as caught:
        build("sources", "sitemap", {"url": f"https://example.org/s.xml{tail}"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("tail", ["?page=1&monkey=2&design=3", "?q=token", "/key/sitemap.xml", ";v=1"])
def test_an_address_without_a_secret_is_taken(tail: str) -> None:
    assert build("sources", "sitemap", {"url": f"https://example.org/s.xml{tail}"})


def test_the_spelling_of_an_address_does_not_make_another_place() -> None:
    keys = {
        build("sources", "sitemap", {"url": url}).key
        for url in ("https://Example.org:443", "https://example.org/")
    }
    assert keys == {"sitemap:https://example.org/"}
