"""List releases and tables with the space they take; --clean drops what nobody can go back to."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from workbench.commands.inputs import read_pipeline
from workbench.commands.terminal import DONE, Output
from workbench.counts import counted
from workbench.sync.gate import partly_read_words
from workbench.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("config", metavar="CONFIG.yaml")
    parser.add_argument("--clean", action="store_true", help="drop tables beyond release.keep")


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """List releases and tables with the space they take; --clean drops what nobody can go back to."""
    pipeline = read_pipeline(workspace, options.config)
    if options.clean:
        cleaned = pipeline.clean()
        out.message(
            f"dropped {counted(len(cleaned.tables), 'table')} ({cleaned.size_bytes / 2**20:,.1f} MB) and {counted(cleaned.blobs, 'kept text')}"
        )
        for sentence in cleaned.unreachable:
            out.message(sentence)
    releases = pipeline.ledger.releases
    published = releases.published(pipeline.place.name)
    since = releases.published_since(pipeline.place.name)
    for release in releases.all(pipeline.place.name):
        is_published = published is not None and published.id == release.id
        value = release.gate.get("value")
        in_part = partly_read_words(release.gate)
        figure = f"{release.gate.get('metric')} {value:.4f}" if isinstance(value, float) else "not measured"
        out.row(
            {
                "kind": "release",
                **asdict(release),
                "published": is_published,
                "since_utc": since if is_published else None,
            },
            f"{'*' if is_published else ' '} release {release.id}  {release.created_at_utc}  {figure}"
            f"{', forced' if release.forced else ''}{f', {in_part}' if in_part else ''}  {release.model_title}  {release.table_name}",
        )
    listing = pipeline.table_listing()
    for table in listing.tables:
        use = "published" if table.is_published else "this config's" if table.is_current else "kept"
        out.row(
            {"kind": "table", **asdict(table)},
            f"  table {table.name}  {counted(table.rows, 'chunk')}, {table.size_bytes / 2**20:,.1f} MB, {use}",
        )
    for sentence in () if options.clean else listing.unreachable:
        out.message(sentence)
    return DONE
