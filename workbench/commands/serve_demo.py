"""Serve one search box for stakeholders on a port of its own, without the rest of the workbench."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Sequence
from importlib import import_module

from workbench import plugins
from workbench.commands.terminal import DONE, Output
from workbench.errors import InputError
from workbench.workspace import TableRow, Workspace

PORT = 8600
MAX_TABLES = 2
TOKEN_VARIABLE = "WORKBENCH_DEMO_TOKEN"  # noqa: S105 - the name of a variable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--port", type=port_value, default=PORT, help=f"default: {PORT}")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the address that is served; default: 127.0.0.1, this computer only; 0.0.0.0 for its networks",
    )
    parser.add_argument(
        "--token",
        action="store_true",
        help=f"let in only who has the link, which then holds a token: ${TOKEN_VARIABLE}, else a new one at each start",
    )
    parser.add_argument(
        "--table",
        action="append",
        dest="tables",
        metavar="NAME",
        help="the table that is searched, by the name of its config; twice for two to compare blind; default: the newest",
    )
    parser.add_argument(
        "--retriever", choices=plugins.names("retrievers"), help="default: that of the table's config"
    )


def run(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Serve one search box for stakeholders on a port of its own, without the rest of the workbench."""
    tables = _tables(workspace, options.tables or [])
    _check_address(options.host, options.port)
    # By name: only the interface knows Streamlit, and no other command waits until it is loaded.
    server = import_module("workbench.ui.demo.server")
    secret = os.environ.get(TOKEN_VARIABLE) if options.token else None
    demo = server.DemoServer(workspace.folder, options.host, options.port, tables, options.retriever or "")
    if options.token:
        demo = demo.with_token(secret)

    def announce() -> None:
        # A token from the environment is known to whoever set it, and stays out of what is printed.
        link = demo.link(f"${TOKEN_VARIABLE}" if secret else None)
        out.row({"url": link.url, "for_others": link.is_for_others}, link.url)
        out.message(link.explanation)

    demo.serve(announce)
    out.message("the demo is stopped")
    return DONE


def port_value(text: str) -> int:
    """Return a port from 1 to 65,535."""
    if not text.isdecimal() or len(text) > 5 or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a port from 1 to 65535")
    return int(text)


def _tables(workspace: Workspace, names: Sequence[str]) -> tuple[str, ...]:
    """Return the tables that are meant; raises ``InputError`` where one is not there, or none is."""
    rows = [row for row in workspace.tables.rows() if row.config is not None]
    if not rows:
        raise InputError(
            "there is no table to search yet: build one first, with “build CONFIG.yaml”", "unknown"
        )
    # Two tables of one name are told apart by their fingerprints, as in the browser.
    known = {name: row for row in reversed(rows) for name in (row.config_name, row.name, label(row))}
    for name in names:
        if name not in known:
            there = ", ".join(dict.fromkeys(row.config_name for row in rows))
            raise InputError(f"no table is named {name!r:.100}; there is {there}", "unknown")
    # The newest of now: one that is built later was not meant to be shown.
    chosen = tuple(dict.fromkeys(known[name].name for name in names)) or (rows[0].name,)
    if len(chosen) > MAX_TABLES:
        raise InputError("a demo searches one table, or compares two", "unsupported")
    return chosen


def label(row: TableRow) -> str:
    """Return the name of a table with the beginning of its fingerprint."""
    return f"{row.config_name} ({row.fingerprint[:6]})"


def _check_address(host: str, port: int) -> None:
    """Raise ``InputError`` where the address cannot be served: Streamlit would say it in its log only."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except socket.gaierror as error:
        raise InputError(f"{host!r:.100} is no address of this computer", "unknown") from error
    except OSError as error:
        what = error.strerror or str(error)
        raise InputError(
            f"{host} port {port} cannot be served ({what.lower()}): choose another with --port or --host",
            "unknown",
        ) from error
