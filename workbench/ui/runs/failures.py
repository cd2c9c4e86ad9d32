"""Documents that could not be brought in, by cause, and the button that tries them again."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.ingest.entries import NOT_LISTED
from workbench.ingest.ledger import Ledger
from workbench.sync.place import stamp
from workbench.ui.pipelines.labels import Cause, causes
from workbench.ui.pipelines.pipeline_files import PipelineFile
from workbench.ui.pipelines.sync_jobs import STAGES, ask_for_sync
from workbench.ui.widgets.messages import guarded, plain
from workbench.workspace import Workspace

SHOWN = 20


def show(here: Workspace, ledger: Ledger, pipeline: str, file: PipelineFile | None) -> None:
    """Draw the failures that stand; nothing when there are none."""
    found = causes([*ledger.all_failures(pipeline), *(one.failure for one in ledger.unlisted.all(pipeline))])
    if not found:
        return
    count = len({failure.key for cause in found for failure in cause.failures})
    st.subheader(f"{counted(count, 'document')} could not be brought in")
    for number, cause in enumerate(found[:SHOWN]):
        _cause(here, ledger, pipeline, file, cause, number)
    if len(found) > SHOWN:
        st.caption(
            f"{counted(len(found) - SHOWN, 'more cause')}; the command log with --failures lists all of them."
        )


def _cause(
    here: Workspace, ledger: Ledger, pipeline: str, file: PipelineFile | None, cause: Cause, number: int
) -> None:
    stage = STAGES.get(cause.stage, cause.stage).lower()
    heals = any(failure.retryable for failure in cause.failures)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            count = counted(cause.count, "document")
            st.markdown(
                f"**{plain(cause.title)}** :small[:gray[{count}, stage {plain(stage)}]]  \n{plain(cause.message)}",
                width="stretch",
            )
            st.button(
                "Try again",
                icon=":material/refresh:",
                key=f"retry-{number}",
                help="Syncs now, with these documents among what is done."
                if file is not None
                else "The next sync from the command line takes these documents again.",
                on_click=_again,
                args=(here, ledger, pipeline, file, cause),
            )
        if cause.kind == NOT_LISTED:
            again = "Every sync looks at it again, until it is mended in its source."
        elif heals:
            again = "Time may heal it: it is tried again by itself, ever more rarely."
        else:
            again = "It is tried again by itself as soon as the document or the config changes."
        st.caption(again)
        own = next((run.table_name for run in ledger.runs.recent(pipeline, 1)), "")
        with st.expander("Which documents"):
            table = pd.DataFrame(
                [
                    {
                        "Document": failure.name,
                        "Missing in": "this pipeline's table"
                        if failure.table_name in ("", own)
                        else "the published release",
                        "Tries": failure.attempts,
                        "Since": failure.first_at_utc[:16].replace("T", " "),
                        "Next try": (failure.next_try_utc or "")[:16].replace("T", " ")
                        if failure.retryable
                        else "when it changes",
                        "Message": failure.message,
                    }
                    for failure in cause.failures
                ]
            )
            only_own = all(failure.table_name in ("", own) for failure in cause.failures)
            st.dataframe(table.drop(columns="Missing in") if only_own else table, hide_index=True)


def _again(here: Workspace, ledger: Ledger, pipeline: str, file: PipelineFile | None, cause: Cause) -> None:
    with guarded():
        ledger.retry(pipeline, [failure.key for failure in cause.failures], stamp(datetime.now(UTC)))
        if file is not None:
            ask_for_sync(here, file)
