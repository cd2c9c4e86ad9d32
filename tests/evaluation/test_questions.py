"""Question sets, their digests, and judgments that find their place again."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import SettingsError
from workbench.evaluation.anchoring import Anchors, folded, matched, nearest_substring
from workbench.evaluation.questions import Question, QuestionSet, question_id, question_set, reanchored
from workbench.records import Document, Judgment, Page

TEXT = "The fee is 32 dollars.\nIt will fall to 8 dollars.\nThe fee is 32 dollars.\n"


def document(text: str = TEXT, name: str = "fees") -> Document:
    return Document(f"id-{name}", text, (Page(1, 0, len(text)),), name, f"upload:{name}.md")


def asked(*judged: tuple[Judgment, str]) -> QuestionSet:
    return question_set(
        "set", [Question("a", "What is the fee?"), Question("b", "Where will it go?")], judged
    )


def test_the_hash_ignores_order_name_and_ids_but_not_content() -> None:
    first = (Judgment("a", "id-fees", 0, 22, 2), TEXT[0:22])
    second = (Judgment("b", "id-fees", 23, 49, 1), TEXT[23:49])
    one = asked(first, second)
    turned = QuestionSet("other", one.questions[::-1], one.judgments[::-1], one.texts[::-1])
    assert turned.hash == one.hash
    assert turned.key == one.key
    elsewhere = question_set(
        "set", one.questions, [(replace(j, document_id="x"), t) for j, t in (first, second)]
    )
    assert (elsewhere.hash == one.hash, elsewhere.key == one.key) == (True, False)
    for change in ({"start": 1}, {"grade": 3}):
        assert asked((replace(first[0], **change), first[1]), second).hash != one.hash


def test_a_range_judged_twice_keeps_the_higher_grade_and_the_text() -> None:
    low, high = Judgment("a", "d", 0, 3, 1), Judgment("a", "d", 0, 3, 3)
    for pair in ((low, high), (high, low)):
        found = asked((pair[0], "The"), (pair[1], ""))
        assert (found.judgments, found.texts) == ((high,), ("The",))


@pytest.mark.parametrize(
    "judgment",
    [
        Judgment("c", "d", 0, 1),
        Judgment("a", "d", 0, 1, 4),
        Judgment("a", "d", 3, 3),
        Judgment("a", "d", -1, 3),
    ],
)
def test_a_judgment_that_cannot_be_is_refused(judgment: Judgment) -> None:
    with pytest.raises(SettingsError):
        asked((judgment, ""))


def test_questions_and_judgments_come_and_go() -> None:
    judgment = Judgment("a", "d", 0, 3)
    found = asked().with_judgment(judgment, "The").with_judgment(replace(judgment, grade=0), "The")
    assert [j.grade for j in found.judgments] == [0]
    assert found.text_of(found.judgments[0]) == "The"
    assert found.without_judgment(found.judgments[0]).judgments == ()
    assert [q.id for q in found.without_question("a").questions] == ["b"]
    renamed = found.with_question(Question("a", "New?")).with_question(Question("c", "More?"))
    assert [q.text for q in renamed.questions] == ["New?", "Where will it go?", "More?"]
    assert question_id("x") == question_id("x") != question_id("y")


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_judgments_move_with_their_text_and_the_lost_are_named() -> None:
    here = (Judgment("a", "id-fees", 50, 72), TEXT[50:72])  # the second of two equal sentences
    wrapped = (Judgment("b", "id-fees", 23, 49), "It will fall\nto 8  DOLLARS.")
    gone = (Judgment("b", "id-fees", 5, 9), "Nothing of the kind was ever said in there.")
    unknown = (Judgment("b", "id-other", 5, 9), "text")
    longer = "A new first line.\n" + TEXT
    found, lost = reanchored(asked(here, wrapped, gone, unknown), [document(longer)])
    assert [(j.start, j.end) for j in found.judgments] == [(68, 90), (41, 67)]
    assert found.texts == (TEXT[50:72], TEXT[23:49])
    assert [(u.judgment, u.reason) for u in lost] == [
        (gone[0], "its text is nowhere in the document now"),
        (unknown[0], "the document id-other is not here any more"),
    ]
    assert len(found.questions) == 2


def test_places_of_one_text_that_were_judged_apart_stay_apart() -> None:
    text = "Fee. " + "x" * 500 + "Fee. " + "y" * 90 + "Fee. "
    first, second, third = (m.start() for m in re.finditer("Fee", text))
    before = asked(
        (Judgment("a", "id-fees", first, first + 3, 3), "Fee"),
        (Judgment("a", "id-fees", second, second + 3, 1), "Fee"),
        (Judgment("b", "id-fees", first, first + 3), "Fee"),
    )
    longer = "A preface. " * 100
    moved, lost = reanchored(before, [document(longer + text)])
    assert lost == []
    assert [(j.question_id, j.start - len(longer), j.grade) for j in moved.judgments] == [
        ("a", first, 3), ("a", second, 1), ("b", first, 1),
    ]  # fmt: skip
    assert reanchored(before, [document(text)]) == (before, [])
    moved, lost = reanchored(before, [document(text[second - 5 :])])
    assert [(j.question_id, j.start, j.grade) for j in moved.judgments] == [
        ("a", 5, 3), ("a", third - second + 5, 1), ("b", 5, 1),
    ]  # fmt: skip
    assert lost == []
    moved, lost = reanchored(before, [document(text[third - 5 :])])
    assert [(j.question_id, j.start) for j in moved.judgments] == [("a", 5), ("b", 5)]
    assert [one.reason for one in lost] == ["its text stands in the document fewer times now"]


@given(
    st.lists(st.integers(0, 30), max_size=4, unique=True),
    st.lists(st.integers(0, 30), max_size=6, unique=True),
)
def test_matching_is_what_trying_all_matchings_finds(one: list[int], other: list[int]) -> None:
    few, many = sorted((sorted(one), sorted(other)), key=len)
    found = matched(few, many)
    assert found == sorted(set(found))
    best = min(
        sum(abs(a - b) for a, b in zip(few, chosen, strict=True))
        for chosen in itertools.combinations(many, len(few))
    )
    assert sum(abs(a - many[i]) for a, i in zip(few, found, strict=True)) == best


def test_a_judgment_without_text_stays_only_inside_its_document() -> None:
    inside, outside = Judgment("a", "id-fees", 0, 3), Judgment("a", "id-fees", 0, 10_000)
    found, lost = reanchored(asked((inside, ""), (outside, "")), [document()])
    assert (found.judgments, found.texts) == ((inside,), ("The",))
    assert [u.judgment for u in lost] == [outside]


def test_a_near_match_survives_typographic_quotes_and_small_edits() -> None:
    text = "Before. " * 50 + "He said “we’re cutting the late fee from $32 to $8” last week." + " After." * 50
    found = Anchors(text).placed('He said "we\'re cutting the late fees from $32 to $8" last week.')
    assert found is not None
    assert text[found.start : found.end].startswith("He said “we’re")
    assert text[found.start : found.end].endswith("last week.")
    assert (found.how, found.similarity > 0.9) == ("near", True)


@pytest.mark.parametrize(
    ("quote", "stands", "same"),
    [
        ("A late ticket costs 15 euros.", "A late ticket costs 45 euros.", False),
        ("A late ticket costs 15 euros.", "A late ticket costs 15 euro.", True),
        ("A late ticket costs 15 euros.", "A late ticket costs 1.5 euros.", False),
        ("A late ticket costs 15 euros.", "A late ticket costs 15.50 euros.", False),
        ("15 euros is what a late ticket costs.", "115 euros is what a late tickets costs.", False),
        ("A late ticket costs 1500 euros.", "A late ticket costs 1,500 euros.", True),
        ("A late ticket costs fifteen euros.", "A late ticket costs fifteen euro.", True),
    ],
)
def test_a_near_match_with_another_number_is_not_the_same_answer(quote: str, stands: str, same: bool) -> None:
    text = "Before. " * 50 + stands + " After." * 50
    place = Anchors(text).placed(quote)
    assert place is not None
    assert place.how == ("near" if same else "other numbers")
    moved, lost = reanchored(asked((Judgment("a", "id-fees", 0, len(quote)), quote)), [document(text)])
    assert (len(moved.judgments), len(lost)) == ((1, 0) if same else (0, 1))


def test_a_short_or_foreign_quote_is_not_placed_by_similarity() -> None:
    anchors = Anchors("The cat sat on the mat. " * 20)
    assert anchors.placed("dog") is None
    assert anchors.placed("An entirely different statement about taxes and tariffs") is None


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("I am", None),
        ("no", ("no", "exact")),
        ("NO", ("no", "blanks and case")),
        ("12", ("12", "exact")),
        ("art", ("art", "inside a word")),
        ("ART", None),
        ("ist said Siam", ("ist said Siam", "exact")),
        ("apist  SAID Siam", ("apist said Siam", "blanks and case")),
    ],
)
def test_a_short_quote_is_not_found_inside_other_words(quote: str, found: tuple[str, str] | None) -> None:
    text = "The therapist said Siamese cats know of 2012. Cartels have no 12 members."
    place = Anchors(text).placed(quote)
    assert (place and (text[place.start : place.end], place.how)) == found
    if quote == "no":
        assert place is not None
        assert text[place.start :] == "no 12 members."


def test_a_part_of_a_word_that_was_judged_moves_with_its_word() -> None:
    text = "no more. I know it."
    before = QuestionSet("s", (Question("q", "?"),), (Judgment("q", "d", 8, 10),), ("no",))
    moved, lost = reanchored(before, [Document("d", text, (), "d", "file:d.txt")])
    assert (moved.judgments[0].start, lost) == (12, [])


@given(st.text(max_size=60), st.data())
def test_a_slice_of_the_text_is_always_placed_exactly(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = Anchors(text).placed(text[start:end], near=start)
    assert (
        (found is None) if start == end else (found is not None and (found.start, found.end) == (start, end))
    )


@given(st.text(max_size=40))
def test_folding_keeps_track_of_where_each_character_came_from(text: str) -> None:
    dense, offsets = folded(text)
    assert dense == "".join(c.casefold() for c in text if not c.isspace())
    for character, offset in zip(dense, offsets, strict=True):
        assert character in text[offset].casefold()


@settings(max_examples=60)
@given(st.text("abc", min_size=1, max_size=6), st.text("abc", max_size=8))
def test_the_nearest_substring_is_what_trying_all_substrings_finds(query: str, text: str) -> None:
    def codes(value: str) -> np.ndarray:
        return np.array([ord(c) for c in value], np.uint32)

    distance, start, end = nearest_substring(codes(query), codes(text))
    everything = {text[i:j] for i in range(len(text) + 1) for j in range(i, len(text) + 1)}
    assert distance == min(edits(query, piece) for piece in everything)
    assert edits(query, text[start:end]) == distance


def edits(a: str, b: str) -> int:
    """The textbook edit distance, by its recursion."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
