"""*Show to others*: a link to the search box where somebody else can open one, and who can."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st

from workbench.ui.access.hosts import hosts_of
from workbench.ui.access.links import base_for_others, network_address
from workbench.ui.session.workspace import ROOT, workspace

WHO = (
    "Whoever can open this link reaches this address, and with it every page of the workbench: the link only begins with "
    "the search box. To let others search and do nothing else, serve the search box alone:"
)
NOBODY = (
    "Nobody else can open a link to this workbench: it is served to this computer only. To show the search box to "
    "others, serve it alone; the command prints a link to send:"
)


def show_to_others(query: str, tables: Sequence[str], retriever: str) -> None:
    """Draw the link of the demo with this query, who can open it, and the command that serves a demo alone."""
    opened_at = str(st.context.url or "")
    # Below a proxy the workbench may have a path of its own, which ends before the page's.
    path = urlsplit(opened_at).path.rsplit("/", 1)[0]
    base = base_for_others(
        str(st.get_option("server.address") or ""),
        int(st.get_option("server.port")),
        hosts_of(),
        opened_at,
        network_address(),
    )
    with st.popover("Show to others", icon=":material/co_present:"):
        st.markdown(
            f"A page with one search box and nothing to break, to {'send or to project' if base else 'project'}:"
        )
        here = urlsplit(opened_at)
        link = f"{base or f'{here.scheme}://{here.netloc}'}{path}/?{query}"
        if base:
            st.code(link, language=None, wrap_lines=True)
        st.link_button(
            "Open the link" if base else "Open it on this computer", link, icon=":material/open_in_new:"
        )
        if len(tables) > 1:
            st.caption("It can compare the two tables blind, as A and B, and counts the votes.")
        st.caption(WHO if base else NOBODY)
        st.code(demo_command(tables, retriever), language="shell", wrap_lines=True)


def demo_command(tables: Sequence[str], retriever: str) -> str:
    """Return the command line that serves a demo of these tables to the networks of this computer."""
    words = [sys.executable, "-m", "workbench", "--workspace", str(workspace().folder), "serve-demo"]
    words += ["--host", "0.0.0.0", "--token"]  # noqa: S104 - what the reader asks for
    for table in tables:
        words += ["--table", table]
    if retriever:
        words += ["--retriever", retriever]
    return f"cd {shlex.quote(str(ROOT))} && {shlex.join(words)}"
