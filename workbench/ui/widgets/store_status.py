"""What pages say of stores that are down and of deletions that are due in them."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from workbench.ui.widgets.messages import plain, sentence


def show_unreachable(sentences: Iterable[str]) -> None:
    """Draw a sentence for each store that cannot be reached; what is in the others is shown as ever."""
    for text in sentences:
        st.warning(plain(sentence(text)), icon=":material/cloud_off:")


def show_due(sentences: Iterable[str]) -> None:
    """Draw a sentence for each store in which deleted documents may still have rows."""
    for text in sentences:
        st.warning(plain(sentence(text)), icon=":material/auto_delete:")
