"""What is wrong with a question set, and why an answer was lost."""

from __future__ import annotations

import pytest

from workbench.evaluation.checks import credited_everywhere, findings, power
from workbench.evaluation.losses import cut_in_two, losses
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.evaluation.results import ChunkRanges, FoundRange, JudgedRange, QuestionResult, Truth
from workbench.records import Chunk, Document, Judgment, Page

TEXT = "The late fee is eight dollars. Refunds take ten days. Again: The late fee is eight dollars. "
FEE = "The late fee is eight dollars."


def document(text: str, name: str) -> Document:
    return Document(name, text, (Page(1, 0, len(text)),), name, f"upload:{name}.md")


DOCUMENTS = [document(TEXT, "d"), document("Elsewhere. " + FEE, "e")]


def judged(text: str, question: str, start: int, grade: int = 1) -> tuple[Judgment, str]:
    return Judgment(question, "d", start, start + len(text), grade), text


# ── the question set ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_places_where_an_answer_also_stands_are_found() -> None:
    asked = question_set("s", [Question("a", "Fee?")], [judged(FEE, "a", 0)])
    assert credited_everywhere(asked, DOCUMENTS) == {asked.judgments[0]: (("d", 61, 91), ("e", 11, 41))}
    # A place that the same question judges anyway is not "elsewhere".
    both = question_set("s", [Question("a", "Fee?")], [judged(FEE, "a", 0), judged(FEE, "a", 61)])
    assert set(credited_everywhere(both, DOCUMENTS).values()) == {(("e", 11, 41),)}
    short = question_set("s", [Question("a", "Fee?")], [judged("eight", "a", 16)])
    assert credited_everywhere(short, DOCUMENTS) == {}
    assert credited_everywhere(short, DOCUMENTS, 1) != {}
    no = question_set("s", [Question("a", "Fee?")], [judged(FEE, "a", 0, grade=0)])
    assert credited_everywhere(no, DOCUMENTS) == {}


def test_every_trouble_of_a_question_set_is_found() -> None:
    asked = question_set(
        "s",
        [
            Question("fee", "What is the late fee?"),
            Question("same", "what is the LATE fee"),
            Question("told", "Is it true that refunds take ten days?"),
            Question("none", "And what else?"),
            Question("far", "Where is it?"),
        ],
        [
            judged(FEE, "fee", 0),
            judged("Refunds take ten days", "told", 31),
            (Judgment("far", "d", 80, 5000), ""),
            (Judgment("far", "gone", 0, 5), ""),
            (Judgment("far", "d", 0, 8), "Tha late"),
        ],
    )
    found = findings(asked, DOCUMENTS, longest_chunk=5, size=lambda text: len(text.split()), unit="words")
    assert [(f.kind, f.question_ids) for f in found] == [
        ("unanswered", ("same", "none")),
        ("moved", ("far",)),
        ("outside", ("far",)),
        ("outside", ("far",)),
        ("duplicate", ("fee", "same")),
        ("given_away", ("told",)),
        ("too_long", ("fee",)),
        ("elsewhere", ("fee",)),
        ("elsewhere", ("far",)),
        ("too_few", ()),
    ]
    messages = {f.kind: f.message for f in found}
    assert messages["too_long"] == "an answer of 6 words fits into no chunk: the largest holds 5"
    assert "2 questions have no judged answer" in messages["unanswered"]
    assert "which is not here" in messages["outside"] or "outside d.md" in messages["outside"]


@pytest.mark.parametrize(
    ("question", "answer", "given_away"),
    [
        ("How often is it late?", "ten", False),
        ("Is it ten days?", "Ten", True),
        ("Is it ten  days, or more?", "ten days", True),
        ("Who pays (all of it)?", "all of it", True),
        ("Was kostet die Strassenbahn?", "Straße", False),
        ("東京の首都はどこですか", "東京の首都", True),
        ("Is it 15 euros?", "5 euros", False),
    ],
)
def test_a_part_of_a_longer_word_gives_no_answer_away(question: str, answer: str, given_away: bool) -> None:
    document = Document("x", f"So: {answer}", (), "x", "upload:x.md")
    asked = question_set("s", [Question("q", question)], [(Judgment("q", "x", 4, 4 + len(answer)), answer)])
    assert ("given_away" in {f.kind for f in findings(asked, [document])}) == given_away


def test_a_text_that_is_long_by_its_blanks_alone_is_not_said_to_be_credited() -> None:
    answer = "in 2023" + " " * 20
    document = Document("x", f"{answer}. {answer}.", (), "x", "upload:x.md")
    asked = question_set("s", [Question("q", "When?")], [(Judgment("q", "x", 0, len(answer)), answer)])
    assert credited_everywhere(asked, [document]) == {}
    (found,) = (f for f in findings(asked, [document]) if f.kind == "elsewhere")
    assert "too short to be credited there" in found.message


def test_a_set_without_questions_says_what_to_do() -> None:
    (found,) = findings(QuestionSet("s"), DOCUMENTS)
    assert (found.kind, "import a file" in found.message) == ("empty", True)


@pytest.mark.parametrize(
    ("count", "spread", "sentence"),
    [
        # 2.8016 · .27 / √40 = .1196; (2.8016 · .27 / .05)² = 228.9, so 189 more.
        (40, 0.27, "40 questions tell apart ± 12 points; 189 more resolve 5"),
        (400, 0.27, "400 questions tell apart ± 3.8 points"),
        (1, 0.3, "1 question tells apart ± 84 points; 282 more resolve 5"),
    ],
)
def test_what_a_number_of_questions_tells_apart(count: int, spread: float, sentence: str) -> None:
    assert power(count, spread=spread).sentence == sentence


# ── losses ───────────────────────────────────────────────────────────────────────────────────────────────────────


def chunk(ordinal: int, start: int, end: int, name: str = "d") -> Chunk:
    return Chunk(f"{name}{ordinal}", name, ordinal, start, end, "x" * (end - start), 1, 1, 1)


def found(of: Chunk, rank: int) -> FoundRange:
    return FoundRange(of.id, of.document_id, of.start, of.end, rank, 1 / rank, 1)


def truth(start: int, end: int, name: str = "d") -> Truth:
    return Truth("q", (JudgedRange(Judgment("q", name, start, end)),))


CHUNKS = [chunk(0, 0, 10), chunk(1, 10, 20), chunk(2, 20, 60)]
ALL = ChunkRanges(CHUNKS)


def test_each_way_of_losing_an_answer_has_its_name() -> None:
    nothing = QuestionResult("q", ())
    (gone,) = losses(truth(0, 5, "e"), nothing, 5, ALL)
    assert (gone.kind, gone.message) == ("not_in_table", "its document is not in the table")
    (gap,) = losses(truth(70, 80), nothing, 5, ALL)
    assert (gap.kind, gap.chunks) == ("not_in_table", ())
    (cut,) = losses(truth(6, 24), nothing, 5, ALL, min_overlap=0.6)
    assert (cut.kind, [c.ordinal for c in cut.chunks]) == ("cut", [0, 1, 2])
    assert "the best holds 56% of it" in cut.message
    (beyond,) = losses(truth(50, 58), nothing, 5, ALL, seen_end=lambda c: 20)
    assert (beyond.kind, [c.ordinal for c in beyond.chunks]) == ("beyond_window", [2])
    ranked = QuestionResult("q", (found(CHUNKS[0], 1), found(CHUNKS[1], 2), found(CHUNKS[2], 3)))
    (late,) = losses(truth(50, 58), ranked, 2, ALL, seen_end=lambda c: 60)
    assert (late.kind, late.rank, [h.chunk_id for h in late.above]) == ("outranked", 3, ["d0", "d1"])
    assert late.message == "outranked: chunk 3 came at rank 3, shown were 2"
    (absent,) = losses(truth(50, 58), QuestionResult("q", ranked.hits[:2]), 2, ALL)
    assert (absent.kind, absent.rank) == ("outranked", None)
    assert losses(truth(50, 58), ranked, 3, ALL) == []


def test_a_hit_shown_with_its_surroundings_is_not_taken_for_the_chunk_that_holds_the_answer() -> None:
    # The hit at rank 2 is chunk 1, shown with its neighbours: 0 to 60.
    wide = FoundRange("d1", "d", 0, 60, 2, 0.5, 1)
    ranked = QuestionResult("q", (found(chunk(0, 0, 5, "e"), 1), wide))
    (late,) = losses(truth(50, 58), ranked, 1, ALL)
    assert (late.kind, late.rank) == ("outranked", 2)
    assert late.message == "outranked: the text shown around another chunk came at rank 2, shown were 1"
    (across,) = losses(truth(6, 24), ranked, 1, ALL, min_overlap=0.6)
    assert (across.kind, across.rank) == ("outranked", 2)
    assert across.message == "outranked: the text shown around the hit at rank 2 holds it, shown were 1"


def test_a_range_is_cut_in_two_when_no_chunk_holds_it_whole() -> None:
    whole, across, overlap_saves, elsewhere = (
        Judgment("q", "d", 0, 10),
        Judgment("q", "d", 8, 12),
        Judgment("q", "f", 8, 12),
        Judgment("q", "none", 0, 5),
    )
    chunks = ChunkRanges([*CHUNKS, chunk(0, 0, 11, "f"), chunk(1, 7, 20, "f")])
    (only,) = cut_in_two([whole, across, overlap_saves, elsewhere], chunks)
    assert (only.judgment, [c.ordinal for c in only.chunks]) == (across, [0, 1])
