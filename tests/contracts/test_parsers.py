"""What is true of every parser. Subjects are found by listing the folder, files by the parsers' endings."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.hostile import PATTERNS, texts
from tests import documents
from tests.work import repeated, steps
from workbench import plugins
from workbench.contracts import Parser
from workbench.errors import InputError
from workbench.records import ParsedFile

NAMES = plugins.names("parsers")
SUFFIXES = {suffix for name in NAMES for suffix in plugins.plugin_class("parsers", name).suffixes}
ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path for path in (ROOT / "data/samples").iterdir() if path.suffix in SUFFIXES)
MADE: dict[str, Callable[[], bytes]] = {
    f"{name}.pdf": getattr(documents, name)
    for name in (
        "arabic_pdf",
        "chinese_japanese_korean_pdf",
        "control_characters_pdf",
        "empty_password_pdf",
        "hebrew_pdf",
        "ligatures_and_hyphens_pdf",
        "page_that_fails_alone_pdf",
        "repeated_headers_pdf",
        "rotated_pages_pdf",
        "two_columns_pdf",
    )
} | {
    "controls.txt": documents.control_characters_text,
    "setext.md": lambda: b"Title\r\n=====\r\n\r\ntext\r\n\r\n- # nested\r\n> ## quoted\n",
    "page.html": lambda: b"<h1>A <i>b</i></h1><ul><li>one<li>two</ul><table><tr><td>1<td>2</table>",
}


def parser_of(name: str) -> Parser:
    suffix = Path(name).suffix
    for parser_name in NAMES:
        parser: Parser = plugins.build("parsers", parser_name)
        if suffix in parser.suffixes:
            return parser
    raise AssertionError(f"no parser reads {suffix}")


def parsed_files() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in SAMPLES] + [
        (name, make()) for name, make in MADE.items()
    ]


FILES = dict(parsed_files())


@pytest.fixture(scope="module", params=sorted(FILES))
def found(request: pytest.FixtureRequest) -> tuple[str, ParsedFile]:
    name = request.param
    return name, parser_of(name).parsed(FILES[name], name, "an id", "file:a place")


def test_every_parser_has_a_file_here_and_endings_of_its_own() -> None:
    suffixes = [s for name in NAMES for s in plugins.plugin_class("parsers", name).suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)
    assert {type(parser_of(name)) for name in FILES} == {plugins.plugin_class("parsers", n) for n in NAMES}


def test_pages_touch_and_cover_the_text(found: tuple[str, ParsedFile]) -> None:
    document = found[1].document
    assert document.pages[0].start == 0
    assert document.pages[-1].end == len(document.text)
    for number, page in enumerate(document.pages, start=1):
        assert page.number == number
        assert page.start <= page.end
    for before, after in zip(document.pages, document.pages[1:], strict=False):
        assert before.end == after.start


def test_words_are_ranges_in_order_on_their_page_and_hold_letters(found: tuple[str, ParsedFile]) -> None:
    document, layout = found[1].document, found[1].layout
    assert (layout.starts < layout.ends).all()
    assert (layout.ends[:-1] <= layout.starts[1:]).all()
    assert layout.starts.dtype == layout.ends.dtype == np.int64
    assert layout.pages.dtype == layout.lines.dtype == np.int32
    assert layout.boxes.shape == (len(layout.starts), 4)
    pages = {page.number: page for page in document.pages}
    for start, end, number in zip(layout.starts, layout.ends, layout.pages, strict=True):
        word = document.text[start:end]
        assert word
        assert word == word.strip()
        assert pages[int(number)].start <= start < end <= pages[int(number)].end
    # Nothing but blanks lies between the words of a text that was on paper.
    if len(layout.starts):
        held = np.zeros(len(document.text), bool)
        for start, end in zip(layout.starts, layout.ends, strict=True):
            held[start:end] = True
        rest = "".join(letter for letter, inside in zip(document.text, held, strict=True) if not inside)
        assert rest.strip() == ""


def test_a_line_number_belongs_to_one_page(found: tuple[str, ParsedFile]) -> None:
    layout = found[1].layout
    pages: dict[int, int] = {}
    for line, page in zip(layout.lines, layout.pages, strict=True):
        assert pages.setdefault(int(line), int(page)) == int(page)


def test_boxes_lie_on_the_displayed_page(found: tuple[str, ParsedFile]) -> None:
    document, layout = found[1].document, found[1].layout
    for (x0, y0, x1, y1), number in zip(layout.boxes, layout.pages, strict=True):
        page = document.pages[int(number) - 1]
        assert x0 <= x1
        assert y0 <= y1
        assert -2 <= (x0 + x1) / 2 <= page.width + 2
        assert -2 <= (y0 + y1) / 2 <= page.height + 2


def test_headings_are_ordered_ranges_of_the_text(found: tuple[str, ParsedFile]) -> None:
    document = found[1].document
    end = 0
    for heading in document.headings:
        assert end <= heading.start < heading.end <= len(document.text)
        assert 1 <= heading.level <= 6
        words = document.text[heading.start : heading.end]
        assert words == words.strip()
        end = heading.end


def test_a_title_and_names_are_given(found: tuple[str, ParsedFile]) -> None:
    document = found[1].document
    assert document.title.strip()
    assert (document.id, document.uri) == ("an id", "file:a place")


def test_the_same_bytes_give_the_same_result(found: tuple[str, ParsedFile]) -> None:
    name, first = found
    second = parser_of(name).parsed(FILES[name], name, "an id", "file:a place")
    assert second.document == first.document
    for field in ("starts", "ends", "pages", "lines", "boxes"):
        assert np.array_equal(getattr(first.layout, field), getattr(second.layout, field))


def test_warnings_are_sentences(found: tuple[str, ParsedFile]) -> None:
    assert all(warning[0].isupper() or warning[0].isdigit() for warning in found[1].warnings)
    assert all(warning.endswith(".") for warning in found[1].warnings)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", [b"", b"  \n \t\n"], ids=["empty", "blank"])
def test_a_file_without_text_is_refused_by_its_name(name: str, data: bytes) -> None:
    parser: Parser = plugins.build("parsers", name)
    with pytest.raises(InputError, match=r"my file\.") as refused:
        parser.parsed(data, f"my file{parser.suffixes[0]}", "an id", "a place")
    assert refused.value.status in {"no_text", "damaged", "unsupported"}


@pytest.mark.parametrize("name", NAMES)
def test_another_version_of_a_package_that_reads_the_file_is_another_key(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser: Parser = plugins.build("parsers", name)
    assert parser.packages
    assert all(version for _, version in parser.package_versions())
    key, identity = parser.key("a hash"), parser.identity()
    monkeypatch.setattr(type(parser), "package_versions", lambda _: [["pymupdf", "9"]])
    assert parser.key("a hash") != key
    # The table keeps its name: it is the same configuration, made anew.
    assert parser.identity() == identity


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", sorted(documents.NASTY_FILE_NAMES.values()))
def test_no_file_name_harms(name: str, bad: str) -> None:
    parser = plugins.build("parsers", name)
    data = documents.plain_pdf() if name == "pdf" else b"Just some words."
    assert parser.parsed(data, bad, "an id", "a place").document.title


TEXT_PARSERS = [name for name in NAMES if name != "pdf"]
"""Parsers of files that are text all through. What a PDF takes depends on what its pages draw."""
COSTLY = (
    *(
        (name, "", pattern)
        for name in TEXT_PARSERS
        for pattern in ("<", "[", "*", "`", "# ", "---\n", "é", "\u0301\u0323")
    ),
    *(
        ("html", "", pattern)
        for pattern in ("<!--", "<script>", "<script", "<a b=", "<td>", "<table><tr><td>a", "<sup>1")
    ),
    *(("html", "a" + "<b>" * 2_500, pattern) for pattern in ("<!--", "<script>", "<", "</x>")),
    *(
        ("html", "", pattern)
        for pattern in ("<main>a", "<p>abc<sup>1", "<td colspan=1000>a", "<tr><td rowspan=9>a<td>b")
    ),
    *(("markdown", "# ", pattern) for pattern in ("[", "[](", "![", "*")),
    *(("markdown", "---\n", pattern) for pattern in ("a\n", "title:\n", "--- ", "---a\n")),
    *(("markdown", "---\ntitle: a", pattern) for pattern in (" ", "\t", '"')),
    *(("markdown", "", pattern) for pattern in (">- ", "[a]: b\n", "```\n", "<!--\n")),
)


def steps_of(name: str, text: str) -> int:
    parser: Parser = plugins.build("parsers", name)
    return steps(lambda: parser.parsed(text.encode(), "a", "an id", "a place"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "before", "pattern"), COSTLY)
def test_four_times_the_file_takes_about_four_times_the_steps(name: str, before: str, pattern: str) -> None:
    steps_of(name, "What is needed is loaded.")
    short, long = (steps_of(name, repeated(pattern, size, before)) for size in (5_000, 20_000))
    assert long <= 6 * short + 500


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", TEXT_PARSERS)
def test_no_short_pattern_makes_the_steps_grow_faster_than_the_file(name: str) -> None:
    steps_of(name, "What is needed is loaded.")
    for (pattern, short), (_, long) in zip(
        texts(f"parser.{name}", 1_000), texts(f"parser.{name}", 4_000), strict=True
    ):
        assert steps_of(name, long) <= 6 * steps_of(name, short) + 2_000, pattern


def test_every_sign_of_ascii_is_among_the_patterns() -> None:
    assert set(string.punctuation) <= set(PATTERNS)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("before", "pattern", "after"),
    [("# ", "[", ""), ("# ", "[](", ""), ("a\n", "[\n", "==="), ("---\ntitle: a", " ", "b\n---\n")],
)
def test_large_headings_and_titles_made_to_cost_time_are_read(before: str, pattern: str, after: str) -> None:
    # What one regular expression does is one step: here it would be quadratic, and take minutes.
    text = repeated(pattern, 200_000, before, after)
    assert parser_of("a.md").parsed(text.encode(), "a.md", "an id", "a place").document.text == text
