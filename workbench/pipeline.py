"""One function per arrow: file → document → chunks → vectors → table → hits. The file to read first.

The workbench in the browser, the command line and every later runner call these functions and no others, so a
config gives the same chunks and the same vectors wherever it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from workbench import plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.config import Config
from workbench.contracts import (
    Asked,
    DocumentRows,
    EmbeddingModel,
    Filter,
    NothingKept,
    Parser,
    Passage,
    Table,
    Tick,
    no_tick,
)
from workbench.errors import InputError, SettingsError, WorkbenchError
from workbench.evaluation.library import document_name
from workbench.ingest.vector_cache import VectorCache, cached_vectors, passage_vectors
from workbench.records import Chunk, Document, Hit, ParsedFile, Query, Vectors, digest
from workbench.retrievers._words import matches
from workbench.sentences import punkt_sentences
from workbench.spans import Span
from workbench.workers import Workers

# ── file → document ──────────────────────────────────────────────────────────────────────────────────────────────


def suffixes() -> dict[str, str]:
    """Return file name ending → parser name, for every parser."""
    classes = {name: plugins.plugin_class("parsers", name) for name in plugins.names("parsers")}
    return {
        suffix: name for name, cls in classes.items() if issubclass(cls, Parser) for suffix in cls.suffixes
    }


def parser_for(file_name: str, parser: Parser) -> Parser:
    """Return ``parser`` if it reads this kind of file, else the parser that does, with its default settings.

    Raises ``InputError`` (unsupported) for other kinds.
    """
    suffix = PurePath(file_name).suffix.lower()
    if suffix in parser.suffixes:
        return parser
    known = suffixes()
    if suffix not in known:
        raise InputError(
            f"{suffix or 'a file without an ending'} is not read here; give one of {', '.join(sorted(known))}",
            "unsupported",
        )
    found: Parser = plugins.build("parsers", known[suffix])
    return found


PARSE_MEMORY_BYTES = 1536 * 2**20


def parse_timeout_s(size_bytes: int) -> float:
    """Return how long a file may take: half a minute, and a second more for every 20 kB, ten minutes at most."""
    return min(600.0, 30.0 + size_bytes / 20_000)


def parsed(
    data: bytes,
    file_name: str,
    document_id: str,
    uri: str,
    parser: Parser,
    workers: Workers,
    cancelled: Callable[[], bool] = lambda: False,
) -> ParsedFile:
    """Return the document in ``data``, read by worker processes within limits of time and memory.

    Never in this process: a small file can take gigabytes and never end. Raises ``InputError`` with its status.
    """
    return parser_for(file_name, parser).parsed_by(
        workers,
        data,
        file_name,
        document_id,
        uri,
        timeout_s=parse_timeout_s(len(data)),
        memory_bytes=PARSE_MEMORY_BYTES,
        cancelled=cancelled,
    )


def parsed_together(
    files: Sequence[tuple[bytes, str, str, str]],
    parser: Parser,
    workers: Workers,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[ParsedFile | WorkbenchError]:
    """Return what ``parsed`` gives for each of some small files, (bytes, name, document id, uri), or its error."""
    return workers.together(
        parser.parsed,
        files,
        timeout_s=parse_timeout_s(max((len(data) for data, *_ in files), default=0)),
        memory_bytes=PARSE_MEMORY_BYTES,
        cancelled=cancelled,
    )


def document_id(source: str, item_id: str) -> str:
    """Return the id that says where a text lives; what it is, its content hash says."""
    return digest(["document", source, item_id])


# ── document → chunks ────────────────────────────────────────────────────────────────────────────────────────────


def analysis(
    document: Document,
    model: EmbeddingModel,
    memo: Memo,
    cache: VectorCache | None = None,
    tick: Tick = no_tick,
) -> TextAnalysis:
    """Return what a chunker is given; sentence vectors, where one asks for them, go through the cache."""

    def sentence_vectors(texts: Sequence[str]) -> Vectors:
        alone = model.text_model
        return (
            alone.vectors(texts, tick=tick)
            if cache is None
            else cached_vectors(texts, alone, cache, tick, must_keep=False)[0]
        )

    return TextAnalysis(document.text, model.tokenizer, document.headings, memo, sentence_vectors)


def chunks(
    document: Document,
    config: Config,
    model: EmbeddingModel,
    memo: Memo,
    cache: VectorCache | None = None,
    tick: Tick = no_tick,
) -> list[Chunk]:
    """Return the chunks of one document under one config."""
    return config.chunker.chunks(document, analysis(document, model, memo, cache, tick))


def passages(document: Document, chunks: Sequence[Chunk], model: EmbeddingModel, memo: Memo) -> list[Passage]:
    """Return the chunks of one document as a model is given them: ranges of the whole text."""
    whole = analysis(document, model, memo)
    return [Passage(whole, chunk.start, chunk.end) for chunk in chunks]


def state_key(document: Document, config: Config, model: EmbeddingModel) -> str:
    """Return the key of everything that decides this document's rows in the config's table."""
    # Without metadata as before there were any, so that tables made then stay as they are.
    narrowing = [dict(document.metadata)] if document.metadata else []
    return digest(
        [config.chunker.key(document, model.tokenizer, model.id), model.id, document.id, *narrowing]
    )


# ── chunks → vectors → table ─────────────────────────────────────────────────────────────────────────────────────


GROUP_CHUNKS = 512
GROUP_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class BuildStep:
    """How far a build is; the last one is its sum. ``fraction`` is of the documents, those under way in part."""

    documents_done: int
    documents_total: int
    chunks_done: int
    embedded: int
    reused: int
    fraction: float
    note: str = ""


def write_documents(
    documents: Iterable[Document],
    count: int,
    config: Config,
    model: EmbeddingModel,
    table: Table,
    cache: VectorCache,
    memo: Memo,
    on_step: Callable[[BuildStep], None] = lambda step: None,
) -> BuildStep:
    """Make the table hold exactly these documents' chunks, doing only what is not done yet.

    Documents whose rows already have the right state key are left alone; those with some of their rows, as a store that
    died leaves them, have none. The others are embedded and committed
    in groups, so that small documents share a batch of the model; vectors reach the cache before the table does:
    whatever stops this, a second call embeds nothing twice. ``on_step`` may raise ``Cancelled``.
    """
    states = table.states()
    group: list[tuple[Document, str, list[Chunk]]] = []
    seen = done = written = embedded = 0

    def report(under_way: float = 0.0, extra: int = 0, note: str = "") -> BuildStep:
        fraction = min(1.0, (done + under_way) / max(1, count))
        step = BuildStep(done, count, written + extra, embedded, written - embedded, fraction, note)
        on_step(step)
        return step

    def flush() -> None:
        nonlocal done, written, embedded
        if not group:
            return
        found = [
            passage
            for document, _, chunks_of_one in group
            for passage in passages(document, chunks_of_one, model, memo)
        ]
        name = document_name(group[-1][0])

        def tick(ready: int, total: int) -> None:
            report(len(group) * ready / max(1, total), ready, name)

        vectors, new = passage_vectors(found, model, cache, tick)
        rows, start = [], 0
        for document, key, chunks_of_one in group:
            end = start + len(chunks_of_one)
            rows.append(DocumentRows(document.id, key, chunks_of_one, vectors[start:end], document.metadata))
            start = end
        # Replacing meets rows by their ids: what is there twice would stay twice.
        if broken := [one.document_id for one in rows if states.get(one.document_id) == ""]:
            table.drop_documents(broken)
        table.replace_documents(rows)
        done, written, embedded = seen, written + len(found), embedded + new
        group.clear()
        report(note=name)

    for document in documents:
        seen += 1
        key = state_key(document, config, model)
        if states.get(document.id) != key:
            report(note=document_name(document))
            group.append((document, key, chunks(document, config, model, memo, cache)))
        if len(group) >= GROUP_DOCUMENTS or sum(len(found) for _, _, found in group) >= GROUP_CHUNKS:
            flush()
        elif not group:
            done = seen
    flush()
    done = seen
    return report()


# ── question → hits ──────────────────────────────────────────────────────────────────────────────────────────────

LONGEST_QUESTION_CHARACTERS = 20_000


def asked(
    question: str,
    table: Table,
    model: EmbeddingModel,
    where: Filter | None = None,
    cache: VectorCache | None = None,
    document: Callable[[str], Document] | None = None,
    tick: Tick = no_tick,
) -> Asked:
    """Return a typed question as retrievers are given it.

    ``cache`` keeps what a retriever embeds beside the question, ``document`` gives documents by id for those that
    show sections, and ``tick`` is told how far the first search of a table is, which may take long. Raises
    ``InputError`` for an empty or absurdly long question, ``SettingsError`` for a table of another model.
    """
    text = question.strip()
    if not text:
        raise InputError("type a question first", "empty")
    if len(text) > LONGEST_QUESTION_CHARACTERS:
        raise InputError(
            f"the question has {len(text):,} characters; {LONGEST_QUESTION_CHARACTERS:,} is the limit",
            "too_large",
        )
    if model.dimension != table.info.dimension or table.info.about.get("model_id", model.id) != model.id:
        raise SettingsError(
            f"the table {table.info.name} was built with another model than {model.title} is now: build it again"
        )
    kept = NothingKept() if cache is None else cache
    return Asked(Query(text), table, model, where, kept, document, tick)


def hits(
    question: str,
    config: Config,
    table: Table,
    model: EmbeddingModel,
    where: Filter | None = None,
    cache: VectorCache | None = None,
    document: Callable[[str], Document] | None = None,
    tick: Tick = no_tick,
) -> list[Hit]:
    """Return the hits for a typed question, found as the config's retriever does; the rest as for ``asked``."""
    return config.retriever.hits(asked(question, table, model, where, cache, document, tick))


def matching_words(question: str, text: str, language: str = "english") -> list[Span]:
    """Return the ranges of a text that hold a word of the question, as keyword search compares words."""
    return matches(text, question, language)


LONGEST_HEADING_WORDS = 12
_ENDED = re.compile(r"""[.!?…。！？]["'”’»)\]}」』）]*$""")


def best_sentences(
    question: str, texts: Sequence[str], model: EmbeddingModel, cache: VectorCache
) -> list[Span | None]:
    """Return, per text, the sentence that is nearest to the question, as a range of that text.

    None for a text without sentences. One call of the model for all of them; known sentences cost nothing.
    """
    spans = [_telling(text, [(int(a), int(b)) for a, b in punkt_sentences(text)]) for text in texts]
    pieces = [text[start:end] for text, found in zip(texts, spans, strict=True) for start, end in found]
    if not pieces:
        return [None] * len(texts)
    rows, _ = cached_vectors(pieces, model.text_model, cache, must_keep=False)
    cosines = rows @ model.vectors([question], query=True)[0]
    result: list[Span | None] = []
    first = 0
    for found in spans:
        last = first + len(found)
        result.append(found[int(np.argmax(cosines[first:last]))] if found else None)
        first = last
    return result


def _telling(text: str, sentences: list[Span]) -> list[Span]:
    """Return the sentences proper, else those of at least four words, else all: headings say little alone."""
    long = [(start, end) for start, end in sentences if len(text[start:end].split()) >= 4]
    proper = [(start, end) for start, end in long if _is_proper(text[start:end])]
    return proper or long or sentences


def _is_proper(sentence: str) -> bool:
    """Return whether a sentence ends as one, or is longer than headings and running headers are."""
    return bool(_ENDED.search(sentence)) or len(sentence.split()) > LONGEST_HEADING_WORDS
