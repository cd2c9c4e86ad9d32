"""Text → ranges."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from workbench import outline, sentences
from workbench.analysis import TextAnalysis, Tokenizer
from workbench.contracts.plugin import Plugin, installed
from workbench.errors import ContractError
from workbench.records import Chunk, Document, digest, text_digest
from workbench.spans import Span, trimmed


def chunk_id(document_id: str, start: int, end: int, text: str) -> str:
    """Return the id of a chunk: repeated texts have different ones."""
    return digest(["chunk", document_id, start, end, text_digest(text)])


class Chunker(Plugin):
    """Text → ranges. Its author yields ranges only; slicing and numbering happen here.

    ``uses`` names what, beyond the text, changes the answer: ``tokens`` (of the embedder's tokenizer),
    ``headings`` (from the parser), ``vectors`` (of the embedder).
    """

    uses: ClassVar[frozenset[str]] = frozenset({"tokens"})

    @abstractmethod
    def spans(self, analysis: TextAnalysis) -> Iterable[Span]:
        """Yield ranges of ``analysis.text``, increasing in start and in end; blanks at their ends are trimmed."""

    def chunks(self, document: Document, analysis: TextAnalysis) -> list[Chunk]:
        """Return the chunks of ``document`` in order, without blank ones."""
        text = document.text
        spans = self._checked_spans(analysis, text)
        ranges = np.array(spans, np.int64).reshape(-1, 2)
        counts = analysis.tokens.counts(ranges[:, 0], ranges[:, 1]).tolist()
        first_pages = document.pages_at(ranges[:, 0])
        last_pages = document.pages_at(ranges[:, 1] - 1)
        # As chunk_id gives it; json.dumps is slow for one chunk.
        prefix = f'["chunk",{json.dumps(document.id, ensure_ascii=False)}'
        result: list[Chunk] = []
        for ordinal, (start, end) in enumerate(spans):
            piece = text[start:end]
            key = text_digest(f'{prefix},{start},{end},"{text_digest(piece)}"]')
            # By position: names cost a third more, for each of many thousands.
            result.append(
                Chunk(
                    key,
                    document.id,
                    ordinal,
                    start,
                    end,
                    piece,
                    first_pages[ordinal],
                    last_pages[ordinal],
                    counts[ordinal],
                )
            )
        return result

    def _checked_spans(self, analysis: TextAnalysis, text: str) -> list[Span]:
        spans: list[Span] = []
        last_start = last_end = -1
        length = len(text)
        for start, end in self.spans(analysis):
            if not 0 <= start <= end <= length:
                raise ContractError(f"{self.name} gave the range {start}–{end} of {length} characters")
            if start == end or text[start].isspace() or text[end - 1].isspace():
                span = trimmed(text, start, end)
                if span is None:
                    continue
                start, end = span
            if start == last_start and end == last_end:
                continue
            if start < last_start or end < last_end:
                raise ContractError(f"{self.name} gave {start}–{end} after {last_start}–{last_end}")
            if start == last_start:
                # But for blanks that are trimmed they began at two places; all of the first is in the second.
                spans.pop()
            last_start, last_end = start, end
            spans.append((start, end))
        return spans

    def key(self, document: Document, tokenizer: Tokenizer, embedder_id: str) -> str:
        """Return the chunk key. Chunks carry a token count, so the tokenizer is always part of it."""
        return digest(
            [
                "chunks",
                document.text_hash,
                [[p.number, p.start, p.end] for p in document.pages],
                [[h.start, h.end, h.level] for h in document.headings] if "headings" in self.uses else None,
                self.identity(),
                tokenizer.id,
                embedder_id if "vectors" in self.uses else None,
                self.package_versions(),
                # What every chunker stands on: words and graphemes, and where sentences begin.
                [outline.VERSION, sentences.VERSION, installed("regex")],
            ]
        )
