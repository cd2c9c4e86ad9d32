"""The verdict on two configurations in one box."""

from __future__ import annotations

import streamlit as st

from workbench.evaluation.verdict import Verdict
from workbench.ui.widgets.messages import plain

MEASURES = {
    "recall@5": "Answer found in 5 hits (recall@5)",
    "recall@1": "Answer found in the first hit (recall@1)",
    "recall@10": "Answer found in 10 hits (recall@10)",
    "hit@5": "Questions with any answer in 5 hits (hit@5)",
    "ndcg@5": "Good answers come early (nDCG@5)",
    "mrr@10": "The first answer comes early (MRR@10)",
    "precision@5": "Share of shown text that answers (precision@5)",
    "iou@5": "Found and little else (IoU@5)",
    "precision_omega": "What a perfect search could reach (precision Ω)",
}


def verdict_box(found: Verdict) -> None:
    """Draw the sentence, green only where a winner is named."""
    draw, icon = (st.success, "trophy") if found.winner else (st.info, "balance")
    draw(f"**{plain(found.sentence)}**", icon=f":material/{icon}:")
