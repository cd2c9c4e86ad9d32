"""Building and searching: done once, resumable, honest about what it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench import plugins, sentences
from workbench.config import Config
from workbench.contracts import TableInfo
from workbench.errors import Cancelled, InputError, WorkbenchError
from workbench.pipeline import BuildStep
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


def config(size: int = 30, chunker: str = "nltk_sentences", name: str = "tiny") -> Config:
    return Config(
        name,
        plugins.build("chunkers", chunker, {"size_tokens": size}),
        plugins.build("embedders", "hashing"),
    )


def text(number: int) -> str:
    return f"Tram {number} leaves at nine. It reaches the depot at {number + 10}. Its driver is number {number * 7}."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / "workspace")
    for number in range(5):
        found.add(f"{number}.txt", text(number).encode())
    return found


def test_a_second_build_writes_and_embeds_nothing(workspace: Workspace) -> None:
    first = workspace.tables.build(config())
    second = workspace.tables.build(config())
    assert (first.documents, first.failed) == (5, ())
    assert first.embedded > 0
    assert (second.documents, second.chunks, second.embedded) == (5, 0, 0)


def test_two_configs_that_share_texts_embed_them_once(workspace: Workspace) -> None:
    first = workspace.tables.build(config(500, "nltk_sentences"))
    second = workspace.tables.build(config(500, "spacy_sentences"))
    assert first.table != second.table
    assert (second.embedded, second.reused) == (0, first.chunks)


def test_the_estimate_is_what_the_build_then_does(workspace: Workspace) -> None:
    before = workspace.tables.estimate(config(), [row.id for row in workspace.documents()], measure=False)
    built = workspace.tables.build(config())
    after = workspace.tables.estimate(config(), [row.id for row in workspace.documents()])
    assert (before.documents_done, before.chunks, before.chunks - before.cached) == (
        0,
        built.chunks,
        built.embedded,
    )
    assert (after.documents_done, after.chunks) == (5, 0)


def test_measuring_the_speed_wastes_nothing(workspace: Workspace) -> None:
    ids = [row.id for row in workspace.documents()]
    measured = workspace.tables.estimate(config(), ids)
    built = workspace.tables.build(config())
    assert measured.seconds is not None
    assert measured.chunks - measured.cached == built.embedded


def test_a_new_version_replaces_its_rows_and_only_those(workspace: Workspace) -> None:
    workspace.tables.build(config())
    workspace.add("3.txt", b"Entirely new words about ferries.")
    again = workspace.tables.build(config())
    assert (again.chunks, again.embedded) == (1, 1)
    found = workspace.tables.search(config(), "ferries", 1).hits
    assert found[0].chunk.text == "Entirely new words about ferries."
    texts = {c.text for c in workspace.tables.table(config()).chunks()}
    assert not any("Tram 3 " in t for t in texts)


def test_a_deleted_document_is_in_no_table(workspace: Workspace) -> None:
    workspace.tables.build(config())
    gone = workspace.documents()[0]
    workspace.delete([gone.id])
    assert gone.id not in workspace.tables.table(config()).states()


def test_cancelling_keeps_the_embeddings_and_the_next_build_goes_on(workspace: Workspace) -> None:
    def stop(step: BuildStep) -> None:
        if step.documents_done:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        workspace.tables.build(config(), on_step=stop)
    assert workspace.tables.build(config()).embedded == 0


def test_a_document_that_cannot_be_read_is_named_and_the_others_are_built(workspace: Workspace) -> None:
    broken = workspace.documents()[0]
    for folder in ("originals", "parsed"):
        for path in (workspace.folder / folder).iterdir():
            if broken.stored_hash in path.name or folder == "parsed":
                path.unlink()
    result = Workspace(workspace.folder).tables.build(config())
    assert [name for name, _ in result.failed] == [broken.name]
    assert result.documents == 4


def test_the_list_tells_what_a_table_is(workspace: Workspace) -> None:
    workspace.tables.build(config())
    workspace.add("new.txt", b"Something new.")
    (row,) = workspace.tables.rows()
    assert (row.config_name, row.documents, row.missing_documents) == ("tiny", 5, 1)
    assert row.config is not None
    assert row.config.fingerprint == config().fingerprint
    assert row.size_bytes > 0
    workspace.tables.drop(row.name)
    assert workspace.tables.rows() == []


def test_a_changed_document_counts_as_still_to_do(workspace: Workspace) -> None:
    workspace.tables.build(config())
    workspace.add("3.txt", b"Entirely new words about ferries.")
    (row,) = workspace.tables.rows()
    assert row.missing_documents == 1


def test_documents_that_would_be_cut_otherwise_now_count_until_they_are_built_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.tables.build(config())
    workspace.add("new.txt", b"Something new.")
    monkeypatch.setattr(sentences, "VERSION", 99)
    for here in (workspace, Workspace(workspace.folder)):
        (row,) = here.tables.rows()
        assert (row.documents, row.missing_documents, row.outdated_documents) == (5, 6, 5)
        assert (
            row.lack
            == "its table is out of date (5 documents): build it again; 1 document is not in its table"
        )
        assert here.tables.lack(config()) == row.lack
    workspace.tables.build(config())
    (row,) = workspace.tables.rows()
    assert (row.missing_documents, row.outdated_documents, row.lack) == (0, 0, "")


def test_a_text_that_its_parser_would_read_anew_counts_and_nothing_is_parsed_to_find_out(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.tables.build(config())
    plain_text = plugins.plugin_class("parsers", "plain_text")
    monkeypatch.setattr(plain_text, "packages", ("pydantic",))
    kept = sorted((workspace.folder / "parsed").iterdir())
    (row,) = workspace.tables.rows()
    assert row.outdated_documents == 5
    assert sorted((workspace.folder / "parsed").iterdir()) == kept
    assert workspace.tables.build(config()).chunks == 0, "the texts are the same"
    assert workspace.tables.rows()[0].missing_documents == 0


def test_a_table_of_before_states_were_kept_is_looked_at_and_is_complete(workspace: Workspace) -> None:
    workspace.tables.build(config())
    with workspace.document_list.connection() as db:
        db.execute("DROP TABLE states")
        db.execute("PRAGMA user_version = 3")
    for here in (workspace, Workspace(workspace.folder)):
        assert here.tables.rows()[0].missing_documents == 0


def test_a_table_of_plug_ins_of_another_version_is_out_of_date(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.tables.build(config())
    monkeypatch.setattr(type(config().chunker), "VERSION", 99)
    (row,) = workspace.tables.rows()
    assert row.outdated_documents == row.documents == 5


def test_searching_what_is_not_built_says_so(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="not built yet"):
        workspace.tables.search(config(), "tram")


def test_the_hits_are_those_of_exact_search_and_always_in_the_same_order(workspace: Workspace) -> None:
    workspace.tables.build(config())
    first = workspace.tables.search(config(), "When does tram 3 leave?", 4)
    again = Workspace(workspace.folder).tables.search(config(), "When does tram 3 leave?", 4)
    assert [h.chunk.id for h in first.hits] == [h.chunk.id for h in again.hits]
    assert [h.rank for h in first.hits] == [1, 2, 3, 4]
    assert sorted((h.score for h in first.hits), reverse=True) == [h.score for h in first.hits]


BUILD_FOREVER = """
import sys
from pathlib import Path
from tests.workspace.test_tables import config
from workbench.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
def step(s):
    print(s.documents_done, s.chunks_done, flush=True)
workspace.tables.build(config(), on_step=step)
print("end", flush=True)
"""


@pytest.mark.parametrize("lines", [1, 2, 4])
def test_a_killed_build_goes_on_and_embeds_nothing_twice(workspace: Workspace, lines: int) -> None:
    for number in range(100, 130):
        workspace.add(f"{number}.txt", text(number).encode())
    command = [sys.executable, "-c", BUILD_FOREVER, str(workspace.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    known = len(workspace.vector_cache)
    result = workspace.tables.build(config())
    assert result.failed == ()
    fresh = Workspace(workspace.folder.parent / f"fresh-{time.monotonic_ns()}")
    for row in workspace.documents():
        fresh.add(row.name, workspace.original(row), uri=row.uri)
    whole = fresh.tables.build(config())
    assert known + result.embedded == whole.embedded
    ours, theirs = (w.tables.table(config()) for w in (workspace, fresh))
    assert ours.chunks() == theirs.chunks()
    assert (ours.vectors()[1] == theirs.vectors()[1]).all()


def test_a_table_of_another_model_is_made_anew(workspace: Workspace) -> None:
    model = workspace.model(config().embedder)
    about = {"model_id": "other weights"}
    workspace.tables.connection(config()).create(TableInfo(config().table_name, model.dimension, about))
    with pytest.raises(WorkbenchError, match="build it again"):
        workspace.tables.search(config(), "tram")
    workspace.tables.build(config())
    assert len(workspace.tables.search(config(), "tram", 2).hits) == 2


def test_a_document_deleted_while_a_build_runs_is_in_no_table(workspace: Workspace) -> None:
    gone = workspace.documents()[0].id

    def delete(step: BuildStep) -> None:
        workspace.delete([gone])

    workspace.tables.build(config(), on_step=delete)
    assert gone not in workspace.tables.table(config()).states()


def test_the_stores_own_settings_are_those_of_the_config(workspace: Workspace) -> None:
    small = Config(
        "small",
        config().chunker,
        config().embedder,
        store=plugins.build("stores", "lancedb", {"index_above": 1000}),
    )
    workspace.tables.build(small)
    assert workspace.tables.connection(small) is workspace.tables.connection(small)
    assert workspace.tables.connection(small) is not workspace.tables.connection(config())


def test_a_deleted_document_is_gone_from_every_store(workspace: Workspace) -> None:
    held = Config("held", config().chunker, config().embedder, store=plugins.build("stores", "memory"))
    workspace.tables.build(held)
    gone = workspace.documents()[0].id
    workspace.delete([gone])
    assert gone not in workspace.tables.table(held).states()


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        (
            "Fares, Refunds and Timetable\n\nA late tram is paid back. Fares and refunds follow the zones crossed.",
            "Fares and refunds follow the zones crossed.",
        ),
        ("Fares, Refunds and Timetable\n\nZones and their prices", "Fares, Refunds and Timetable"),
        (
            "Fares, Refunds and Timetable\n\n"
            "zone one and zone two and zone three and zone four share the fares of the timetable",
            "zone one and zone two and zone three and zone four share the fares of the timetable",
        ),
    ],
)
def test_a_heading_is_the_best_sentence_only_where_there_is_no_sentence(
    workspace: Workspace, text: str, marked: str
) -> None:
    workspace.add("fares.txt", text.encode())
    workspace.tables.build(config(200))
    question = "fares, refunds and timetable"
    hits = [h for h in workspace.tables.search(config(200), question, 9).hits if "Fares" in h.chunk.text]
    (best,) = workspace.tables.best_sentences(config(200), question, hits)
    assert best is not None
    assert hits[0].chunk.text[best[0] : best[1]] == marked


def test_the_age_of_a_table_is_that_of_its_last_addition(workspace: Workspace) -> None:
    workspace.tables.build(config())
    (row,) = workspace.tables.rows()
    assert row.written_at_utc >= row.built_at_utc > "2020"
    kept = workspace.folder / "builds" / f"{row.name}.written"
    kept.write_text("2999-01-01T00:00:00+00:00")
    workspace.tables.build(config())
    assert workspace.tables.rows()[0].written_at_utc.startswith("2999")
    workspace.add("late.txt", text(9).encode())
    workspace.tables.build(config())
    again = workspace.tables.rows()[0]
    assert row.built_at_utc == again.built_at_utc <= again.written_at_utc < "2999"
    kept.unlink()
    assert workspace.tables.rows()[0].written_at_utc == row.built_at_utc
