"""The Map page, run as Streamlit runs it; the browser's clicks are put into the component's state."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.config import parsed
from workbench.ui.map.controls import COLOUR, DISTANCE, NEIGHBOURS, OTHER, QUESTION, TABLE
from workbench.ui.map.projection_jobs import JOB_KIND
from workbench.ui.session.jobs import HEAVY_AT_ONCE, jobs
from workbench.workspace import Workspace
from workbench.workspace import maps as maps_module
from workbench.workspace.maps import MapSettings

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
CONFIG = """
version: 1
name: {name}
chunker: {{name: fixed_size, size_tokens: {size}}}
embedder: {{name: hashing}}
"""
SMALL = parsed(CONFIG.format(name="Small", size=8))
LARGE = parsed(CONFIG.format(name="Large", size=150))
MIDDLE = parsed(CONFIG.format(name="Middle", size=14))
WORDS = [
    "tram",
    "bus",
    "fare",
    "refund",
    "battery",
    "camera",
    "record",
    "night",
    "rule",
    "driver",
    "depot",
    "brake",
    "ticket",
    "snow",
]


def text(seed: int) -> bytes:
    drawn = np.random.default_rng(seed).integers(0, len(WORDS), 120)
    return " ".join(f"{WORDS[i]}{n % 7}" for n, i in enumerate(drawn)).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tables; the small chunks have their map computed, the large ones are too few for one."""
    here = Workspace(tmp_path_factory.mktemp("workspace"))
    for number in range(3):
        here.add(f"{number}.txt", text(number))
    here.tables.build(SMALL)
    here.tables.build(LARGE)
    here.tables.build(MIDDLE)
    here.maps.compute(here.maps.sample(SMALL), MapSettings())
    return here.folder


@pytest.fixture(autouse=True)
def app_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield
    for job in jobs().active():
        job.cancel()
    st.cache_resource.clear()


@pytest.fixture
def tables(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(folder))
    return Workspace(folder)


@pytest.fixture
def busy() -> Iterator[threading.Event]:
    """Other jobs hold every place until the event is set: a map has to wait."""
    go_on = threading.Event()
    for number in range(HEAVY_AT_ONCE):
        jobs().start(f"other {number}", "other", lambda job: str(go_on.wait()))
    yield go_on
    go_on.set()


def page(**address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120).run().switch_page("../../pages/map.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def drawn(app: AppTest) -> int:
    return len([e for e in app.get("bidi_component") if "scatter_map" in e.proto.component_name])


def texts(app: AppTest) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [re.sub("<[^>]*>", "", body) for body in bodies if '<div class="hit-text"' in body]


def test_without_tables_the_page_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    app = page()
    assert not app.exception
    assert any("No tables to draw yet" in element.value for element in app.markdown)


@pytest.mark.usefixtures("tables")
def test_a_finished_map_is_drawn_without_a_job() -> None:
    app = page(table="Small")
    assert not app.exception
    assert drawn(app) == 1
    assert not jobs().listing([JOB_KIND])
    assert any("Click a point" in caption.value for caption in app.caption)


def test_pca_is_drawn_while_umap_is_computed_and_then_umap_takes_its_place(
    tables: Workspace, busy: threading.Event
) -> None:
    app = page(table="Small", neighbours="9", distance="0.3")
    assert drawn(app) == 1
    assert any("is being computed" in caption.value for caption in app.caption)
    app.run()
    assert len(jobs().listing([JOB_KIND])) == 1
    busy.set()
    while jobs().active():
        app.run()
    app.run()
    assert [job.state for job in jobs().listing([JOB_KIND])] == ["done"]
    assert not any("is being computed" in caption.value for caption in app.caption)
    assert drawn(app) == 1
    assert tables.maps.finished(tables.maps.sample(SMALL), MapSettings(9, 0.3)) is not None


@pytest.mark.usefixtures("tables", "busy")
def test_a_cancelled_map_is_not_started_again_unasked() -> None:
    app = page(table="Small", neighbours="11")
    jobs().active([JOB_KIND])[0].cancel()
    app.run()
    assert not jobs().active([JOB_KIND])
    assert any("was not computed" in warning.value for warning in app.warning)
    assert drawn(app) == 1
    next(button for button in app.button if button.label == "Compute it").click().run()
    assert len(jobs().listing([JOB_KIND])) == 2


@pytest.mark.usefixtures("tables", "busy")
def test_other_settings_take_the_place_of_a_map_that_is_not_wanted_any_more() -> None:
    app = page(table="Small", neighbours="12")
    app.slider[0].set_value(13)
    next(button for button in app.button if button.label == "Draw").click().run()
    assert not app.exception
    assert [job.state for job in jobs().listing([JOB_KIND])] == ["waiting", "cancelled"]
    assert app.session_state[NEIGHBOURS] == 13


@pytest.mark.usefixtures("tables")
def test_too_few_chunks_for_umap_are_drawn_by_pca_and_the_page_says_so() -> None:
    app = page(table="Large")
    assert drawn(app) == 1
    assert any("UMAP needs" in caption.value for caption in app.caption)
    assert not jobs().listing([JOB_KIND])


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("question", ["fare2 refund3", "O'Brien", "x' OR 1=1", "🚋", "a\x00b"])
def test_a_question_has_its_hits_listed_with_rank_and_document(question: str) -> None:
    app = page(table="Small", q=question)
    assert not app.exception
    assert not app.error
    assert len(texts(app)) == 10
    assert any("10 nearest" in element.value for element in app.markdown)
    assert any(element.value.startswith("**1** · ") for element in app.markdown)


@pytest.mark.usefixtures("tables")
def test_a_question_that_is_too_long_gets_a_message_and_the_map_stays() -> None:
    app = page(table="Small")
    app.text_input(QUESTION).set_value("long " * 20_000).run()
    assert not app.exception
    assert len(app.error) == 1
    assert drawn(app) == 1
    assert "q" not in app.query_params


def test_hits_outside_the_sample_are_drawn_and_the_page_says_that_it_is_one(
    tables: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps_module, "MOST_POINTS", 16)
    tables.maps.compute(tables.maps.sample(SMALL), MapSettings())
    app = page(table="Small", q="fare2 refund3")
    assert not app.exception
    assert any(caption.value.startswith("16 of ") for caption in app.caption)
    assert len(texts(app)) == 10
    found = [hit.chunk.text for hit in tables.tables.search(SMALL, "fare2 refund3", 10).hits]
    assert texts(app) == found


def test_a_lasso_lists_its_chunks_and_an_empty_one_takes_them_back(tables: Workspace) -> None:
    chunks = tables.maps.sample(SMALL).chunks
    app = page(table="Small")
    app.session_state["map"] = {"lasso": {"indexes": [4, 2, 10_000]}}
    app.run()
    assert texts(app) == [chunks[4].text, chunks[2].text]
    assert any("2 chunks picked" in element.value for element in app.markdown)
    app.session_state["map"] = {"lasso": {"indexes": []}}
    app.run()
    assert not texts(app)


def test_a_click_lists_one_chunk_and_another_table_forgets_it(tables: Workspace) -> None:
    chunks = tables.maps.sample(SMALL).chunks
    app = page(table="Small")
    app.session_state["map"] = {"clicked": {"index": 3}}
    app.run()
    assert texts(app) == [chunks[3].text]
    del app.session_state["map"]
    app.selectbox(TABLE).set_value("Large").run()
    assert not texts(app)


@pytest.mark.usefixtures("tables")
def test_the_address_holds_table_colour_question_and_layout() -> None:
    app = page(table="Small")
    app.segmented_control(COLOUR).set_value("Density").run()
    app.text_input(QUESTION).set_value("fare & ü").run()
    address = {
        name: app.query_params[name][-1] for name in ("table", "colour", "q") if name in app.query_params
    }
    assert {"colour", "q"} <= address.keys()
    other = page(colour="density", q="fare & ü", table="Small", neighbours="9", distance="0.3")
    assert other.segmented_control(COLOUR).value == "Density"
    assert other.text_input(QUESTION).value == "fare & ü"
    assert other.selectbox(TABLE).value == "Small"
    assert (other.session_state[NEIGHBOURS], other.session_state[DISTANCE]) == (9, 0.3)
    assert [slider.value for slider in other.slider] == [9, 0.3]


@pytest.mark.usefixtures("tables")
def test_an_address_that_makes_no_sense_is_replaced_by_the_defaults() -> None:
    app = page(table="gone", colour="taste", neighbours="1e9", distance="nan")
    assert not app.exception
    assert app.segmented_control(COLOUR).value == "Document"
    assert [slider.value for slider in app.slider] == [15, 0.1]


@pytest.mark.parametrize("colour", ["document", "topic", "page", "length", "density"])
@pytest.mark.usefixtures("tables")
def test_every_colour_is_drawn(colour: str) -> None:
    app = page(table="Small", colour=colour)
    assert not app.exception
    assert not app.error
    assert drawn(app) == 1


# ── picked chunks as a limit for questions ───────────────────────────────────────────────────────────────────────


def button(app: AppTest, label: str) -> None:
    next(one for one in app.button if one.label == label).click().run()


@pytest.mark.parametrize("inside", [True, False])
def test_questions_can_be_asked_among_picked_chunks_or_without_them(tables: Workspace, inside: bool) -> None:
    chunks = tables.maps.sample(SMALL).chunks
    picked = [3, 8, 21]
    app = page(table="Small", q="fare2 refund3")
    app.session_state["map"] = {"lasso": {"indexes": picked}}
    app.run()
    del app.session_state["map"]
    button(app, "Search within these" if inside else "Leave these out")
    assert not app.exception
    app.session_state["map"] = {"lasso": {"indexes": []}}
    app.run()
    named = {chunks[i].text for i in picked}
    assert (set(texts(app)) == named) if inside else not named & set(texts(app))
    assert any("Questions are asked" in element.value for element in app.markdown)
    button(app, "Ask among all again")
    assert len(texts(app)) == 10
    assert not any("Questions are asked" in element.value for element in app.markdown)


# ── two tables ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pair(tables: Workspace) -> Workspace:
    tables.map_pairs.compute(tables.map_pairs.sample(SMALL, MIDDLE), MapSettings())
    return tables


@pytest.mark.usefixtures("pair")
def test_two_tables_are_drawn_side_by_side_with_the_share_that_changed() -> None:
    app = page(table="Small", beside="Middle")
    assert not app.exception
    assert drawn(app) == 2
    assert any("ten nearest neighbours in Small are" in element.value for element in app.markdown)
    assert sum("can be trusted" in caption.value for caption in app.caption) == 2
    assert app.segmented_control(COLOUR).value == "Changed"


def test_a_point_picked_in_one_map_shows_the_same_text_of_the_other(pair: Workspace) -> None:
    sample = pair.map_pairs.sample(SMALL, MIDDLE)
    app = page(table="Small", beside="Middle")
    app.session_state["map-0"] = {"clicked": {"index": 5}}
    app.run()
    assert not app.exception
    mine = sample.first.chunks[5]
    same = [
        chunk.text
        for chunk in sample.second.chunks
        if chunk.document_id == mine.document_id and chunk.start < mine.end and chunk.end > mine.start
    ]
    assert texts(app) == [mine.text, *same]


@pytest.mark.usefixtures("pair")
def test_a_question_has_its_hits_in_both_maps() -> None:
    app = page(table="Small", beside="Middle", q="fare2 refund3")
    assert not app.exception
    assert len(texts(app)) == 20
    assert any("Nearest in Middle" in element.value for element in app.markdown)


@pytest.mark.usefixtures("tables", "busy")
def test_a_pair_that_is_not_there_is_computed_in_the_background() -> None:
    app = page(table="Middle", beside="Small", neighbours="6")
    assert not app.exception
    assert drawn(app) == 0
    assert [job.name for job in jobs().active([JOB_KIND])] == ["Maps of Middle and Small"]


@pytest.mark.usefixtures("tables")
def test_a_table_with_few_chunks_is_not_drawn_beside_another() -> None:
    app = page(table="Small", beside="Large")
    assert not app.exception
    assert any("15 chunks or more" in info.value for info in app.info)
    assert not jobs().listing([JOB_KIND])


@pytest.mark.usefixtures("tables")
def test_a_table_is_never_drawn_beside_itself() -> None:
    app = page(table="Small", beside="Small")
    assert not app.exception
    assert app.selectbox(OTHER).value == "no second table"
