"""The pipeline from a terminal: sync, change, publish through the gate, break the model, force, roll back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.source_places import settle
from tests.documents import CUT_OFF, one_line_pages, without_last_page
from workbench.__main__ import DONE, SOME_FAILED, WRONG_USAGE, main
from workbench.commands.sync_report import report
from workbench.commands.terminal import Output
from workbench.config import parsed, written
from workbench.ingest.entries import Figures
from workbench.ingest.lock import pipeline_lock
from workbench.records import digest
from workbench.sync.events import Finished

pytestmark = pytest.mark.slow

CONFIG = """\
name: notices
parser: {name: plain_text}
chunker: {name: nltk_sentences, size_tokens: 8, overlap_sentences: 0}
embedder: {name: hashing, dimension: 256}
sources:
- {name: pdf_folder, path: in}
evaluate: {questions: questions.csv, metric: recall@1, minimum: 0.9}
release: {keep: 2}
"""
QUESTIONS = """\
question,expected text,document
Where does the tram stop?,The tram stops at red.,red
What does a ticket cost?,A ticket costs two crowns.,fares
"""


def write(path: Path, text: str) -> None:
    path.write_text(text)
    settle(path)


def change(folder: Path, old: str, new: str) -> None:
    """Change a place of the config."""
    text = (folder / "config.yaml").read_text()
    assert old in text
    (folder / "config.yaml").write_text(text.replace(old, new))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "questions.csv").write_text(QUESTIONS)
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "red.txt", "The tram stops at red. It goes at white.")
    write(tmp_path / "in" / "fares.txt", "A ticket costs two crowns. Dogs travel free.")
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], folder: Path) -> Any:
    def run(command: str, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        arguments = [command, str(folder / "config.yaml"), *words]
        status = main([*arguments, "--json", "--workspace", str(folder / "workspace")])
        printed = capsys.readouterr()
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return run


def test_the_way_from_an_exported_config_to_a_release_and_back(run: Any, folder: Path) -> None:
    alone, sources, rest = CONFIG.partition("sources:")
    exported = written(parsed(alone))
    (folder / "config.yaml").write_text(exported)
    assert run("sync")[0] == WRONG_USAGE
    (folder / "config.yaml").write_text(exported + sources + rest)

    status, (plan,), _ = run("plan")
    assert (status, plan["add"], plan["expected_chunks"]) == (DONE, 2, 2)

    status, events, said = run("sync")
    assert (status, events[0]["kind"], events[-1]["kind"]) == (DONE, "started", "finished")
    assert events[-1]["figures"]["added"] == 2
    assert "2 added" in said

    write(folder / "in" / "fares.txt", "A ticket costs two crowns. Dogs travel at half price.")
    status, events, _ = run("sync")
    assert {key: events[-1]["figures"][key] for key in ("changed", "kept", "embedded", "reused")} == {
        "changed": 1,
        "kept": 1,
        "embedded": 1,
        "reused": 1,
    }
    _, events, _ = run("sync")
    assert events[-1]["figures"]["embedded"] == 0
    assert [event["kind"] for event in events] == [
        "started", "source_listed", "planned", "progress", "finished",
    ]  # fmt: skip

    status, (published,), _ = run("publish")
    assert (status, published["published"], published["gate"]["value"]) == (DONE, True, 1.0)
    _, before, _ = run("search", "What does a ticket cost?")
    assert (before[0]["text"], Path(before[0]["path"]).name) == ("A ticket costs two crowns.", "fares.txt")

    change(folder, "max_tokens: null", "max_tokens: 1")
    status, events, _ = run("sync")
    assert (status, events[-1]["figures"]["rebuilt"], events[-1]["figures"]["bytes_read"]) == (DONE, 2, 0)
    status, (refused,), _ = run("publish")
    assert (status, refused["published"]) == (SOME_FAILED, False)
    assert "below the minimum of 0.9" in refused["gate"]["reasons"][0]
    assert run("search", "What does a ticket cost?")[1] == before

    status, (forced,), _ = run("publish", "--force")
    assert (status, forced["forced"]) == (DONE, True)
    assert run("search", "What does a ticket cost?")[1] != before
    status, (back,), _ = run("roll-back")
    assert (status, back["release"]) == (DONE, published["release"])
    assert run("search", "What does a ticket cost?")[1] == before

    _, rows, _ = run("releases")
    assert [(row["id"], row["published"]) for row in rows if row["kind"] == "release"] == [
        (2, False),
        (1, True),
    ]
    _, runs, _ = run("log")
    assert [row["status"] for row in runs] == ["done"] * 4
    assert run("verify")[0] == DONE


def test_what_is_missing_shuts_the_gate_and_says_so(run: Any, folder: Path) -> None:
    run("sync")
    for name in ("bad", "worse"):
        (folder / "in" / f"{name}.txt").write_text("  ")
    (folder / "in" / "red.txt").unlink()
    run("sync")
    status, (refused,), said = run("publish")
    assert (status, refused["published"], refused["gate"]["questions"]) == (SOME_FAILED, False, 1)
    assert "2 of 3 documents could not be brought into the table" in refused["gate"]["reasons"][0]
    assert "1 judgment has no place in these documents" in said
    (folder / "questions.csv").unlink()
    status, (forced,), _ = run("publish", "--force")
    assert (status, forced["published"]) == (DONE, True)
    assert "the questions of the gate cannot be asked" in forced["gate"]["reasons"][-1]


def test_a_row_without_an_id_is_named_by_every_command_and_shuts_no_gate(run: Any, folder: Path) -> None:
    rows = [f"t{number},Tram {number} stops at red." for number in range(6)]
    (folder / "table.csv").write_text("\n".join(["id,text", *rows, ",It has no id."]))
    source = "{name: csv_file, path: table.csv, id_column: id, text_columns: [text]}"
    text = CONFIG.replace("{name: pdf_folder, path: in}", source).partition("evaluate:")[0]
    (folder / "config.yaml").write_text(text)
    status, (plan,), said = run("plan")
    assert (status, plan["add"], plan["sources"][0]["unlisted"]) == (SOME_FAILED, 6, 1)
    assert "table.csv, row 8 has nothing in the column 'id'" in said
    status, events, said = run("sync")
    assert (status, events[-1]["figures"]["unlisted"]) == (SOME_FAILED, 1)
    assert "6 items, 1 could not be listed (deletions wait for --confirm-deletes)" in said
    assert "0 failed, 0 waiting, 1 not listed" in said
    _, (failure,), _ = run("log", "--failures")
    assert (failure["stage"], failure["kind"], failure["name"]) == ("list", "not_listed", "table.csv, row 8")
    status, (published,), said = run("publish")
    assert (status, published["published"]) == (DONE, True)
    assert "1 item beside the 6 known could not be listed; the first is table.csv, row 8" in said
    (folder / "table.csv").write_text("\n".join(["id,text", *rows[1:], ",It has no id."]))
    status, (plan,), said = run("plan")
    assert (plan["remove"], len(plan["refused"])) == (0, 1)
    assert "1 known item is missing, and 1 that could not be listed may be the same" in said
    status, events, _ = run("sync", "--confirm-deletes")
    assert events[-1]["figures"]["removed"] == 1


def test_a_plan_of_a_source_that_is_empty_says_that_there_is_nothing_to_do(
    run: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / "in").iterdir():
        path.unlink()
    main(["plan", str(folder / "config.yaml"), "--workspace", str(folder / "workspace")])
    assert capsys.readouterr().out.partition(": ")[2] == "nothing to do\n"


def test_what_was_gone_or_not_listed_is_told_where_there_is_some(capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures(added=37, failed=2, gone=1, unlisted=3, release_failed=1, release_gone=1)
    report([Finished(7, "some_failed", "", 1.0, figures)], Output(as_json=False))
    said = capsys.readouterr().out
    assert "37 added" in said
    assert "2 failed, 0 waiting, 1 gone, 3 not listed;" in said
    assert said.endswith("published release: 0 written, 0 removed, 1 failed, 0 waiting, 1 gone\n")
    report([Finished(8, "done", "", 1.0, Figures(added=37))], Output(as_json=False))
    assert "gone" not in capsys.readouterr().out


def test_half_a_file_is_told_in_words_and_fails_only_where_a_version_stays(run: Any, folder: Path) -> None:
    (folder / "in" / "red.txt").unlink()
    whole = one_line_pages("The tram stops at red.", "It goes at white.")
    path = folder / "in" / "red.pdf"
    path.write_bytes(without_last_page(whole))
    settle(path)
    status, rows, said = run("sync")
    assert (status, rows[-1]["status"]) == (DONE, "done")
    assert rows[-1]["message"] == f"1 document was partly read: red.pdf ({CUT_OFF})"
    assert [row["message"] for row in rows if row["kind"] == "item_partly_read"] == [CUT_OFF]
    assert f"red.pdf: partly read: {CUT_OFF}\n" in said
    attempts = run("log", "--run", str(rows[-1]["run_id"]))[1]
    assert [one["message"] for one in attempts if one["item_id"] == "red.pdf"] == [f"partly read: {CUT_OFF}"]
    status, [published], said = run("publish")
    assert (status, published["gate"]["partly_read"], published["forced"]) == (DONE, 1, False)
    assert "1 document is in the table only in part" in said
    assert run("releases")[1][0]["gate"]["partly_read"] == 1
    path.write_bytes(whole)
    settle(path)
    assert run("sync")[0] == DONE
    path.write_bytes(without_last_page(one_line_pages("The tram stops at blue.", "It goes at white.")))
    settle(path)
    status, rows, said = run("sync")
    assert (status, rows[-1]["figures"]["failed"]) == (SOME_FAILED, 1)
    stays = f"{CUT_OFF}, so the earlier version stays until the source has the whole file"
    assert f"red.pdf: parse: {stays}\n" in said
    assert [row["message"] for row in run("log", "--failures")[1]] == [stays]
    assert run("plan")[1][-1]["wait"] == 1


def test_the_list_of_releases_says_how_many_documents_were_in_it_only_in_part(
    run: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in" / "more.pdf").write_bytes(without_last_page(one_line_pages("One line.", "Another.")))
    run("sync")
    run("publish")
    main(["releases", str(folder / "config.yaml"), "--workspace", str(folder / "workspace")])
    assert ", 1 document only in part  " in capsys.readouterr().out.splitlines()[0]


def test_a_plan_has_a_line_for_what_is_published_where_that_is_another_table(
    run: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("sync")
    run("publish")
    assert run("plan")[1][0]["release"] is None
    change(folder, "dimension: 256", "dimension: 128")
    change(folder, "release:", "budget: {price_per_million_tokens: 100000}\nrelease:")
    write(folder / "in" / "red.txt", "The tram stops at blue. It goes at white.")
    status, (plan,), _ = run("plan")
    assert (status, plan["add"], plan["change"], plan["rebuild"]) == (DONE, 0, 1, 1)
    release = plan["release"]
    assert (release["change"], release["keep"], release["rebuild"]) == (1, 1, 0)
    assert (release["expected_chunks"], release["expected_tokens"]) == (2, 10)
    main(["plan", str(folder / "config.yaml"), "--workspace", str(folder / "workspace")])
    own, published = capsys.readouterr().out.splitlines()
    assert own.startswith(
        "notices: 1 to change, 1 to rebuild; about 3 chunks to embed at most, costing about"
    )
    assert published.startswith(
        "published release, which has another table: 1 to change, 1 to keep; about 2 chunks to embed at most"
    )


def test_a_measure_of_which_more_is_worse_is_refused_with_its_line(run: Any, folder: Path) -> None:
    change(folder, "recall@1", "tokens_shown@5")
    status, _, said = run("publish")
    assert status == WRONG_USAGE
    assert "line 7, evaluate.metric: metric ('tokens_shown@5') must be one of recall@1, recall@3" in said


def test_a_bad_document_is_named_and_the_status_says_so(run: Any, folder: Path) -> None:
    write(folder / "in" / "bad.txt", "  ")
    status, events, said = run("sync")
    assert (status, events[-1]["status"]) == (SOME_FAILED, "some_failed")
    assert "bad.txt" in said
    _, (failure,), _ = run("log", "--failures")
    assert (failure["name"], failure["stage"]) == ("bad.txt", "parse")


def test_what_is_published_is_kept_true_and_told_apart(run: Any, folder: Path) -> None:
    run("sync")
    run("publish")
    change(folder, "dimension: 256", "dimension: 16")
    run("sync")
    (folder / "in" / "new.txt").write_text("A new line is open at noon.")
    (folder / "in" / "bad.txt").write_text("  ")
    status, events, said = run("sync")
    figures = events[-1]["figures"]
    assert (status, figures["added"], figures["release_written"], figures["release_failed"]) == (
        SOME_FAILED,
        1,
        1,
        1,
    )
    assert "published release: 1 written, 0 removed, 1 failed" in said
    assert "published release: bad.txt" in said
    assert [row["table_name"] == events[0]["table"] for row in run("log", "--failures")[1]] == [False, True]
    assert (
        run("search", "Which line is open at noon?", "--k", "1")[1][0]["text"]
        == "A new line is open at noon."
    )


def test_numbers_that_cannot_be_are_refused_with_one_line(run: Any, folder: Path) -> None:
    for words in (["log", "--run", "9" * 30], ["log", "--limit", "0"], ["log", "--limit", "9" * 30]):
        with pytest.raises(SystemExit) as caught:
            run(*words)
        assert caught.value.code == WRONG_USAGE
    for wait in ("nan", "inf", "-1", "x"):
        with pytest.raises(SystemExit) as caught:
            run("sync", f"--wait={wait}")
        assert caught.value.code == WRONG_USAGE


def test_a_log_tells_of_rebuilds_and_that_nothing_failed(
    run: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("sync")
    assert "none failed" in run("log", "--failures")[2]
    change(folder, "dimension: 256", "dimension: 16")
    run("sync")
    main(["log", str(folder / "config.yaml"), "--workspace", str(folder / "workspace")])
    assert "rebuilt 2" in capsys.readouterr().out.splitlines()[0]


def test_tabs_of_a_document_are_shown_as_they_are(
    run: Any, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in" / "times.txt").write_text("Departures\tnoon\tand\tmidnight.")
    run("sync")
    main(["search", str(folder / "config.yaml"), "departures", "--workspace", str(folder / "workspace")])
    assert "Departures\tnoon\tand" in capsys.readouterr().out


def test_failed_documents_are_made_due_one_or_all(run: Any, folder: Path) -> None:
    for name in ("bad", "worse"):
        write(folder / "in" / f"{name}.txt", "  ")
    run("sync")
    assert run("sync")[1][-1]["figures"]["waiting"] == 2
    status, rows, said = run("log", "--retry", "worse.txt")
    assert (status, [row["name"] for row in rows]) == (DONE, ["worse.txt"])
    assert "1 document is tried again by the next sync" in said
    figures = run("sync")[1][-1]["figures"]
    assert (figures["failed"], figures["waiting"]) == (1, 1)
    assert len(run("log", "--retry")[1]) == 2
    assert run("sync")[1][-1]["figures"]["failed"] == 2
    status, _, said = run("log", "--retry", "unknown.txt")
    assert status == WRONG_USAGE
    assert "log --failures lists them" in said


@pytest.mark.parametrize("words", [("--run", "9" * 30), ("--run", "x"), ("--limit", "-1"), ("--limit", "0")])
def test_a_number_that_no_run_can_have_is_wrong_usage(run: Any, words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run("log", *words)
    assert raised.value.code == WRONG_USAGE


def test_a_config_without_sources_cannot_be_synced(run: Any, folder: Path) -> None:
    change(folder, "sources:\n- {name: pdf_folder, path: in}\n", "")
    status, _, said = run("sync")
    assert status == WRONG_USAGE
    assert "names no sources" in said


def test_a_second_sync_is_refused_with_a_sentence(run: Any, folder: Path) -> None:
    run("sync")
    path = folder / "workspace" / "pipelines" / f"{digest(['pipeline', 'notices'])[:16]}.lock"
    with pipeline_lock(path, "notices", 0):
        status, _, said = run("sync")
    assert status == SOME_FAILED
    assert "another sync of notices is running" in said


def test_what_does_not_agree_is_repaired(run: Any, folder: Path) -> None:
    import lancedb

    run("sync")
    database = lancedb.connect(str(folder / "workspace" / "pipelines" / "tables"))
    (name,) = database.list_tables().tables
    database.open_table(name).delete("ordinal = 0")
    status, findings, said = run("verify")
    assert (status, {finding["kind"] for finding in findings}) == (SOME_FAILED, {"wrong_count"})
    assert "--repair" in said
    assert run("verify", "--repair")[0] == DONE
    assert run("verify")[0] == DONE


def test_a_folder_that_is_not_there_deletes_nothing(run: Any, folder: Path) -> None:
    run("sync")
    (folder / "in").rename(folder / "away")
    status, events, _ = run("sync")
    assert (status, events[-1]["figures"]["removed"]) == (SOME_FAILED, 0)
    status, (plan,), _ = run("plan")
    assert (status, plan["remove"]) == (SOME_FAILED, 0)
