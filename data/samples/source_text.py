"""Read the markup of the sample documents.

A source begins with ``key: value`` lines up to ``---``. Then blocks are set apart by blank lines: ``#`` headings,
``- `` and ``1. `` items, ``| a | b |`` tables (first row is the head; ``|30 70|`` before it gives the widths in
per cent), ``!command`` lines, ``> `` captions, and paragraphs. ``{1}`` is a footnote mark; the lines ``[1] …``
right below the paragraph are its notes. ``**bold**`` and ``*italic*`` work inside.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

_NOTE = re.compile(r"\[\d+\] ")


@dataclass(frozen=True)
class Block:
    """A piece of a document: its kind, its text as ReportLab markup, and what hangs on it."""

    kind: str
    text: str = ""
    notes: tuple[str, ...] = ()
    bullet: str | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    shares: tuple[float, ...] = ()


@dataclass
class Source:
    """A source file: its settings and its blocks; `contents` is filled while pages are made."""

    name: str
    settings: dict[str, str]
    blocks: list[Block]
    contents: list[tuple[int, str, int]] = field(default_factory=list)


def source_from(path: Path) -> Source:
    """The source in the file at `path`."""
    head, _, body = path.read_text("utf-8").partition("\n---\n")
    settings = dict(re.split(r":\s*", line, maxsplit=1) for line in head.splitlines())
    blocks = [
        block for part in re.split(r"\n\s*\n", body.strip("\n")) for block in _blocks(part.splitlines())
    ]
    return Source(path.stem, settings, blocks)


def _blocks(lines: list[str]) -> list[Block]:
    first = lines[0]
    if first.startswith("!"):
        return [Block("command", line[1:]) for line in lines]
    if first.startswith("#"):
        marks, _, text = first.partition(" ")
        rest = _blocks(lines[1:]) if len(lines) > 1 else []
        return [Block(f"h{len(marks)}", _markup(text)), *rest]
    if first.startswith("|"):
        return [_table(lines)]
    if first.startswith("> "):
        return [Block("caption", _markup(" ".join(line.removeprefix("> ") for line in lines)))]
    if re.match(r"(-|\d+\.) ", first):
        return _items(lines)
    notes = tuple(_note(line) for line in lines if _NOTE.match(line))
    text = " ".join(line for line in lines if not _NOTE.match(line))
    return [Block("text", _markup(text), notes)]


def _note(line: str) -> str:
    return _markup(re.sub(r"^\[(\d+)\]", r"<super>\1</super>", line))


def _items(lines: list[str]) -> list[Block]:
    items: list[list[str]] = []
    notes = []
    for line in lines:
        if _NOTE.match(line):
            notes.append((len(items) - 1, _note(line)))
        elif re.match(r"(-|\d+\.) ", line):
            items.append([line])
        else:
            items[-1].append(line.strip())
    result = []
    for index, item in enumerate(items):
        mark, _, text = " ".join(item).partition(" ")
        own = tuple(note for owner, note in notes if owner == index)
        result.append(Block("item", _markup(text), own, bullet="•" if mark == "-" else mark))
    return result


def _table(lines: list[str]) -> Block:
    shares: list[float] = []
    if re.fullmatch(r"\|[\d ]+\|", lines[0]):
        shares = [int(number) / 100 for number in lines[0].strip("|").split()]
        lines = lines[1:]
    rows = tuple(
        tuple(_markup(cell.strip()) for cell in line.strip().strip("|").split("|")) for line in lines
    )
    shares = shares or [1 / len(rows[0])] * len(rows[0])
    if len({len(row) for row in rows} | {len(shares)}) != 1:
        raise ValueError(f"a table has rows of different length: {lines[0]}")
    return Block("table", rows=rows, shares=tuple(shares))


def _markup(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<super>", "\x01").replace("</super>", "\x02")
    text = (
        text.replace("<", "&lt;").replace(">", "&gt;").replace("\x01", "<super>").replace("\x02", "</super>")
    )
    text = re.sub(r"\{(\d+)\}", r"<super>\1</super>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
