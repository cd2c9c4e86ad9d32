"""Question files: nothing is lost on the way round, and half-wrong files give what is right."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError, SettingsError
from workbench.evaluation.formats import FORMATS, exported, format_of, imported, imported_path
from workbench.evaluation.formats.beir import corpus_texts, files_in_zip
from workbench.evaluation.formats.cells import harmless, original
from workbench.evaluation.questions import Question, QuestionSet, question_set
from workbench.records import Document, Judgment, Page

TEXT = "Fares rise in May. A day ticket costs 4.20.\nDogs ride free.\n=SUM(1) is a formula.\n"
OTHER = "Children under six ride free. Dogs ride free.\nBicycles need a ticket.\n"


def document(name: str, text: str) -> Document:
    return Document(f"id of {name}", text, (Page(1, 0, len(text)),), name.partition(".")[0], f"upload:{name}")


DOCUMENTS = [document("fares 2024.pdf", TEXT), document("rules.md", OTHER), document("rules.pdf", OTHER * 2)]


@st.composite
def question_sets(draw: st.DrawFn) -> QuestionSet:
    texts = draw(st.lists(st.text(min_size=1, max_size=30).filter(str.strip), max_size=5))
    ids = draw(
        st.lists(st.text(min_size=1, max_size=8), min_size=len(texts), max_size=len(texts), unique=True)
    )
    questions = [Question(i, t) for i, t in zip(ids, texts, strict=True)]
    judged = []
    for question in questions:
        for found in draw(st.lists(st.sampled_from(DOCUMENTS), max_size=3)):
            start = draw(st.integers(0, len(found.text) - 1))
            end = draw(st.integers(start + 1, len(found.text)))
            grade = draw(st.integers(0, 3))
            judged.append((Judgment(question.id, found.id, start, end, grade), found.text[start:end]))
    return question_set("a set", questions, judged)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(given_set=question_sets())
def test_nothing_is_lost_on_the_way_round(name: str, given_set: QuestionSet) -> None:
    data = exported(given_set, DOCUMENTS, name)
    assert exported(given_set, DOCUMENTS, name) == data
    found = imported(data, f"x{FORMATS[name].suffix}", DOCUMENTS, "a set", name)
    assert found.question_set == given_set
    assert found.question_set.hash == given_set.hash
    if given_set.questions:
        assert (found.problems, found.notes) == ((), ())
        assert format_of(data, f"x{FORMATS[name].suffix}") == name


@settings(max_examples=200)
@given(st.text("'=+-@\t\r\n a\uff1d\uff20", max_size=6))
def test_harmless_cells_are_undone_and_start_no_formula(cell: str) -> None:
    assert original(harmless(cell)) == cell
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"))


def test_a_formula_is_not_written_as_one() -> None:
    text = '=HYPERLINK("http://x")'
    found = question_set("s", [Question("a", text)])
    for name in ("csv", "references", "expected_text"):
        assert "'=HYPER" in exported(found, DOCUMENTS, name).decode()
        assert f',"{text[:6]}' not in exported(found, DOCUMENTS, name).decode()


def test_own_formats_can_be_read_without_the_documents() -> None:
    kept = question_set("s", [Question("a", "Why?")], [(Judgment("a", "gone", 3, 9, 2), "")])
    for name in ("csv", "jsonl"):
        assert imported(exported(kept, [], name), "s" + FORMATS[name].suffix, None).question_set == kept


@pytest.mark.parametrize("name", FORMATS)
def test_a_range_whose_text_nobody_kept_travels_in_every_format(name: str) -> None:
    judged = Judgment("a", DOCUMENTS[1].id, 30, 45, 2)
    data = exported(question_set("s", [Question("a", "Who?")], [(judged, "")]), DOCUMENTS, name)
    found = imported(data, "s" + FORMATS[name].suffix, DOCUMENTS, format=name)
    assert (found.question_set.judgments, found.problems) == ((judged,), ())
    assert found.question_set.texts == (OTHER[30:45],)


# ── half-wrong files ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_half_wrong_csv_gives_what_is_right_and_lists_the_rest_by_line() -> None:
    data = (
        "question,document,start,end,grade,text\r\n"
        "What rises?,fares 2024,0,17,2,\r\n"
        "What rises?,fares 2024,0,9999,2,\r\n"
        ",fares 2024,0,17,2,\r\n"
        "Who?,nowhere.pdf,0,17,2,\r\n"
        "Dogs?,rules,30,44,x,\r\n"
        '"Never closed,rules,1,2,1,\r\n'
        'Too, many, cells, in, this, line, "here"\r\n'
        "Bad grade?,fares 2024,0,17,7,\r\n"
        "Which?,rules,0,5,1,\r\n"
        "What costs?,fares 2024.pdf,,,,a DAY  ticket\r\n"
    )
    found = imported(data.encode(), "q.csv", DOCUMENTS)
    assert [q.text for q in found.question_set.questions] == [
        "What rises?",
        "Who?",
        "Dogs?",
        "Bad grade?",
        "Which?",
        "What costs?",
    ]
    assert list(found.question_set.texts) == ["Fares rise in May", "A day ticket"]
    problems = {remark.line: remark.message for remark in found.problems}
    assert sorted(problems) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert problems[3] == "0–9999 is no range of fares 2024.pdf"
    assert problems[4] == "there is no question"
    assert "'nowhere.pdf' is not here" in problems[5]
    assert "fares 2024.pdf, rules.md, rules.pdf" in problems[5]
    assert "whole numbers" in problems[6]
    assert "never closed" in problems[7]
    assert "7 cells for 6 columns" in problems[8]
    assert "must be 0, 1, 2 or 3" in problems[9]
    assert "2 documents are called 'rules'" in problems[10]
    assert str(found.problems[0]).startswith("line 3: ")


def test_a_half_wrong_jsonl_gives_what_is_right() -> None:
    lines = [
        json.dumps({"question": "Dogs?", "judgments": [{"document": "rules.md", "text": "Dogs ride free."}]}),
        "{broken",
        '["list"]',
        json.dumps({"id": "x"}),
        json.dumps({"id": "y", "question": "Other?", "judgments": [3, {"start": "a"}]}),
        json.dumps({"id": "y", "question": "Same id?"}),
        json.dumps({"question": "Text?", "judgments": {"no": "list"}}),
    ]
    found = imported("\n".join(lines).encode(), "q.jsonl", DOCUMENTS)
    assert [(j.document_id, j.start) for j in found.question_set.judgments] == [("id of rules.md", 30)]
    assert [remark.line for remark in found.problems] == [2, 3, 4, 5, 5, 6, 7]


def test_questions_whose_id_is_null_are_told_apart_by_their_text() -> None:
    rows = [{"id": None, "question": "A?"}, {"id": None, "question": "B?"}, {"id": 7, "question": "C?"}]
    found = imported("\n".join(map(json.dumps, rows)).encode(), "q.jsonl", DOCUMENTS)
    assert ([q.text for q in found.question_set.questions], found.problems) == (["A?", "B?", "C?"], ())
    assert found.question_set.questions[2].id == "7"


def test_a_range_that_does_not_end_where_its_text_ends_is_pointed_out() -> None:
    data = b"question,document,start,end,grade,text\nDogs?,rules.md,30,60,1,Dogs ride free.\n"
    found = imported(data, "q.csv", DOCUMENTS)
    assert [(j.start, j.end) for j in found.question_set.judgments] == [(30, 45)]
    assert [str(note) for note in found.notes] == ["line 2: 30–60 moved to 30–45, where its text stands"]


def test_expected_text_is_placed_exactly_blindly_or_nearly_and_the_rest_is_listed() -> None:
    data = (
        "Question;Expected text;Document\n"
        "Dogs?;Dogs ride free.;rules.md\n"
        "Price?;a day  TICKET costs 4.20;\n"
        "Kids?;Children under 6 ride free.;\n"
        "Moon?;The moon is made of green cheese.;\n"
        "Alone?;;rules.md\n"
    )
    found = imported(data.encode(), "q.csv", DOCUMENTS)
    assert found.question_set.texts[:2] == ("Dogs ride free.", "A day ticket costs 4.20")
    assert found.question_set.texts[2].startswith("Children under six ride")
    assert [remark.line for remark in found.notes] == [4]
    assert re.match(r"placed by similarity \(\d+%\), though with other numbers, in ", found.notes[0].message)
    assert [remark.line for remark in found.problems] == [5, 6]
    assert "could not be placed in 3 documents" in found.problems[0].message


def test_an_answer_that_is_only_a_part_of_a_word_is_pointed_out() -> None:
    data = b"question,expected text\nDogs?,og\nTicket?,tick et\nNumber?,4.20\nSix?,ix\n"
    found = imported(data, "q.csv", DOCUMENTS)
    assert found.question_set.texts == ("og", "ticket", "4.20", "ix")
    assert [remark.line for remark in found.notes] == [2, 5]
    assert "stands only inside a longer word of fares 2024.pdf" in found.notes[0].message


def test_a_file_without_a_line_of_names_is_question_text_document() -> None:
    found = imported(b"Dogs?,Dogs ride free.,rules.md\n", "q.csv", DOCUMENTS)
    assert (len(found.question_set.judgments), found.problems) == (1, ())


def test_the_references_csv_reads_rows_as_questions_and_moves_what_moved() -> None:
    reference = json.dumps([{"content": "Dogs ride free.", "start_index": 5, "end_index": 20}])
    cell = '"' + reference.replace('"', '""') + '"'
    data = f"question,references,corpus_id\nDogs?,{cell},fares 2024\nDogs?,{cell},fares 2024\nBad?,[1,fares 2024\n"
    found = imported(data.encode(), "questions.csv", DOCUMENTS)
    assert len(found.question_set.questions) == 2
    assert {(j.start, j.end) for j in found.question_set.judgments} == {(44, 59)}
    assert "moved to 44–59" in found.notes[0].message
    assert [remark.line for remark in found.problems] == [4]
    assert found.question_set.name == "questions"


def test_empty_files_and_empty_workspaces_say_what_to_do() -> None:
    for data in (b"", b"question,start,end\n", b"\n\n"):
        found = imported(data, "q.csv", DOCUMENTS)
        assert found.question_set.questions == ()
        assert "question, expected text, document" in found.problems[-1].message
    found = imported(b"question,expected text\nDogs?,Dogs ride free.\n", "q.csv", [])
    assert "there are no documents here yet" in found.problems[0].message


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"PK\x03\x04junk", b"\0" * 5000])
def test_what_is_not_a_question_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        imported(data, "q.csv", DOCUMENTS)


def test_other_encodings_are_read() -> None:
    text = "question,expected text\nWas kostet „es“?,A day ticket costs\n"
    for data in (text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        assert imported(data, "q.csv", DOCUMENTS).question_set.questions[0].text == "Was kostet „es“?"
    found = imported(text.encode("cp1252"), "q.csv", DOCUMENTS)
    assert found.question_set.questions[0].text == "Was kostet „es“?"
    assert "Windows-1252" in found.notes[0].message


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SettingsError, match="format"):
        exported(QuestionSet("s"), [], "xml")


# ── BEIR ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def beir_files() -> dict[str, str]:
    corpus = [
        {"_id": "rules", "title": "", "text": ""},
        {"_id": "p7", "title": "", "text": "A day ticket costs 4.20."},
        {"_id": "p8", "title": "", "text": "Something that is in no document at all, anywhere."},
    ]
    queries = [{"_id": "1", "text": "Price?"}, {"_id": "2", "text": "Rules?"}, {"_id": "3"}]
    qrels = "query-id\tcorpus-id\tscore\n1\tp7\t1\n2\trules.md\t5\n1\tp8\t1\n9\tp7\t1\n1\tbroken\n1\tzzz\t0\n"
    return {
        "set/corpus.jsonl": "\n".join(map(json.dumps, corpus)),
        "set/queries.jsonl": "\n".join(map(json.dumps, queries)),
        "set/qrels/test.tsv": qrels,
    }


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_foreign_beir_dataset_is_placed_by_name_or_text(tmp_path: Path) -> None:
    found = imported(zipped(beir_files()), "set.zip", DOCUMENTS)
    assert [
        (j.question_id, j.document_id, j.start, j.end, j.grade) for j in found.question_set.judgments
    ] == [
        ("1", "id of fares 2024.pdf", 19, 43, 1),
        ("2", "id of rules.md", 0, len(OTHER), 3),
    ]
    assert [(r.file, r.line) for r in found.problems] == [
        ("set/queries.jsonl", 3),
        ("set/qrels/test.tsv", 4),
        ("set/qrels/test.tsv", 5),
        ("set/qrels/test.tsv", 6),
        ("set/qrels/test.tsv", 7),
    ]
    assert "'zzz' is not here" in found.problems[-1].message
    for name, content in beir_files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert imported_path(tmp_path / "set", DOCUMENTS).question_set == found.question_set
    assert corpus_texts(files_in_zip(zipped(beir_files())))[1] == ("p7", "A day ticket costs 4.20.")


def test_a_damaged_zip_is_an_input_error() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("queries.jsonl", json.dumps({"_id": "1", "text": "Who?"}) * 400)
    data = bytearray(out.getvalue())
    data[45:60] = b"\xff" * 15  # inside the packed bytes: the list of files is whole
    with pytest.raises(InputError, match="cannot be read"):
        imported(bytes(data), "x.zip", DOCUMENTS)


def test_a_zip_that_is_no_dataset_says_so() -> None:
    with pytest.raises(InputError, match=r"queries\.jsonl"):
        imported(zipped({"xl/workbook.xml": ""}), "q.xlsx", DOCUMENTS)


def test_a_path_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        imported_path(tmp_path / "none.csv", DOCUMENTS)
