"""The Chunks page, run as Streamlit runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench.evaluation.questions import Question, QuestionSet
from workbench.records import Judgment
from workbench.ui.chunks.page_state import VIEW_WIDGET
from workbench.ui.session import state
from workbench.ui.session.jobs import jobs
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
SENTENCES = [
    f"This is sentence number {n}, and it says <b>nothing</b> & more than that." for n in range(1, 61)
]
TEXT = "\n\n".join(" ".join(SENTENCES[i : i + 6]) for i in range(0, 60, 6))


def link(chunker: str, **settings: Any) -> str:
    """Return a config of the quick test model as it stands in a link."""
    return json.dumps({"chunker": {"name": chunker, **settings}, "embedder": {"name": "hashing"}})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


@pytest.fixture
def document(here: Workspace) -> str:
    found = here.add("sentences <i>.txt", TEXT.encode()).document_id
    assert found is not None
    return found


def page(*configs: str, **address: str) -> AppTest:
    app = (
        AppTest.from_file(str(ROOT / "workbench" / "ui" / "main.py"), default_timeout=120)
        .run()
        .switch_page("../../pages/chunks.py")
    )
    if configs:
        app.query_params["config"] = list(configs)
    for name, value in address.items():
        app.query_params[name] = value
    return when_idle(app.run())


def when_idle(app: AppTest) -> AppTest:
    """Run the page again until its jobs have ended, as the page's own clock does."""
    while jobs().active():
        app.run()
    return app.run()


def components(app: AppTest, name: str) -> list[Any]:
    """Return what the components of this name on the page were sent."""
    return [element.proto for element in app.get("bidi_component") if element.proto.component_name == name]


def metrics(app: AppTest, label: str) -> list[str]:
    return [metric.value for metric in app.metric if metric.label == label]


@pytest.mark.usefixtures("here")
def test_the_empty_page_leads_to_the_documents() -> None:
    app = page()
    assert not app.exception
    assert any("Nothing to cut yet" in m.value for m in app.markdown)


@pytest.mark.usefixtures("document")
def test_a_newcomer_sees_three_ways_of_cutting() -> None:
    app = page()
    assert not app.exception
    assert not app.error
    assert [s.value for s in app.selectbox if s.label == "Cut by"] == [
        "spacy_sentences",
        "nltk_sentences",
        "fixed_size",
    ]
    assert len(metrics(app, "Chunks")) == 3
    assert metrics(app, "Cut mid-sentence")[1] == "0%"
    assert "config" not in app.query_params


def test_a_link_brings_back_document_settings_and_their_chunks(here: Workspace, document: str) -> None:
    here.add("other.txt", b"Another one, first in the list?")
    app = page(link("nltk_sentences", size_tokens=60), link("fixed_size", size_tokens=33), document=document)
    assert [s.value for s in app.selectbox if s.label == "Document"] == [document]
    assert [n.value for n in app.number_input if n.label == "Size (tokens), exactly"] == [60, 33]
    config = state.Draft.from_link(link("fixed_size", size_tokens=33))
    assert config is not None
    assert metrics(app, "Chunks")[1] == str(len(here.chunks(document, config.config())))


def test_moving_a_setting_changes_its_column_and_the_link(document: str) -> None:
    app = page(link("nltk_sentences", size_tokens=60), link("fixed_size", size_tokens=60), document=document)
    before = metrics(app, "Chunks")
    slider = app.slider[0]
    when_idle(slider.set_value(120).run())
    after = metrics(app, "Chunks")
    assert int(after[0].replace(",", "")) < int(before[0].replace(",", ""))
    assert after[1] == before[1]
    assert json.loads(app.query_params["config"][0])["chunker"]["size_tokens"] == 120


@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("Overlap (tokens)", 60, "Overlap (60 tokens) must be below Size (60 tokens)"),
        ("Size (tokens), exactly", 0, "Size (tokens) must be at least 8; it is 0"),
        ("Size (tokens), exactly", -7, "-7"),
        ("Overlap (tokens)", -1, "-1"),
    ],
)
@pytest.mark.usefixtures("document")
def test_settings_that_cannot_work_are_refused_in_their_card_only(
    label: str, value: int, sentence: str
) -> None:
    app = page(link("nltk_sentences", size_tokens=60), link("fixed_size", size_tokens=60))
    before = metrics(app, "Chunks")
    widget = next(n for n in app.number_input if n.label == label)
    if label.startswith("Size"):
        widget = [n for n in app.number_input if n.label == label][1]
    when_idle(widget.set_value(value).run())
    assert not app.exception
    assert len(app.error) == 1
    assert sentence in app.error[0].value.replace("\\", "")
    assert metrics(app, "Chunks") == before[:1]
    assert len(components(app, "workbench_chunk_viewer")) == 1
    # Put right, the column is back.
    when_idle(widget.set_value(20).run())
    assert not app.error
    assert len(metrics(app, "Chunks")) == 2


@pytest.mark.usefixtures("document")
def test_the_exact_input_of_the_model_is_shown_escaped_with_the_part_it_does_not_read() -> None:
    config = {
        "chunker": {"name": "fixed_size", "size_tokens": 400},
        "embedder": {"name": "sentence_transformers", "passage_prefix": "passage <x>: "},
    }
    app = page(json.dumps(config))
    assert not app.exception
    shown = next(h for h in (element.value for element in app.get("html")) if "sentence number 1" in h)
    assert "passage &lt;x&gt;:" in shown
    assert "&lt;b&gt;nothing&lt;/b&gt; &amp; more" in shown
    assert "<b>" not in shown
    assert 'title="not read"' in shown
    assert metrics(app, "Beyond window")[0] != "0%"
    assert any("tokens at once" in warning.value for warning in app.warning)


def test_a_size_beyond_the_models_window_is_warned_of_where_it_is_chosen(document: str) -> None:
    def config(size: int) -> str:
        embedder = {"name": "hashing", "max_tokens": 50}
        return json.dumps({"chunker": {"name": "fixed_size", "size_tokens": size}, "embedder": embedder})

    app = page(config(100), config(50), document=document)
    assert not app.exception
    said = [
        m.value.replace("\\", "")
        for m in app.markdown
        if "window" not in m.value and "is not read" in m.value
    ]
    assert len(said) == 1
    assert (
        "The model reads 50 tokens of a chunk and no more: 48% of what these chunks hold is not read"
        in said[0]
    )


@pytest.mark.usefixtures("document")
def test_configs_are_added_removed_and_kept_when_the_page_is_left() -> None:
    app = page(link("nltk_sentences", size_tokens=60))
    assert [b.disabled for b in app.button if b.help == "Remove from the comparison"] == [True]
    app.session_state[state.DRAFTS] = [*app.session_state[state.DRAFTS], state.Draft({})]
    app = when_idle(app.run())
    assert len(metrics(app, "Chunks")) == 2
    app.switch_page("../../pages/documents.py").run()
    app.switch_page("../../pages/chunks.py").run()
    app = when_idle(app)
    assert len(metrics(app, "Chunks")) == 2
    remove = next(b for b in app.button if b.help == "Remove from the comparison")
    when_idle(remove.click().run())
    assert len(metrics(app, "Chunks")) == 1


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[1]",
        '{"chunker": 3}',
        '{"chunker": {"name": "../x"}}',
        '{"chunker": {"name": []}}',
        "x" * 5000,
    ],
)
@pytest.mark.usefixtures("document")
def test_a_link_that_cannot_be_read_says_so_and_shows_the_rest(broken: str) -> None:
    app = page(broken, link("nltk_sentences"), document="nowhere", page="-3")
    assert not app.exception
    assert len(metrics(app, "Chunks")) == 1
    assert any("left out" in toast.value for toast in app.toast) or not app.toast


@pytest.mark.usefixtures("document")
def test_settings_of_a_wrong_kind_in_a_link_fall_back_to_the_defaults() -> None:
    app = page(link("nltk_sentences", size_tokens="many", overlap_sentences=10**30, cross_paragraphs="no"))
    assert not app.exception
    assert [n.value for n in app.number_input if n.label == "Size (tokens), exactly"] == [250]


def test_building_saves_the_config_and_names_it_for_the_tables_page(here: Workspace, document: str) -> None:
    app = page(link("nltk_sentences", size_tokens=60), document=document)
    next(b for b in app.button if b.label == "Build this one").click().run()
    assert not app.exception
    (saved,) = here.configs()
    assert saved.chunker.model_dump()["size_tokens"] == 60
    assert saved.embedder.name == "hashing"


def test_the_page_image_carries_the_cuts(here: Workspace) -> None:
    pdf = (ROOT / "data" / "samples" / "safety-manual.pdf").read_bytes()
    document = here.add("safety-manual.pdf", pdf).document_id
    assert document is not None
    app = page(link("nltk_sentences", size_tokens=60), document=document, view="page", page="2")
    assert not app.exception
    assert app.session_state[VIEW_WIDGET] == "page"
    assert len(components(app, "workbench_page_viewer")) == 1
    assert not components(app, "workbench_chunk_viewer")
    assert app.query_params["page"] == "2"


def test_a_click_on_a_chunk_shows_what_the_model_reads_of_it(document: str) -> None:
    app = page(link("fixed_size", size_tokens=60), link("nltk_sentences", size_tokens=60), document=document)
    second = app.session_state[state.DRAFTS][1].id
    app.session_state["viewer.all"] = {"clicked": {"column": second, "ordinal": 3}}
    app.run()
    assert not app.exception
    assert [s.value for s in app.selectbox if s.label == "Config"] == [second]
    assert [n.value for n in app.number_input if n.label == "Chunk"] == [4]


def viewer_data(app: AppTest) -> Any:
    """Return what the viewer of all columns was sent last."""
    (proto,) = components(app, "workbench_chunk_viewer")
    return json.loads(proto.json)


def click(app: AppTest, column_id: str, ordinal: int) -> None:
    """Click a chunk; the browser sends it for one run only."""
    app.session_state["viewer.all"] = {"clicked": {"column": column_id, "ordinal": ordinal}}
    app.run()
    app.session_state["viewer.all"] = {}


def test_the_chosen_chunk_is_marked_from_the_start_and_after_a_click(document: str) -> None:
    app = page(link("fixed_size", size_tokens=60), link("nltk_sentences", size_tokens=60), document=document)
    first, second = (draft.id for draft in app.session_state[state.DRAFTS])
    assert viewer_data(app)["selected"] == [first, 0]
    click(app, second, 3)
    assert viewer_data(app)["selected"] == [second, 3]
    box = next(n for n in app.number_input if n.label == "Chunk")
    box.set_value(2).run()
    assert viewer_data(app)["selected"] == [second, 1]
    next(s for s in app.selectbox if s.label == "Config").set_value(first).run()
    assert viewer_data(app)["selected"] == [first, 0]


def test_a_moved_slider_keeps_the_place_of_the_chosen_chunk(here: Workspace, document: str) -> None:
    app = page(link("fixed_size", size_tokens=60), document=document)
    (draft,) = app.session_state[state.DRAFTS]
    click(app, draft.id, 6)
    before = here.chunks(document, draft.config())[6]
    when_idle(app.slider[0].set_value(120).run())
    (draft,) = app.session_state[state.DRAFTS]
    number = viewer_data(app)["selected"][1]
    chosen = here.chunks(document, draft.config())[number]
    assert chosen.start <= before.start < chosen.end
    when_idle(app.slider[0].set_value(60).run())
    assert viewer_data(app)["selected"] == [draft.id, 6]


@pytest.fixture
def judged(here: Workspace, document: str) -> str:
    """A document with three judged answers: a sentence, two sentences, and one of another grade."""
    places = [(0, len(SENTENCES[0])), (0, len(SENTENCES[0]) + 1 + len(SENTENCES[1])), (5, 9)]
    questions = [Question(f"q{n}", f"Which is number {n}?") for n in range(3)]
    judgments = [
        Judgment(f"q{n}", document, start, end, grade)
        for n, ((start, end), grade) in enumerate(zip(places, (1, 1, 0), strict=True))
    ]
    texts = [TEXT[start:end] for start, end in places]
    here.question_sets.save(QuestionSet("old", tuple(questions[:1]), (), ()))
    here.question_sets.save(QuestionSet("new <b>", tuple(questions), tuple(judgments), tuple(texts)))
    return document


def test_answers_of_the_newest_set_are_marked_and_those_cut_in_two_are_counted(judged: str) -> None:
    # A sentence of this text has some twenty words: one chunk a sentence, so the answer of two sentences is cut.
    app = page(
        link("nltk_sentences", size_tokens=25), link("nltk_sentences", size_tokens=60), document=judged
    )
    assert not app.exception
    assert metrics(app, "Answers cut") == ["1 of 2", "0 of 2"]
    one, both = len(SENTENCES[0]), len(SENTENCES[0]) + 1 + len(SENTENCES[1])
    cut, whole = viewer_data(app)["columns"]
    assert cut["marks"] == [[0, one, 1], [one, both, 1]]
    assert whole["marks"] == [[0, one, 0], [one, both, 0]]
    box = next(s for s in app.selectbox if s.label == "Judged answers")
    assert box.value == "new <b>"
    app = when_idle(box.set_value("off").run())
    assert metrics(app, "Answers cut") == []
    assert viewer_data(app)["columns"][0]["marks"] == []
    assert "off" in app.query_params["answers"]
    app = when_idle(next(s for s in app.selectbox if s.label == "Judged answers").set_value("old").run())
    assert any("no judged answer in this document" in c.value for c in app.caption)


@pytest.mark.usefixtures("document")
def test_without_a_question_set_no_answers_are_offered() -> None:
    app = page(link("nltk_sentences", size_tokens=60))
    assert not [s for s in app.selectbox if s.label == "Judged answers"]
    assert metrics(app, "Answers cut") == []


def test_configs_that_read_the_file_differently_stand_in_views_of_their_own(here: Workspace) -> None:
    pdf = (ROOT / "data" / "samples" / "rule-book.pdf").read_bytes()
    document = here.add("rule-book.pdf", pdf).document_id
    assert document is not None
    kept = json.loads(link("nltk_sentences", size_tokens=60))
    kept["parser"] = {"name": "pdf", "remove_repeated": True}
    app = page(link("nltk_sentences", size_tokens=60), json.dumps(kept), document=document, page="30")
    assert not app.exception
    assert len(components(app, "workbench_chunk_viewer")) == 2
