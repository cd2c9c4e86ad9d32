"""The sample library and its questions are what they claim to be; so are the bad files of ``tests/documents``."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymupdf
import pytest
import yaml

from tests import documents as bad
from tests.documents.scripts_and_layouts import (
    ARABIC_LINES,
    CHINESE_LINE,
    HEBREW_LINES,
    JAPANESE_LINE,
    KOREAN_LINE,
)

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
sys.path.insert(0, str(SAMPLES))

from make_samples import make  # noqa: E402
from place_questions import Letters, documents, parsed_text, placed_questions  # noqa: E402


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {name: parsed_text(path) for name, path in documents().items()}


# ── the library ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_enough_documents_of_every_kind() -> None:
    endings = [path.suffix for path in documents().values()]
    assert endings.count(".pdf") >= 8
    assert {".html", ".md", ".txt"} <= set(endings)
    assert sum(path.stat().st_size for path in documents().values()) < 3_000_000


def test_one_document_has_more_than_sixty_pages_and_an_outline() -> None:
    with pymupdf.open(SAMPLES / "rule-book.pdf") as book:
        assert book.page_count >= 60
        assert len(book.get_toc()) > 100


def test_the_pdfs_hold_columns_ligatures_hyphens_and_running_lines() -> None:
    with pymupdf.open(SAMPLES / "battery-ageing-study.pdf") as study:
        page = study[0]
        text = page.get_text()
        right = [block for block in page.get_text("blocks") if block[0] > page.rect.width / 2]
    assert {"\ufb01", "\ufb02"} <= set(text)
    assert "-\n" in text
    assert len(right) > 3
    with pymupdf.open(SAMPLES / "safety-manual.pdf") as manual:
        assert all("Safety Manual for Depots" in page.get_text() for page in manual)


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        make(tmp_path / folder, ["safety-manual"])
    first, second = (tmp_path / folder / "safety-manual.pdf" for folder in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_the_tracked_pdfs_say_what_their_sources_say(tmp_path: Path) -> None:
    # Text instead of bytes: another version of zlib packs the same pages differently.
    names = ["safety-manual", "battery-ageing-study"]
    make(tmp_path, names)
    for name in names:
        with pymupdf.open(tmp_path / f"{name}.pdf") as made, pymupdf.open(SAMPLES / f"{name}.pdf") as kept:
            assert [page.get_text() for page in made] == [page.get_text() for page in kept]


# ── the questions ────────────────────────────────────────────────────────────────────────────────────────────────


def question_rows() -> list[dict[str, str]]:
    with (SAMPLES / "questions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_answer_stands_exactly_at_its_range(texts: dict[str, str]) -> None:
    rows = question_rows()
    assert len(rows) >= 72
    assert {row["corpus_id"] for row in rows} == set(texts)
    for row in rows:
        references: list[dict[str, Any]] = json.loads(row["references"])
        assert references, row["question"]
        for reference in references:
            start, end = reference["start_index"], reference["end_index"]
            assert texts[row["corpus_id"]][start:end] == reference["content"], row["question"]


def test_the_tracked_questions_are_those_of_the_source(texts: dict[str, str]) -> None:
    placed = [(item.question, item.corpus_id, item.ranges) for item in placed_questions(texts)]
    kept = [
        (
            row["question"],
            row["corpus_id"],
            tuple((r["start_index"], r["end_index"]) for r in json.loads(row["references"])),
        )
        for row in question_rows()
    ]
    assert kept == placed
    assert len({question for question, _, _ in placed}) == len(placed)


def test_questions_are_hard_in_different_ways() -> None:
    entries = yaml.safe_load((SAMPLES / "sources" / "questions.yaml").read_text("utf-8"))
    kinds = [kind for questions in entries.values() for question in questions for kind in question["kind"]]
    least = {"several": 10, "break": 4, "table": 5, "distractor": 15, "paraphrased": 15}
    assert {kind: kinds.count(kind) for kind in least if kinds.count(kind) < least[kind]} == {}


def test_at_least_four_answers_run_over_the_end_of_a_page() -> None:
    entries = yaml.safe_load((SAMPLES / "sources" / "questions.yaml").read_text("utf-8"))
    with pymupdf.open(SAMPLES / "rule-book.pdf") as book:
        pages = [Letters(page.get_text()).letters for page in book]
    answers = [
        answer for item in entries["rule-book"] if "break" in item["kind"] for answer in item["answers"]
    ]
    across = [answer for answer in answers if all(Letters(answer).letters not in page for page in pages)]
    assert len(across) >= 4


def test_a_passage_is_found_across_blanks_hyphens_and_a_footer() -> None:
    text = "The of\ufb01cial was re-\nlieved at noon.\nPage 3\nHeader\nNobody knew why."
    assert Letters(text).ranges("official was relieved") == ((4, 26),)
    first, second = Letters(text).ranges("at noon. Nobody knew")
    assert (text[slice(*first)], text[slice(*second)]) == ("at noon.", "Nobody knew")


def test_a_passage_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs 2 times"):
        Letters("again and again").ranges("again")


# ── the bad files ────────────────────────────────────────────────────────────────────────────────────────────────


def opened(data: bytes) -> pymupdf.Document:
    return pymupdf.open("pdf", data)


def page_texts(data: bytes) -> list[str]:
    with opened(data) as document:
        return [page.get_text() for page in document]


def test_files_that_do_not_open_do_not_open() -> None:
    for data in (bad.empty_file(), bad.truncated_pdf()):
        with pytest.raises((RuntimeError, ValueError)):
            opened(data)


def test_password_files_ask_or_do_not_ask() -> None:
    with opened(bad.password_pdf("p w")) as locked:
        assert locked.needs_pass
        assert not locked.authenticate("wrong")
        assert locked.authenticate("p w")
        assert "vault" in locked[0].get_text()
    with opened(bad.empty_password_pdf()) as free:
        assert not free.needs_pass
        assert "AES" in free.metadata["encryption"]
        assert "vault" in free[0].get_text()


def test_a_pdf_may_have_no_page_or_no_text() -> None:
    assert page_texts(bad.zero_page_pdf()) == []
    assert page_texts(bad.scanned_pdf(pages=2)) == ["", ""]
    with opened(bad.scanned_pdf()) as scanned:
        assert scanned[0].get_images()


@pytest.mark.parametrize("make_file", [bad.html_named_pdf, bad.svg_named_pdf])
def test_other_formats_named_pdf_are_not_pdf(make_file: Callable[[], bytes]) -> None:
    assert not make_file().startswith(b"%PDF")
    with opened(make_file()) as document:
        assert not document.is_pdf


def test_small_bombs_are_what_the_large_ones_are() -> None:
    # Only small ones are opened here: the real sizes are for workers with limits.
    assert page_texts(bad.crowded_page_pdf(100_250))[0].replace("\n", "").__len__() == 100_250
    assert page_texts(bad.exponential_forms_pdf(depth=5))[0].count("again") == 2**4
    with opened(bad.unfolding_stream_pdf(size_bytes=2**21)) as document:
        assert len(document.xref_stream(document[0].get_contents()[0])) == 2**21


def test_bombs_are_small_on_disk() -> None:
    assert len(bad.unfolding_stream_pdf()) < 10_000
    assert len(bad.crowded_page_pdf()) < 10_000
    assert len(bad.exponential_forms_pdf()) < 10_000
    assert len(bad.form_nested_in_itself_pdf()) < 2_000


def test_three_thousand_pages_are_numbered() -> None:
    with opened(bad.n_pages_pdf(3000)) as document:
        assert document.page_count == 3000
        assert document[16].get_text() == "Page 17 of 3000.\n"


def test_one_page_fails_and_the_others_read_well() -> None:
    with opened(bad.page_that_fails_alone_pdf(pages=5, failing=3)) as document:
        assert document.page_count == 5
        with pytest.raises(Exception, match="page tree"):
            document.load_page(2)
        assert [document[page].get_text() for page in (0, 1, 3, 4)] == [
            f"Page {number} reads well.\n" for number in (1, 2, 4, 5)
        ]


def test_absurd_and_turned_pages() -> None:
    with opened(bad.absurd_page_size_pdf()) as document:
        assert document[0].rect.width > 1e7
    with opened(bad.rotated_pages_pdf()) as document:
        assert [page.rotation for page in document] == [0, 90, 180, 270]


def test_scripts_come_out_in_reading_order() -> None:
    assert page_texts(bad.hebrew_pdf())[0].splitlines() == list(HEBREW_LINES)
    assert page_texts(bad.arabic_pdf())[0].splitlines() == list(ARABIC_LINES)
    assert page_texts(bad.chinese_japanese_korean_pdf())[0].splitlines() == [
        CHINESE_LINE,
        JAPANESE_LINE,
        KOREAN_LINE,
    ]


def test_control_characters_are_in_the_text_and_the_title() -> None:
    assert "safe\x01\x07\x1bsound" in page_texts(bad.control_characters_pdf())[0]
    assert b"<FEFF00540000001B0069>" in bad.control_characters_pdf().upper()
    assert b"\x00" in bad.control_characters_text()


def test_layouts_hold_their_traps() -> None:
    text = page_texts(bad.ligatures_and_hyphens_pdf())[0]
    assert "of\ufb01cial" in text
    assert "sa-\nfety" in text
    assert "left line 2" in page_texts(bad.two_columns_pdf())[0].split("right line 1 ")[1]
    for number, page in enumerate(page_texts(bad.repeated_headers_pdf(pages=6)), start=1):
        assert page.startswith("Norden Vale Tramways – Rule Book\n")
        assert page.endswith(f"Page {number} of 6\n")


def test_nasty_names_are_nasty() -> None:
    names = bad.NASTY_FILE_NAMES
    assert len(names["300_characters"]) == 300
    assert "\u202e" in names["right_to_left_override"]
    assert names["markup"] == "<img src=x onerror=alert(1)>.pdf"
    assert names["climbs_out"] == "../../x.pdf"
