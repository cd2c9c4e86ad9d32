"""Go back to the release before the published one, at once."""

from __future__ import annotations

import argparse

from workbench.commands.inputs import read_pipeline
from workbench.commands.terminal import DONE, Output
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Go back to the release before the published one, at once."""
    pipeline = read_pipeline(workspace, options.config)
    release = pipeline.roll_back()
    out.row(
        {"release": release.id, "table": release.table_name, "created_at_utc": release.created_at_utc},
        f"{pipeline.place.name} answers from {release.table_name} again (release {release.id} of"
        f" {release.created_at_utc})",
    )
    return DONE
