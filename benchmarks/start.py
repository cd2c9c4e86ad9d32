"""From ``make run`` (installed) to a usable page, and from a click to the redrawn page.

    python benchmarks/start.py [--rounds 3] [--json FILE]

Starts the app as the Makefile does, on a fresh workspace with the sample library, and drives it in headless Chromium.
The peer is Streamlit itself: the same way for an app that only says hello. Medians and the ratio to the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from workbench.workspace import Workspace

ROOT = Path(__file__).parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
)
OURS = ("workbench.ui.server",)
HELLO = "import streamlit as st\nst.title('Documents')\nst.selectbox('Read', ['a', 'b'])\n"


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def first_page_s(browser: Browser, program: Sequence[str], workspace: Path) -> tuple[float, float]:
    """Return seconds from start to a page with its title and, warm, from a reload to the same."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            *program,
            f"--server.port={port}",
            "--server.headless=true",
        ],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_WORKSPACE": str(workspace), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = browser.new_page()
        while True:
            try:
                page.goto(f"http://127.0.0.1:{port}/")
                break
            except Exception as error:
                if process.poll() is not None:
                    raise RuntimeError("the server ended") from error
        page.get_by_role("heading", name="Documents").wait_for(timeout=60_000)
        page.get_by_role("combobox", name="Read").wait_for(timeout=60_000)
        cold = time.perf_counter() - started
        page.wait_for_timeout(20_000)  # the background warm-up ends
        started = time.perf_counter()
        page.reload()
        page.get_by_role("combobox", name="Read").wait_for(timeout=60_000)
        warm = time.perf_counter() - started
        page.close()
        return cold, warm
    finally:
        process.terminate()
        process.wait()


def click_s(browser: Browser, workspace: Path) -> dict[str, float]:
    """Return seconds from a click in the navigation to the other page's heading, warm."""
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            *OURS,
            f"--server.port={port}",
            "--server.headless=true",
        ],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_WORKSPACE": str(workspace), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    names = ("Documents", "Tables", "Search", "Export")
    taken: dict[str, list[float]] = {name: [] for name in names}
    try:
        page = browser.new_page()
        while True:
            try:
                page.goto(f"http://127.0.0.1:{port}/")
                break
            except Exception as error:
                if process.poll() is not None:
                    raise RuntimeError("the server ended") from error
        page.get_by_role("combobox", name="Read").wait_for(timeout=60_000)
        page.wait_for_timeout(20_000)
        for _ in range(4):
            for name in names:
                started = time.perf_counter()
                page.get_by_role("link", name=name, exact=True).first.click()
                page.get_by_role("heading", name=name, exact=True).wait_for(timeout=60_000)
                taken[name].append(time.perf_counter() - started)
        page.close()
    finally:
        process.terminate()
        process.wait()
    return {name: round(statistics.median(values[1:]), 3) for name, values in taken.items()}


def main() -> None:
    """Measure, print, and write JSON when asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        workspace = Path(folder) / "w"
        samples = sorted((ROOT / "data" / "samples").glob("*.pdf"))
        list(Workspace(workspace).add_many((path.name, path, None) for path in samples))
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        ours, peer = [], []
        for _ in range(asked.rounds):
            ours.append(first_page_s(browser, OURS, workspace))
            peer.append(first_page_s(browser, ("streamlit", "run", str(hello)), workspace))
        clicks = click_s(browser, workspace)
        browser.close()
    figures = {
        "start_to_page_s": round(statistics.median(cold for cold, _ in ours), 2),
        "reload_to_page_s": round(statistics.median(warm for _, warm in ours), 2),
        "hello_start_to_page_s": round(statistics.median(cold for cold, _ in peer), 2),
        "hello_reload_to_page_s": round(statistics.median(warm for _, warm in peer), 2),
        "click_to_page_s": clicks,
    }
    print(json.dumps(figures, indent=1))
    ratio = figures["start_to_page_s"] / figures["hello_start_to_page_s"]  # type: ignore[operator]
    print(f"start to page: {ratio:.2f} × an app that only says hello")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
