"""Text from files stays text; terms are explained."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.widgets.messages import plain, sentence, term_help, terms

UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[!-/:-@\[-`{-~]")


@given(st.text(max_size=60))
def test_every_mark_that_markdown_could_read_is_escaped(text: str) -> None:
    shown = plain(text)
    assert not UNESCAPED.search(re.sub(r"\\[!-/:-@\[-`{-~]", "", shown))
    assert "\n" not in shown


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=60))
def test_what_is_read_is_what_was_written(text: str) -> None:
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain(text)).replace("\u2060", "")
    assert read == " ".join(text.split())


def test_links_and_shortcodes_are_broken_up() -> None:
    for text in ("http://example.org", "www.example.org", "a@example.org", ":smile:", ":material/home:"):
        assert "\u2060" in plain(text)


def test_direction_overrides_and_control_characters_are_dropped() -> None:
    assert plain("a\u202efdp\x00b\nc") == "afdp b c"


def test_scripts_that_need_joiners_keep_them() -> None:
    family = "👨\u200d👩\u200d👧"
    assert plain(family) == family


def test_a_sentence_begins_with_a_capital_unless_a_name_does_not() -> None:
    assert sentence("the disk is full") == "The disk is full"
    assert sentence("report.pdf is empty") == "report.pdf is empty"
    assert sentence("") == ""


def test_every_term_has_a_short_explanation() -> None:
    assert {"chunk", "overlap", "token", "embedding", "model window", "cosine", "top-k", "UMAP"} <= set(
        terms()
    )
    assert all(20 < len(term_help(term)) < 220 for term in terms())
