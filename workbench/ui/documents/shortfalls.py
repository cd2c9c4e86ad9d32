"""What is missing or unreadable in a document, in sentences: for a page, for the file, for the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.counts import counted, describe_short_page, joined_notes
from workbench.records import ParsedFile
from workbench.ui.widgets.messages import plain, sentence

MOST_MARKED = 12
"""So many pages with problems are shown by their number; the others are counted."""
MARK = "⚠"


def short_page_numbers(parsed: ParsedFile) -> list[int]:
    """Return the pages with problems: letters are missing, or the page is damaged or not readable."""
    return sorted({*(page.page for page in parsed.short_pages), *parsed.failed_pages})


def page_sentence(parsed: ParsedFile, page: int) -> str:
    """Return what is wrong with the text of a page, "" where nothing is."""
    if page in parsed.failed_pages:
        has_text = any(one.number == page and one.end > one.start for one in parsed.document.pages)
        return (
            f"Page {page:,} is not readable: what it has for text makes no words. The notes above say why."
            if has_text
            else f"Page {page:,} could not be read: nothing of it is in the text."
        )
    short = next((one for one in parsed.short_pages if one.page == page), None)
    return "" if short is None else describe_short_page(short.page, short.kept, short.on_page)


def file_sentences(parsed: ParsedFile) -> list[tuple[str, str]]:
    """Return the notes on the whole file, each with its icon; that it is incomplete comes first."""
    found = [
        (sentence(warning), "warning" if parsed.incomplete and parsed.incomplete in warning else "info")
        for warning in parsed.warnings
    ]
    if parsed.incomplete and all(icon == "info" for _, icon in found):
        found.append((f"The file is incomplete: {parsed.incomplete}.", "warning"))
    return sorted(found, key=lambda one: one[1] == "info")


def draw_file_sentences(parsed: ParsedFile) -> None:
    """Draw the notes on the whole file."""
    for text, icon in file_sentences(parsed):
        st.warning(plain(text), icon=f":material/{icon}:")


def draw_marked_pages(
    numbers: Sequence[int], current: int | None, key: str, go: Callable[[int], None]
) -> None:
    """Draw a button for each page with problems; a click calls ``go`` with its number before the next run.

    Of many pages the first ``MOST_MARKED`` have one, and the page on screen.
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
            f":small[:orange[:material/warning:] Problems on {counted(len(numbers), 'page')}]",
            width="content",
        )
        st.pills(
            "Pages with problems",
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
    """Return the note on one document in the list: its warnings, with a mark where text is missing.

    >>> list_note(["page 3 has a picture"], "the file was cut off", False)
    '⚠ the file was cut off; page 3 has a picture'
    """
    said = list(warnings)
    if incomplete and not any(incomplete in warning for warning in warnings):
        said.insert(0, incomplete)
    if is_short and not said:
        said.append("letters are missing")
    return (f"{MARK} " if incomplete or is_short else "") + joined_notes(said)
