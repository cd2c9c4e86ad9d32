"""Text → ranges."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable
from importlib import metadata
from typing import ClassVar

import numpy as np

from workbench.analysis import TextAnalysis, Tokenizer
from workbench.contracts.plugin import Plugin
from workbench.errors import ContractError
from workbench.records import Chunk, Document, digest, text_digest
from workbench.spans import Span, trimmed


class Chunker(Plugin):
    """Text → ranges. Its author yields ranges only; slicing and numbering happen here.

    ``uses`` names what, beyond the text, changes the answer: ``tokens`` (of the embedder's tokenizer),
    ``headings`` (from the parser), ``vectors`` (of the embedder).
    """

    uses: ClassVar[frozenset[str]] = frozenset({"tokens"})
    packages: ClassVar[tuple[str, ...]] = ()
    """Installed packages that decide where it cuts: another version of one may give other chunks."""

    @abstractmethod
    def spans(self, analysis: TextAnalysis) -> Iterable[Span]:
        """Yield ranges of ``analysis.text``, increasing in start and in end; blanks at their ends are trimmed."""

    def chunks(self, document: Document, analysis: TextAnalysis) -> list[Chunk]:
        """Return the chunks of ``document`` in order, without blank ones."""
        text = document.text
        spans: list[Span] = []
        before: Span = (-1, -1)
        for raw_start, raw_end in self.spans(analysis):
            if not 0 <= raw_start <= raw_end <= len(text):
                raise ContractError(
                    f"{self.name} gave the range {raw_start}–{raw_end} of {len(text)} characters"
                )
            span = trimmed(text, raw_start, raw_end)
            if span is None or span == before:
                continue
            if span[0] < before[0] or span[1] < before[1]:
                raise ContractError(f"{self.name} gave {span[0]}–{span[1]} after {before[0]}–{before[1]}")
            before = span
            spans.append(span)
        ranges = np.array(spans, np.int64).reshape(-1, 2)
        counts = analysis.tokens.counts(ranges[:, 0], ranges[:, 1]).tolist()
        # The digest of ["chunk", document id, start, end, digest of the text]; json.dumps is slow for one chunk.
        prefix = f'["chunk",{json.dumps(document.id, ensure_ascii=False)}'
        result: list[Chunk] = []
        for (start, end), count in zip(spans, counts, strict=True):
            piece = text[start:end]
            result.append(
                Chunk(
                    id=text_digest(f'{prefix},{start},{end},"{text_digest(piece)}"]'),
                    document_id=document.id,
                    ordinal=len(result),
                    start=start,
                    end=end,
                    text=piece,
                    page_start=document.page_at(start),
                    page_end=document.page_at(end - 1),
                    token_count=count,
                )
            )
        return result

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
                [[package, _installed(package)] for package in self.packages],
            ]
        )


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
