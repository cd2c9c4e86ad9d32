"""Cells of a table never run together, wherever a text of a document is shown."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from workbench.table_cells import CELL_GAP, cells_apart, escaped_cells, one_line


@given(st.text(st.sampled_from("a1% \t\n\u2003<&"), max_size=40))
def test_no_text_is_lost_between_cells(text: str) -> None:
    assert one_line(text).split() == text.split()
    assert cells_apart(text).split("\n") == [line.replace("\t", CELL_GAP) for line in text.split("\n")]
    tags = re.compile(r"<[^>]*>")
    assert tags.sub("", escaped_cells(text)).replace("&lt;", "<").replace("&amp;", "&") == text


def test_figures_of_two_cells_are_parted_by_more_than_a_blank() -> None:
    assert one_line("118\t27 %") == f"118{CELL_GAP}27 %"
    assert one_line("\t118 \t\t 27 %\n") == f"118{CELL_GAP}27 %"
    assert re.fullmatch(
        r"118<span [^>]*padding-inline-start: [^>]*>\t</span>27 %", escaped_cells("118\t27 %")
    )
