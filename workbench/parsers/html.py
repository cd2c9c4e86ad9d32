"""Web pages: the text a reader sees, without menus and programs, as paragraphs, lines and headings."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from lxml import etree

from workbench.contracts import Parser
from workbench.parsers._decoded import decoded
from workbench.parsers._html_text import ReadableText, cleaned_text
from workbench.parsers._whole_text import pageless
from workbench.records import Heading, ParsedFile

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_BRACKET = re.compile("[<>]")
_PROGRAM = re.compile(r"<(script|style)\b", re.I)
_PROGRAM_ENDS = {name: re.compile(f"</{name}", re.I) for name in ("script", "style")}
_LONGEST_TAG_CHARACTERS = 2_000


class Html(Parser):
    """Read web pages: the main text where the page marks it, else everything but menus."""

    VERSION: ClassVar[int] = 3
    label: ClassVar[str] = "Web page"
    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm")
    packages: ClassVar[tuple[str, ...]] = ("lxml", "charset-normalizer")

    def parsed(
        self, data: bytes, name: str, document_id: str, uri: str, password: str | None = None
    ) -> ParsedFile:
        declared = _CHARSET.search(data[:4096])
        text, warnings = decoded(data, declared[1].decode("ascii", "ignore") if declared else None)
        root, too_deep = _tree(text)
        if too_deep:
            # Nobody reads at such depth: a page gone wrong, or made to do harm. Its words are kept, not its form.
            root, _ = _tree(flat(text))
            warnings.append("The page nests its parts more than 2,000 deep, so only its words were read.")
        if root is None:
            return pageless("", name, document_id, uri)
        page = ReadableText()
        main = _main_part(root)
        page.read(root if main is None else main)
        whole, headings = page.finish()
        return pageless(whole, name, document_id, uri, _title(root, whole, headings), headings, warnings)


def _tree(text: str) -> tuple[Any, bool]:
    """Return the root of the page (None for nothing), and whether libxml2 gave up on its depth."""
    # A NUL would end the page for libxml2; without huge_tree it stops at a depth of 256 elements instead of 2,048.
    parser = etree.HTMLParser(
        encoding="utf-8",
        huge_tree=True,
        recover=True,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    data = text.replace("\x00", "").encode("utf-8", "replace")
    if not data.strip():
        return None, False
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None, False
    return root, any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)


def flat(text: str) -> str:
    """Return a page with a line end for every tag and a blank for every comment, script and style sheet.

    Of those, one that never ends loses only its first sign. Each end is looked for once: a search that finds none is
    not made again.

    >>> flat("<p>a<!-- b -->c<script>d</script >e <f g")
    '<br>a c e <f g'
    """
    kept: list[str] = []
    endless: set[str] = set()
    done = 0
    found = _BRACKET.search(text)
    while found:
        start = end = found.start()
        put = ""
        if found[0] == "<":
            end, put = _markup_end(text, start, endless)
        if end > start:
            kept += [text[done:start], put]
            done = end
        found = _BRACKET.search(text, max(end, start + 1))
    return "".join(kept) + text[done:]


def _markup_end(text: str, start: int, endless: set[str]) -> tuple[int, str]:
    """Return where the markup that begins at ``start`` ends and what to put in its place; ``start`` for a mere sign."""
    if text.startswith("<!--", start):
        end = -1 if "comment" in endless else text.find("-->", start + 4)
        if end >= 0:
            return end + 3, " "
        endless.add("comment")
        return start + 4, " "
    program = _PROGRAM.match(text, start)
    name = program[1].lower() if program else ""
    if program and name not in endless:
        closing = _PROGRAM_ENDS[name].search(text, program.end())
        if closing:
            bracket = _BRACKET.search(text, closing.end())
            if bracket and bracket[0] == ">":
                return bracket.end(), " "
            return closing.end(), " "
        endless.add(name)
    bracket = _BRACKET.search(text, start + 1)
    if bracket and bracket[0] == ">" and bracket.start() - start <= _LONGEST_TAG_CHARACTERS + 1:
        return bracket.end(), "<br>"
    return start, ""


def _main_part(root: Any) -> Any:
    """Return the one ``main`` element with words in it, None where none or several have some.

    Every element is looked at once, however the mains are nested.
    """
    if next(root.iter("main"), None) is None:
        return None
    found: list[Any] = []
    open_mains: list[tuple[Any, bool]] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        text = element.text if event == "start" else element.tail
        if event == "start" and element.tag == "main":
            open_mains.append((element, False))
        elif event == "end" and element.tag == "main":
            main, has_words = open_mains.pop()
            if has_words:
                found.append(main)
                if open_mains:
                    open_mains[-1] = open_mains[-1][0], True
        if open_mains and not open_mains[-1][1] and text and text.strip():
            open_mains[-1] = open_mains[-1][0], True
    return found[0] if len(found) == 1 else None


def _title(root: Any, text: str, headings: list[Heading]) -> str:
    for element in root.iter("title"):
        words = " ".join(cleaned_text(element.text or "").split())
        if words:
            return words
    first = next((heading for heading in headings if heading.level == 1), headings[0] if headings else None)
    return " ".join(text[first.start : first.end].split()) if first else ""
