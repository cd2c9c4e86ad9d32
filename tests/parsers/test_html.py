"""A web page is what a reader sees of it."""

from __future__ import annotations

import pytest

from tests.work import repeated, steps
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
    ("html", "text"),
    [
        ("The line opened in 1911<sup><a href='#n2'>2</a></sup> and", "The line opened in 1911 2 and"),
        ("in 1911<sup>[2]</sup>, sold 12,500<sup>3</sup>", "in 1911 [2], sold 12,500 3"),
        ("1.5 × 10<sup>6</sup> or 10<sup>−3</sup>", "1.5 × 10⁶ or 10⁻³"),
        ("2<sup>10</sup> and 1.05<sup>3</sup>", "2¹⁰ and 1.05³"),
        ("12 m<sup>2</sup> of H<sub>2</sub>O, R<sup>2</sup>", "12 m2 of H2O, R2"),
        ("the 1<sup>st</sup> and the 21<sup>st</sup>", "the 1st and the 21st"),
        ("about 45<sup>*</sup> cars", "about 45 * cars"),
    ],
)
def test_raised_figures_make_no_other_number_of_the_one_before(html: str, text: str) -> None:
    assert text_of(f"<p>{html}</p>") == text


CELLS = "<table><tr><th>Part<th>Stock<th>Bin{}</table>"


@pytest.mark.parametrize("empty", ["", " \n", "&nbsp;", "<br>", "<p></p>", "<img src=x alt=''>"])
def test_an_empty_cell_keeps_its_tab(empty: str) -> None:
    rows = f"<tr><td>Fuse<td>{empty}<td>C2<tr><td>{empty}<td>7<td>D1<tr><td>Lamp<td>112<td>{empty}"
    assert text_of(CELLS.format(rows)) == "Part\tStock\tBin\nFuse\t\tC2\n\t7\tD1\nLamp\t112\t"


def test_a_row_of_empty_cells_is_left_out() -> None:
    assert text_of(CELLS.format("<tr><td><td><td><tr><td>a<td>b<td>c")) == "Part\tStock\tBin\na\tb\tc"


def test_a_picture_alone_in_a_cell_is_read_by_what_it_stands_for() -> None:
    rows = "<tr><td>Fuse<td><img alt='in  stock'><td><img alt=tick> C2"
    assert text_of(CELLS.format(rows)) == "Part\tStock\tBin\nFuse\tin stock\tC2"


def test_cells_that_span_columns_or_rows_keep_the_others_in_their_columns() -> None:
    html = (
        "<table><tr><th rowspan=2>Line<th colspan=2>Cars<th>Depot<tr><th>2019<th>2020<th>Name"
        "<tr><td>41<td>7<td>9<td rowspan=2>North<tr><td>43<td>5<td>6</table>"
    )
    assert text_of(html) == "Line\tCars\t\tDepot\n\t2019\t2020\tName\n41\t7\t9\tNorth\n43\t5\t6\t"


def test_paragraphs_around_the_words_of_cells_make_no_paragraphs_of_a_row() -> None:
    html = "<table><tr><th><p>Item</p></th><th><p>Price</p></th></tr><tr><td><div>Nut</div></td><td><p>1</p></td></tr></table>"
    assert text_of(f"<p>See:</p>{html}<p>End</p>") == "See:\n\nItem\tPrice\nNut\t1\n\nEnd"


def test_a_table_of_layout_is_read_as_paragraphs() -> None:
    html = "<table><tr><td><ul><li>Home<li>News</ul><td></td><td><h1>Story</h1><p>One.</p><p>Two.</p></table>"
    assert text_of(html) == "Home\nNews\n\nStory\n\nOne.\n\nTwo."


def test_a_table_in_a_cell_keeps_its_own_rows() -> None:
    html = "<table><tr><td>Left<td><table><tr><td>a<td><td>b</table><td>Right</table>"
    assert text_of(html) == "Left\n\na\t\tb\n\nRight"


def test_a_heading_beside_tables_is_a_range_of_its_words() -> None:
    found = parsed(CELLS.format("<tr><td>a<td><td>") + "<h2>After</h2>" + CELLS.format("")).document
    assert [found.text[h.start : h.end] for h in found.headings] == ["After"]


def test_columns_that_cells_claim_to_span_are_bounded() -> None:
    text = text_of("<table><tr><td colspan=1000 rowspan=60000>a<td>b" + "<tr><td>c<td>d" * 100 + "</table>")
    assert max(line.count("\t") for line in text.splitlines()) <= 22


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<pre><b>import</b> <i>trams</i>\n\n<b>def</b> x(a,<b> </b>b):\n    <b>go</b></pre>",
            "import trams\n\ndef x(a, b):\n    go",
        ),
        ("<pre>if é:\n    é = 1\n\n\n    z = 2 \n</pre>", "if é:\n    é = 1\n\n    z = 2"),
        ("<p>One.<br> <br>Two.<br>Three.</p>", "One.\n\nTwo.\nThree."),
        ("<p>Intro.</p><p hidden=until-found>Found.</p>", "Intro.\n\nFound."),
        (
            "<p style='backface-visibility:hidden'>Card.</p><p style='color:red;visibility:hidden'>No.</p>",
            "Card.",
        ),
    ],
)
def test_blanks_of_code_empty_lines_and_what_is_hidden_only_for_now(html: str, text: str) -> None:
    assert text_of(html) == text


DEEP = "a" + "<b>" * 2_500


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("before", "pattern"),
    [
        (DEEP, "<!--"),
        (DEEP, "<script "),
        (DEEP + "<script>", "</script "),
        (DEEP, "<"),
        (DEEP, "<" + "a" * 2_000),
        ("<main>" * 1_000, "<i></i>"),
        ("abc<sup>" * 900, "<i>1</i>"),
        ("<p>a", "\u0301\u0323"),
        ("<pre>a", "<b> </b>"),
    ],
)
def test_a_large_page_made_to_cost_time_is_read(before: str, pattern: str) -> None:
    # With quadratic time each of these takes from minutes to hours.
    parsed(repeated(pattern, 600_000, before, "<p>b"))


@pytest.mark.parametrize(
    ("before", "pattern"),
    [
        (DEEP, "<!--"),
        (DEEP, "<script>"),
        (DEEP, "<style></style"),
        ("<main>" * 500, "<i></i>"),
        ("abc<sup>" * 400, "<i>1</i>"),
    ],
)
def test_four_times_the_page_takes_about_four_times_the_steps(before: str, pattern: str) -> None:
    short, long = (repeated(pattern, size, before, "<p>b") for size in (20_000, 80_000))
    assert steps(lambda: parsed(long)) <= 6 * steps(lambda: parsed(short)) + 500


def test_comments_and_programs_of_a_page_nested_too_deeply_are_left_out() -> None:
    page = f"{DEEP} one<!-- not <i>this --> two<script>nor('<this>')</script > three<style>p{{}}</style> four <!-- open"
    assert text_of(page).split() == ["a", "one", "two", "three", "four", "open"]


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
