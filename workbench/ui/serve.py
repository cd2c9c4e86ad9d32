"""``python -m workbench.ui.serve [streamlit options]``: start the app so that every link works from the first one.

``streamlit run app.py`` takes the ``pages/`` folder for Streamlit's older multipage mechanism until the app has run
once: the very first visitor of a deep link is then told that the page does not exist. Saying before the start that
the folder is not meant that way is one thing that this adds. The other: schedules are followed from the start, not
from the first visit on.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

APP = Path(__file__).parent.parent.parent / "app.py"


def main(options: Sequence[str]) -> None:
    """Run the server until it is stopped."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # Streamlit reads its config from the working directory.
    os.chdir(APP.parent)
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    PagesManager.uses_pages_directory = False
    threading.Thread(target=_follow_schedules, name="schedules-start", daemon=True).start()
    sys.argv = ["streamlit", "run", str(APP), *options]
    cli.main()


def _follow_schedules() -> None:
    from streamlit import runtime

    never = threading.Event()
    # What the server itself imports comes first.
    while not runtime.exists():
        never.wait(0.2)
    from workbench.errors import WorkbenchError
    from workbench.ui import resources, run_schedule

    try:
        run_schedule.keep_looking(resources.workspace())
    except WorkbenchError as error:
        # The first page that is opened says so too.
        logging.getLogger(__name__).warning("no schedule is followed: %s", error)


if __name__ == "__main__":
    main(sys.argv[1:])
