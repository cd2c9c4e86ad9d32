"""Texts that chunkers find hard, and a tokenizer that needs no model."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from workbench.analysis import Memo, Ranges, TextAnalysis, Tokenizer
from workbench.records import Document, Heading, Page, Vectors

FAMILY = "\N{WOMAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}"
FLAGS = "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1ea\U0001f1f8"
STACKED = "e\u0301\u0323\u0308"
PARTS = (
    "word",
    "The bus left at 8 a.m. on Monday.",
    "Dr. Ray saw it; she said nothing, though.",
    "Again and again.",
    "Again and again.",
    "Really?!",
    "“No,” he said.",
    "x" * 70,
    "1234567890",
    "https://example.org/a/very/long/path?with=query&and=more#fragment",
    FAMILY,
    FAMILY * 4,
    FLAGS,
    STACKED * 12,
    "n" + "\u0303" * 30,
    "漢字かな交じり文です。次の文です！",
    "が\u3099か\u3099",
    "한국어 문장입니다. 각각의 낱말.",
    "\u1112\u1161\u11ab\u1100\u1173\u11af" * 3,
    "नमस्ते दुनिया। क्ष्म",
    "مرحبا بالعالم. كيف الحال؟",
    "- item",
    "...",
    "\u200b",
    "\x00",
    "\ufeff",
    "\ud800",
)
BLANKS = (
    "",
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\n\n",
    "\r\n\r\n",
    "\t",
    "\u00a0",
    "\u2028",
    "\u2029",
    " \n \n ",
)

texts = st.lists(
    st.tuples(st.sampled_from(PARTS) | st.text(max_size=12), st.sampled_from(BLANKS)), max_size=40
).map(lambda pairs: "".join(part + blank for part, blank in pairs))


class ShortTokens:
    """A token is up to four letters or one mark. Counts how often it is asked."""

    id = "up to four letters"

    def __init__(self) -> None:
        self.calls = 0

    def offsets(self, text: str) -> Ranges:
        self.calls += 1
        return np.array([m.span() for m in re.finditer(r"\w{1,4}|[^\w\s]", text)], np.int64).reshape(-1, 2)


class UnknownWords:
    """Makes one token of what stands between blanks, however long, and none of NULs and dashes, as tokenizers may."""

    id = "whole words"

    def offsets(self, text: str) -> Ranges:
        return np.array([m.span() for m in re.finditer(r"[^\s\x00-]+", text)], np.int64).reshape(-1, 2)


UNBROKEN = (
    "x",
    "QmFzZTY0+/",
    "漢",
    "ไทย",
    "한",
    "-",
    "\x00",
    "e\u0301\u0323",
    FAMILY,
    "a.",
    "),",
    " ",
    "\n",
    "\u0301",
)
"""What makes a text without a place to cut, repeated often enough."""
unbroken_texts = st.lists(
    st.tuples(st.sampled_from((*UNBROKEN, "word ", "One. Two. ")), st.integers(1, 2_000)),
    min_size=1,
    max_size=5,
).map(lambda pairs: "".join(part * count for part, count in pairs))


class CountingMemo(Memo):
    """Counts how often each key is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.computed: dict[str, int] = {}

    def ranges(self, key, compute, *, on_disk=True):  # type: ignore[no-untyped-def]
        def counted() -> Ranges:
            self.computed[key] = self.computed.get(key, 0) + 1
            return compute()

        return super().ranges(key, counted, on_disk=on_disk)


def arbitrary_vectors(texts: Sequence[str]) -> Vectors:
    """Return unit vectors that depend on nothing but the text."""
    rows = [
        np.frombuffer(hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest(), np.uint8)
        for text in texts
    ]
    matrix = np.array(rows, np.float32).reshape(-1, 64) - 127.4
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def document_of(text: str) -> Document:
    """Return a document with a heading at every seventh line and three pages."""
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    headings = [
        Heading(s, min(s + 5, len(text)), 1 + i % 3) for i, s in enumerate(starts[::7]) if s < len(text)
    ]
    third = len(text) // 3
    pages = (Page(1, 0, third), Page(2, third, 2 * third), Page(3, 2 * third, len(text)))
    return Document("document", text, pages, "title", "uri", tuple(headings))


def analysis_of(
    document: Document, memo: Memo | None = None, tokenizer: Tokenizer | None = None
) -> TextAnalysis:
    """Return what a chunker is given for this document."""
    return TextAnalysis(
        document.text, tokenizer or ShortTokens(), document.headings, memo or Memo(), arbitrary_vectors
    )
