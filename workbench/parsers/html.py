"""Web pages: the text a reader sees, without menus and programs, as paragraphs, lines and headings."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from lxml import etree

from workbench.contracts import Parser
from workbench.parsers._decoded import decoded
from workbench.parsers._letters import before_mark, cleaned
from workbench.parsers._whole_text import pageless
from workbench.records import Heading, ParsedFile

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_PROGRAM = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.I | re.S)
_MARK = re.compile(r"\s*\[?(?:\d{1,3}|[*†‡§¶]{1,3})\]?\s*")
_LEFT_OUT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "canvas",
        "audio",
        "video",
        "button",
        "select",
        "datalist",
        "dialog",
        "head",
    ]
)
_PARAGRAPHS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "details",
        "div",
        "dl",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "ul",
    ]
)
_LINES = frozenset(["br", "dd", "dt", "li", "tr", "option", "caption"])
_CELLS = frozenset({"td", "th"})
_NOTHING, _SPACE, _TAB, _LINE, _PARAGRAPH = range(5)
_JOINTS = ("", " ", "\t", "\n", "\n\n")


class Html(Parser):
    """Read web pages: the main text where the page marks it, else everything but menus."""

    VERSION: ClassVar[int] = 2
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
            root, _ = _tree(_TAG.sub("<br>", _PROGRAM.sub(" ", text)))
            warnings.append("The page nests its parts more than 2,000 deep, so only its words were read.")
        if root is None:
            return pageless("", name, document_id, uri)
        page = _Readable()
        main = [element for element in root.iter("main") if _has_words(element)]
        page.read(main[0] if len(main) == 1 else root)
        whole = "".join(page.parts)
        title = _title(root, whole, page.headings)
        return pageless(whole, name, document_id, uri, title, page.headings, warnings)


def _tree(text: str) -> tuple[Any, bool]:
    """Return the root of the page (None for nothing), and whether libxml2 gave up on its depth."""
    # A NUL would end the page for libxml2; without huge_tree it stops at a depth of 256 elements instead of 2,048.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, recover=True, no_network=True)
    data = text.replace("\x00", "").encode("utf-8", "replace")
    if not data.strip():
        return None, False
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return None, False
    return root, any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)


def _has_words(element: Any) -> bool:
    return any(text.strip() for text in element.itertext(with_tail=False))


def _title(root: Any, text: str, headings: list[Heading]) -> str:
    for element in root.iter("title"):
        words = " ".join(cleaned(element.text or "").split())
        if words:
            return words
    first = next((heading for heading in headings if heading.level == 1), headings[0] if headings else None)
    return " ".join(text[first.start : first.end].split()) if first else ""


class _Readable:
    """The text of a page as it grows: what must stand before the next word is kept until a word comes."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.headings: list[Heading] = []
        self._length = 0
        self._joint = _NOTHING
        self._kept_blanks = 0
        self._heading: int | None = None

    def read(self, root: Any) -> None:
        """Add the text under ``root``. A walk without recursion: pages nest as deeply as they like."""
        walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        skipped = None
        for event, element in walk:
            if event in ("comment", "pi"):
                if element is not root:
                    self._add(element.tail)
                continue
            tag = element.tag
            if event == "start":
                if tag in _LEFT_OUT or _is_hidden(element):
                    skipped = element
                    walk.skip_subtree()
                    continue
                self._open(tag)
                # A footnote mark is no part of the word it hangs on.
                if tag == "sup" and self._after_word() and _MARK.fullmatch("".join(element.itertext())):
                    self._joint = max(self._joint, _SPACE)
                self._add(element.text)
                continue
            if element is skipped:
                skipped = None
            else:
                self._close(tag)
            if element is not root:
                self._add(element.tail)

    def _open(self, tag: str) -> None:
        self._break(tag)
        if tag == "pre":
            self._kept_blanks += 1
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._heading = -1

    def _close(self, tag: str) -> None:
        if tag == "pre":
            self._kept_blanks -= 1
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            if self._heading is not None and 0 <= self._heading < self._length:
                self.headings.append(Heading(self._heading, self._length, int(tag[1])))
            self._heading = None
        if tag != "br":
            self._break(tag)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._joint = max(self._joint, _PARAGRAPH)
        elif tag in _LINES:
            self._joint = max(self._joint, _LINE)
        elif tag in _CELLS:
            self._joint = max(self._joint, _TAB)

    def _add(self, text: str | None) -> None:
        if not text:
            return
        if self._kept_blanks:
            lines = [
                cleaned(line).rstrip() if line.strip() else "" for line in text.expandtabs(4).split("\n")
            ]
            for number, line in enumerate(lines):
                if number:
                    self._joint = max(self._joint, _LINE)
                if line:
                    self._put(line)
            return
        kept = cleaned(text)
        words = kept.strip()
        if not words:
            self._joint = max(self._joint, _SPACE if kept else _NOTHING)
            return
        if kept[0].isspace():
            self._joint = max(self._joint, _SPACE)
        self._put(re.sub(r"\s+", " ", words))
        if kept[-1].isspace():
            self._joint = _SPACE

    def _after_word(self) -> bool:
        return bool(self.parts) and before_mark(self.parts[-1])

    def _put(self, words: str) -> None:
        joint = _JOINTS[self._joint] if self.parts else ""
        self._joint = _NOTHING
        if self._heading == -1:
            self._heading = self._length + len(joint)
        self.parts += [joint, words]
        self._length += len(joint) + len(words)


def _is_hidden(element: Any) -> bool:
    if "hidden" in element.attrib:
        return True
    style = element.get("style")
    return style is not None and _HIDDEN_STYLE.search(style) is not None
