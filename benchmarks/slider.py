"""From a key press on a size slider of the Chunks page to the redrawn text, on 1 MB of text.

    python benchmarks/slider.py [--characters 1000000] [--moves 20] [--json FILE]

Starts the app as the Makefile does, puts one long text into a fresh workspace, and drives the page in headless
Chromium with one and with three columns of ``fixed_size``, in turn. The time is taken in the browser, from the key event
to the first frame in which the column shows the new cuts. The peer is Streamlit itself: an app that writes its
slider's value, timed in the same way.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Error, Page, sync_playwright
from start import CHROMIUM, FLAGS, OURS, ROOT, free_port

from workbench.workspace import Workspace

SOURCES = ROOT / "data" / "samples" / "sources"
HELLO = "import streamlit as st\nst.write(f'now {st.slider(\"Size\", 10, 500, 200, 5)}')\n"
MOST_COLUMNS = 3

# Ends with the frame in which what is watched has another text.
TIMED_PRESS = """([watched, key]) => new Promise((resolve) => {
  const find = (root) => {
    const here = root.querySelector(watched);
    if (here) return here;
    for (const element of root.querySelectorAll("*")) {
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const shown = () => find(document)?.textContent ?? "";
  const before = shown();
  let from = 0;
  document.addEventListener("keydown", (event) => (from = event.timeStamp), { once: true, capture: true });
  const look = (now) => {
    if (from && shown() !== before) resolve(performance.now() - from);
    else if (from && now - from > 20000) resolve(-1);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def long_text(characters: int) -> str:
    """Return the paragraphs of the sample library's sources, repeated in ever another order."""
    files = sorted(SOURCES.glob("*"))
    paragraphs = [part for file in files if file.is_file() for part in file.read_text("utf-8").split("\n\n")]
    shuffled, length, rng = list(paragraphs), sum(map(len, paragraphs)), random.Random(7)
    while length < characters:
        more = rng.sample(paragraphs, len(paragraphs))
        shuffled += more
        length += sum(map(len, more))
    return "\n\n".join(shuffled)[:characters]


@contextmanager
def served(program: Sequence[str], workspace: Path) -> Iterator[str]:
    """Start a server and give its address; it is stopped at the end."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", *program, f"--server.port={port}", "--server.headless=true"],
        cwd=ROOT,
        env={**os.environ, "WORKBENCH_WORKSPACE": str(workspace), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def opened(browser: Browser, address: str, ready: str) -> Page:
    """Open a page once its server answers, and wait until it is drawn."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    while True:
        try:
            page.goto(address)
            break
        except Error:
            page.wait_for_timeout(200)
    page.locator(ready).first.wait_for(timeout=180_000)
    page.wait_for_timeout(8_000)  # the background warm-up ends
    return page


def move_ms(page: Page, watched: str, key: str) -> float:
    """Press a key on the first slider; return milliseconds until ``watched`` has another text."""
    page.get_by_role("slider").first.focus()
    handle = page.evaluate_handle(f"(given) => ({{ taken: ({TIMED_PRESS})(given) }})", [watched, key])
    page.keyboard.press(key)
    taken = float(handle.evaluate("(held) => held.taken"))
    page.wait_for_timeout(700)
    return taken


def chunks_page(address: str, columns: int) -> str:
    """Return the address of the Chunks page with so many columns of fixed size."""
    configs = [
        ("config", json.dumps({"chunker": {"name": "fixed_size", "size_tokens": 200 + 50 * number}}))
        for number in range(columns)
    ]
    return f"{address}/cuts?{urlencode(configs)}"


def main() -> None:
    """Measure, print, and write JSON when asked to."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--characters", type=int, default=1_000_000)
    options.add_argument("--moves", type=int, default=20)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    taken: dict[str, list[float]] = {"one_column": [], "three_columns": [], "plain_slider": []}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        workspace = Path(folder) / "w"
        Workspace(workspace).add("long.txt", long_text(asked.characters).encode())
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with served(OURS, workspace) as ours, served(("streamlit", "run", str(hello)), workspace) as peer:
            pages = {
                "one_column": (opened(browser, chunks_page(ours, 1), ".viewer .piece"), ".viewer .count"),
                "three_columns": (
                    opened(browser, chunks_page(ours, MOST_COLUMNS), ".viewer .piece"),
                    ".viewer .count",
                ),
                "plain_slider": (opened(browser, peer, "text=now 200"), "[data-testid=stMarkdown]"),
            }
            for number in range(asked.moves + 2):
                for name, (page, watched) in pages.items():
                    page.bring_to_front()
                    # Always on, so that no size is cut twice.
                    found = move_ms(page, watched, "ArrowRight")
                    if number >= 2:
                        taken[name].append(found)
        browser.close()
    figures = {
        name: {
            "median_ms": round(statistics.median(values)),
            "p95_ms": round(sorted(values)[int(len(values) * 0.95) - 1]),
            "moves": len(values),
        }
        for name, values in taken.items()
    }
    print(json.dumps(figures, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
