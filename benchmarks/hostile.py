"""Seconds that readers and chunkers take for texts made to cost time, at 5, 10 and 20 kB.

    python benchmarks/hostile.py [--only parser.html] [--rounds 3] [--bytes 5000 10000 20000] [--bare] [--all] [--limit 60]

Each text is one short pattern repeated. For each subject the table shows the patterns that grow fastest and those that
take longest (``--all``: every pattern); the last line names the worst ratio. Four times the text takes about four times
as long where time is linear, sixteen times where it is quadratic. A pattern runs in a process of its own that is ended
after ``--limit`` seconds. For large texts: ``--bytes 250000 1000000 --rounds 1 --bare``.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import re
import string
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from protego import Protego

from workbench import plugins
from workbench.analysis import TextAnalysis
from workbench.errors import WorkbenchError
from workbench.http import Response
from workbench.records import Document, Vectors
from workbench.sources import _csv_rows
from workbench.sources._globs import wanted
from workbench.sources._sitemap_file import entries
from workbench.sources._web_page import canonical_url

PARSERS = ("html", "markdown", "plain_text")
SIGNS = (*string.punctuation, " ", "\t", "\n", "\r", "\f", "\0", "a", "0", "é", "漢", "\u0301", "\u200d")
MARKUP = (
    "<!--",
    "<!-- a -->",
    "<!",
    "<?",
    "<a",
    "<a ",
    "<a b",
    "<a b=",
    '<a b="',
    "</",
    "</a>",
    "<a>",
    "<b><p>",
    "<div>",
    "<p>a",
    "<script>",
    "<script",
    "<style>",
    "<title>",
    "<textarea>",
    "<![CDATA[",
    "<sup>1",
    "a<sup>1</sup>",
    "<table>",
    "<td>",
    "<table><tr><td>",
    "<td colspan=1000>a",
    "<main>",
    "<main></main>",
    "<pre>\n",
    "<h1>a",
    "<li>",
    "<br>",
    "<link>",
    "<meta charset",
    "<meta charset=",
    "&amp",
    "&#1;",
    "&#",
)
MARKDOWN = (
    "# ",
    "#\n",
    "# a\n",
    "---\n",
    "---\na\n",
    "===\n",
    "a\n===\n",
    "a\n---\n",
    "--- ",
    "- ",
    "- a\n",
    "-\n",
    "* ",
    "1. ",
    "1. a\n",
    "1)\n",
    "> ",
    ">\n",
    ">\n\n",
    ">- ",
    "[](",
    "[a](",
    "[a]: ",
    "[a]: b\n",
    "[a\n",
    "[a]:\n",
    "![",
    "![](",
    "](",
    "*a ",
    "_a_",
    "*a**b",
    "a**b",
    "`a",
    "``a`",
    "```\n",
    "~~~\n",
    "\\\n",
    "a\n",
    "a\n\n",
    "    a\n",
    "\ta\n",
    "|\n",
    "title: ",
    "title:\n",
    "- \n",
    "  - a\n",
    "\r\n",
    " \n",
    "\u2028",
)
PLAIN = (
    "word ",
    "Dr. ",
    "a. ",
    "a.b",
    '"a",',
    '"a\n',
    'a"',
    "a,",
    "a;",
    "**/",
    "a/",
    "*a",
    "?*",
    "Allow: /\n",
    "Allow: /*\n",
    "User-agent: *\n",
    "Allow: /*a*a*a*\nUser-agent: *\n",
    "%41",
    "x" * 70,
)
PATTERNS = tuple(dict.fromkeys((*SIGNS, *MARKUP, *MARKDOWN, *PLAIN)))
BARE = (("", ""),)
FRAMES = {
    "parser.markdown": (
        ("", ""),
        ("# ", ""),
        ("---\n", "\n---\n"),
        ("---\ntitle: a", "b\n---\n"),
        ("[", ""),
        ("> - ", ""),
    ),
    "parser.html": (
        ("", ""),
        ("<p>a", ""),
        ("<pre>", ""),
        ("<!--", ""),
        ("<script>", ""),
        ("<table>", ""),
        ("<main>" * 200, "<p>a"),
        ("abc<sup>" * 200, ""),
        ("a" + "<b>" * 2_500, ""),
    ),
}
"""What stands before and after a repeated pattern, for readers that go on in another way behind it."""


class FourLetters:
    """A tokenizer without a model: a token is up to four letters."""

    id = "four letters"

    def offsets(self, text: str):  # type: ignore[no-untyped-def]
        """Return the tokens as ranges."""
        return np.array([m.span() for m in re.finditer(r"\w{1,4}|[^\w\s]", text)], np.int64).reshape(-1, 2)


def equal_vectors(texts) -> Vectors:  # type: ignore[no-untyped-def]
    """Return one direction for every text."""
    return np.tile(np.array([1, 0], np.float32), (len(texts), 1))


def subjects() -> dict[str, Callable[[str], object]]:
    """Return what is measured: a name, and a function of a text."""
    found: dict[str, Callable[[str], object]] = {}
    for name in PARSERS:
        parser = plugins.build("parsers", name)
        found[f"parser.{name}"] = lambda text, parser=parser: parser.parsed(
            text.encode("utf-8", "surrogatepass"), "x", "0" * 32, "x"
        )
    found["parser.plain_text of unknown encoding"] = lambda text: plugins.build(
        "parsers", "plain_text"
    ).parsed(b"\xff\x81" + text.encode("utf-8"), "x", "0" * 32, "x")
    found["web page: own address"] = lambda text: canonical_url(
        Response("https://example.org/", 200, {"content-type": "text/html"}, text.encode())
    )
    found["sitemap file"] = lambda text: list(entries(text.encode(), "x", 10**9))
    found["sitemap file of addresses"] = lambda text: list(
        entries(b"https://a/\n" + text.encode(), "x", 10**9)
    )
    found["robots rules"] = lambda text: Protego.parse(f"User-agent: *\n{text}").can_fetch(
        "https://example.org/" + "a" * 500, "x"
    )
    found["robots address"] = lambda text: Protego.parse(
        "User-agent: *\nDisallow: /*a*a*a*a*a*b$\nAllow: /"
    ).can_fetch("https://example.org/" + text, "x")
    found["glob pattern"] = lambda text: wanted([text], [])("a/" * 500 + "b")
    for pattern in ("**/" * 10 + "x", "*a" * 10 + "x", "**a" * 10 + "/x"):
        found[f"glob path, {pattern}"] = lambda text, pattern=pattern: wanted([pattern], [])(text)
    found["csv file"] = csv_rows
    for name in plugins.names("chunkers"):
        values = {"mode": "rules"} if name == "spacy_sentences" else {}
        chunker = plugins.build("chunkers", name, {"size_tokens": 64, **values})
        found[f"chunker.{name}"] = lambda text, chunker=chunker: chunker.chunks(
            Document("d", text, (), "t", "u"),
            TextAnalysis(text, FourLetters(), sentence_vectors=equal_vectors),
        )
    return found


def csv_rows(text: str) -> int:
    """Find out the form of a table that begins with a header, and read its rows."""
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(b"id,text\n" + text.encode())
        file.flush()
        path = Path(file.name)
        return sum(1 for _ in _csv_rows.rows(path, _csv_rows.form(path, ["id"])))


def texts(subject: str, characters: int, framed: bool = True) -> Iterator[tuple[str, str]]:
    """Yield a name for each pattern in each frame, with the text that repeats the pattern there."""
    for number, (before, after) in enumerate(FRAMES.get(subject, BARE) if framed else BARE):
        for pattern in PATTERNS:
            name = f"{pattern!r} in frame {number}" if number else repr(pattern)
            yield name, before + pattern * (characters // len(pattern)) + after


def seconds(work: Callable[[str], object], text: str, rounds: int) -> float:
    """Return the shortest processor time of one call; an error that the product knows counts as an answer."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        with contextlib.suppress(WorkbenchError):
            work(text)
        best = min(best, time.process_time() - started)
    return best


def measure(
    answers: Connection, subject: str, sizes: list[int], rounds: int, framed: bool, skipped: set[str]
) -> None:
    """Send, for each pattern, its name and then its seconds at each size."""
    work = subjects()[subject]
    seconds(work, "A first text. It loads what is needed.", 1)
    series = zip(*(texts(subject, size, framed) for size in sizes), strict=True)
    for sized in series:
        name = sized[0][0]
        if name in skipped:
            continue
        answers.send((name, None))
        answers.send((name, [seconds(work, text, rounds) for _, text in sized]))
    answers.send(None)


def measured(
    subject: str, sizes: list[int], rounds: int, limit_s: float, framed: bool
) -> dict[str, list[float] | None]:
    """Return the seconds of every pattern, None for one that was ended at the limit."""
    found: dict[str, list[float] | None] = {}
    context = multiprocessing.get_context("spawn")
    while True:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(
            target=measure, args=(theirs, subject, sizes, rounds, framed, set(found)), daemon=True
        )
        child.start()
        theirs.close()
        running = ""
        while ours.poll(limit_s if running else 120):
            try:
                answer = ours.recv()
            except EOFError:
                break
            if answer is None:
                child.join()
                return found
            running, taken = answer
            if taken is not None:
                found[running], running = taken, ""
        child.kill()
        child.join()
        found[running] = None


def shown(
    subject: str, found: dict[str, list[float] | None], sizes: list[int], every: bool
) -> tuple[float, str]:
    """Print the rows of one subject; return its worst ratio and the pattern it belongs to."""
    ratios = {
        pattern: taken[-1] / max(taken[0], 1e-4) for pattern, taken in found.items() if taken is not None
    }
    by_ratio = sorted(ratios, key=lambda pattern: -ratios[pattern])
    by_time = sorted(ratios, key=lambda pattern: -(found[pattern] or [0.0])[-1])
    ended = [pattern for pattern, taken in found.items() if taken is None]
    rows = by_ratio if every else list(dict.fromkeys([*by_ratio[:3], *by_time[:3]]))
    print(f"\n{subject}" + "".join(f"{size:>12,}" for size in sizes) + "   ratio")
    for pattern in rows:
        taken = found[pattern] or []
        print(f"  {pattern:34.34}" + "".join(f"{s:10.4f} s" for s in taken) + f"  {ratios[pattern]:6.1f}")
    for pattern in ended:
        print(f"  {pattern:34.34} ended at the limit")
    if ended:
        return float("inf"), ended[0]
    return (ratios[by_ratio[0]], by_ratio[0]) if by_ratio else (0.0, "")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", default="")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--bytes", type=int, nargs="+", default=[5_000, 10_000, 20_000])
    options.add_argument("--limit", type=float, default=60.0)
    options.add_argument("--bare", action="store_true", help="nothing before and after the patterns")
    options.add_argument("--all", action="store_true")
    asked = options.parse_args()
    worst = (0.0, "", "")
    for subject in subjects():
        if subject.startswith(asked.only):
            found = measured(subject, asked.bytes, asked.rounds, asked.limit, not asked.bare)
            ratio, pattern = shown(subject, found, asked.bytes, asked.all)
            worst = max(worst, (ratio, subject, pattern))
    print(f"\nworst ratio: {worst[0]:.1f} ({worst[1]}, {worst[2]})")


if __name__ == "__main__":
    main()
