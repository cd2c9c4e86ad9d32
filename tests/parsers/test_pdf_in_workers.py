"""Bombs end by the limits of the worker processes, the next file is read well, and long files are read in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests import documents
from workbench.errors import Cancelled, InputError
from workbench.parsers.pdf import Pdf
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
