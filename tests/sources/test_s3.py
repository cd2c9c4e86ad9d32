"""A bucket as a source, against moto's S3 server: pages, ETags, credentials, and what goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.web_site import answering, serving
from workbench.contracts import SourceAccess, SourceConnection
from workbench.errors import Cancelled, InputError, MissingPackageError, ServiceError, SettingsError
from workbench.plugins import build
from workbench.records import SourceItem
from workbench.sources import s3

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "hunter1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("WORKBENCH_ALLOW_HOSTS", "127.0.0.1")


@pytest.fixture
def client(server: str) -> Iterator[Any]:
    found = boto3.client("s3", endpoint_url=server)
    found.create_bucket(Bucket="library")
    for name in ("books/a.pdf", "books/deep/b ü.md", "books/picture.png", "notes/c.txt"):
        found.put_object(Bucket="library", Key=name, Body=name.encode(), Metadata={"author": "ann"})
    found.put_object(Bucket="library", Key="books/", Body=b"")
    yield found
    for entry in found.list_objects_v2(Bucket="library").get("Contents", []):
        found.delete_object(Bucket="library", Key=entry["Key"])
    found.delete_bucket(Bucket="library")


def opened(server: str, **settings: object) -> SourceConnection:
    wishes = {"bucket": "library", "endpoint_url": server} | settings
    connection: SourceConnection = build("sources", "s3", wishes).connection(SourceAccess())
    return connection


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, ["books/a.pdf", "books/deep/b ü.md", "notes/c.txt"]),
        ({"prefix": "books/"}, ["books/a.pdf", "books/deep/b ü.md"]),
        ({"include": ["*.txt", "books/*"]}, ["books/a.pdf", "notes/c.txt"]),
        ({"exclude": ["books/**"]}, ["notes/c.txt"]),
        ({"prefix": "nothing/"}, []),
    ],
)
def test_objects_that_a_parser_reads_are_listed(
    server: str, client: object, settings: dict[str, object], found: list[str]
) -> None:
    with opened(server, **settings) as connection:
        listing = connection.items()
        assert [item.item_id for item in listing] == found
        assert (listing.complete, listing.problems) == (True, [])


def test_reading_gives_bytes_name_metadata_and_etag(server: str, client: object) -> None:
    with opened(server, prefix="books/deep/") as connection:
        item = next(iter(connection.items()))
        raw = connection.read(item)
        assert raw is not None
        assert (raw.data.decode(), raw.name) == ("books/deep/b ü.md", "b ü.md")
        assert raw.version == raw.validator == item.version
        assert dict(raw.metadata) == {"author": "ann"}
        assert raw.uri == item.uri == "s3://library/books/deep/b%20%C3%BC.md"
        assert connection.read(item, raw.validator) is None


def test_an_object_with_other_bytes_has_another_version(server: str, client: Any) -> None:
    with opened(server) as connection:
        first = {item.item_id: item.version for item in connection.items()}
        client.put_object(Bucket="library", Key="books/a.pdf", Body=b"changed")
        second = {item.item_id: item.version for item in connection.items()}
        assert [key for key in first if first[key] != second[key]] == ["books/a.pdf"]
        raw = connection.read(SourceItem("books/a.pdf"), first["books/a.pdf"])
        assert raw is not None
        assert (raw.data, raw.version) == (b"changed", second["books/a.pdf"])


def test_a_large_bucket_comes_in_pages(server: str, client: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE_KEYS", 2)
    with opened(server) as connection:
        pages = list(connection.pages(""))
        assert [(len(page.items), page.complete) for page in pages] == [(1, False), (1, False), (1, True)]
        assert len(list(connection.items())) == 3


def test_an_object_that_vanished_is_gone(server: str, client: Any) -> None:
    with opened(server) as connection:
        item = next(iter(connection.items()))
        client.delete_object(Bucket="library", Key=item.item_id)
        with pytest.raises(InputError, match=r"s3://library/books/a\.pdf is not there any more") as caught:
            connection.read(item)
        assert caught.value.status == "gone"


def test_an_object_above_the_limit_is_too_large(server: str, client: Any) -> None:
    client.put_object(Bucket="library", Key="big.txt", Body=b"x" * 1_000_001)
    with (
        opened(server, largest_mb=1) as connection,
        pytest.raises(InputError, match="larger than 1 MB") as caught,
    ):
        connection.read(SourceItem("big.txt"))
    assert caught.value.status == "too_large"


def test_an_object_in_an_archive_stays_listed_and_says_when_read_that_it_must_be_restored(
    server: str, client: Any
) -> None:
    client.put_object(Bucket="library", Key="old.txt", Body=b"old", StorageClass="GLACIER")
    with opened(server, include=["*.txt"]) as connection:
        listing = connection.items()
        items = {item.item_id: item for item in listing}
        assert sorted(items) == ["notes/c.txt", "old.txt"]
        assert (listing.complete, listing.problems) == (
            True,
            ["old.txt lies in GLACIER and must be restored first"],
        )
        with pytest.raises(InputError, match="must be restored first") as caught:
            connection.read(items["old.txt"])
    assert caught.value.status == "forbidden"


def test_a_bucket_that_is_not_there_is_a_failure(server: str, client: object) -> None:
    with opened(server, bucket="no-such-bucket") as connection:
        listing = connection.items()
        assert list(listing) == []
        assert isinstance(listing.failure, SettingsError)
        assert "NoSuchBucket" in str(listing.failure)
        assert not listing.complete


def test_a_listing_that_breaks_off_is_incomplete() -> None:
    """The first page comes, the second is refused."""
    first = (
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
        "<Contents><Key>a.txt</Key><ETag>1</ETag><Size>0</Size></Contents></ListBucketResult>"
    )
    refusal = b"<Error><Code>AccessDenied</Code><Message>hunter2</Message></Error>"
    with serving() as site, opened(site.url) as connection:
        site.put_in_turn("/library", answering(first.encode()), answering(refusal, 403))
        listing = connection.items()
        assert [item.item_id for item in listing] == ["a.txt"]
        assert (listing.complete, listing.finished) == (False, False)
        assert str(listing.failure) == (
            "s3://library may not be read with the credentials of this machine (AccessDenied): they need the rights"
            " s3:ListBucket and s3:GetObject"
        )


def test_a_service_that_is_not_there_is_a_service_error_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with serving() as site:
        url = site.url
    with opened(url) as connection:
        listing = connection.items()
        assert list(listing) == []
    assert isinstance(listing.failure, ServiceError)
    assert "hunter" not in str(listing.failure)


def test_a_service_on_this_machine_is_refused_unless_it_is_listed(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_ALLOW_HOSTS")
    with pytest.raises(InputError, match="an address of this machine"):
        opened(server)


def test_without_credentials_the_message_says_where_to_put_them(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with opened(server) as connection:
        listing = connection.items()
        list(listing)
    assert "set AWS_ACCESS_KEY_ID" in str(listing.failure)


def test_a_profile_that_is_not_there_is_a_settings_error(server: str) -> None:
    with pytest.raises(SettingsError, match="nobody"):
        opened(server, profile="nobody")


def test_a_missing_boto3_is_named_with_its_pip_line(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingPackageError, match=r'pip install "retrieval-workbench\[s3\]"'):
        opened(server)


def test_the_user_stops_a_listing(server: str, client: object) -> None:
    source = build("sources", "s3", {"bucket": "library", "endpoint_url": server})
    with source.connection(SourceAccess(cancelled=lambda: True)) as connection, pytest.raises(Cancelled):
        list(connection.items())


def test_buckets_and_prefixes_are_places() -> None:
    assert build("sources", "s3", {"bucket": "library"}).key == "s3:s3://library/"
    assert build("sources", "s3", {"bucket": "library", "prefix": "a/"}).key == "s3:s3://library/a/"
    assert (
        build("sources", "s3", {"bucket": "library", "endpoint_url": "http://minio.corp:9000"}).key
        == "s3:s3://minio.corp:9000/library/"
    )


def test_two_services_on_one_host_are_two_places() -> None:
    urls = (
        "http://minio.corp:9000",
        "http://minio.corp:9001",
        "http://minio.corp",
        "http://minio.corp/tenant/",
    )
    keys = {build("sources", "s3", {"bucket": "library", "endpoint_url": url}).key for url in urls}
    assert keys == {
        "s3:s3://minio.corp:9000/library/",
        "s3:s3://minio.corp:9001/library/",
        "s3:s3://minio.corp/library/",
        "s3:s3://minio.corp/tenant/library/",
    }


@pytest.mark.parametrize("query", ["?token=hunter2", "?hunter2", "?a=hunter2&b"])
def test_nothing_may_follow_a_question_mark_in_the_address_of_the_service(query: str) -> None:
    with pytest.raises(SettingsError, match="endpoint_url") as caught:
        build("sources", "s3", {"bucket": "library", "endpoint_url": f"https://minio.corp/{query}"})
    assert "hunter2" not in str(caught.value)


def test_a_bucket_name_is_checked() -> None:
    with pytest.raises(SettingsError, match="bucket"):
        build("sources", "s3", {"bucket": "a/../b"})
