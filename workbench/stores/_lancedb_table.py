"""One Lance table: replacing documents in one commit, reading, searching, keeping it small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from workbench.contracts import ChunkPlace, DocumentRows, Filter, Table, TableInfo, TableRows
from workbench.errors import DamagedTableError, InputError, SettingsError
from workbench.records import Chunk, Vectors
from workbench.stores._exact import MatrixCache
from workbench.stores._index_note import IndexNote, least_cosines, recall, sample_of
from workbench.stores._lancedb_counts import add_counts, counts_of, has_counts, states_of
from workbench.stores._lancedb_damage import find_damage
from workbench.stores._lancedb_memory import buffers_given_back
from workbench.stores._lancedb_place import Place, version_of
from workbench.stores._lancedb_rows import (
    CHUNK_COLUMNS,
    arrow_rows,
    birth_of,
    chunks_at,
    chunks_of,
    drawn_rows,
    has_metadata,
    matrix_of,
    metadata_of,
    places_of,
    rows_of,
    token_counts_of,
    vectors_of,
)
from workbench.stores._lancedb_search import filtered, nearest_by_lance, vector_query
from workbench.stores._lancedb_words import index_words, matching_by_lance, words_language
from workbench.stores._rows import check_batch, cosines, query_vector

if TYPE_CHECKING:
    import pyarrow as pa

_T = TypeVar("_T")
_INDEX = "vector_idx"
_INDEXED_K = 100
"""Above this many hits the index would have to look into most of its cells: exact search is used."""
_PROBES = (10, 20, 40, 80, 160, 320)
"""Cells of about 4,096 rows (LanceDB's default) that a search looks into; five were enough at 100,000 rows."""
_MEASURED_K = 10
_FRAGMENTS = 64
"""A commit leaves a fragment, and each write opens them all: so many are joined before the next one."""
_MATRICES = MatrixCache()


class LanceTable(Table):
    """A table by its name: every call opens the newest committed version."""

    def __init__(self, place: Place, info: TableInfo) -> None:
        self._place = place
        self.info = info

    def _read(self, answer: Callable[[Any], _T]) -> _T:
        return self._place.read(self.info.name, answer)

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        name = self.info.name
        if not self._place.path(name, ".lance").is_dir():
            raise InputError(f"there is no table named {name}: build it first", "not_built")
        with self._place.writing(name):
            yield self._place.opened(name)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def replace_documents(self, batch: Sequence[DocumentRows]) -> None:
        check_batch(self.info, batch)
        if not batch:
            return
        from lancedb.expr import col

        ids = [rows.document_id for rows in batch]
        with self._writing() as opened, buffers_given_back():
            if _fragment_count(opened) > _FRAGMENTS:
                # Before writing: a failure then means that nothing was written.
                _cleaned(opened)
            theirs = col("document_id").isin(ids)
            rows = arrow_rows(self.info, batch).select(opened.schema.names)
            if not opened.search().where(theirs).select(["id"]).limit(1).to_arrow().num_rows:
                # Nothing to replace. Merging would hold the keys of the whole table beside the batch.
                opened.add(rows)
                return
            # One commit: deleting first and adding then left documents empty in 11 of 20 kills.
            merge = opened.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(theirs).execute(rows)

    def drop_documents(self, document_ids: Sequence[str]) -> None:
        from lancedb.expr import col

        ids = sorted(set(document_ids))
        # An unknown document is no reason for a commit, and none to read the other documents.
        if ids and self.states(ids):
            with self._writing() as opened:
                opened.delete(col("document_id").isin(ids))

    def index_words(self, language: str) -> None:
        if self._read(words_language) != language:
            with self._writing() as opened:
                index_words(opened, language)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def states(self, document_ids: Sequence[str] | None = None) -> dict[str, str]:
        if document_ids is not None and not document_ids:
            return {}
        return self._read(lambda opened: states_of(opened, _only(document_ids)))

    def counts(self, document_ids: Sequence[str] | None = None) -> dict[str, int]:
        if document_ids is not None and not document_ids:
            return {}
        return self._read(lambda opened: counts_of(opened, _only(document_ids)))

    def has_document_counts(self) -> bool:
        return self._read(has_counts)

    def add_document_counts(self, counts: Mapping[str, int]) -> None:
        with self._writing() as opened:
            if not has_counts(opened):
                add_counts(opened, counts)

    def row_count(self) -> int:
        return int(self._read(lambda opened: opened.count_rows()))

    def chunks(self, document_ids: Sequence[str] | None = None) -> list[Chunk]:
        if document_ids is not None and not document_ids:
            return []
        where = _only(document_ids)
        found = self._read(
            lambda t: chunks_of(filtered(t.search(), where).select(list(CHUNK_COLUMNS)).to_arrow())
        )
        return sorted(found, key=lambda chunk: (chunk.document_id, chunk.ordinal))

    def vectors(self, chunk_ids: Sequence[str] | None = None) -> tuple[list[str], Vectors]:
        from lancedb.expr import col

        if chunk_ids is not None and not chunk_ids:
            return [], np.zeros((0, self.info.dimension), np.float32)

        def rows(opened: Any) -> pa.Table:
            query = opened.search().select(["id", "document_id", "ordinal", "vector"])
            return (query if chunk_ids is None else query.where(col("id").isin(list(chunk_ids)))).to_arrow()

        found = self._read(rows)
        if chunk_ids is None:
            found = found.sort_by([("document_id", "ascending"), ("ordinal", "ascending")])
            return found["id"].to_pylist(), vectors_of(found, self.info.dimension)
        position = {chunk_id: i for i, chunk_id in enumerate(found["id"].to_pylist())}
        known = [chunk_id for chunk_id in chunk_ids if chunk_id in position]
        return known, vectors_of(found, self.info.dimension)[[position[chunk_id] for chunk_id in known]]

    def nearest(self, vector: Vectors, k: int, where: Filter | None = None) -> list[tuple[Chunk, float]]:
        asked = query_vector(self.info, vector)
        if k <= 0 or (where is not None and () in (where.document_ids, where.chunk_ids)):
            return []
        try:
            return self._read(lambda opened: self._nearest(opened, asked, k, where))
        except DamagedTableError:
            # Perhaps only the index is damaged.
            return self._read(lambda opened: self._nearest(opened, asked, k, where, with_index=False))

    def _nearest(
        self, opened: Any, vector: Vectors, k: int, where: Filter | None, with_index: bool = True
    ) -> list[tuple[Chunk, float]]:
        if where is not None and where.metadata and not has_metadata(opened):
            return []
        count = int(opened.count_rows())
        if with_index and count > self._place.store.index_above and where is None and k <= _INDEXED_K:
            note = IndexNote.read(self._place.path(self.info.name, ".index.json"), birth_of(opened.schema))
            if note is not None and len(found := nearest_by_lance(opened, vector, k, None, note.probes)) == k:
                return found
        room = self._place.store.cache_mb * 2**20
        if count * self.info.dimension * 4 > room:
            return nearest_by_lance(opened, vector, k, where, None)
        matrix = _MATRICES.matrix(
            (str(self._place.folder), self.info.name),
            # A table dropped and made again counts its versions from 1 again: its birth tells them apart.
            (birth_of(opened.schema), opened.version),
            room,
            lambda: matrix_of(opened, self.info.dimension),
        )
        positions, scores = matrix.nearest(vector, k, where)
        chunks = chunks_at(opened, matrix.row_ids[positions].tolist())
        return [(chunk, float(score)) for chunk, score in zip(chunks, scores, strict=True)]

    def matching(
        self, question: str, language: str, k: int, where: Filter | None = None
    ) -> list[tuple[Chunk, float]]:
        if k <= 0 or (where is not None and () in (where.document_ids, where.chunk_ids)):
            return []

        def answer(opened: Any) -> list[tuple[Chunk, float]] | str | None:
            indexed = words_language(opened)
            if indexed != language:
                return indexed
            if where is not None and where.metadata and not has_metadata(opened):
                return []
            return matching_by_lance(opened, question, k, where)

        try:
            found = self._read(answer)
        except DamagedTableError:
            # Perhaps only the index is damaged, which is made from the rows.
            with self._writing() as opened:
                index_words(opened, language)
            found = self._read(answer)
        if found is None:
            # Built before anybody asked for it: made now, as the first search of a table makes other things.
            self.index_words(language)
            found = self._read(answer)
        if not isinstance(found, list):
            raise SettingsError(
                f"the words of the table {self.info.name} are indexed for {found}, not for {language}: build the table "
                f"again with this config, set language: {found}, or index: memory"
            )
        return found

    def version(self) -> str:
        return self._place.version(self.info.name)

    def rows(self) -> TableRows:
        return self._read(lambda opened: rows_of(opened, self.info.dimension, version_of(opened)))

    def drawn(self, draw: Callable[[int], Sequence[int]]) -> tuple[TableRows, int]:
        return self._read(lambda opened: drawn_rows(opened, self.info.dimension, version_of(opened), draw))

    def places(self) -> list[ChunkPlace]:
        return self._read(places_of)

    def token_counts(self) -> list[int]:
        return self._read(token_counts_of)

    def metadata(self) -> dict[str, dict[str, str]]:
        return self._read(metadata_of)

    # ── keeping it small and quick ───────────────────────────────────────────────────────────────────────────────

    def size_bytes(self) -> int:
        folder = self._place.path(self.info.name, ".lance")
        total = 0
        for path in folder.rglob("*"):
            try:
                total += path.stat().st_size if path.is_file() else 0
            except FileNotFoundError:  # cleaned up by a writer while we look
                continue
        return total

    def damage(self) -> str:
        folder = self._place.path(self.info.name, ".lance")
        return self._read(lambda opened: find_damage(opened, folder))

    def optimise(self) -> str | None:
        """Join small files, remove old versions, and index the vectors when there are many.

        Returns a sentence with the measured recall of the index, or None while search is exact.
        """
        path = self._place.path(self.info.name, ".index.json")
        with self._writing() as opened, buffers_given_back():
            count = int(opened.count_rows())
            indexed = any(index.name == _INDEX for index in opened.list_indices())
            wanted = count > self._place.store.index_above
            if indexed and not wanted:
                opened.drop_index(_INDEX)
            _cleaned(opened)
            if wanted and not indexed:
                from lancedb.index import IvfFlat

                # Not IVF_PQ: its recall@10 was .44 where this one's was 1, for the same time. Made after joining
                # the files, which would move the rows under it.
                opened.create_index("vector", config=IvfFlat(distance_type="cosine"))
            opened = self._place.opened(self.info.name)
            note = self._measured(opened, count) if wanted else None
            if note is None:
                path.unlink(missing_ok=True)
            else:
                note.write(path)
            self.info = self._place.info(self.info.name, opened)
        return note.text if note else None

    def _measured(self, opened: Any, count: int) -> IndexNote:
        """Return how good the index is, with the fewest probes that reach the recall asked for."""

        def batches() -> Iterator[Vectors]:
            # Never all of them at once: a hundred thousand vectors of 384 numbers are 150 MB.
            for batch in opened.search().select(["vector"]).to_batches():
                yield batch["vector"].flatten().to_numpy().reshape(-1, self.info.dimension)

        sample = sample_of(batches(), count)
        least = least_cosines(sample, batches(), _MEASURED_K + 1)

        def search(probes: int) -> Callable[[Vectors, int], Vectors]:
            def scores(vector: Vectors, k: int) -> Vectors:
                query = vector_query(opened, vector, k).nprobes(probes).select(["vector", "_distance"])
                return cosines(vectors_of(query.to_arrow(), self.info.dimension), vector)

            return scores

        for probes in _PROBES:
            found = recall(sample, least, _MEASURED_K, search(probes))
            if found >= self._place.store.least_recall:
                break
        return IndexNote(birth_of(opened.schema), count, probes, found)


def _only(document_ids: Sequence[str] | None) -> Filter | None:
    return None if document_ids is None else Filter(document_ids=tuple(document_ids))


def _fragment_count(opened: Any) -> int:
    return int(opened.stats()["fragment_stats"]["num_fragments"])


def _cleaned(opened: Any) -> None:
    """Join small files and remove every version but the newest, with what killed writers left behind.

    Safe only under the table's lock: then no unfinished file belongs to a living writer.
    """
    from datetime import timedelta

    # Nothing is older than this; exactly 0 makes LanceDB warn about other writers.
    age = timedelta(milliseconds=1)
    try:
        opened.optimize(cleanup_older_than=age, delete_unverified=True)
    except RuntimeError as error:
        if "tagged version" not in str(error):
            raise
        # A tag somebody set protects its version; LanceDB then refuses to clean at all, the layer below does not.
        opened.to_lance().cleanup_old_versions(
            age, delete_unverified=True, error_if_tagged_old_versions=False
        )
