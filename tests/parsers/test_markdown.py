"""Markdown is kept to the letter, and its headings are found where a reader sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.parsers.markdown import Markdown
from workbench.records import Document


def document(text: str) -> Document:
    return Markdown().parsed(text.encode(), "notes.md", "an id", "a place").document


def headings(text: str) -> list[tuple[str, int]]:
    found = document(text)
    assert found.text == text
    return [(text[h.start : h.end], h.level) for h in found.headings]


def test_headings_by_signs_and_by_underline() -> None:
    text = "# One #\n\ntext\n\nTwo\nlines\n===\n\n###### Six\n\nThree\n---\n\n####### none\n#none\n"
    assert headings(text) == [("# One #", 1), ("Two\nlines\n===", 1), ("###### Six", 6), ("Three\n---", 2)]


def test_nothing_inside_code_is_a_heading() -> None:
    assert headings("```\n# no\n```\n\n    # no\n\n~~~\nno\n==\n~~~\n\n<pre>\n# no\n</pre>\n\n# yes") == [
        ("# yes", 1)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_kinds(end: str) -> None:
    assert headings(end.join(["# One", "", "text", "", "Two", "==="])) == [("# One", 1), (f"Two{end}===", 1)]


def test_headings_in_quotes_and_lists_are_found() -> None:
    assert headings("> # quoted\n\n- ## listed\n") == [("> # quoted", 1), ("- ## listed", 2)]


def test_front_matter_is_no_heading_and_gives_the_title() -> None:
    text = "---\ntitle: 'The care of trams'\nkey: x\n---\n\n# Daily work\n"
    assert headings(text) == [("# Daily work", 1)]
    assert document(text).title == "The care of trams"


def test_title_is_the_first_heading_without_its_signs() -> None:
    assert document("text\n\n## The *care* of [trams](x.html)\n").title == "The care of trams"
    assert document("just text").title == "notes"


@given(st.text(st.sampled_from("#=-> \n\r\tab`~*[]()1.\u2028"), min_size=1))
def test_any_text_is_kept_and_its_headings_are_ranges(text: str) -> None:
    if text.strip():
        headings(text)


def test_deep_nesting_does_no_harm() -> None:
    assert document(">" * 20_000 + " deep\n" + "[" * 20_000 + "- " * 5_000 + "x").text
