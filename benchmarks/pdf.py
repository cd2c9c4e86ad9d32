"""Pages per second and peak memory of the PDF parser, beside PyMuPDF's own words.

    python benchmarks/pdf.py [--pages 320] [--rounds 3] [--large 5000] [--folder PDFS] [--json FILE]

The peer is ``page.get_text("words")``: no reading order, no offsets, no headings, no tables. Pages are dense ones made
here (two justified columns in small type, a table of figures, text without blanks as TeX sets it) and the sample rule
book's, or those of the PDFs in a folder of your own. Rounds are interleaved; ratios of medians are printed, losses
included. "Processor" ratios compare processor seconds of one process, the last line wall time with all workers.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf

from workbench import plugins
from workbench.errors import WorkbenchError
from workbench.workspace import Workspace

SAMPLE = Path(__file__).parent.parent / "data" / "samples" / "rule-book.pdf"
FILES = 4
WORDS = [
    "the",
    "of",
    "a",
    "tramway",
    "depot",
    "battery",
    "line",
    "between",
    "measurement",
    "operation",
    "signal",
    "power",
    "was",
    "were",
    "during",
    "maintenance",
    "and",
    "that",
    "with",
    "station",
    "winter",
    "results",
    "shown",
    "table",
    "network",
    "passenger",
]

PEAK = """
import resource, sys
from pathlib import Path
from workbench import plugins
from workbench.errors import WorkbenchError
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


def dense(pages: int) -> bytes:
    """Return pages as journals print them: of each four, two in columns, a table, and one without blanks."""
    chosen = random.Random(1)
    with pymupdf.open() as result:
        for number in range(pages):
            page = result.new_page(width=595, height=842)
            if number % 4 == 2:
                draw = table_page(chosen)
            elif number % 4 == 3:
                draw = columns_page(chosen, with_blanks=False)
            else:
                draw = columns_page(chosen, with_blanks=True)
            page.insert_font("tiro")
            xref = result.get_new_xref()
            result.update_object(xref, "<<>>")
            result.update_stream(xref, draw)
            page.set_contents(xref)
        return bytes(result.tobytes(garbage=0, deflate=True))


def columns_page(chosen: random.Random, *, with_blanks: bool) -> bytes:
    """Return two columns of 68 justified lines in 9 points; without blanks, words are only set apart."""
    size, width = 9, 232.0
    parts = []
    for left in (50, 312):
        for row in range(68):
            words: list[str] = []
            room = width
            while True:
                word = chosen.choice(WORDS)
                room -= pymupdf.get_text_length(word, "tiro", size) + (2.25 if words else 0)
                if room < 0:
                    break
                words.append(word)
            taken = sum(pymupdf.get_text_length(word, "tiro", size) for word in words)
            gap = (width - taken) / max(1, len(words) - 1)
            at = f"BT /tiro {size} Tf 1 0 0 1 {left} {790 - 10.8 * row:g} Tm "
            if with_blanks:
                parts.append(f"{at}{gap - 2.25:g} Tw ({' '.join(words)}) Tj ET")
            else:
                joint = f" {-1000 * gap / size:.0f} "
                parts.append(f"{at}[{joint.join(f'({word})' for word in words)}] TJ ET")
    return "\n".join(parts).encode()


def table_page(chosen: random.Random) -> bytes:
    """Return a table of 60 rows with a name and seven figures each, right-aligned."""
    parts = []
    for row in range(60):
        y = 790 - 12 * row
        parts.append(f"BT /tiro 9 Tf 1 0 0 1 50 {y} Tm ({chosen.choice(WORDS)} {chosen.choice(WORDS)}) Tj ET")
        for column in range(7):
            figure = f"{chosen.random() * 10 ** chosen.randint(1, 5):,.1f}"
            left = 200 + 55 * column - pymupdf.get_text_length(figure, "tiro", 9)
            parts.append(f"BT /tiro 9 Tf 1 0 0 1 {left:g} {y} Tm ({figure}) Tj ET")
    return "\n".join(parts).encode()


def words_alone(data: bytes) -> int:
    """Read every page with PyMuPDF alone."""
    with pymupdf.open("pdf", data) as document:
        return sum(len(page.get_text("words")) for page in document)


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this process in one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measured(files: list[bytes], rounds: int) -> dict[str, float]:
    """Return the medians of some interleaved rounds; files that cannot be read are left out before."""
    parser = plugins.build("parsers", "pdf")

    def by_words() -> None:
        for data in files:
            words_alone(data)

    def by_the_parser() -> None:
        for data in files:
            parser.parsed(data, "x.pdf", "0" * 32, "x")

    def into_a_workspace() -> None:
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder) / "w")
            found = list(workspace.add_many((f"{n}.pdf", data, None) for n, data in enumerate(files)))
            assert all(result.is_in for _, result in found)

    into_a_workspace()  # starts the workers
    times: dict[str, list[float]] = {"words": [], "parser": [], "words, wall": [], "workspace, wall": []}
    for _ in range(rounds):
        times["words"].append(processor_seconds(by_words))
        times["parser"].append(processor_seconds(by_the_parser))
        times["words, wall"].append(seconds(by_words))
        times["workspace, wall"].append(seconds(into_a_workspace))
    return {name: statistics.median(taken) for name, taken in times.items()}


def readable(data: bytes) -> bool:
    """Say whether the parser takes a file: scans and locked files are no subject here."""
    try:
        found = plugins.build("parsers", "pdf").parsed(data, "x.pdf", "0" * 32, "x")
    except WorkbenchError:
        return False
    return len(found.document.pages) > 0


def main() -> None:
    """Measure, print, and write JSON when asked to."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--pages", type=int, default=320)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--large", type=int, default=5000)
    options.add_argument("--folder", type=Path, help="PDFs of your own instead of the made ones")
    options.add_argument("--json", type=Path)
    asked = options.parse_args()
    a_file = asked.pages // FILES
    sets = {
        "dense pages": [dense(a_file) for _ in range(FILES)],
        "sample rule book": [copied(a_file, str(n)) for n in range(FILES)],
    }
    if asked.folder:
        own = [path.read_bytes() for path in sorted(asked.folder.rglob("*.pdf"))]
        sets = {"own files": [data for data in own if readable(data)]}
    figures: dict[str, object] = {}
    for name, files in sets.items():
        pages = sum(pymupdf.open("pdf", data).page_count for data in files)
        times = measured(files, asked.rounds)
        one = times["words"] / times["parser"]
        all_workers = times["words, wall"] / times["workspace, wall"]
        figures[name] = {
            "pages": pages,
            "words_pages_per_processor_second": round(pages / times["words"]),
            "parser_pages_per_processor_second": round(pages / times["parser"]),
            "ratio_one_process": round(one, 2),
            "ratio_all_workers": round(all_workers, 2),
        }
        print(f"{name}, {pages:,} pages")
        print(f"  words alone, one process        {pages / times['words']:7,.0f} pages per processor second")
        print(f"  parser, one process             {pages / times['parser']:7,.0f}   {one:5.2f} x")
        print(
            f"  into a workspace, all workers   {pages / times['workspace, wall']:7,.0f} pages a second"
            f"   {all_workers:5.2f} x words alone"
        )
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
