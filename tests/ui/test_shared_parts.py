"""The shared parts inside a running script, without a browser."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import streamlit
from streamlit.testing.v1 import AppTest

from workbench.ui.widgets import messages, page_setup

ROOT = Path(__file__).parent.parent.parent
APPS = ROOT / "tests" / "browser" / "apps"
TIMEOUT_S = 60


def ran(script: str | Callable[[], None]) -> AppTest:
    """Run a script of the browser tests, or a function, and expect no exception."""
    if isinstance(script, str):
        test = AppTest.from_file(str(APPS / script), default_timeout=TIMEOUT_S)
    else:
        test = AppTest.from_function(script, default_timeout=TIMEOUT_S)
    test.run()
    assert not test.exception
    return test


def test_the_chunk_viewer_gives_back_what_was_clicked_and_selected() -> None:
    test = ran("chunk_viewer_app.py")
    test.session_state["viewer"] = {"clicked": {"column": "b", "ordinal": 12}}
    test.run()
    assert not test.exception
    assert "picked: b 12" in [text.value for text in test.text]


def test_what_hides_the_raw_csv_of_tables_names_parts_that_streamlit_has() -> None:
    scripts = (Path(streamlit.__file__).parent / "static" / "static" / "js").glob("*.js")
    found = "".join(script.read_text(encoding="utf-8") for script in scripts)
    (part,) = re.findall(r"data-testid='(\w+)'", page_setup.NO_RAW_CSV)
    (label,) = re.findall(r"aria-label\^='([^']+)'", page_setup.NO_RAW_CSV)
    assert f'"data-testid":`{part}`' in found
    assert f"label:`{label}`" in found or f"`{label}`" in found


def test_the_page_viewer_and_the_map_mount() -> None:
    ran("page_viewer_app.py")
    ran("scatter_map_app.py")


def test_a_page_shows_a_sentence_instead_of_a_traceback() -> None:
    def script() -> None:
        from workbench.errors import InputError
        from workbench.ui.widgets.messages import guarded

        with guarded():
            raise InputError("a.pdf is *empty*")
        with guarded():
            raise KeyError("secret detail")

    test = ran(script)
    assert [error.value for error in test.error] == ["a\\.pdf is \\*empty\\*", messages.BUG_SENTENCE]


def test_stopping_and_running_again_pass_the_guard() -> None:
    def script() -> None:
        import streamlit as st

        from workbench.ui.widgets.messages import guarded

        with guarded():
            if "again" not in st.session_state:
                st.session_state["again"] = True
                st.rerun()
            st.text("second")
            st.stop()
        st.text("never")

    assert [text.value for text in ran(script).text] == ["second"]


def test_an_empty_page_says_what_to_do() -> None:
    def script() -> None:
        from workbench.ui.widgets.messages import empty_state

        empty_state("description", "No [documents] yet", "Add some.")

    test = ran(script)
    assert "**No \\[documents\\] yet**" in [text.value for text in test.markdown]


def test_the_job_panel_shows_results_of_its_kinds_and_dismisses_them() -> None:
    def script() -> None:
        import threading

        import streamlit as st

        from workbench.ui.session.jobs import jobs
        from workbench.ui.widgets.job_panel import job_panel

        if "started" not in st.session_state:
            st.session_state["started"] = True
            wanted = jobs().start("Read *a*.pdf", "panel-test", lambda job: "1 added")
            jobs().start("Other", "panel-test-other", lambda job: "not here")
            while wanted.active:
                threading.Event().wait(0.01)
        job_panel("panel-test")

    test = ran(script)
    assert [text.value.partition(" \\(")[0] for text in test.success] == ["Read \\*a\\*\\.pdf\\: 1 added"]
    test.button[0].click().run()
    assert len(test.success) == 0


def test_the_server_is_private_and_protected() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["enableXsrfProtection"] is True
    assert settings["server"]["enableCORS"] is True
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "none"


def test_the_components_fetch_nothing_from_outside() -> None:
    folder = ROOT / "workbench" / "ui"
    files = [p for ending in ("js", "css", "svg") for p in folder.rglob(f"*.{ending}")]
    assert len(files) > 8
    namespace = "http://www.w3.org/2000/svg"
    for path in files:
        text = path.read_text(encoding="utf-8").replace(namespace, "")
        assert not [word for word in ("http:", "https:", "innerHTML", "@import", "eval(") if word in text], (
            path
        )
