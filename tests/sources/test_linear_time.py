"""What sources read besides documents (robots.txt, sitemaps, tables, heads of pages) costs no more than its length."""

from __future__ import annotations

import pytest

from benchmarks.hostile import subjects
from tests.work import repeated, steps

READERS = {name: read for name, read in subjects().items() if not name.startswith(("parser.", "chunker."))}
PATTERNS = (
    "<!--",
    "<a b=",
    "</a",
    "a\n",
    '"a\n',
    "**/",
    "a/",
    "Allow: /*a*a*b\n",
    "Allow: /*\nUser-agent: *\n",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_four_times_the_text_takes_about_four_times_the_steps(name: str, pattern: str) -> None:
    read = READERS[name]
    steps(lambda: read("What is needed is loaded."))
    short, long = (repeated(pattern, size) for size in (5_000, 20_000))
    assert steps(lambda: read(long)) <= 6 * steps(lambda: read(short)) + 500


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("pattern", ["a", "a/", "*a", "<a b=", "/*a*a*b\n"])
def test_a_large_text_made_to_cost_time_is_read(name: str, pattern: str) -> None:
    steps(lambda: READERS[name](repeated(pattern, 200_000)))
