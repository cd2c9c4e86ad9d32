"""Hits of the same passage are linked, and a hit's text is shown to the letter."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from workbench.evaluation.rank_flow import same_passage
from workbench.records import Chunk, Hit, digest
from workbench.ui.search.results import common_passages
from workbench.ui.widgets.chunk_labels import pages_of
from workbench.ui.widgets.highlighted_text import LONGEST_SHOWN_CHARACTERS, marked
from workbench.ui.widgets.table_picker import labels_meant
from workbench.workspace import TableRow


def chunk(start: int, end: int, document: str = "d") -> Chunk:
    return Chunk(digest([document, start, end]), document, 0, start, end, "x" * (end - start), 1, 1, 1)


def column(*chunks: Chunk) -> list[Hit]:
    return [Hit(found, rank, 1.0 / rank) for rank, found in enumerate(chunks, start=1)]


RANGES = st.tuples(st.integers(0, 60), st.integers(1, 30), st.sampled_from("de")).map(
    lambda drawn: chunk(drawn[0], drawn[0] + drawn[1], drawn[2])
)
COLUMNS = st.lists(st.lists(RANGES, max_size=6).map(lambda chunks: column(*chunks)), max_size=4)


def test_hits_that_share_half_of_the_shorter_one_are_one_passage() -> None:
    assert same_passage(chunk(0, 100), chunk(90, 110))
    assert not same_passage(chunk(0, 100), chunk(91, 110))
    assert not same_passage(chunk(0, 100), chunk(0, 100, "other"))


def test_a_passage_in_two_columns_gets_one_letter_and_others_get_none() -> None:
    found = common_passages([column(chunk(0, 50), chunk(200, 250)), column(chunk(500, 550), chunk(10, 60))])
    assert found == [{1: "A"}, {2: "A"}]


def test_letters_follow_the_best_rank() -> None:
    left = column(chunk(0, 50), chunk(100, 150))
    right = column(chunk(100, 150), chunk(0, 50))
    assert common_passages([left, right]) == [{1: "A", 2: "B"}, {1: "B", 2: "A"}]


def test_neighbours_within_one_column_are_not_linked() -> None:
    assert common_passages([column(chunk(0, 50), chunk(0, 49)), column(chunk(300, 350))]) == [{}, {}]


@given(COLUMNS)
def test_every_letter_is_in_two_columns_and_shared_passages_have_the_same(columns: list[list[Hit]]) -> None:
    letters = common_passages(columns)
    assert len(letters) == len(columns)
    for letter in {letter for own in letters for letter in own.values()}:
        assert sum(letter in own.values() for own in letters) > 1
    for a, left in enumerate(columns):
        for b, right in enumerate(columns):
            for one in left:
                for other in right:
                    if a != b and same_passage(one.chunk, other.chunk):
                        assert letters[a][one.rank] == letters[b][other.rank]


@given(COLUMNS)
def test_the_order_of_columns_does_not_change_which_hits_are_linked(columns: list[list[Hit]]) -> None:
    turned = list(reversed(common_passages(list(reversed(columns)))))
    assert [own.keys() for own in turned] == [own.keys() for own in common_passages(columns)]


@given(st.text(max_size=200), st.integers(0, 200), st.integers(0, 200))
@example("118\t27 %", 3, 6)
def test_a_short_text_is_shown_to_the_letter(text: str, a: int, b: int) -> None:
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    shown = marked(text, (start, end))
    assert re.sub(r"<[^>]*>", "", shown) == html.escape(text)
    inside = "".join(re.findall(r"<mark>(.*?)</mark>", shown, re.DOTALL))
    assert html.unescape(re.sub(r"<[^>]*>", "", inside)) == text[start:end]


def test_markup_in_a_document_stays_text() -> None:
    shown = marked("<img src=x onerror=alert(1)> & <script>", None)
    assert "<img" not in shown
    assert "<script" not in shown


def test_a_long_text_opens_around_its_best_sentence_and_can_be_read_whole() -> None:
    words = "word " * 2_000
    text = words + "Here it is." + words
    shown = marked(text, (len(words), len(words) + 11))
    opened, _, whole = shown.partition("<details>")
    assert "<mark>Here it is.</mark>" in opened
    assert len(opened) < LONGEST_SHOWN_CHARACTERS + 200
    assert text[:400] in whole
    assert whole.count("<mark>Here it is.</mark>") == 1


def test_pages_are_named_as_people_say_them() -> None:
    one = chunk(0, 10)
    assert pages_of(one) == "page 1"
    assert pages_of(replace(one, page_end=2)) == "pages 1–2"


def test_a_link_may_name_a_table_by_its_config_and_unknown_names_drop_out() -> None:
    row = TableRow("t_1", None, "Small", 1, 1, 0, 1, "m", "abcdef", "", "", "", "s", "")
    found = {"Small (abcdef)": row, "Large": replace(row, name="t_2", config_name="Large")}
    assert labels_meant(["Small", "gone", "Large", "t_1"], found) == ["Small (abcdef)", "Large"]
