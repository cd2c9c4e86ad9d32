"""What is counted over all chunks of each config, and what can be done with a config that looks right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from workbench.config import Config
from workbench.errors import WorkbenchError
from workbench.ui.chunks.chunkings import Cuts
from workbench.ui.chunks.judged_overlay import Answers
from workbench.ui.chunks.statistics import Figures
from workbench.ui.session import presets, state
from workbench.ui.session.workspace import page_script, workspace
from workbench.ui.widgets.card_grid import card_row
from workbench.ui.widgets.charts import show, token_histogram
from workbench.ui.widgets.messages import plain, shown_error, term_help


def figure_cards(columns: Sequence[Cuts], found: Sequence[Answers]) -> None:
    """Draw a card per config; everything in it is over the whole document. ``found`` are each config's answers."""
    cards = card_row(len(columns), "figure-cards")
    for card, column, answers in zip(cards, columns, found, strict=True):
        with card:
            _card(column, answers)


def histogram(columns: Sequence[Cuts]) -> None:
    """Draw how many tokens the chunks of each config have."""
    series: dict[str, list[int]] = {}
    windows: set[int | None] = set()
    for column in columns:
        if column.result.figures is not None:
            # Two columns may have one name; the chart needs two.
            name = column.title + " ′" * sum(other.rstrip(" ′") == column.title for other in series)
            series[name] = column.result.figures.token_counts.tolist()
            windows.add(column.result.figures.window_tokens)
    if series:
        st.markdown("**Tokens per chunk**, in the whole document", help=term_help("token"))
        # A line for the window only where all have the same one.
        show(token_histogram(series, window_tokens=windows.pop() if len(windows) == 1 else None), "histogram")


def _card(column: Cuts, answers: Answers) -> None:
    """Draw what is counted over the whole document, and the button that builds this config."""
    st.markdown(f"**{plain(column.title)}**")
    if column.result.figures is None or column.config is None:
        st.caption("Working …" if column.job else "No figures: see the message above.")
        return
    found = column.result.figures
    with st.container(horizontal=True, gap="small"):
        st.metric("Chunks", f"{len(column.result.chunks):,}", help=term_help("chunk"), width="content")
        st.metric("Median tokens", f"{found.median_tokens:,.0f}", help=term_help("token"), width="content")
        st.metric(
            "Cut mid-sentence",
            f"{found.cut_inside_sentence:.0%}",
            help=term_help("cut inside a sentence")
            + " All configs are measured by the same sentences, those of NLTK's Punkt for English: cuts at what spaCy, "
            "or Punkt for another language, takes for a sentence end can count as inside one.",
            width="content",
        )
        st.metric(
            "Beyond window",
            f"{found.beyond_window:.0%}" if found.window_tokens else "none",
            help=term_help("model window")
            + (f" This model reads {found.window_tokens:,} tokens." if found.window_tokens else ""),
            width="content",
        )
        if answers.ranges:
            st.metric(
                "Answers cut",
                f"{len(answers.broken):,} of {len(answers.ranges):,}",
                help="Judged answers in this document that no chunk holds whole: no search can find all of one at once.",
                width="content",
            )
    if found.beyond_window and found.window_tokens:
        st.markdown(f":small[:orange[:material/warning: {plain(window_sentence(found))}]]")
    with st.container(horizontal=True, gap="small"):
        if st.button("Build this one", icon=":material/construction:", key=f"build.{column.draft.id}"):
            build(column.config)
        if st.button("YAML", icon=":material/ios_share:", type="tertiary", key=f"yaml.{column.draft.id}"):
            state.export(column.config)
            st.switch_page(page_script("export"))


def window_sentence(found: Figures) -> str:
    """Return how much of the chunks the model does not read, and what to do about it."""
    window = found.window_tokens or 0
    tokens = int(found.token_counts.sum())
    unread = int(np.maximum(found.token_counts - window, 0).sum())
    return (
        f"The model reads {window:,} tokens of a chunk and no more: {share_of(unread, tokens)} of what these chunks "
        f"hold is not read. Take {window:,} tokens or fewer, or another model."
    )


def share_of(part: int, whole: int) -> str:
    """Return a share in percent; what is not nothing is never 0%.

    >>> share_of(1, 2), share_of(1, 4000)
    ('50%', 'less than 1%')
    """
    return "less than 1%" if 0 < part < 0.005 * whole else f"{part / max(1, whole):.0%}"


def build(config: Config) -> None:
    """Save a config and open the Tables page with it chosen."""
    here = workspace()
    try:
        saved = here.configs()
        name = presets.free_name(config.name, config, saved)
        here.save_config(renamed(config, name))
    except WorkbenchError as error:
        shown_error(error)
        return
    state.preselect([name])
    st.switch_page(page_script("tables"), query_params={"config": name})


def renamed(config: Config, name: str) -> Config:
    """Return the config under another name."""
    return Config(
        name, config.chunker, config.embedder, config.parser, config.store, config.retriever, config.comment
    )
