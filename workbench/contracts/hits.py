"""What every list of hits goes through: equal texts once, diversity, what is shown around a hit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice

import numpy as np
import regex

from workbench.contracts.asked import Asked
from workbench.errors import SettingsError
from workbench.records import Chunk, Context, Document, Hit

COMPARED = 100
"""How many of the best different texts are looked at, whatever the length of the list: for repetitions and diversity."""
_MOST_RANKED = 10_000

_TYPOGRAPHY = regex.compile(
    r"""\s|[\p{Pi}\p{Pf}"'`•·…!?()\[\]*_#|]|\p{Cf}|\p{Pd}(?!\p{Nd})|[.,:;](?!\p{Nd})"""
)


@lru_cache(maxsize=8_192)
def folded(text: str) -> str:
    """Return what two texts share that differ in their typography only: near-identical texts.

    Letters, digits and signs such as < and % count; capitals, blanks, line ends, hyphens, quotes, brackets, list
    marks and marks between sentences do not. A number keeps its sign and its points: 1.5 is not 15.

    >>> folded("The “Quick-\\nstart” guide.") == folded("the quickstart guide")
    True
    >>> folded("at most 1.5 kg") == folded("at most 15 kg")
    False
    """
    return str(_TYPOGRAPHY.sub("", unicodedata.normalize("NFKC", text).casefold()))


def first(ranked: Iterator[Hit], count: int) -> list[Hit]:
    """Return the first ``count`` hits."""
    return list(islice(ranked, count))


def once(ranked: Iterator[Hit], count: int) -> list[Hit]:
    """Return the first ``count`` hits whose texts differ; chunks with a near-identical text are their ``also``.

    A text of typography alone is like no other. ``_MOST_RANKED`` hits are looked at, at most.
    """
    found: dict[str, list[Hit]] = {}
    for hit in islice(ranked, _MOST_RANKED):
        found.setdefault(folded(hit.chunk.text) or f"\0{hit.chunk.id}", []).append(hit)
        if len(found) == count:
            break
    return [
        replace(shown, also=tuple(hit.chunk for hit in others)) if others else shown
        for shown, *others in found.values()
    ]


def diverse(hits: Sequence[Hit], asked: Asked, diversity: float) -> list[Hit]:
    """Return the hits by maximal marginal relevance: relevance less likeness to a hit that is shown before.

    Score = (1 - diversity) x relevance - diversity x the largest cosine to a better hit (0 where that is below).
    Relevance is 1 for the best of the first ``COMPARED`` hits and 0 for the last. Hits beyond those keep their
    order and count as repetitions in full. Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025
    """
    first, rest = list(hits[:COMPARED]), hits[COMPARED:]
    if not first:
        return []
    ids, vectors = asked.table.vectors([hit.chunk.id for hit in first])
    row = {chunk_id: number for number, chunk_id in enumerate(ids)}
    first = [hit for hit in first if hit.chunk.id in row]
    vectors = vectors[[row[hit.chunk.id] for hit in first]].astype(np.float64)
    lowest, span = first[-1].score, (first[0].score - first[-1].score) or 1.0
    relevance = np.array([(hit.score - lowest) / span for hit in first])
    likeness = np.zeros(len(first))
    left = list(range(len(first)))
    result = []
    while left:
        scores = (1 - diversity) * relevance[left] - diversity * likeness[left]
        chosen = left.pop(int(np.argmax(scores)))
        result.append(_diverse(first[chosen], relevance[chosen], likeness[chosen], diversity))
        likeness = np.maximum(likeness, np.clip(vectors @ vectors[chosen], 0, 1))
    result += [_diverse(hit, (hit.score - lowest) / span, 1.0, diversity) for hit in rest]
    return result


def _diverse(hit: Hit, relevance: float, likeness: float, diversity: float) -> Hit:
    parts = {"relevance": float((1 - diversity) * relevance), "repetition": float(-diversity * likeness)}
    return replace(hit, score=sum(parts.values()), parts=parts, details={**hit.details, **hit.parts})


def with_neighbours(hits: Sequence[Hit], asked: Asked, count: int) -> list[Hit]:
    """Return the hits with up to ``count`` chunks of their document shown before and after them."""
    chunks: dict[str, list[Chunk]] = {}
    for chunk in asked.table.chunks(sorted({hit.chunk.document_id for hit in hits})):
        chunks.setdefault(chunk.document_id, []).append(chunk)
    return [_among(hit, chunks.get(hit.chunk.document_id, []), count, asked) for hit in hits]


def _among(hit: Hit, chunks: Sequence[Chunk], count: int, asked: Asked) -> Hit:
    place = next((i for i, chunk in enumerate(chunks) if chunk.id == hit.chunk.id), None)
    if place is None:  # the document was replaced between the two readings
        return hit
    shown = chunks[max(0, place - count) : place + count + 1]
    end, tokens = shown[0].start, 0
    for chunk in shown:
        # Where chunks overlap, the tokens of what comes new are counted.
        new = chunk.text[max(0, end - chunk.start) :]
        tokens += chunk.token_count if new == chunk.text else len(asked.model.tokenizer.offsets(new))
        end = max(end, chunk.end)
    return replace(hit, context=Context(shown[0].start, end, tokens))


def with_sections(hits: Sequence[Hit], asked: Asked) -> list[Hit]:
    """Return the hits with their whole section shown: from the heading above them to the next one.

    A chunk that reaches over several sections is shown with all of them; a document without headings as it is.
    """
    if asked.document is None:
        raise SettingsError(
            "context: section needs the documents, which are not at hand here: use neighbours"
        )
    documents: Mapping[str, Document] = {
        document_id: asked.document(document_id)
        for document_id in sorted({hit.chunk.document_id for hit in hits})
    }
    result = []
    for hit in hits:
        document = documents[hit.chunk.document_id]
        bounds = sorted({0, len(document.text), *(heading.start for heading in document.headings)})
        if not document.headings:
            result.append(hit)
            continue
        start = max(bound for bound in bounds if bound <= hit.chunk.start)
        end = min(bound for bound in bounds if bound >= hit.chunk.end)
        piece = document.text[start:end].rstrip()
        tokens = len(asked.model.tokenizer.offsets(piece))
        result.append(replace(hit, context=Context(start, max(start + len(piece), hit.chunk.end), tokens)))
    return result
