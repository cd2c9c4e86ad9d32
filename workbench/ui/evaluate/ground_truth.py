"""Where the answers stand in a config's text, and why the hits of a question do not show some of them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from workbench.config import Config
from workbench.evaluation.losses import Loss, losses
from workbench.evaluation.ranks import shows
from workbench.evaluation.results import ChunkRanges, QuestionResult, Truth
from workbench.ui.evaluate.runs import HELD, Choice
from workbench.ui.session.workspace import workspace
from workbench.workspace.evaluations import Ground

MOST_RIVALS = 3


def ground(choice: Choice, config: Config) -> Ground:
    """Return where the answers stand in a config's text, kept while nothing of it changes."""
    here = workspace().evaluations
    return _ground(here.key(config, choice.questions, choice.options), choice, config)


@st.cache_resource(show_spinner=False, max_entries=HELD)
def _ground(key: str, _choice: Choice, _config: Config) -> Ground:
    return workspace().evaluations.ground(_config, _choice.questions, _choice.options)


def reasons(choice: Choice, config: Config, truth: Truth, result: QuestionResult) -> list[Loss]:
    """Return why each answer that the first k hits do not show was lost."""
    here = workspace()
    model = here.model(config.embedder)
    documents = sorted({document for item in truth.ranges for document, _, _ in item.places})
    chunks = ChunkRanges(here.tables.table(config).chunks(documents))
    return losses(
        truth,
        result,
        choice.k,
        chunks,
        lambda chunk: model.seen_end(chunk.text),
        choice.options.min_overlap,
    )


def told(loss: Loss, truth: Truth, names: Mapping[str, str]) -> str:
    """Return the reason for people: what was shown instead of an outranked answer is named."""
    rivals = [hit for hit in loss.above if not any(shows(hit, item) for item in truth.ranges)]
    if loss.kind != "outranked" or not rivals:
        return loss.message
    said = ", ".join(
        f"hit {hit.rank} ({names.get(hit.document_id, 'a deleted document')})" for hit in rivals[:MOST_RIVALS]
    )
    more = f" and {len(rivals) - MOST_RIVALS} more" if len(rivals) > MOST_RIVALS else ""
    return f"{loss.message}; shown instead: {said}{more}"
