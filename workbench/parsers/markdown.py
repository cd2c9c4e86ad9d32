"""Markdown, kept to the letter, with its headings (``#`` and underlined; not inside code)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from markdown_it import MarkdownIt

from workbench.contracts import Parser
from workbench.parsers._decoded import decoded
from workbench.parsers._whole_text import pageless
from workbench.records import Heading, ParsedFile
from workbench.spans import trimmed

_LINE_END = re.compile("\r\n|\r|\n")
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)", re.S)
_MARKUP = re.compile(r"[*_`~]+|!?\[")


class Markdown(Parser):
    """Read Markdown files as they are, and know their headings."""

    label: ClassVar[str] = "Markdown"
    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")
    packages: ClassVar[tuple[str, ...]] = ("markdown-it-py", "charset-normalizer")

    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        text, warnings = decoded(data)
        front = _FRONT_MATTER.match(text)
        found = list(_headings(text, front.end() if front else 0))
        own = _front_title(front[1]) if front else None
        title = own if own is not None else found[0][1] if found else ""
        return pageless(text, name, document_id, uri, title, [heading for heading, _ in found], warnings)


def _headings(text: str, begin: int) -> Iterator[tuple[Heading, str]]:
    """Yield every heading after ``begin`` with its words. A range holds the signs that make the line a heading."""
    body = text[begin:]
    starts = [begin, *(begin + end.end() for end in _LINE_END.finditer(body)), len(text)]
    # Inline markup makes no headings, and leaving it out is five times as fast.
    tokens = MarkdownIt("commonmark").disable("inline").parse(body)
    for i, token in enumerate(tokens):
        if token.type != "heading_open" or token.map is None:
            continue
        first, last = token.map
        span = trimmed(text, starts[first], starts[min(last, len(starts) - 1)])
        if span is not None:
            words = " ".join(_without_markup(tokens[i + 1].content).split())
            yield Heading(*span, int(token.tag[1])), words


def _front_title(front: str) -> str | None:
    """Return the title that front matter gives, None where it gives none."""
    for line in front.split("\n"):
        if line.startswith("title:"):
            title = line.removeprefix("title:").removesuffix("\r").strip(" \t")
            title = title[1:] if title[:1] in ("'", '"') else title
            return title[:-1] if title[-1:] in ("'", '"') else title
    return None


def _without_markup(words: str) -> str:
    """Return the words of a heading without the signs of emphasis and code, a link as the words that it stands on."""
    kept: list[str] = []
    done = bracket = parenthesis = 0
    for sign in _MARKUP.finditer(words):
        if sign.start() < done:
            continue
        if not sign[0].endswith("["):
            kept.append(words[done : sign.start()])
            done = sign.end()
            continue
        # Thousands of signs may wait for one and the same bracket: it is looked for once.
        bracket = _next(words, "]", sign.end(), bracket)
        if not words.startswith("](", bracket):
            continue
        parenthesis = _next(words, ")", bracket + 2, parenthesis)
        if parenthesis < len(words):
            kept += [words[done : sign.start()], words[sign.end() : bracket]]
            done = parenthesis + 1
    return "".join(kept) + words[done:]


def _next(text: str, sign: str, start: int, known: int) -> int:
    """Return the first place of ``sign`` from ``start`` on, the end of the text without one; ``known`` if it is that."""
    if known >= start:
        return known
    place = text.find(sign, start)
    return len(text) if place < 0 else place
