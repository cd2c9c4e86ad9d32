"""One function per arrow: file → document → chunks → vectors → table → hits. The file to read first.

The workbench in the browser, the command line and every later runner call these functions and no others, so a
config gives the same chunks and the same vectors wherever it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from workbench import plugins
from workbench.analysis import Memo, TextAnalysis
from workbench.config import Config
from workbench.contracts import DocumentRows, EmbeddingModel, Filter, Parser, Table, Tick, no_tick
from workbench.errors import InputError, SettingsError
from workbench.ingest.vector_cache import VectorCache, cached_vectors
from workbench.records import Chunk, Document, Hit, ParsedFile, Query, Vectors, digest

# ── file → document ──────────────────────────────────────────────────────────────────────────────────────────────


def suffixes() -> dict[str, str]:
    """Return file name ending → parser name, for every parser."""
    return {
        suffix: name
        for name in plugins.names("parsers")
        for suffix in plugins.plugin_class("parsers", name).suffixes
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


def parsed(
    data: bytes, file_name: str, document_id: str, uri: str, parser: Parser, password: str | None = None
) -> ParsedFile:
    """Return the document in ``data``. In this process: callers that face unknown files use worker processes."""
    return parser_for(file_name, parser).parsed(data, file_name, document_id, uri, password)


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
        return (
            model.vectors(texts, tick=tick) if cache is None else cached_vectors(texts, model, cache, tick)[0]
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


def state_key(document: Document, config: Config, model: EmbeddingModel) -> str:
    """Return the key of everything that decides this document's rows in the config's table."""
    return digest([config.chunker.key(document, model.tokenizer, model.id), model.id, document.id])


# ── chunks → vectors → table ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One step of a build as it happens, and at its end the sum."""

    documents_done: int
    documents_total: int
    chunks_done: int
    embedded: int
    reused: int
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
    group: int = 16,
) -> BuildStep:
    """Make the table hold exactly these documents' chunks, doing only what is not done yet.

    Documents whose rows already have the right state key are left alone. Rows are committed in groups, each at
    once, and vectors reach the cache before that: whatever stops this, a second call embeds nothing twice.
    ``on_step`` may raise ``Cancelled``.
    """
    states = table.states()
    step = BuildStep(0, count, 0, 0, 0)
    pending: list[DocumentRows] = []

    def commit() -> None:
        if pending:
            table.replace_documents(pending)
            pending.clear()

    for number, document in enumerate(documents, start=1):
        key = state_key(document, config, model)
        if states.get(document.id) == key:
            step = BuildStep(number, count, step.chunks_done, step.embedded, step.reused, document.title)
            on_step(step)
            continue
        found = chunks(document, config, model, memo, cache)
        before = step

        def tick(done: int, total: int, before: BuildStep = before, title: str = document.title) -> None:
            on_step(
                BuildStep(
                    before.documents_done,
                    count,
                    before.chunks_done + done,
                    before.embedded,
                    before.reused,
                    title,
                )
            )

        vectors, embedded = cached_vectors([c.text for c in found], model, cache, tick)
        pending.append(DocumentRows(document.id, key, found, vectors))
        step = BuildStep(
            number,
            count,
            before.chunks_done + len(found),
            before.embedded + embedded,
            before.reused + len(found) - embedded,
            document.title,
        )
        if len(pending) >= group or sum(len(rows.chunks) for rows in pending) >= 2_000:
            commit()
        on_step(step)
    commit()
    return step


# ── question → hits ──────────────────────────────────────────────────────────────────────────────────────────────

LONGEST_QUESTION_CHARACTERS = 20_000


def hits(
    question: str, config: Config, table: Table, model: EmbeddingModel, where: Filter | None = None
) -> list[Hit]:
    """Return the hits for a typed question; raises ``InputError`` for an empty or absurdly long one."""
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
    return config.retriever.hits(Query(text), table, model, where)


def best_sentence(
    question: str, text: str, sentences: Sequence[tuple[int, int]], model: EmbeddingModel
) -> int | None:
    """Return the index of the sentence of ``text`` that is nearest to the question, or None without sentences."""
    if len(sentences) < 2:
        return 0 if sentences else None
    rows = model.vectors([text[start:end] for start, end in sentences])
    return int(np.argmax(rows @ model.vectors([question], query=True)[0]))
