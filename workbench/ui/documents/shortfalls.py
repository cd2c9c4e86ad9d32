"""What of a file is not in its text, in sentences: for a page, for the file, and in the list of documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.counts import counted
from workbench.records import PageLetters, ParsedFile
from workbench.ui.messages import plain, sentence

MOST_MARKED = 12
"""Pages that fell short with a mark of their own; the others are counted."""
MARK = "⚠"


def short_page_numbers(parsed: ParsedFile) -> list[int]:
    """Return the pages of which text is missing: letters, or all of it because the page could not be read."""
    return sorted({*(page.page for page in parsed.short_pages), *parsed.failed_pages})


def page_sentence(parsed: ParsedFile, page: int) -> str:
    """Return what of a page is not in the text, or nothing for one that is whole."""
    if page in parsed.failed_pages:
        has_text = any(one.number == page and one.end > one.start for one in parsed.document.pages)
        return (
            f"Page {page:,} is not readable as it stands; the notes above say why."
            if has_text
            else f"Page {page:,} could not be read: nothing of it is in the text."
        )
    short = next((one for one in parsed.short_pages if one.page == page), None)
    return "" if short is None else _letters_sentence(short)


def _letters_sentence(page: PageLetters) -> str:
    return (
        f"Page {page.page:,}: {page.kept:,} of {counted(page.on_page, 'letter is', 'letters are')} in the text; "
        "the rest could not be read."
    )


def file_sentences(parsed: ParsedFile) -> list[tuple[str, str]]:
    """Return what to say of the whole file, each with an icon: a file that is not whole comes first."""
    found = [
        (sentence(warning), "warning" if parsed.incomplete and parsed.incomplete in warning else "info")
        for warning in parsed.warnings
    ]
    if parsed.incomplete and all(icon == "info" for _, icon in found):
        found.append(
            (f"This file is not whole: {parsed.incomplete}. What could be read of it is here.", "warning")
        )
    return sorted(found, key=lambda one: one[1] == "info")


def draw_file_sentences(parsed: ParsedFile) -> None:
    """Draw what is to be said of the whole file."""
    for text, icon in file_sentences(parsed):
        st.warning(plain(text), icon=f":material/{icon}:")


def draw_marked_pages(
    numbers: Sequence[int], current: int | None, key: str, go: Callable[[int], None]
) -> None:
    """Draw the pages that fell short, each to be gone to; ``go`` is called with one before the next run.

    Of many, the first are shown, and the one on screen.
    """
    if not numbers:
        return
    shown = list(numbers[:MOST_MARKED])
    if current is not None and current in numbers and current not in shown:
        shown.append(current)
    # Set in every run: the pager goes to other pages, too.
    st.session_state[key] = current if current in shown else None
    rest = len(numbers) - len(shown)

    def chosen() -> None:
        if st.session_state[key] is not None:
            go(st.session_state[key])

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f":small[:orange[:material/warning:] {counted(len(numbers), 'page')} fell short]", width="content"
        )
        st.pills(
            "Pages that fell short",
            shown,
            format_func=lambda number: f"{number:,}",
            key=key,
            on_change=chosen,
            label_visibility="collapsed",
            width="content",
        )
        if rest > 0:
            st.markdown(f":small[:gray[and {rest:,} more]]", width="content")


def list_note(warnings: Sequence[str], incomplete: str, is_short: bool) -> str:
    """Return what the list of documents says of one: its warnings, marked where text is missing.

    >>> list_note(["page 3 has a picture"], "the file was cut off", False)
    '⚠ the file was cut off; page 3 has a picture'
    """
    said = list(warnings)
    if incomplete and not any(incomplete in warning for warning in warnings):
        said.insert(0, incomplete)
    if is_short and not said:
        said.append("letters are missing")
    return (f"{MARK} " if incomplete or is_short else "") + "; ".join(said)
