"""Pages per second and peak memory of the PDF parser, beside plain PyMuPDF in one process.

    python benchmarks/pdf.py [--pages 640] [--rounds 3] [--large 5000] [--json FILE]

Plain PyMuPDF only calls ``page.get_text()``: no reading order, no offsets, no boxes, no headings. The pages are the
sample rule book's, copied as often as needed. Rounds are interleaved; ratios of medians are printed, losses included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf

from workbench import plugins
from workbench.workspace import Workspace

SAMPLE = Path(__file__).parent.parent / "data" / "samples" / "rule-book.pdf"
FILES = 4

PEAK = """
import resource, sys
from pathlib import Path
from workbench import plugins
found = plugins.build("parsers", "pdf").parsed(Path(sys.argv[1]).read_bytes(), "x.pdf", "0" * 32, "x")
print(len(found.document.pages), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def copied(pages: int, mark: str = "") -> bytes:
    """Return a PDF of that many pages; ``mark`` makes its bytes differ."""
    with pymupdf.open(SAMPLE) as source, pymupdf.open() as result:
        while result.page_count < pages:
            result.insert_pdf(source, to_page=min(source.page_count, pages - result.page_count) - 1)
        result.set_metadata({"title": f"Copies {mark}"})
        return bytes(result.tobytes(garbage=0, deflate=True))


def plain(data: bytes) -> int:
    """Read every page with PyMuPDF alone."""
    with pymupdf.open("pdf", data) as document:
        return sum(len(page.get_text()) for page in document)


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure, print, and write JSON when asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pages", type=int, default=640)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--large", type=int, default=5000)
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    parser = plugins.build("parsers", "pdf")
    files = [copied(asked.pages // FILES, str(n)) for n in range(FILES)]
    pages = FILES * (asked.pages // FILES)

    def one_process() -> None:
        for data in files:
            parser.parsed(data, "x.pdf", "0" * 32, "x")

    def into_a_workspace() -> None:
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder) / "w")
            found = list(workspace.add_many((f"{n}.pdf", data, None) for n, data in enumerate(files)))
            assert all(result.is_in for _, result in found)

    ways: dict[str, Callable[[], object]] = {
        "plain PyMuPDF, one process": lambda: [plain(data) for data in files],
        "our parser, one process": one_process,
        "into a workspace, worker processes": into_a_workspace,
    }
    into_a_workspace()  # starts the workers
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(asked.rounds):
        for name, work in ways.items():
            times[name].append(seconds(work))
    base = statistics.median(times["plain PyMuPDF, one process"])
    figures: dict[str, object] = {}
    for name, taken in times.items():
        middle = statistics.median(taken)
        figures[name] = {"pages_per_second": round(pages / middle), "ratio_of_speed": round(base / middle, 2)}
        print(f"{name:36} {pages / middle:8,.0f} pages/s   {base / middle:5.2f} × plain PyMuPDF")
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(copied(asked.large))
        file.flush()
        told = subprocess.run(
            [sys.executable, "-c", PEAK, file.name], capture_output=True, text=True, check=True
        ).stdout.split()
    figures["peak"] = {"pages": int(told[0]), "megabytes": int(told[1])}
    print(f"{int(told[0]):,} pages in one file: peak memory {int(told[1]):,} MB")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
