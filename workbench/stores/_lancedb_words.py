"""LanceDB's own full-text index over the texts of a table: made for one language, searched without a query language."""

from __future__ import annotations

from typing import Any

from workbench.contracts import Filter
from workbench.errors import SettingsError
from workbench.records import Chunk
from workbench.stores._lancedb_rows import chunks_at
from workbench.stores._lancedb_search import SPARE, filtered

_INDEX = "text_words"
_LANGUAGES = (
    "arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hungarian", "italian",
    "norwegian", "portuguese", "romanian", "russian", "spanish", "swedish", "tamil", "turkish",
)  # fmt: skip
_SLACK = 1e-6
"""Scores are float32: what differs by a smaller share is a tie as far as the cut is concerned."""


def words_language(opened: Any) -> str | None:
    """Return the language that the table's words are indexed for, ``none`` for words as they are, None without one."""
    for index in opened.list_indices():
        if index.name == _INDEX:
            details = index.index_details
            if details is None:
                return None  # it cannot be read any more: it is made anew
            return str(details["language"]).lower() if details["stem"] else "none"
    return None


def index_words(opened: Any, language: str) -> None:
    """Make the index for this language, in place of one for another."""
    from lancedb.index import FTS

    if language != "none" and language not in _LANGUAGES:
        raise SettingsError(
            f"LanceDB has no full-text index for {language}: use one of {', '.join(_LANGUAGES)}, or none"
        )
    plain = language == "none"
    config = FTS(
        language="English" if plain else language.capitalize(), stem=not plain, remove_stop_words=not plain
    )
    opened.create_index("text", config=config, name=_INDEX, replace=True)


def matching_by_lance(opened: Any, question: str, k: int, where: Filter | None) -> list[tuple[Chunk, float]]:
    """Return the best rows by BM25; rows written since the index was brought up to date are found, too."""
    from lancedb.query import MatchQuery

    fetched = k + SPARE
    while True:
        # A match query takes its text as words: no sign in it means anything else.
        query = filtered(opened.search(MatchQuery(question, "text"), query_type="fts"), where)
        keys = query.limit(fetched).select(["document_id", "ordinal", "_score"]).with_row_id(True).to_arrow()
        columns = (keys[name].to_pylist() for name in ("_score", "document_id", "ordinal", "_rowid"))
        found = sorted((-score, *rest) for score, *rest in zip(*columns, strict=True))
        # Done when there are no more rows, or when the last one is clearly behind the cut: no tie lies across it.
        if len(found) < fetched or found[-1][0] > found[k - 1][0] * (1 - _SLACK):
            chunks = chunks_at(opened, [row_id for *_, row_id in found[:k]])
            return [(chunk, -negative) for chunk, (negative, *_) in zip(chunks, found, strict=False)]
        fetched *= 4
