"""Every page that searches, for a table whose config names a cross-encoder: absent from this machine, and present."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.retrievers.tiny_cross_encoder import write_cross_encoder
from workbench.__main__ import main
from workbench.config import Config, parsed, written
from workbench.sweep import parsed as parsed_sweep
from workbench.ui.session.jobs import jobs
from workbench.ui.tables.build_form import CHOSEN
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
TEXT = b"The tram was late. Half of the fare is refunded. A taxi is paid at night. Cameras record no sound."
ASKED = "is half of the fare refunded?"
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
retriever: {retriever}
"""
ABSENT = "cross-encoder/ms-marco-MiniLM-L6-v2"
TOLD = (
    f"he cross-encoder {ABSENT} is not on this machine, and models are not downloaded while the workbench runs: fetch it "
    f"once with `hf download {ABSENT}`, give the folder of another one as model, or use the retriever fused"
)


def config(name: str, size: int, retriever: str) -> Config:
    return parsed(CONFIG.format(name=name, size=size, retriever=retriever))


WITHOUT = config("Absent", 8, "{name: reranked}")
PLAIN = config("Plain", 12, "{name: fused}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    # An empty Hugging Face cache, whatever this machine's own holds.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    st.cache_resource.clear()
    found = Workspace(tmp_path)
    found.add("tram.txt", TEXT)
    found.question_sets.judge("Mine", ASKED, found.document(found.documents()[0].id), 19, 48, 2)
    yield found
    st.cache_resource.clear()


def page(name: str, **address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    if name != "demo":
        app.run().switch_page(f"../../pages/{name}.py")
    for key, value in address.items():
        app.query_params[key] = value
    return app.run()


def idle(app: AppTest) -> AppTest:
    while jobs().active():
        app.run()
    return app.run()


def clicked(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    return idle(app)


def words(app: AppTest) -> str:
    assert not app.exception
    groups = (app.markdown, app.caption, app.info, app.success, app.error, app.warning)
    return (
        "\n".join(str(element.value) for group in groups for element in group)
        .replace("\\", "")
        .replace("\u2060", "")
    )


def test_search_says_what_to_do_beside_the_hits_of_the_other_table(here: Workspace) -> None:
    for one in (WITHOUT, PLAIN):
        here.tables.build(one)
    app = page("search", q=ASKED, tables=["Absent", "Plain"])
    assert TOLD in words(app)
    assert len(app.error) == 1
    assert any('<div class="hit-text"' in element.proto.body for element in app.get("html"))


def test_the_map_is_drawn_and_says_why_there_are_no_hits(here: Workspace) -> None:
    here.tables.build(WITHOUT)
    app = idle(page("map", q=ASKED))
    assert TOLD in words(app)
    assert app.get("bidi_component")


def test_the_demo_says_what_to_do(here: Workspace) -> None:
    here.tables.build(WITHOUT)
    assert TOLD in words(page("demo", demo="Absent", q=ASKED))


def test_evaluate_measures_the_others_and_names_the_table_that_lacks_its_model(here: Workspace) -> None:
    for one in (WITHOUT, PLAIN):
        here.tables.build(one)
    app = clicked(page("evaluate", tables=["Absent", "Plain"]), "Measure")
    assert f"1 table measured. Absent: t{TOLD}" in words(app)
    assert here.evaluations.is_kept(PLAIN, here.question_sets.get("Mine"))


def test_a_sweep_goes_on_with_the_other_configurations(here: Workspace) -> None:
    here.sweeps.save(
        parsed_sweep(
            "version: 1\nname: ways\nbase:\n  chunker: {name: fixed_size, size_tokens: 8}\n  embedder: {name: hashing}\n"
            "factors:\n  retrievers: [{name: fused}, {name: reranked}]\n"
        )
    )
    app = page("sweep")
    app.selectbox(key="grid-kept-0").set_value("ways").run()
    app = clicked(app, "Run the sweep")
    assert f"t{TOLD}" in words(app)
    assert [len(frame.value) for frame in app.dataframe] == [1]


def test_tables_warns_before_building_and_after(here: Workspace) -> None:
    here.save_config(WITHOUT)
    app = page("tables")
    app.multiselect(key=CHOSEN).set_value(["Absent"]).run()
    app = clicked(app, "See what it takes")
    assert TOLD in app.warning[0].value.replace("\\", "").replace("\u2060", "")
    app = clicked(app, "Build 1 table")
    assert f"It cannot be searched yet: t{TOLD}" in words(app)
    assert here.tables.table(WITHOUT).row_count() > 0


def test_a_cross_encoder_in_a_folder_works_on_every_page_and_on_the_command_line(
    here: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cross_encoder(tmp_path / "tiny")
    present = config("Present", 8, f"{{name: reranked, model: '{tmp_path / 'tiny'}', top_k: 3}}")
    assert here.tables.build(present).lacking == ""
    expected = [hit.chunk.text for hit in here.tables.search(present, ASKED).hits]
    assert len(expected) == 3
    for name, address in (("search", {"tables": ["Present"]}), ("map", {}), ("demo", {"demo": "Present"})):
        app = idle(page(name, q=ASKED, **address))
        assert not app.error
        assert "cross-encoder" not in words(app)
    app = clicked(page("evaluate", tables=["Present"]), "Measure")
    assert not app.error
    assert here.evaluations.is_kept(present, here.question_sets.get("Mine"))
    (tmp_path / "present.yaml").write_text(written(present), "utf-8")
    capsys.readouterr()
    assert main(["--workspace", str(tmp_path), "search", str(tmp_path / "present.yaml"), ASKED]) == 0
    said = " ".join(capsys.readouterr().out.split())
    places = [said.index(text[:20]) for text in expected]
    assert places == sorted(places)
