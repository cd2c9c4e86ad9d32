"""Bombs end by the limits of the worker processes, the next file is read well, and long files are read in parts."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import documents
from tests.documents import half, paged_pdf, stream, text_lines, without_end
from workbench.errors import Cancelled, InputError
from workbench.parsers.pdf import Pdf
from workbench.records import ParsedFile
from workbench.workers import Workers

pytestmark = pytest.mark.slow

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(size=2, preload=["workbench.parsers.pdf"]) as pool:
        yield pool


@pytest.mark.parametrize(
    "make, timeout_s, statuses",
    [
        (documents.exponential_forms_pdf, 2.0, {"timed_out", "too_large"}),
        (documents.unfolding_stream_pdf, 4.0, {"timed_out", "too_large"}),
        (documents.crowded_page_pdf, 60.0, {"too_large"}),
    ],
)
def test_a_bomb_ends_by_a_limit_and_the_next_file_is_read(
    workers: Workers, make: Callable[[], bytes], timeout_s: float, statuses: set[str]
) -> None:
    data = make()
    for function, args in (
        (Pdf().parsed, (data, "bomb.pdf", "an id", "a place")),
        (Pdf().page_image, (data, 1)),
    ):
        with pytest.raises(InputError) as ended:
            workers.result(function, *args, timeout_s=timeout_s, memory_bytes=256 * MEBIBYTE)
        assert ended.value.status in statuses
        found = workers.result(Pdf().parsed, documents.plain_pdf(), "good.pdf", "an id", "a place")
        assert found.document.text == "The tram leaves at nine."


def test_a_form_that_nests_itself_is_read_once(workers: Workers) -> None:
    data = documents.form_nested_in_itself_pdf()
    found = workers.result(Pdf().parsed, data, "x.pdf", "an id", "a place", memory_bytes=256 * MEBIBYTE)
    assert "Round and round." in found.document.text


def test_a_long_file_read_in_parts_is_the_same_as_read_whole(workers: Workers) -> None:
    data = documents.n_pages_pdf(450)
    whole = Pdf().parsed(data, "long.pdf", "an id", "a place")
    parts = Pdf().parsed_by(
        workers, data, "long.pdf", "an id", "a place", timeout_s=60, memory_bytes=512 * MEBIBYTE
    )
    assert parts.document == whole.document
    for field in ("starts", "ends", "pages", "lines", "boxes"):
        assert np.array_equal(getattr(parts.layout, field), getattr(whole.layout, field))


@pytest.mark.parametrize("shorten", [bytes, half, lambda data: without_end(data, b"trailer")])
def test_three_hundred_pages_are_the_same_by_one_worker_and_by_two(
    workers: Workers, shorten: Callable[[bytes], bytes]
) -> None:
    data = shorten(long_pdf())
    by_two = long_file_read(workers, data)
    with Workers(size=1) as one:
        by_one = long_file_read(one, data)
    assert replace(by_two, layout=by_one.layout) == by_one
    for field in ("starts", "ends", "pages", "lines", "boxes"):
        assert np.array_equal(getattr(by_two.layout, field), getattr(by_one.layout, field))
    assert bool(by_two.incomplete) == (shorten is half)


def test_reading_that_is_cancelled_leaves_no_file_behind(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: set[str] = set()

    def in_the_middle() -> bool:
        seen.update(path.suffix for path in tmp_path.iterdir())
        return bool(seen)

    with pytest.raises(Cancelled):
        long_file_read(workers, long_pdf(), in_the_middle)
    assert seen == {".pdf"}
    assert list(tmp_path.iterdir()) == []


def test_a_long_file_is_read_where_no_disk_takes_a_copy_of_it(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = long_pdf()
    text = Pdf().parsed(data, "long.pdf", "an id", "a place").document.text
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert long_file_read(workers, data).document.text == text
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Workers that run already are bound by nothing: only this process cannot write a file to its end.
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        found = long_file_read(workers, data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found.document.text == text
    assert list(tmp_path.iterdir()) == []


def long_pdf() -> bytes:
    """Three hundred pages, large enough to be shared out."""
    lines = [f"Line {line} of this page is about trams." for line in range(12)]
    data = paged_pdf([stream(text_lines([f"Page {page}.", *lines])) for page in range(300)])
    assert len(data) > 100_000
    return data


def long_file_read(
    workers: Workers, data: bytes, cancelled: Callable[[], bool] = lambda: False
) -> ParsedFile:
    limits: dict[str, Any] = {"timeout_s": 60, "memory_bytes": 512 * MEBIBYTE, "cancelled": cancelled}
    return Pdf().parsed_by(workers, data, "long.pdf", "an id", "a place", **limits)


def test_reading_in_parts_can_be_cancelled(workers: Workers) -> None:
    with pytest.raises(Cancelled):
        Pdf().parsed_by(
            workers,
            documents.n_pages_pdf(300),
            "long.pdf",
            "an id",
            "a place",
            timeout_s=60,
            memory_bytes=512 * MEBIBYTE,
            cancelled=lambda: True,
        )


def test_three_thousand_pages_are_read(workers: Workers) -> None:
    found = workers.result(Pdf().parsed, documents.n_pages_pdf(3000), "long.pdf", "an id", "a place")
    assert len(found.document.pages) == 3000
    page = found.document.pages[1233]
    assert found.document.text[page.start : page.end].strip() == "Page 1234 of 3000."
