"""``python -m workbench``: the same functions as the browser, from a terminal.

Exit status: 0 done, 1 some items failed (each named), 2 wrong usage or config, 130 interrupted (Ctrl-C), 143 ended by
SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

# Models come inside packages: nothing may look for newer ones on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from workbench import commands
from workbench.commands.terminal import (
    DONE,
    INTERRUPTED,
    SOME_FAILED,
    TERMINATED,
    WRONG_USAGE,
    Output,
    Terminated,
    interrupted_early,
    stops_on_request,
)
from workbench.errors import Cancelled, InputError, SettingsError, WorkbenchError

# Loading the rest takes seconds. Whoever has told the shell to ignore the signal keeps it ignored.
if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, interrupted_early)

from workbench.workspace import Workspace


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--json", action="store_true", help="one JSON object a line on stdout", default=argparse.SUPPRESS
    )
    shared.add_argument("--workspace", type=Path, help="default: data/workspace", default=argparse.SUPPRESS)
    top = argparse.ArgumentParser(
        prog="python -m workbench", description=__doc__.splitlines()[0], parents=[shared]
    )
    below = top.add_subparsers(metavar="COMMAND", required=True)
    for name, module in commands.modules().items():
        parser = below.add_parser(name, help=module.run.__doc__, parents=[shared])
        module.add_arguments(parser)
        parser.set_defaults(run=module.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    out = Output(False)
    try:
        options = arguments().parse_args(argv)
        out = Output(getattr(options, "json", False))
        workspace = Workspace(getattr(options, "workspace", Path("data/workspace")))
        try:
            with stops_on_request():
                status: int = options.run(workspace, options, out)
        finally:
            for notice in workspace.notices:
                out.message(notice)
        return status
    except Terminated:
        out.message("ended on request; everything finished so far is kept")
        return TERMINATED
    except (KeyboardInterrupt, Cancelled):
        out.message("interrupted; everything finished so far is kept")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (``… | head``): nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (SettingsError, InputError) as error:
        out.message(f"error: {error}")
        return WRONG_USAGE
    except WorkbenchError as error:
        out.message(f"error: {error}")
        return SOME_FAILED


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is interrupted_early:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
