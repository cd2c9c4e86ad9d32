"""A lost answer on its page: which boxes are drawn, and what is said for each way of losing it."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.evaluation.losses import Loss, losses
from workbench.evaluation.results import ChunkRanges, FoundRange, JudgedRange, QuestionResult, Truth
from workbench.records import Chunk, Document, Judgment, Layout, Page
from workbench.ui.evaluate.answer_pages import answer_said, page_boxes
from workbench.ui.evaluate.ground_truth import told
from workbench.ui.widgets.labels import pages_said

PAGE = Page(1, 0, 100, 600, 800)
WORDS = np.arange(0, 100, 10)
LAYOUT = Layout(
    WORDS.astype(np.int64),
    (WORDS + 9).astype(np.int64),
    np.ones(10, np.int32),
    np.arange(10, dtype=np.int32),
    np.array([[10, 10 * i, 90, 10 * i + 9] for i in range(10)], np.float32),
)
"""Ten words of nine letters, each on a line of its own."""
CHUNKS = [
    Chunk(f"c{i}", "d", i, start, end, "x" * (end - start), 1, 1, end - start)
    for i, (start, end) in enumerate([(0, 20), (20, 30), (30, 80)])
]
NAMES = {"d": "one.pdf", "e": "two.pdf"}


def found(chunk_id: str, rank: int, start: int, end: int, document: str = "d") -> FoundRange:
    return FoundRange(chunk_id, document, start, end, rank, 1 / rank, end - start)


def lost(
    start: int, end: int, *hits: FoundRange, k: int = 2, window: int = 1_000
) -> tuple[list[Loss], Truth, list[FoundRange]]:
    truth = Truth("q", (JudgedRange(Judgment("q", "d", start, end)),))
    result = QuestionResult("q", hits)
    reasons = losses(truth, result, k, ChunkRanges(CHUNKS), lambda chunk: window)
    return reasons, truth, list(hits[:k])


@pytest.mark.parametrize(
    ("start", "end", "window", "said", "holding"),
    [
        (90, 100, 1_000, "no chunk holds a character of it", []),
        (10, 40, 1_000, "cut by a boundary: it lies in 3 chunks", ["chunk 1", "chunk 2"]),
        (70, 80, 20, "beyond the model's window: it reads only 0% of the range in chunk 3", ["chunk 2"]),
        (70, 80, 1_000, "outranked: its chunk is not among the 2 hits; shown instead: hit 1 (two.pdf), hit 2 (one.pdf)", ["chunk 2"]),
    ],
)  # fmt: skip
def test_each_way_of_losing_an_answer_is_told_and_drawn(
    start: int, end: int, window: int, said: str, holding: list[str]
) -> None:
    reasons, truth, shown = lost(start, end, found("e0", 1, 0, 20, "e"), found("c0", 2, 0, 20), window=window)
    (reason,) = reasons
    assert told(reason, truth, NAMES).startswith(said)
    boxes = {box.id: box for box in page_boxes("d", PAGE, LAYOUT, shown, reasons)}
    # The hit on this page, not the one in the other document; and faintly what holds the answer.
    assert list(boxes) == ["hit 2", *holding]
    assert [rect[1] for rect in boxes["hit 2"].rects] == [0, 10]
    assert all(boxes[name].dim for name in holding)
    for name in holding:
        assert "holds" in boxes[name].label
        assert ("a part of" in boxes[name].label) == (reason.kind == "cut")


def test_an_outranked_chunk_says_at_which_rank_it_came() -> None:
    reasons, truth, shown = lost(
        70, 80, found("c0", 1, 0, 20), found("c1", 2, 20, 30), found("c2", 3, 30, 80)
    )
    assert told(reasons[0], truth, NAMES) == (
        "outranked: chunk 3 came at rank 3, shown were 2; shown instead: hit 1 (one.pdf), hit 2 (one.pdf)"
    )
    boxes = page_boxes("d", PAGE, LAYOUT, shown, reasons)
    assert [box.id for box in boxes] == ["hit 1", "hit 2", "chunk 2"]
    assert boxes[-1].label == "Chunk 3: holds the answer and came at rank 3"


@pytest.mark.parametrize(
    ("start", "end", "pages", "said"),
    [
        (90, 100, "page 1", "the answer is framed"),
        (90, 101, "pages 1–2", "the answer begins in the frame and goes on to page 2"),
        (99, 260, "pages 1–3", "the answer begins in the frame and goes on to page 3"),
        (100, 200, "page 2", "the answer is framed"),
    ],
)
def test_an_answer_on_two_pages_names_both(start: int, end: int, pages: str, said: str) -> None:
    cut = tuple(Page(n, 100 * (n - 1), 100 * n, 600, 800) for n in (1, 2, 3))
    document = Document("d", "x" * 300, cut, "d", "upload:d.pdf")
    assert pages_said(document, start, end) == pages
    assert answer_said(document, (start, end)) == said


def test_many_rivals_are_counted() -> None:
    hits = [found(f"e{i}", i, 0, 20, "e") for i in range(1, 6)]
    reasons, truth, _ = lost(70, 80, *hits, k=5)
    assert told(reasons[0], truth, NAMES).endswith("hit 3 (two.pdf) and 2 more")
