"""``python -m workbench.ui.serve [streamlit options]``: start the app so that every link works from the first one.

``streamlit run app.py`` takes the ``pages/`` folder for Streamlit's older multipage mechanism until the app has run
once: the very first visitor of a deep link is then told that the page does not exist. Saying before the start that
the folder is not meant that way is all that this adds.
"""

from __future__ import annotations

import os
import sys
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
    sys.argv = ["streamlit", "run", str(APP), *options]
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1:])
