"""Patterns of paths mean what they meant as regular expressions, and no pattern makes a path cost more than its length."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.work import repeated, steps
from workbench.sources._globs import wanted

TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)
MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def as_expression(pattern: str) -> re.Pattern[str]:
    """Return a pattern as the regular expression that says what it means, though it may take exponential time."""
    whole = pattern.removeprefix("./")
    whole = whole.removeprefix("/") if "/" in whole.removeprefix("/") else f"**/{whole.removeprefix('/')}"
    parts = (MEANING.get(token) or re.escape(token) for token in TOKEN.findall(whole))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


@given(
    st.lists(st.sampled_from(("a", "B", "/", "*", "**", "**/", "?", ".")), min_size=1, max_size=8),
    st.lists(st.text("aAb/.\n", max_size=10), min_size=1, max_size=8),
)
def test_a_pattern_fits_what_its_regular_expression_fits(pattern: list[str], paths: list[str]) -> None:
    fits = wanted(["".join(pattern)], [])
    expression = as_expression("".join(pattern))
    for path in paths:
        assert fits(path) == (expression.fullmatch(path) is not None)


def test_upper_and_lower_case_are_alike_in_every_script() -> None:
    fits = wanted(["straße/ÄRA*.PDF"], [])
    assert fits("Straße/ära 1.pdf")
    assert not fits("Straße/Ora 1.pdf")


@pytest.mark.parametrize(
    "pattern", ["**/" * 10 + "x", "*a" * 10 + "x", "**a" * 10 + "/x", "*/" * 10 + "x", "?*" * 10]
)
@pytest.mark.parametrize("path", ["a/", "a", "/", "a/a", "b"])
def test_four_times_the_path_takes_about_four_times_the_steps(pattern: str, path: str) -> None:
    short, long = (repeated(path, characters) for characters in (5_000, 20_000))
    fits = wanted([pattern], [])
    assert steps(lambda: fits(long)) <= 6 * steps(lambda: fits(short)) + 500


@pytest.mark.parametrize("part", ["**/", "*", "**", "?", "a", "*a", "**a", "***/", "/**/*"])
def test_four_times_the_pattern_takes_about_four_times_the_steps(part: str) -> None:
    path = "a/" * 100
    short, long = (repeated(part, characters) for characters in (5_000, 20_000))
    assert steps(lambda: wanted([long], [])(path)) <= 6 * steps(lambda: wanted([short], [])(path)) + 500


def test_a_path_of_many_folders_is_answered_however_many_stars_there_are() -> None:
    # As a regular expression this takes longer than anybody waits.
    assert not wanted(["**/" * 10 + "x"], [])("a/" * 2_000)
    assert wanted(["**/" * 10 + "x"], [])("a/" * 2_000 + "x")
