"""Every measure by hand, by character masks, and against ir-measures."""

from __future__ import annotations

import math

import ir_measures
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.evaluation.metrics import precision_omega, range_scores
from workbench.evaluation.questions import Question, question_set
from workbench.evaluation.ranks import first_ranks, rank_scores
from workbench.evaluation.results import (
    ChunkRanges,
    FoundRange,
    JudgedRange,
    QuestionResult,
    Truth,
    question_result,
    truths,
)
from workbench.evaluation.scoring import LESS_IS_BETTER, name_and_k, scores
from workbench.records import Chunk, Hit, Judgment
from workbench.sections import GATE_MEASURES

LENGTH = 60


def hit(start: int, end: int, rank: int = 1, document: str = "d") -> FoundRange:
    return FoundRange(f"{document}{start}", document, start, end, rank, 1 / rank, end - start)


def truth(*ranges: tuple[int, int], grades: tuple[int, ...] = (), document: str = "d") -> Truth:
    marks = grades or (1,) * len(ranges)
    return Truth(
        "q",
        tuple(JudgedRange(Judgment("q", document, s, e, g)) for (s, e), g in zip(ranges, marks, strict=True)),
    )


def chunk(start: int, end: int, document: str = "d") -> Chunk:
    return Chunk(f"{document}{start}-{end}", document, start, start, end, "x" * (end - start), 1, 1, 1)


# ── ranges, by hand ──────────────────────────────────────────────────────────────────────────────────────────────


def test_range_measures_by_hand() -> None:
    # R = 10–20 and 30–40: 20 judged characters. Shown: 5–15 (5 of R), 12–18 (6 of R, 3 of them again) and 8 of
    # another document. hit = |10–18| = 8; total = 10 + 6 + 8 = 24; not shown = 20 - 8 = 12.
    found = range_scores(truth((10, 20), (30, 40)), [hit(5, 15), hit(12, 18), hit(10, 18, document="e")])
    assert found.recall == 8 / 20
    assert found.precision == 8 / 24
    assert found.iou == 8 / (24 + 12)
    assert found.f1 == pytest.approx(2 * (8 / 20) * (8 / 24) / (8 / 20 + 8 / 24), abs=1e-15)
    assert found.characters_shown == 24


def test_nothing_shown_scores_zero() -> None:
    found = range_scores(truth((10, 20)), [])
    assert (found.recall, found.precision, found.iou, found.f1, found.characters_shown) == (0, 0, 0, 0, 0)


def test_precision_omega_by_hand() -> None:
    # R = 10–20. 0–12 and 12–22 overlap it, 20–30 adjoins it, 31–40 does not. Union = 0–30, |U ∩ R| = 10, |U ∪ R| = 30.
    chunks = ChunkRanges([chunk(0, 12), chunk(12, 22), chunk(20, 30), chunk(31, 40), chunk(10, 20, "e")])
    assert precision_omega(truth((10, 20)), chunks) == 10 / 30
    # No chunk of the document: |U ∪ R| = |R|, and nothing of it is shown.
    assert precision_omega(truth((10, 20)), ChunkRanges([])) == 0


def test_a_text_that_stands_elsewhere_is_credited_once() -> None:
    item = JudgedRange(Judgment("q", "d", 10, 20), (("e", 100, 110),))
    both = [hit(0, 15), hit(105, 115, document="e")]
    # d shows 10–15, e shows 105–110, which is 15–20 at home: all ten characters; total = 15 + 10.
    found = range_scores(Truth("q", (item,)), both)
    assert (found.recall, found.precision) == (1, 10 / 25)
    again = range_scores(Truth("q", (item,)), [hit(10, 20), hit(100, 110, document="e")])
    assert (again.recall, again.precision, again.iou) == (1, 10 / 20, 10 / 20)
    assert first_ranks(Truth("q", (item,)), [hit(0, 9), hit(100, 110, 2, "e")]) == [2]


# ── ranges, by masks ─────────────────────────────────────────────────────────────────────────────────────────────

SPAN = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 20)).map(
    lambda s: (s[0], min(LENGTH, s[0] + s[1]))
)
PLACED = st.tuples(st.sampled_from("de"), SPAN)


@settings(max_examples=200)
@given(st.lists(PLACED, min_size=1, max_size=4), st.lists(PLACED, max_size=6))
def test_range_measures_equal_those_of_plain_masks(
    judged: list[tuple[str, tuple[int, int]]], shown: list[tuple[str, tuple[int, int]]]
) -> None:
    asked = Truth("q", tuple(JudgedRange(Judgment("q", d, s, e)) for d, (s, e) in judged))
    hits = [hit(s, e, rank, d) for rank, (d, (s, e)) in enumerate(shown, start=1)]
    truth_mask, shown_mask = mask(judged), mask(shown)
    both, missed = int((truth_mask & shown_mask).sum()), int((truth_mask & ~shown_mask).sum())
    judged_sum = sum(e - s for _, (s, e) in judged)
    total = sum(e - s for _, (s, e) in shown)
    found = range_scores(asked, hits)
    assert found.recall == both / judged_sum
    assert found.precision == (both / total if total else 0)
    assert found.iou == both / (total + missed) if total + missed else 0
    union = np.zeros_like(truth_mask)
    for document, (start, end) in shown:
        row = union["de".index(document)]
        if any(d == document and max(s, start) <= min(e, end) for d, (s, e) in judged):
            row[start:end] = True
    omega = (union & truth_mask).sum() / (union | truth_mask).sum()
    assert precision_omega(asked, ChunkRanges([chunk(s, e, d) for d, (s, e) in shown])) == omega


def mask(spans: list[tuple[str, tuple[int, int]]]) -> np.ndarray:
    found = np.zeros((2, LENGTH), bool)
    for document, (start, end) in spans:
        found["de".index(document), start:end] = True
    return found


# ── ranks, by hand ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chunk_shows_a_range_when_it_covers_enough_of_it() -> None:
    asked = truth((10, 20))
    assert first_ranks(asked, [hit(16, 30), hit(15, 30, 2)]) == [2]  # 4 of 10, then 5 of 10
    assert first_ranks(asked, [hit(16, 30), hit(15, 30, 2)], min_overlap=0.4) == [1]
    assert first_ranks(asked, [hit(11, 30), hit(9, 30, 2)], min_overlap=1.0) == [2]
    assert first_ranks(asked, [hit(10, 20, document="e")]) == [None]
    # A share so small that it rounds to no character still needs one.
    assert first_ranks(asked, [hit(20, 30)], min_overlap=1e-9) == [None]


def test_rank_measures_by_hand() -> None:
    # Three ranges of grades 3, 1, 2. Rank 2 shows the first, rank 3 shows it again, rank 5 shows the second.
    asked = truth((0, 10), (20, 30), (40, 50), grades=(3, 1, 2))
    hits = [hit(12, 18), hit(0, 10, 2), hit(0, 11, 3), hit(52, 58, 4), hit(20, 30, 5)]
    ranks = first_ranks(asked, hits)
    assert ranks == [2, 5, None]
    found = rank_scores(asked, ranks, 5)
    assert (found.hit, found.recall, found.precision, found.mrr) == (1, 2 / 3, 2 / 5, 1 / 2)
    assert found.map == pytest.approx((1 / 2 + 2 / 5) / 3, abs=1e-15)
    best = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    assert found.ndcg == pytest.approx((3 / math.log2(3) + 1 / math.log2(6)) / best, abs=1e-15)
    first = rank_scores(asked, ranks, 1)
    assert (first.hit, first.recall, first.precision, first.mrr, first.map, first.ndcg) == (0,) * 6


def test_a_chunk_that_shows_everything_is_perfect_and_never_more() -> None:
    asked = truth((0, 10), (20, 30), grades=(1, 2))
    ranks = first_ranks(asked, [hit(0, 40)])
    # Both at rank 1: they stand at places 1 and 2, the better grade first.
    found = rank_scores(asked, ranks, 5)
    assert (found.hit, found.recall, found.mrr, found.map, found.ndcg) == (1, 1, 1, 1, 1)
    assert found.precision == 1 / 5


# ── ranks, against ir-measures ───────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(
    grades=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    shown=st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=12),
    k=st.integers(1, 12),
)
def test_rank_measures_agree_with_ir_measures(grades: list[int], shown: list[int | None], k: int) -> None:
    # Range i lies at 10i … 10i + 5; a hit shows one range or, for None, nothing. A range that is shown again is for
    # trec_eval a document nobody judged.
    asked = truth(*((10 * i, 10 * i + 5) for i in range(len(grades))), grades=tuple(grades))
    hits, run, seen = [], [], set()
    for rank, item in enumerate(shown, start=1):
        known = item is not None and item < len(grades)
        hits.append(hit(10 * item, 10 * item + 5, rank) if known else hit(900, 905, rank))
        name = f"r{item}" if known and item not in seen else f"x{rank}"
        seen.add(item)
        run.append(ir_measures.ScoredDoc("q", name, float(100 - rank)))
    found = rank_scores(asked, first_ranks(asked, hits), k)
    qrels = [ir_measures.Qrel("q", f"r{i}", grade) for i, grade in enumerate(grades)]
    measures = {
        ir_measures.Success @ k: found.hit,
        ir_measures.R @ k: found.recall,
        ir_measures.P @ k: found.precision,
        ir_measures.AP @ k: found.map,
        ir_measures.nDCG @ k: found.ndcg,
    }
    theirs = ir_measures.calc_aggregate(measures, qrels, run or [ir_measures.ScoredDoc("q", "none", 0.0)])
    for measure, ours in measures.items():
        assert ours == pytest.approx(theirs[measure], abs=1e-9), measure
    reciprocal = ir_measures.calc_aggregate(
        [ir_measures.RR], qrels, run[:k] or [ir_measures.ScoredDoc("q", "none", 0.0)]
    )
    assert found.mrr == pytest.approx(reciprocal[ir_measures.RR], abs=1e-9)


@given(
    st.lists(st.tuples(SPAN, st.integers(1, 3)), min_size=1, max_size=5, unique_by=lambda r: r[0]),
    st.lists(SPAN, max_size=8),
    st.integers(1, 8),
)
def test_rank_measures_stay_between_zero_and_one(
    judged: list[tuple[tuple[int, int], int]], shown: list[tuple[int, int]], k: int
) -> None:
    asked = truth(*(span for span, _ in judged), grades=tuple(grade for _, grade in judged))
    hits = [hit(s, e, rank) for rank, (s, e) in enumerate(shown, start=1)]
    found = rank_scores(asked, first_ranks(asked, hits), k)
    for name in ("hit", "recall", "precision", "mrr", "map", "ndcg"):
        assert 0 <= getattr(found, name) <= 1 + 1e-12
    assume(hits)
    doubled = [copy for h in hits for copy in (h, h)]
    assert rank_scores(asked, first_ranks(asked, doubled), 2 * k).recall == found.recall


# ── a whole configuration ────────────────────────────────────────────────────────────────────────────────────────


def test_scores_of_a_configuration_hold_every_question_that_has_an_answer() -> None:
    asked = question_set(
        "s",
        [Question(i, i) for i in ("a", "b", "no answer", "only a zero")],
        [
            (Judgment("a", "d", 0, 10), ""),
            (Judgment("b", "d", 20, 30, 2), ""),
            (Judgment("only a zero", "d", 0, 5, 0), ""),
        ],
    )
    first, second = chunk(0, 10), chunk(10, 40)
    results = [
        question_result("a", [Hit(second, 2, 0.1), Hit(first, 1, 0.9)], 0.5),
        QuestionResult("b", (), 0.25),
    ]
    found = scores("A", truths(asked), results, ChunkRanges([first, second]), (1, 5))
    assert found.question_ids == ("a", "b")
    assert found.of("recall@1").tolist() == [1, 0]
    assert found.of("characters_shown@5").tolist() == [40, 0]
    assert found.of("tokens_shown@5").tolist() == [2, 0]
    assert found.of("precision_omega").tolist() == [10 / 40, 10 / 30]  # 10–40 adjoins 0–10
    assert found.of("seconds").tolist() == [0.5, 0.25]
    assert found.mean("hit@1") == 0.5
    with pytest.raises(SettingsError, match="there are: characters_shown@1"):
        found.of("bleu")
    with pytest.raises(SettingsError, match="1 question was not searched, the first is b"):
        scores("A", truths(asked), results[:1])
    for wrong in ({"cutoffs": (0,)}, {"min_overlap": 0}, {"min_overlap": 1.1}):
        with pytest.raises(SettingsError):
            scores("A", truths(asked), results, **wrong)


def test_a_gate_may_ask_for_every_measure_of_which_more_is_better() -> None:
    found = scores("c", [truth((10, 20))], [QuestionResult("q", (), 0.1)], ChunkRanges([]))
    assert set(GATE_MEASURES) == {name for name in found.values if name_and_k(name)[0] not in LESS_IS_BETTER}
