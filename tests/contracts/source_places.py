"""A real place for each source, in which documents come, change and go: what the contract tests act on."""

from __future__ import annotations

import csv
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.web_site import Clock, Visitor, serving
from workbench.contracts import Source, SourceAccess
from workbench.http import AllowList, Http
from workbench.plugins import build


def settle(path: Path) -> None:
    """Give a file a time that is long over: one written within the last two seconds has no version yet."""
    os.utime(path, (1_600_000_000, 1_600_000_000))


class SourcePlace(ABC):
    """Documents by a short name such as ``a``; each source has ids of its own for them."""

    settings: dict[str, Any]

    @abstractmethod
    def put(self, name: str, text: str) -> None:
        """Write a document, new or changed."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take a document away."""

    @abstractmethod
    def break_down(self) -> None:
        """Let the next listing fail after it has begun or before."""

    def access(self, cancelled: Callable[[], bool] = lambda: False) -> SourceAccess:
        return SourceAccess(cancelled=cancelled)

    def source(self) -> Source:
        found: Source = build("sources", type(self).__name__, self.settings)
        return found


class pdf_folder(SourcePlace):  # noqa: N801, named as the plug-in is
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "docs"
        self.folder.mkdir()
        self.settings = {"path": str(self.folder)}

    def put(self, name: str, text: str) -> None:
        path = self.folder / "deep" / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        settle(path)

    def remove(self, name: str) -> None:
        (self.folder / "deep" / f"{name}.txt").unlink()

    def break_down(self) -> None:
        self.folder.rename(self.folder.with_name("away"))


class csv_file(SourcePlace):  # noqa: N801
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.path = folder / "table.csv"
        self.settings = {"path": str(self.path), "id_column": "id", "text_columns": ["text"]}
        self.rows: dict[str, str] = {}
        self._write()

    def put(self, name: str, text: str) -> None:
        self.rows[name] = text
        self._write()

    def remove(self, name: str) -> None:
        del self.rows[name]
        self._write()

    def break_down(self) -> None:
        with self.path.open("a") as file:
            file.write('z,"never closed\n')

    def _write(self) -> None:
        with self.path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("id", "text"), *self.rows.items()])
        settle(self.path)


class sitemap(SourcePlace):  # noqa: N801
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._block = serving()
        self.site = self._block.__enter__()
        self.clock = Clock()
        self.settings = {"url": f"{self.site.url}/sitemap.xml", "interval_s": 0}
        self.http = Http(AllowList.parsed(self.site.allowed), clock=self.clock, sleep=self.clock.sleep)
        self.pages: dict[str, int] = {}
        self.site.put("/robots.txt", "")

    def put(self, name: str, text: str) -> None:
        self.pages[name] = self.pages.get(name, 0) + 1
        etag = f'"{self.pages[name]}"'

        def answer(visitor: Visitor) -> None:
            known = visitor.headers.get("If-None-Match") == etag
            kind = "text/html; charset=utf-8"
            visitor.answer(f"<p>{text}".encode(), 304 if known else 200, Content_Type=kind, ETag=etag)

        self.site.pages[f"/{name}"] = answer
        self._write()

    def remove(self, name: str) -> None:
        del self.pages[name], self.site.pages[f"/{name}"]
        self._write()

    def break_down(self) -> None:
        self.site.put("/sitemap.xml", "<sitemapindex><sitemap><loc>/one.xml</loc></sitemap></sitemapindex>")
        self.site.put("/one.xml", b"", 503)

    def access(self, cancelled: Callable[[], bool] = lambda: False) -> SourceAccess:
        return SourceAccess(cancelled=cancelled, http=self.http)

    def close(self) -> None:
        self.http.close()
        self._block.__exit__(None, None, None)

    def _write(self) -> None:
        dated = "".join(
            f"<url><loc>/{name}</loc><lastmod>2024-01-01T00:00:{count:02}Z</lastmod></url>"
            for name, count in self.pages.items()
        )
        self.site.put("/sitemap.xml", f"<urlset>{dated}</urlset>")


class s3(SourcePlace):  # noqa: N801
    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        import boto3
        from moto.server import ThreadedMotoServer

        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "hunter1",
            "AWS_SECRET_ACCESS_KEY": "hunter2",
            "AWS_DEFAULT_REGION": "us-east-1",
            "WORKBENCH_ALLOW_HOSTS": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
        self.settings = {
            "bucket": folder.name.replace("_", "-").lower(),
            "endpoint_url": f"http://{host}:{port}",
        }
        self.client = boto3.client("s3", endpoint_url=self.settings["endpoint_url"])
        self.client.create_bucket(Bucket=self.settings["bucket"])

    def put(self, name: str, text: str) -> None:
        self.client.put_object(Bucket=self.settings["bucket"], Key=f"deep/{name}.txt", Body=text.encode())

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.settings["bucket"], Key=f"deep/{name}.txt")

    def break_down(self) -> None:
        for entry in self.client.list_objects_v2(Bucket=self.settings["bucket"]).get("Contents", []):
            self.client.delete_object(Bucket=self.settings["bucket"], Key=entry["Key"])
        self.client.delete_bucket(Bucket=self.settings["bucket"])

    def close(self) -> None:
        self.server.stop()


PLACES: dict[str, type[Any]] = {place.__name__: place for place in (pdf_folder, csv_file, sitemap, s3)}


@contextmanager
def place_of(name: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[SourcePlace]:
    """Yield an empty place for the source of this name."""
    found: SourcePlace = PLACES[name](folder, patch)
    try:
        yield found
    finally:
        if (close := getattr(found, "close", None)) is not None:
            close()
