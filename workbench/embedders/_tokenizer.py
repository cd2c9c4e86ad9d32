"""A model's own tokenizer, read from its ``tokenizer.json`` without the model."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer as Definition

from workbench.analysis import Ranges
from workbench.records import digest

PIECE_CHARACTERS = 16_384
PIECES_AT_ONCE = 64
LOOK_BACK_CHARACTERS = 4_096

_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = frozenset(" \t\n\r")
# Bert makes a token of every mark; a special token such as [SEP] must not lose its last character, though.
_MARKS = frozenset(string.punctuation) - frozenset("]>")

TokenIds = npt.NDArray[np.int64]


class HuggingFaceTokenizer:
    """Token ranges of texts of any length, and the token ids that a model is given.

    ``definition`` is the content of a ``tokenizer.json``. Long texts are tokenised in pieces, on all cores and
    in bounded memory. Pieces are cut where a Bert tokenizer separates words anyway, so they give what the whole
    gives; other tokenizers are cut at single blanks between words.
    """

    def __init__(self, definition: str) -> None:
        self._definition = definition
        content = json.loads(definition)
        # Both are switched off here: files that differ in them only describe one tokenizer.
        content.pop("truncation", None)
        content.pop("padding", None)
        self.id = digest(["tokenizer", 1, content])
        self._bert = (content.get("pre_tokenizer") or {}).get("type") == "BertPreTokenizer"
        self._ideographs = self._bert and bool(
            (content.get("normalizer") or {}).get("handle_chinese_chars", False)
        )
        self._whole = self._without_limits()
        self.special_count: int = self._whole.num_special_tokens_to_add(False)

    def _without_limits(self) -> Any:
        made = Definition.from_str(self._definition)
        made.no_truncation()
        made.no_padding()
        return made

    def offsets(self, text: str) -> Ranges:
        """Return the tokens of ``text`` as ``(n, 2)`` ranges in code points, without special tokens.

        Neither column ever falls. Tokens that share a character (a syllable that is taken apart) share its range.
        """
        if not text:
            return np.zeros((0, 2), np.int64)
        found: list[Ranges] = []
        start = 0
        for piece, encoding in self._encoded(text):
            flat = encoding.offsets
            ranges = np.fromiter(chain.from_iterable(flat), np.int64, 2 * len(flat)).reshape(-1, 2)
            found.append(ranges + start)
            start += len(piece)
        whole = np.concatenate(found)
        found.clear()
        return _ordered(whole, len(text))

    def ids(self, text: str) -> TokenIds:
        """Return the ids of the tokens whose ranges ``offsets`` gives: ``(n,) int64``, without special tokens."""
        return np.concatenate(
            [np.zeros(0, np.int64), *(np.array(e.ids, np.int64) for _, e in self._encoded(text))]
        )

    @cached_property
    def frame(self) -> tuple[TokenIds, TokenIds]:
        """The special tokens that stand before and after the tokens of an input."""
        framed, bare = (self._whole.encode("a", add_special_tokens=special).ids for special in (True, False))
        before = next(at for at in range(len(framed)) if framed[at : at + len(bare)] == bare)
        return np.array(framed[:before], np.int64), np.array(framed[before + len(bare) :], np.int64)

    def _encoded(self, text: str) -> Iterator[tuple[str, Any]]:
        pieces = self.pieces(text)
        while group := list(islice(pieces, PIECES_AT_ONCE)):
            yield from zip(group, self._whole.encode_batch(group, add_special_tokens=False), strict=True)

    def pieces(self, text: str) -> Iterator[str]:
        """Yield ``text`` in pieces of at most ``PIECE_CHARACTERS``, in order, that are tokenised one by one."""
        text = valid(text)
        start = 0
        while len(text) - start > PIECE_CHARACTERS:
            end = self._cut(text, start + PIECE_CHARACTERS)
            yield text[start:end]
            start = end
        yield text[start:]

    def _cut(self, text: str, latest: int) -> int:
        for place in range(latest, latest - LOOK_BACK_CHARACTERS, -1):
            here = text[place]
            if self._bert:
                if here in _BLANKS or here in _MARKS or (self._ideographs and "\u4e00" <= here <= "\u9fff"):
                    return place
            elif here == " " and text[place - 1].isalnum() and text[place + 1 : place + 2].isalnum():
                return place
        # One unbroken run of thousands of characters: not a word of any language, so any place will do.
        return latest

    def truncating(self, window_tokens: int) -> TruncatingTokenizer:
        """Return the tokenizer that gives a model its ids: special tokens and the first ``window_tokens``."""
        made = self._without_limits()
        made.enable_truncation(window_tokens + self.special_count)
        return TruncatingTokenizer(self, made, window_tokens)


class TruncatingTokenizer:
    """Gives the ids of texts, cut to a model's window."""

    def __init__(self, whole: HuggingFaceTokenizer, limited: Any, window_tokens: int) -> None:
        self._whole = whole
        self._limited = limited
        self._window_tokens = window_tokens

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """Return the token ids of each text, special tokens included."""
        heads = [self._head(text) for text in texts]
        return [np.array(e.ids, np.int64) for e in self._limited.encode_batch_fast(heads)]

    def _head(self, text: str) -> str:
        # A text of megabytes is not tokenised to its end for the sake of its first page.
        if len(text) <= 2 * PIECE_CHARACTERS:
            return valid(text)
        head = ""
        count = 0
        for piece in self._whole.pieces(text):
            head += piece
            count += len(self._whole.offsets(piece))
            if count >= self._window_tokens:
                break
        return head


def valid(text: str) -> str:
    """Return ``text`` with lone surrogates replaced, which no tokenizer takes; the length stays the same."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _ordered(ranges: Ranges, length: int) -> Ranges:
    # Normalisation may give a token no character of its own (a word mark before a text) or two tokens in turn
    # the same ones: every token gets a character, and neither column falls, so that binary search may be used.
    # In place: a text of many megabytes has tens of millions of tokens.
    starts, ends = ranges[:, 0], ranges[:, 1]
    np.minimum(starts, length - 1, out=starts)
    np.maximum.accumulate(starts, out=starts)
    np.maximum(ends, starts + 1, out=ends)
    np.maximum.accumulate(ends, out=ends)
    return ranges
