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
_FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*\r?$", re.M)
_MARKUP = re.compile(r"[*_`~]+|!?\[([^\]]*)\]\([^)]*\)")


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
        own = _FRONT_TITLE.search(front[1]) if front else None
        title = own[1] if own else found[0][1] if found else ""
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
            words = " ".join(_MARKUP.sub(r"\1", tokens[i + 1].content).split())
            yield Heading(*span, int(token.tag[1])), words
