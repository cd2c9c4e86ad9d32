"""Compare the ledger with the table, row by row; --repair makes them agree."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from workbench.commands.inputs import read_pipeline
from workbench.commands.sync_report import report
from workbench.commands.terminal import DONE, SOME_FAILED, Output
from workbench.counts import counted
from workbench.sync.verifying import Verification
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="write anew what does not agree; sources are asked only for what is not kept here",
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Compare the ledger with the table, row by row; --repair makes them agree."""
    pipeline = read_pipeline(workspace, options.config)
    found = pipeline.verified()
    for finding in found.findings:
        out.row(asdict(finding), f"{finding.kind:14} {finding.document_id[:8]:8}  {finding.message}")
    if not found.agrees and options.repair:
        report(pipeline.repair(), out)
        found = pipeline.verified()
    out.conclusion(_sentence(found))
    return DONE if found.agrees else SOME_FAILED


def _sentence(found: Verification) -> str:
    what = f"{found.table}: {counted(found.documents, 'document')}, {counted(found.chunks, 'chunk')}"
    if found.agrees:
        return f"{what}; ledger and table agree"
    return f"{what}; {counted(len(found.findings), 'finding')}: --repair writes {'it' if len(found.findings) == 1 else 'them'} anew"
