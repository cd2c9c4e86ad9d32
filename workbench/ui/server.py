"""``python -m workbench.ui.server [streamlit options]``: start the workbench, from whatever folder.

``streamlit run app.py`` starts the same app, with the same check in front of it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from workbench.errors import SettingsError, WorkbenchError
from workbench.ui.access.hosts import Hosts, hosts_of

APP = Path(__file__).parent.parent.parent / "app.py"
MAIN = Path(__file__).parent / "main.py"
WRONG_USAGE = 2
STOPPING_S = 8.0
"""Whoever stops a server kills it soon if it does not end: Docker after ten seconds."""


def main(options: Sequence[str]) -> int:
    """Run the server until it is stopped; return 2 where it cannot be started as it was asked to."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        hosts_of()
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return WRONG_USAGE
    # Streamlit reads its config from the working directory.
    os.chdir(APP.parent)
    from streamlit.web import cli

    sys.argv = ["streamlit", "run", str(APP), *options]
    cli.main()
    return 0


def served_hosts() -> Hosts:
    """Return the hosts of ``WORKBENCH_HOSTS``, or end the program with what is wrong with them.

    Later, the server would take the error for an app without a start, and answer every request with a failure.
    """
    try:
        return hosts_of()
    except SettingsError as error:
        raise SystemExit(f"error: {error}") from error


@asynccontextmanager
async def follow_schedules(_app: object) -> AsyncIterator[None]:
    """Follow the pipelines' schedules from the start of the server on, not from the first visit.

    When the server is stopped, its jobs end as cancelled: no run is left that seems to be running.
    """
    # The workspace takes a second to open: visitors do not wait for it. The name keeps the task from being collected.
    following = asyncio.create_task(asyncio.to_thread(_follow))
    yield
    following.cancel()
    await asyncio.to_thread(_stop_jobs)


def _follow() -> None:
    from workbench.ui.pipelines import scheduler
    from workbench.ui.session import workspace

    try:
        scheduler.keep_looking(workspace.workspace())
    except WorkbenchError as error:
        # The first page that is opened says so too.
        logging.getLogger(__name__).warning("no schedule is followed: %s", error)


def _stop_jobs() -> None:
    from workbench.ui.session.jobs import jobs

    for job in jobs().stop(STOPPING_S):
        logging.getLogger(__name__).warning("%s did not stop in time; what it had finished is kept", job.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
