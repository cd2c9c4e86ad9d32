"""The upper half of the Documents page: the upload box, the job that reads files, and a row per file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from workbench.counts import counted
from workbench.errors import WorkbenchError
from workbench.records import content_digest
from workbench.ui.documents.upload_queue import Inbox, Upload, summary
from workbench.ui.session.jobs import Job, jobs
from workbench.ui.session.workspace import sample_files, workspace
from workbench.ui.widgets.job_panel import job_panel
from workbench.ui.widgets.messages import plain, shown_error
from workbench.workspace import DocumentRow

KIND = "add"
MANY_UPLOADS, LIST_HEIGHT_PIXELS = 10, 460
LONGEST_NAME = 40
"""Characters of a file name that the list shows."""
STATES = {
    "waiting": "⋯ waiting",
    "reading": "▸ reading",
    "added": "✓ added",
    "replaced": "✓ new version",
    "unchanged": "= already here",
    "partly_read": "◐ partly read",
    "needs_password": "🔒 needs a password",
    "no_text": "▨ no text",
    "damaged": "✕ damaged",
    "unsupported": "✕ format not supported",
    "too_large": "✕ too large",
    "timed_out": "✕ took too long",
    "cancelled": "– stopped",
    "failed": "✕ failed",
}


@st.cache_resource(show_spinner=False)
def inbox() -> Inbox:
    """Return the uploads of this process; what an earlier process did not finish is taken up again."""
    found = Inbox(workspace())
    left = found.left_over()
    if left:
        _start(found, left, "Go on with files from before")
    return found


def receive() -> None:
    """Draw the upload box and, where there is something to add, the button for the sample library."""
    turn = st.session_state.setdefault("upload_turn", 0)
    files = st.file_uploader(
        "Add documents",
        accept_multiple_files=True,
        key=f"upload-{turn}",
        help="PDF, plain text, Markdown and HTML, up to 200 MB each. The files stay on this machine.",
    )
    here = inbox()
    if files:
        try:
            received = here.receive((file.name, file.getvalue()) for file in files)
        except WorkbenchError as error:
            shown_error(error)
            return
        _start(
            here, received, f"Read {len(received)} files" if len(received) > 1 else f"Read {received[0].name}"
        )
        # A box with a new key is empty: the rows below tell what became of the files.
        st.session_state["upload_turn"] = turn + 1
        st.rerun()
    rows_here = workspace().documents()
    missing = _missing_samples(rows_here)
    if missing and st.button(
        "Add the sample library",
        icon=":material/library_add:",
        type="secondary" if rows_here else "primary",
        help=f"{len(sample_files())} documents about a tramway company, written for this workbench, with judged "
        "questions.",
    ):
        received = here.receive((path.name, path.read_bytes()) for path in missing)
        _start(here, received, "Read the sample library")
        st.rerun()


def _missing_samples(here: Sequence[DocumentRow]) -> list[Path]:
    """Return the sample documents that are not here, under their own name or another."""
    names, contents = {row.name for row in here}, {row.content_hash for row in here}
    return [
        path
        for path in sample_files()
        if path.name not in names and content_digest(path.read_bytes()) not in contents
    ]


def show() -> None:
    """Draw running jobs and one row per uploaded file, which follow the jobs while they run."""
    job_panel(KIND, finished=1)
    st.fragment(rows, run_every=1.0 if jobs().active((KIND,)) else None)()


def rows() -> None:
    """Draw what happened to each file, and ask for the passwords that are needed."""
    here = inbox()
    uploads = here.uploads()
    if not uploads:
        return
    # Once all went well the list is history; trouble stays in sight.
    calm = all(upload.result is not None and upload.result.is_in for upload in uploads)
    with st.expander(
        f"What happened to {counted(len(uploads), 'file')}",
        expanded=not calm,
        icon=":material/list:",
    ):
        # What needs somebody comes first: below many files that went well nobody would find it.
        _list(sorted(uploads, key=_urgency))
        for number, upload in enumerate(u for u in uploads if u.state == "needs_password"):
            _password_form(here, upload, number)
        _buttons(here, uploads)


def _list(uploads: list[Upload]) -> None:
    # A table whose cells wrap: a note is a sentence, and it is what matters about a file that is not in.
    with st.container(height=LIST_HEIGHT_PIXELS if len(uploads) > MANY_UPLOADS else "content", border=False):
        st.table(
            pd.DataFrame(
                {
                    "What happened": [STATES.get(u.state, u.state) for u in uploads],
                    "File": [plain(shortened(u.name)) for u in uploads],
                    "Pages": [f"{u.result.pages:,}" if u.result and u.result.is_in else "" for u in uploads],
                    "Note": [plain(_note(u)) for u in uploads],
                }
            ),
            border="horizontal",
            hide_index=True,
        )


def _urgency(upload: Upload) -> int:
    if upload.state == "needs_password":
        return 0
    if upload.result is None:
        return 3 if upload.state == "waiting" else 2
    return 4 if upload.result.is_in else 1


def shortened(name: str) -> str:
    """Return a name whose middle is left out when it is long: as one word, it would push the notes off a screen.

    >>> shortened("report.pdf"), shortened("n" * 60 + ".pdf")
    ('report.pdf', 'nnnnnnnnnnnnnnnnnnnnnnnnnnn…nnnnnnnn.pdf')
    """
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 13]}…{name[-12:]}"


def _buttons(here: Inbox, uploads: list[Upload]) -> None:
    waiting = [u for u in uploads if u.state in ("waiting", "cancelled")]
    with st.container(horizontal=True):
        if all(u.result is not None for u in uploads) and st.button(
            "Clear this list", icon=":material/clear_all:"
        ):
            here.dismiss_done()
            st.rerun()
        if (
            waiting
            and not jobs().active((KIND,))
            and st.button("Read the waiting files", icon=":material/play_arrow:")
        ):
            for upload in waiting:
                upload.result = None
            _start(here, waiting, f"Read {counted(len(waiting), 'file')}")
            st.rerun()


def _password_form(here: Inbox, upload: Upload, number: int) -> None:
    with st.form(f"password-{number}-{upload.path.parent.name}-{upload.path.name}", border=True):
        st.markdown(f"**{plain(upload.name)}** is locked.")
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        password = left.text_input(
            "Password",
            type="password",
            autocomplete="off",
            help="Used once to open the file and then forgotten; the workspace keeps an unlocked copy.",
        )
        if right.form_submit_button("Unlock", icon=":material/lock_open:", width="stretch") and password:
            with st.spinner("Opening"):
                result = here.unlock(upload, password)
            if result.is_in:
                _tell_anew(upload)
                st.rerun()
            st.warning(plain(result.message))


def _note(upload: Upload) -> str:
    return upload.result.message if upload.result is not None else ""


def _start(here: Inbox, uploads: list[Upload], name: str) -> None:
    def read(job: Job) -> list[Upload]:
        here.add(uploads, job.tick, job.cancel_asked)
        _tell(job, uploads)
        return uploads

    jobs().start(name, KIND, read, unit="files")


def _tell(job: Job, uploads: list[Upload]) -> None:
    job.summary = summary(uploads)
    job.trouble = any(upload.result is not None and not upload.result.is_in for upload in uploads)


def _tell_anew(upload: Upload) -> None:
    """Bring what is said of the job that read this upload up to date: it waits for no password any more."""
    for job in jobs().listing((KIND,)):
        if job.state == "done" and upload in job.result:
            _tell(job, job.result)
