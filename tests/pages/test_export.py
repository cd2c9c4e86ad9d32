"""The Export page, run as Streamlit runs it, and the words of its YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from workbench import plugins
from workbench.config import Config, parsed, written
from workbench.evaluation.questions import Question, question_set
from workbench.records import Judgment
from workbench.ui.export import export
from workbench.ui.session import state
from workbench.ui.widgets import config_files
from workbench.ui.widgets.config_files import MEASURED, file_name, with_comment
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
GOOD = """\
# Ours, from last week
version: 1
name: handbook-30
chunker: {name: nltk_sentences, size_tokens: 30}
embedder: {name: hashing}
"""
TEXT = b"The tram was late. Half of the fare is refunded.\n\nA taxi is paid at night, when no tram comes any more."


def config(name: str = "tiny", size: int = 30) -> Config:
    chunker = plugins.build("chunkers", "nltk_sentences", {"size_tokens": size})
    return Config(name, chunker, plugins.build("embedders", "hashing"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_WARM_UP", "off")
    st.cache_resource.clear()
    yield Workspace(tmp_path)
    st.cache_resource.clear()


def page(**address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page("../../pages/export.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def check(app: AppTest, text: str) -> AppTest:
    """Paste a YAML and press the button."""
    app.text_area[0].set_value(text)
    return next(b for b in app.button if b.label == "Check and save").click().run()


@pytest.mark.usefixtures("here")
def test_the_empty_page_says_what_to_do_next() -> None:
    app = page()
    assert not app.exception
    assert any("No config to export yet" in m.value for m in app.markdown)
    assert not app.code


def test_a_config_that_was_not_built_says_so_in_its_comment(here: Workspace) -> None:
    here.save_config(config())
    app = page()
    assert not app.exception
    text = app.code[0].value
    assert "# - its table is not built yet\n" in text
    assert "# - not evaluated yet on judged questions\n" in text
    assert parsed(text).chunker == config().chunker
    assert "build tiny.yaml" in app.code[1].value
    assert "search tiny.yaml" in app.code[1].value


def test_what_a_table_holds_and_how_fast_it_was_searched_stands_in_the_comment(here: Workspace) -> None:
    here.add("trams\u2028x.txt", TEXT)
    here.save_config(config())
    here.tables.build(config())
    app = page()
    app.session_state[state.SEARCH_TIMES] = {config().table_name: [0.004, 0.012, 0.008]}
    app.run()
    text = app.code[0].value
    assert "of 1 document: trams" in text
    assert "tokens in a chunk: median" in text
    assert "median 8 ms over 3 questions" in text
    assert written(parsed(text)) == text + "\n"


def test_a_yaml_comes_back_as_the_same_bytes(here: Workspace) -> None:
    app = check(page(), GOOD)
    assert not app.exception
    assert any("handbook-30" in m.value.replace("\\", "") for m in app.success)
    (saved,) = here.configs()
    app.toggle[0].set_value(False).run()
    assert app.code[0].value == written(saved).rstrip("\n")
    assert app.code[0].value.startswith("# Ours, from last week\n")
    again = check(app, app.code[0].value)
    assert len(here.configs()) == 1
    assert not again.error


def test_every_problem_of_a_yaml_is_listed_with_its_line_and_nothing_is_saved(here: Workspace) -> None:
    app = check(
        page(),
        "version: 1\nname: a*b*\nchunkr: {}\nchunker:\n  name: nltk_sentences\n  size_tokens: -5\n"
        "embedder: {name: hashing, api_key: sk-12345}\n",
    )
    assert not app.exception
    (message,) = [error.value.replace("\\", "") for error in app.error]
    for part in ("line 2, name", "line 3, chunkr", "line 6, chunker.size_tokens", "line 7, embedder.api_key"):
        assert part in message.replace("\u2060", "")
    assert "sk-12345" not in message
    assert here.configs() == []


@pytest.mark.usefixtures("here")
def test_a_file_that_is_no_text_gets_a_sentence() -> None:
    app = page()
    app.file_uploader[0].upload("x.yaml", b"\xff\xfe\x00name", "application/yaml")
    next(b for b in app.button if b.label == "Check and save").click().run()
    assert not app.exception
    assert "UTF" in app.error[0].value


def test_an_uploaded_file_is_saved_and_a_name_that_is_taken_gets_a_number(here: Workspace) -> None:
    here.save_config(config("handbook-30", 99))
    app = page()
    app.file_uploader[0].upload("x.yaml", GOOD.encode(), "application/yaml")
    next(b for b in app.button if b.label == "Check and save").click().run()
    assert not app.exception
    assert [found.name for found in here.configs()] == ["handbook-30", "handbook-30 2"]


def test_a_link_chooses_the_config(here: Workspace) -> None:
    here.save_config(config("a"))
    here.save_config(config("b", 40))
    app = page(config="b")
    assert "name: b\n" in app.code[0].value
    assert app.query_params["config"] == "b"


@pytest.mark.usefixtures("here")
def test_an_imported_config_can_be_opened_on_chunks() -> None:
    app = check(page(), GOOD)
    next(b for b in app.button if b.label == "Open its settings on Chunks").click().run()
    assert not app.exception
    assert [draft.name for draft in app.session_state[state.DRAFTS]] == ["handbook-30"]


def test_what_was_measured_on_judged_questions_stands_in_the_comment(here: Workspace) -> None:
    document = here.add("a.txt", TEXT)
    here.tables.build(config())
    answer = "Half of the fare is refunded."
    start = TEXT.decode().index(answer)
    judgment = Judgment("q", str(document.document_id), start, start + len(answer))
    questions = question_set("fares", [Question("q", "is half of the fare refunded?")], [(judgment, answer)])
    here.question_sets.save(questions)
    here.evaluations.outcome(config(), questions)
    lines = export.measured(export.choices(here)[0], here)
    assert lines[-1].startswith(f"- fares (1 question, hash {questions.hash[:12]}): recall@5 100.0% [")
    assert not any("not evaluated" in line for line in lines)
    app = page(config=config().name)
    assert not app.exception
    assert any(code.value.endswith("evaluate tiny.yaml --questions fares.csv") for code in app.code)


def test_a_later_export_replaces_the_measured_lines_and_keeps_the_own_ones() -> None:
    first = with_comment(Config(**{**vars(config()), "comment": "ours"}), [f"{MEASURED}, 2020-01-01:", "- a"])
    second = with_comment(first, [f"{MEASURED}, 2021-01-01:", "- b\nversion: 2"])
    assert second.comment.splitlines() == ["ours", f"{MEASURED}, 2021-01-01:", "- b version: 2"]
    assert config_files.yaml_of(second) == written(second)


@pytest.mark.parametrize("name", ["a b", "..", "x/../y", "a+b", "9", "."])
def test_file_names_hold_no_path(name: str) -> None:
    found = file_name(name)
    assert "/" not in found
    assert not found.startswith(".")
    assert found.endswith(".yaml")
