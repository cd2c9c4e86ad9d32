"""Cells stand apart where a text of a document is drawn as one line: tips, tables, messages, previews."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from workbench.evaluation.rank_flow import moves
from workbench.records import Chunk, Hit
from workbench.table_cells import CELL_GAP
from workbench.ui.components.rank_flow import flow_data
from workbench.ui.components.scatter_map import map_data
from workbench.ui.widgets.messages import plain

APART = f"118{CELL_GAP}27"
FIGURES = "118\t27 %"


def test_figures_stand_apart_in_messages() -> None:
    assert plain(FIGURES) == rf"{APART} \%"
    assert plain("one\n two\x00three") == "one two three"


def test_figures_stand_apart_in_the_tips_of_a_rank_flow() -> None:
    hit = Hit(Chunk("c", "d", 0, 0, 9, FIGURES, 1, 1, 1), 1, 1.0)
    (move,) = flow_data("A", "B", moves([hit], [hit], 1), 1, {})["moves"]
    assert APART in move["says"]


def test_figures_stand_apart_in_the_tips_of_a_map() -> None:
    points = np.zeros((1, 2))
    assert map_data(points, labels=[FIGURES])["labels"] == [f"{APART} %"]


def test_figures_stand_apart_in_the_preview_of_a_source() -> None:
    def script() -> None:
        from workbench.ui.sources.preview import _preview
        from workbench.ui.sources.probe import Preview

        _preview(Preview("a.pdf", "118\t27 %\nnext", 1, 13))

    app = AppTest.from_function(script).run()
    assert app.text[0].value == f"{APART} %\nnext"
