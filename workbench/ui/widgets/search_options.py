"""Retrievers and suggested questions, as Search and Demo offer them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from workbench.ui.session.workspace import workspace
from workbench.workspace import DocumentRow

PARAMETER = "demo"


WAY = "way"


SUGGESTIONS = 4


def wanted() -> bool:
    """Return whether the address asks for the demo."""
    return PARAMETER in st.query_params


def suggested(documents: Mapping[str, DocumentRow]) -> list[str]:
    """Return questions that these documents answer: of the set with most such, or those of the sample library."""
    most: list[str] = []
    for kept in workspace().question_sets.sets():
        answered = {j.question_id for j in kept.judgments if j.grade > 0 and j.document_id in documents}
        found = [q.text for q in kept.questions if q.id in answered and len(q.text) <= 90]
        # The first of several: a question that was judged while searching does not hide a set of a hundred.
        most = max(most, found, key=len)
    if most:
        # From all over the set, not four about its first document.
        step = max(1, len(most) // SUGGESTIONS)
        return most[::step][:SUGGESTIONS]
    names = {row.name for row in documents.values()}
    return list(SAMPLE_QUESTIONS) if "data-protection-policy.pdf" in names else []


OWN = "config"


RETRIEVERS = {
    OWN: "As the config says",
    "nearest": "Meaning",
    "keyword": "Keywords",
    "fused": "Both together",
}
"""What is offered beside a table's own retriever: those that need nothing but the table."""


SAMPLE_QUESTIONS = (
    "How warm may a traction battery get before the bus is taken out of service?",
    "Can I get my money back when the tram is late?",
    "Who may look at the camera recordings, and for how long are they kept?",
)
