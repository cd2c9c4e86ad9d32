"""A web page is what a reader sees of it."""

from __future__ import annotations

import pytest

from workbench.errors import InputError
from workbench.parsers.html import Html
from workbench.records import ParsedFile


def parsed(html: str | bytes) -> ParsedFile:
    data = html.encode() if isinstance(html, str) else html
    return Html().parsed(data, "page.html", "an id", "a place")


def text_of(html: str | bytes) -> str:
    return parsed(html).document.text


def test_programs_styles_and_menus_are_left_out() -> None:
    html = (
        "<head><title>T</title><style>p{}</style></head><nav>Menu</nav><p>Read <script>alert(1)</script>this."
        "<!-- not this --><p hidden>nor this</p><div style='display: none'>nor this</div><p>But this.</p>"
    )
    assert text_of(html) == "Read this.\n\nBut this."


def test_blocks_are_paragraphs_and_inline_parts_are_not() -> None:
    html = "<p>one <b>two</b>three<i> four</i>\n  five</p><div>six<br>seven</div>eight"
    assert text_of(html) == "one twothree four five\n\nsix\nseven\n\neight"


def test_lists_and_tables_are_lines() -> None:
    html = "<ul><li>one<li>two</ul><table><tr><th>Car<th>Sand<tr><td>41<td> 12 kg </table>"
    assert text_of(html) == "one\ntwo\n\nCar\tSand\n41\t12 kg"


def test_preformatted_text_keeps_its_lines_and_indents() -> None:
    assert text_of("<p>see</p><pre>def f():\n    return 1\n</pre>") == "see\n\ndef f():\n    return 1"


def test_entities_are_letters_and_letters_are_composed() -> None:
    assert text_of(
        "<p>&lt;b&gt; &amp; caf&eacute; cafe\u0301&nbsp;x &#x1F68B; of\ufb01cial so\u00adft</p>"
    ) == ("<b> & café café x 🚋 official soft")


def test_headings_are_ranges_with_their_levels() -> None:
    found = parsed(
        "<h1>The <i>care</i> of trams</h1><p>x</p><h3> Daily\n work </h3><p>y</p><h2></h2>"
    ).document
    assert [(found.text[h.start : h.end], h.level) for h in found.headings] == [
        ("The care of trams", 1),
        ("Daily work", 3),
    ]


def test_title_is_the_pages_own_then_the_first_heading_then_the_name() -> None:
    assert parsed("<title> Tram\n care </title><h1>No</h1>").document.title == "Tram care"
    assert parsed("<h2>Low</h2><h1>High</h1>").document.title == "High"
    assert parsed("<p>x").document.title == "page"


def test_the_main_part_is_read_where_the_page_marks_it() -> None:
    assert text_of("<header>Site</header><main><p>Story</p></main><footer>Imprint</footer>") == "Story"


def test_a_footnote_mark_is_no_part_of_its_word() -> None:
    assert (
        text_of("<p>without a step.<sup>1</sup> Over 12 km<sup>2</sup></p>")
        == "without a step. 1 Over 12 km2"
    )


@pytest.mark.parametrize(
    "head, encoding",
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">', "shift_jis"),
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ('<meta charset="utf-8">', "utf-16"),
        ('<meta charset="no-such-thing">', "utf-8"),
    ],
)
def test_the_declared_encoding_or_the_mark_is_used(head: str, encoding: str) -> None:
    words = "路面電車" if encoding == "shift_jis" else "Трамвай"
    found = parsed(f"{head}<p>{words}</p>".encode(encoding))
    assert found.document.text == words
    assert found.warnings == ()


@pytest.mark.parametrize("lie", ["utf-16", "utf-16be", "undefined", "idna", "cp037", "unicode_escape"])
def test_a_declaration_that_contradicts_its_own_letters_is_ignored(lie: str) -> None:
    assert (
        parsed(f'<meta charset="{lie}"><p>Трамвай C:\\new</p> '.encode()).document.text == "Трамвай C:\\new"
    )


@pytest.mark.parametrize("western", ["iso-8859-1", "latin1", "ascii"])
def test_a_page_said_to_be_western_keeps_the_quotes_of_windows(western: str) -> None:
    found = parsed(f'<meta charset="{western}"><p>“Café” – 5 €</p>'.encode("cp1252"))
    assert found.document.text == "“Café” – 5 €"


def test_deep_nesting_is_read_without_its_form() -> None:
    found = parsed("<p>before</p>" + "<div>" * 50_000 + "deep" + "</div>" * 50_000 + "<p>after</p>")
    assert found.document.text.split() == ["before", "deep", "after"]
    assert "only its words were read" in found.warnings[0]


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<!-- x -->",
        "<img src=x>",
        "\x00",
        "<?xml version='1.0'?>",
        "<html><head></head></html>",
    ],
)
def test_pages_without_words_are_refused(html: str) -> None:
    with pytest.raises(InputError) as refused:
        parsed(html)
    assert refused.value.status == "no_text"


def test_a_nul_does_not_end_the_page() -> None:
    assert text_of("<p>one\x00</p><p>two</p>") == "one\n\ntwo"


def test_markup_in_words_stays_words() -> None:
    assert text_of("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>") == "<script>alert(1)</script>"
