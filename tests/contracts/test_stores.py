"""What is true of every store. Its subjects are found by listing the folder; ``memory`` is the oracle."""

from __future__ import annotations

import re
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stores.made_rows import DIMENSION, directions, document_id, rows, rows_with
from tests.stores.plugged_in import one_place, plugged_in
from workbench import plugins
from workbench.contracts import DocumentRows, Filter, StoreConnection, Table, TableInfo, VectorStore
from workbench.errors import ContractError, InputError, SettingsError
from workbench.records import Chunk, digest

ABOUT = {"config": 'name: "ü"\nembedder: {}\n', "fingerprint": "ab" * 16, "model_id": "m"}
AWKWARD = [
    "O'Brien",
    "x' OR 1=1; DROP TABLE chunks; --",
    '"quoted" `ticks` \\ back % _ {} ${HOME}',
    "🧑‍🚀 e\u0301 \u202eright to left\u202c 漢字",
    "bell \x07, escape \x1b, unit \x1f, delete \x7f",
    "line\nbreaks\r\nand\ttabs\u2028",
    "\x00 a NUL",
    " ",
    "long " * 20_000,
]


@pytest.fixture(params=[*plugins.names("stores"), "one_place"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with plugged_in():
        place = {"address": str(tmp_path / "server.db")} if request.param == "one_place" else {}
        yield plugins.build("stores", request.param, place)


def connected(store: VectorStore, folder: Path) -> StoreConnection:
    """The tables of a workspace in this folder; each has a namespace of its own."""
    return store.connection(folder, f"w{digest([str(folder)])[:12]}")


@pytest.fixture
def connection(store: VectorStore, tmp_path: Path) -> StoreConnection:
    return connected(store, tmp_path)


@pytest.fixture
def table(connection: StoreConnection) -> Table:
    return connection.create(TableInfo("t", DIMENSION, ABOUT))


def _ids(found: list[tuple[Chunk, float]]) -> list[tuple[str, int]]:
    return [(chunk.document_id, chunk.ordinal) for chunk, _ in found]


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_table_is_survives_reopening(store: VectorStore, tmp_path: Path) -> None:
    connected(store, tmp_path).create(TableInfo("fixed__hashing__0123456789ab", DIMENSION, ABOUT))
    again = connected(store, tmp_path).table("fixed__hashing__0123456789ab").info
    assert (again.name, again.dimension, dict(again.about)) == (
        "fixed__hashing__0123456789ab",
        DIMENSION,
        ABOUT,
    )


def test_rows_survive_reopening(store: VectorStore, tmp_path: Path) -> None:
    written = rows(1, [0, 1, 2])
    connected(store, tmp_path).create(TableInfo("t", DIMENSION)).replace_documents([written])
    again = connected(store, tmp_path).table("t")
    assert again.chunks() == written.chunks
    assert again.states() == {written.document_id: written.state_key}
    ids, vectors = again.vectors()
    assert ids == [chunk.id for chunk in written.chunks]
    assert np.array_equal(vectors, written.vectors)


def test_making_a_table_twice_keeps_its_rows(connection: StoreConnection, table: Table) -> None:
    table.replace_documents([rows(1, [0])])
    again = connection.create(TableInfo("t", DIMENSION, {"config": "another"}))
    assert again.row_count() == 1
    assert again.info.about["config"] == ABOUT["config"]


def test_another_dimension_is_refused(connection: StoreConnection, table: Table) -> None:
    with pytest.raises(SettingsError, match="8 numbers"):
        connection.create(TableInfo("t", 4))


def test_tables_are_listed_by_name(connection: StoreConnection) -> None:
    assert connection.tables() == []
    for name in ("b", "a.b-c", "B_1"):
        connection.create(TableInfo(name, DIMENSION, ABOUT))
    assert [info.name for info in connection.tables()] == ["B_1", "a.b-c", "b"]
    assert all(info.dimension == DIMENSION and dict(info.about) == ABOUT for info in connection.tables())


def test_two_folders_share_nothing(store: VectorStore, tmp_path: Path) -> None:
    connected(store, tmp_path / "one").create(TableInfo("t", DIMENSION))
    assert connected(store, tmp_path / "two").tables() == []


def test_a_dropped_table_is_gone_and_can_be_made_again(connection: StoreConnection, table: Table) -> None:
    table.replace_documents([rows(1, [0])])
    table.nearest(directions()[0], 1)
    connection.drop("t")
    connection.drop("t")
    assert connection.tables() == []
    with pytest.raises(InputError, match="no table named t"):
        table.states()
    with pytest.raises(InputError, match="no table named t"):
        table.replace_documents([rows(2, [0])])
    again = connection.create(TableInfo("t", DIMENSION))
    again.replace_documents([rows(2, [0])])
    assert _ids(again.nearest(directions()[0], 5)) == [(document_id(2), 0)]


def test_an_unknown_table_is_an_input_error(connection: StoreConnection) -> None:
    with pytest.raises(InputError, match="no table named nothing"):
        connection.table("nothing")


@pytest.mark.parametrize(
    "name", ["", "..", "../up", "a/b", "a b", "tä", "x' OR 1=1", ".hidden", "n" * 300, "a\n"]
)
def test_names_that_are_no_file_names_are_refused(connection: StoreConnection, name: str) -> None:
    for use in (connection.table, connection.drop, lambda n: connection.create(TableInfo(n, DIMENSION))):
        with pytest.raises(SettingsError, match="table name"):
            use(name)


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_table_answers_everything_with_nothing(table: Table) -> None:
    assert table.states() == {}
    assert table.row_count() == 0
    assert table.chunks() == []
    assert table.nearest(directions()[0], 5) == []
    ids, vectors = table.vectors()
    assert (ids, vectors.shape, vectors.dtype) == ([], (0, DIMENSION), np.float32)
    assert table.optimise() is None
    table.replace_documents([])
    table.drop_documents([])
    table.drop_documents([document_id(9)])
    assert table.row_count() == 0


def test_replacing_leaves_nothing_of_the_old_version(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1, 2, 3]), rows(2, [4])])
    table.replace_documents([rows(1, [5, 4], version="2")])
    assert [chunk.text for chunk in table.chunks([document_id(1)])] == [
        "document 1, version 2, chunk 0",
        "document 1, version 2, chunk 1",
    ]
    assert table.states() == {document_id(1): "state 2", document_id(2): "state 1"}
    assert table.row_count() == 3


def test_a_document_replaced_by_no_chunks_is_dropped(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1]), rows(2, [2])])
    table.replace_documents([rows(1, [], version="2")])
    assert table.states() == {document_id(2): "state 1"}


def test_a_dropped_document_is_not_found_again(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1]), rows(2, [0])])
    assert len(table.nearest(directions()[0], 9)) == 3
    table.drop_documents([document_id(1), document_id(7)])
    assert _ids(table.nearest(directions()[0], 9)) == [(document_id(2), 0)]
    assert table.chunks([document_id(1)]) == []


def test_awkward_texts_come_back_to_the_letter(table: Table) -> None:
    table.replace_documents([rows(1, [i % 6 for i in range(len(AWKWARD))], texts=AWKWARD)])
    assert [chunk.text for chunk in table.chunks()] == AWKWARD
    assert {chunk.text for chunk, _ in table.nearest(directions()[0], 99)} == set(AWKWARD)


def test_ids_are_never_read_as_a_language(table: Table) -> None:
    """A document id from an address bar is data: it can match nothing but itself."""
    table.replace_documents([rows(1, [0]), rows(2, [1])])
    for hostile in ("' OR 1=1 --", "x') OR document_id LIKE ('%", '"', "\\", ""):
        table.drop_documents([hostile])
        assert table.chunks([hostile]) == []
        assert table.nearest(directions()[0], 5, Filter(document_ids=(hostile,))) == []
        assert table.vectors([hostile])[0] == []
    assert table.row_count() == 2


@pytest.mark.parametrize(
    "spoil, error",
    [
        (lambda v: v * 2, ContractError),
        (lambda v: v * 0, ContractError),
        (lambda v: np.where(np.arange(DIMENSION) == 3, np.nan, v).astype(np.float32), ContractError),
        (lambda v: np.where(np.arange(DIMENSION) == 3, np.inf, v).astype(np.float32), ContractError),
        (lambda v: v.astype(np.float64), ContractError),
        (lambda v: v[:1], ContractError),
        (lambda v: v[:, :4] / np.linalg.norm(v[:, :4], axis=1, keepdims=True), SettingsError),
    ],
    ids=["not unit", "zero", "nan", "infinity", "float64", "too few", "another dimension"],
)
def test_wrong_vectors_are_refused_before_anything_is_written(table: Table, spoil, error) -> None:  # type: ignore[no-untyped-def]
    table.replace_documents([rows(1, [0, 1])])
    good, bad = rows(1, [2], version="2"), rows(2, [0, 1])
    with pytest.raises(error):
        table.replace_documents([good, replace(bad, vectors=spoil(bad.vectors))])
    assert table.states() == {document_id(1): "state 1"}
    assert table.row_count() == 2


def test_a_batch_that_contradicts_itself_is_refused(table: Table) -> None:
    one = rows(1, [0, 1])
    with pytest.raises(ContractError, match="twice"):
        table.replace_documents([one, rows(1, [2], version="2")])
    with pytest.raises(ContractError, match="unique"):
        table.replace_documents(
            [replace(one, chunks=[one.chunks[0], replace(one.chunks[1], id=one.chunks[0].id)])]
        )
    with pytest.raises(ContractError, match="document"):
        table.replace_documents([replace(one, document_id=document_id(2))])
    with pytest.raises(InputError, match="surrogate"):
        table.replace_documents([rows(1, [0], texts=["half \ud83d"])])
    assert table.row_count() == 0


# ── documents that are not whole ─────────────────────────────────────────────────────────────────────────────────


def test_states_and_counts_can_be_asked_for_some_documents(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1, 2]), rows(2, [3], version="2")])
    assert table.counts() == {document_id(1): 3, document_id(2): 1}
    assert table.counts([document_id(2), document_id(9), "' OR 1=1 --"]) == {document_id(2): 1}
    assert table.states([document_id(2), document_id(9), "' OR 1=1 --"]) == {document_id(2): "state 2"}
    assert (table.states([]), table.counts([])) == ({}, {})
    assert table.has_document_counts()
    table.add_document_counts({document_id(1): 7})
    assert table.states() == {document_id(1): "state 1", document_id(2): "state 2"}


def lose_a_row(store: VectorStore, folder: Path, chunk: Chunk) -> None:
    """Take one row away behind the store's back."""
    if store.name == "lancedb":
        import lancedb

        lancedb.connect(str(folder)).open_table("t").delete(f"id = '{chunk.id}'")
    elif store.name == "one_place":
        with closing(sqlite3.connect(folder / "server.db")) as database, database:
            database.execute("DELETE FROM chunks WHERE id = ?", (chunk.id,))
    else:
        pytest.skip("its rows are of one piece: none of them can be lost")


@pytest.mark.parametrize("ordinal", [0, 2])
def test_a_document_that_lost_a_row_has_no_state_until_it_is_written_again(
    store: VectorStore, tmp_path: Path, ordinal: int
) -> None:
    table, written = connected(store, tmp_path).create(TableInfo("t", DIMENSION)), rows(1, [0, 1, 2])
    table.replace_documents([written, rows(2, [3, 4])])
    lose_a_row(store, tmp_path, written.chunks[ordinal])
    for again in (table, connected(store, tmp_path).table("t")):
        assert again.states() == {document_id(1): "", document_id(2): "state 1"}
        assert again.counts() == {document_id(1): 2, document_id(2): 2}
    table.replace_documents([written])
    assert table.states() == {document_id(1): "state 1", document_id(2): "state 1"}
    assert table.chunks([document_id(1)]) == written.chunks


@pytest.mark.parametrize("before", [[], [0], [0, 1, 2, 3]], ids=["new", "shorter", "longer"])
@pytest.mark.parametrize("survived", range(8))
def test_a_store_that_dies_between_the_writes_of_a_replacement_leaves_no_document_that_looks_whole(
    tmp_path: Path, before: list[int], survived: int
) -> None:
    """The old rows, the new ones, or no state; and whatever it was, writing again makes it right."""
    address = str(tmp_path / "server.db")
    with plugged_in():
        table = connected(plugins.build("stores", "one_place", {"address": address}), tmp_path).create(
            TableInfo("t", DIMENSION)
        )
        old, new = rows(1, before), rows(1, [5, 4, 3], version="2")
        table.replace_documents([old, rows(2, [0])])
        server = one_place().SERVERS[address]
        server.rows_to_live = survived
        try:
            table.replace_documents([new])
        except one_place().Died:
            pass
        server.rows_to_live = None
        found = {chunk.id for chunk in table.chunks([document_id(1)])}
        state = table.states().get(document_id(1))
        whole = {"state 1": old, "state 2": new}
        assert state in ("", None) or found == {chunk.id for chunk in whole[state].chunks}
        assert (state is None) == (not found)
        assert table.states()[document_id(2)] == "state 1"
        table.replace_documents([new])
        assert table.states() == {document_id(1): "state 2", document_id(2): "state 1"}
        assert table.chunks([document_id(1)]) == new.chunks


# ── reading and searching ────────────────────────────────────────────────────────────────────────────────────────


def test_vectors_come_in_the_order_of_the_ids_asked_for(table: Table) -> None:
    written = rows(1, [0, 1, 2])
    table.replace_documents([written])
    asked = [written.chunks[2].id, "unknown", written.chunks[0].id]
    ids, vectors = table.vectors(asked)
    assert ids == [asked[0], asked[2]]
    assert np.array_equal(vectors, directions()[[2, 0]])
    assert table.vectors([])[1].shape == (0, DIMENSION)


def test_more_hits_than_rows_gives_every_row(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1, 2])])
    assert len(table.nearest(directions()[0], 1_000)) == 3
    assert table.nearest(directions()[0], 0) == []


def test_scores_are_cosines_and_fall(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1, 2, 3, 4, 5])])
    found = table.nearest(directions()[2], 6)
    exact = np.sort(directions() @ directions()[2])[::-1]
    assert [score for _, score in found] == pytest.approx(exact.tolist(), abs=1e-5)
    assert found[0][0].ordinal == 2


def test_equal_texts_come_by_document_then_ordinal(table: Table) -> None:
    """A repeated paragraph has equal vectors; what a cut at k keeps must not depend on chance."""
    numbers = range(12)
    table.replace_documents([rows(number, [3] * 9) for number in numbers])
    table.replace_documents([rows(5, [3] * 9, version="2")])
    expected = [(owner, i) for owner in sorted(map(document_id, numbers)) for i in range(9)]
    assert _ids(table.nearest(directions()[3], 1_000)) == expected
    for k in (1, 5, 10, 50):
        assert _ids(table.nearest(directions()[3], k)) == expected[:k]


def test_filters_let_through_only_what_they_name(table: Table) -> None:
    table.replace_documents([rows(number, [0, 1, 2, 3]) for number in range(4)])
    some = (document_id(1), document_id(3), document_id(3), document_id(99))
    found = table.nearest(directions()[0], 99, Filter(document_ids=some))
    assert {chunk.document_id for chunk, _ in found} == set(some[:2])
    assert len(found) == 8
    # The chunk with ordinal i stands on the pages i + 1 and i + 2.
    found = table.nearest(directions()[0], 99, Filter(pages=(3, 3)))
    assert {chunk.ordinal for chunk, _ in found} == {1, 2}
    found = table.nearest(directions()[0], 99, Filter(document_ids=some[:1], pages=(5, 8)))
    assert _ids(found) == [(document_id(1), 3)]
    assert table.nearest(directions()[0], 99, Filter(document_ids=())) == []
    assert table.nearest(directions()[0], 99, Filter(pages=(90, 99))) == []


def test_filters_by_chunk_let_through_or_leave_out_what_they_name(table: Table) -> None:
    table.replace_documents([rows(number, [0, 1, 2, 3]) for number in range(3)])
    everything = [chunk.id for chunk, _ in table.nearest(directions()[0], 99)]
    some = (everything[1], everything[7], everything[7], "'); DROP TABLE x; --", "")
    found = [chunk.id for chunk, _ in table.nearest(directions()[0], 99, Filter(chunk_ids=some))]
    assert found == [everything[1], everything[7]]
    rest = [chunk.id for chunk, _ in table.nearest(directions()[0], 99, Filter(without_chunk_ids=some))]
    assert rest == [one for one in everything if one not in some]
    assert table.nearest(directions()[0], 99, Filter(chunk_ids=())) == []
    both = Filter(pages=(1, 2), chunk_ids=tuple(everything), without_chunk_ids=some)
    allowed = [chunk.id for chunk in table.chunks() if both.allows(chunk, {})]
    assert {chunk.id for chunk, _ in table.nearest(directions()[0], 99, both)} == set(allowed)


def test_filters_by_metadata_compare_letter_by_letter(table: Table) -> None:
    hostile = 'x\' OR 1=1; --\n["kind", "rule"]\n\\ % _ \u2028 漢'
    kinds = [{"kind": "rule", "year": "2024"}, {"kind": "rules", "year": "2024"}, {hostile: hostile}, {}]
    for number, metadata in enumerate(kinds):
        table.replace_documents([replace(rows(number, [0, 1]), metadata=metadata)])

    def found(*pairs: tuple[str, str]) -> set[str]:
        return {chunk.document_id for chunk, _ in table.nearest(directions()[0], 99, Filter(metadata=pairs))}

    assert found(("kind", "rule")) == {document_id(0)}
    assert found(("kind", "rule"), ("year", "2024")) == {document_id(0)}
    assert found(("year", "2024")) == {document_id(0), document_id(1)}
    assert found(("kind", "rule"), ("year", "2023")) == set()
    assert (
        found(("rule", "kind"))
        == found(("kind", ""))
        == found(("kind", "%"))
        == found(("ear", "2024"))
        == set()
    )
    assert found((hostile, hostile)) == {document_id(2)}
    assert found() == set(map(document_id, range(4)))
    one = Filter((document_id(1),), metadata=(("year", "2024"),))
    assert {chunk.document_id for chunk, _ in table.nearest(directions()[0], 99, one)} == {document_id(1)}
    # Replaced with the document.
    table.replace_documents([replace(rows(0, [0], version="2"), metadata={"kind": "law"})])
    assert found(("kind", "rule")) == set()
    assert found(("kind", "law")) == {document_id(0)}


def test_all_rows_come_in_order_with_their_version(connection: StoreConnection, table: Table) -> None:
    table.replace_documents([replace(rows(2, [1, 2, 0]), metadata={"kind": "rule"}), rows(1, [3])])
    found = table.rows()
    assert list(found.chunks) == table.chunks()
    ids, vectors = table.vectors()
    assert [chunk.id for chunk in found.chunks] == ids
    assert found.vectors.tolist() == vectors.tolist()
    assert found.metadata.get(document_id(2)) == {"kind": "rule"}
    assert not found.metadata.get(document_id(1))
    assert {key: value for key, value in table.metadata().items() if value} == {
        document_id(2): {"kind": "rule"}
    }
    assert found.version == table.version() == connection.table("t").version()


@pytest.mark.parametrize("places", [[], [0], [2, 3, 9], [11], list(range(12))])
def test_drawn_rows_are_those_of_all_rows_at_these_places(table: Table, places: list[int]) -> None:
    for number in (3, 1, 2):
        kind = {"kind": f"k{number}"}
        table.replace_documents(
            [replace(rows(number, [0, 1, 2, number], texts=["a", "ü\0", "", "d"]), metadata=kind)]
        )
    table.replace_documents([replace(rows(1, [5, 4, 3, 2], "2"), metadata={"kind": "new"})])
    table.optimise()
    told: list[int] = []
    found, total = table.drawn(lambda count: told.append(count) or places)
    every = table.rows()
    assert total == told[0] == len(every.chunks) == 12
    assert list(found.chunks) == [every.chunks[place] for place in places]
    assert np.array_equal(found.vectors, every.vectors[places])
    assert found.vectors.shape == (len(places), DIMENSION)
    assert found.version == table.version()
    owners = {chunk.document_id for chunk in found.chunks}
    assert {one: found.metadata[one] for one in owners} == {one: every.metadata[one] for one in owners}


def test_places_are_where_the_chunks_lie_without_their_texts(table: Table) -> None:
    assert table.places() == []
    assert table.drawn(lambda count: range(count))[0].chunks == []
    table.replace_documents([rows(2, [1, 2]), rows(1, [3])])
    table.replace_documents([rows(2, [0, 1, 2], "2")])
    assert table.places() == [(c.document_id, c.start, c.end) for c in table.chunks()]
    assert table.places()[0].start == 0


def test_token_counts_are_those_of_all_chunks(table: Table) -> None:
    assert table.token_counts() == []
    table.replace_documents([rows(2, [1, 2]), rows(1, [3])])
    table.replace_documents([rows(2, [0, 1, 2], "2")])
    assert sorted(table.token_counts()) == sorted(chunk.token_count for chunk in table.chunks())
    assert len(table.token_counts()) == 4


def test_the_version_changes_with_every_write_and_no_other_table_has_it(connection: StoreConnection) -> None:
    seen = []
    for _ in range(2):
        table = connection.create(TableInfo("t", DIMENSION))
        seen.append(table.version())
        table.replace_documents([rows(1, [0])])
        seen.append(table.version())
        assert table.version() == seen[-1]
        table.replace_documents([rows(1, [0])])
        seen.append(table.version())
        table.drop_documents([document_id(1)])
        seen.append(table.version())
        assert len(table.rows().chunks) == 0
        connection.drop("t")
    assert len(set(seen)) == len(seen)


def test_a_question_of_another_dimension_is_refused(table: Table) -> None:
    table.replace_documents([rows(1, [0])])
    with pytest.raises(SettingsError, match="8 numbers and was asked with 3"):
        table.nearest(np.array([1, 0, 0], np.float32), 1)


def test_a_table_takes_space(table: Table) -> None:
    table.replace_documents([rows(1, [0, 1, 2])])
    assert table.size_bytes() >= 3 * DIMENSION * 4


def test_optimising_changes_no_answer(table: Table) -> None:
    for number in range(10):
        table.replace_documents([rows(number, [number % 6, 1])])
    table.drop_documents([document_id(4)])
    before = (table.states(), table.chunks(), table.nearest(directions()[1], 12))
    table.optimise()
    assert (table.states(), table.chunks(), table.nearest(directions()[1], 12)) == before


# ── the store's own full-text index ─────────────────────────────────────────────────────────────────────────────

WORDS = ["tram", "bus", "fare", "refund", "camera", "night", "driver", "ticket"]


FULL_TEXT = [name for name in plugins.names("stores") if plugins.build("stores", name).full_text]


@pytest.fixture(params=FULL_TEXT)
def worded(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    """An empty table of a store with a full-text index of its own."""
    found: Table = (
        plugins.build("stores", request.param).connection(tmp_path).create(TableInfo("t", DIMENSION))
    )
    return found


def _worded(number: int, texts: list[str], version: str = "1") -> DocumentRows:
    return rows(number, [i % 6 for i in range(len(texts))], version, texts)


def test_a_store_without_a_full_text_index_says_so(store: VectorStore, table: Table) -> None:
    if store.full_text:
        assert table.matching("tram", "english", 5) == []
        return
    table.replace_documents([rows(1, [0])])
    for use in (
        lambda: table.index_words("english"),
        lambda: table.matching("document", "english", 5),
    ):
        with pytest.raises(SettingsError, match="no full-text index of its own: set index: memory"):
            use()


def test_chunks_with_a_word_of_the_question_are_found_rare_words_first(worded: Table) -> None:
    worded.replace_documents(
        [_worded(1, ["tram and tram", "trams run", "night bus", "a rare camera, tram"]), _worded(2, ["tram"])]
    )
    found = worded.matching("camera of the tram", "english", 9)
    assert found[0][0].text == "a rare camera, tram"
    assert {chunk.text for chunk, _ in found} == {"tram and tram", "trams run", "a rare camera, tram", "tram"}
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert {chunk for chunk, _ in found} <= set(worded.chunks())
    assert [c.text for c, _ in worded.matching("camera of the tram", "english", 1)] == ["a rare camera, tram"]
    assert worded.matching("tram", "english", 0) == []


def test_word_endings_count_only_where_no_language_is_set(worded: Table) -> None:
    worded.replace_documents([_worded(1, ["many trams", "one tram"])])
    assert len(worded.matching("tram", "none", 9)) == 1
    with pytest.raises(SettingsError, match="are indexed for none, not for english: build the table again"):
        worded.matching("tram", "english", 9)
    worded.index_words("english")
    assert len(worded.matching("tram", "english", 9)) == 2
    with pytest.raises(SettingsError, match="no full-text index for klingon"):
        worded.index_words("klingon")
    assert len(worded.matching("tram", "english", 9)) == 2


def test_words_are_found_as_the_table_is_now(worded: Table) -> None:
    def found(question: str) -> list[str]:
        return [chunk.text for chunk, _ in worded.matching(question, "english", 99)]

    worded.index_words("english")
    worded.replace_documents([_worded(1, ["the old tram"]), _worded(2, ["a bus"])])
    assert found("tram") == ["the old tram"]
    worded.optimise()
    worded.replace_documents([_worded(1, ["the new tram", "a camera"], "2"), _worded(3, ["tram three"])])
    assert sorted(found("tram")) == ["the new tram", "tram three"]
    assert found("old") == []
    assert found("camera") == ["a camera"]
    worded.drop_documents([document_id(3)])
    assert found("tram") == ["the new tram"]
    worded.optimise()
    assert found("tram") == ["the new tram"]
    assert found("bus") == ["a bus"]


@pytest.mark.parametrize("unindexed", [False, True])
def test_equally_good_words_come_by_document_then_ordinal(worded: Table, unindexed: bool) -> None:
    if unindexed:
        worded.index_words("english")
    worded.replace_documents([_worded(number, ["one tram here"] * 9) for number in range(12)])
    worded.replace_documents([_worded(5, ["one tram here"] * 9, "2")])
    if not unindexed:
        worded.optimise()
    expected = [(owner, i) for owner in sorted(map(document_id, range(12))) for i in range(9)]
    for k in (1, 5, 10, 50, 1_000):
        assert _ids(worded.matching("tram", "english", k)) == expected[:k]


def test_words_are_looked_for_only_where_the_filter_allows(worded: Table) -> None:
    hostile = 'x\' OR 1=1; --\n["kind", "rule"]'
    for number in range(4):
        batch = _worded(number, [f"tram {number}", "tram night", "bus", "tram"])
        worded.replace_documents([replace(batch, metadata={"kind": "rule" if number % 2 else hostile})])
    kinds = {document_id(number): {"kind": "rule" if number % 2 else hostile} for number in range(4)}
    everything = worded.matching("tram night", "english", 99)
    assert len(everything) == 12
    some = (everything[2][0].id, everything[7][0].id)
    for where in (
        Filter(document_ids=(document_id(1), document_id(3), "' OR 1=1 --")),
        Filter(document_ids=()),
        Filter(pages=(2, 2)),
        Filter(metadata=(("kind", "rule"),)),
        Filter(metadata=(("kind", hostile),), pages=(1, 1)),
        Filter(chunk_ids=some),
        Filter(chunk_ids=()),
        Filter(without_chunk_ids=some),
    ):
        expected = [pair for pair in everything if where.allows(pair[0], kinds[pair[0].document_id])]
        assert worded.matching("tram night", "english", 99, where) == expected
        assert worded.matching("tram night", "english", 3, where) == expected[:3]


@pytest.mark.parametrize(
    "question",
    [
        "O'Brien", "x' OR 1=1; --", '"', '"tram', "*", "(", "tram^5 AND text:bus", "-tram", "+", "\\", "🧑‍🚀", "", " ",
        "\x00\x07", "the", "tram " * 20_000, "漢字",
    ],
)  # fmt: skip
def test_a_question_is_never_a_query_language(worded: Table, question: str) -> None:
    texts = ["the tram of O'Brien", "a bus", "漢字 tram", "🧑‍🚀", "nothing else"]
    worded.replace_documents([_worded(1, texts)])
    found = {chunk.text for chunk, _ in worded.matching(question, "english", 9)}
    asked = {"tram", "bus", "brien", "漢字"} & set(re.findall(r"\w+", question.lower()))
    assert found == {text for text in texts if asked & set(re.findall(r"\w+", text.lower()))}
    assert worded.row_count() == 5


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", FULL_TEXT)
def test_after_any_writes_just_the_chunks_with_the_word_are_found(
    folders: Path, name: str, data: st.DataObject
) -> None:
    table = plugins.build("stores", name).connection(folders).create(TableInfo(uuid.uuid4().hex, DIMENSION))
    texts = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), max_size=3)
    for version in range(data.draw(st.integers(1, 4))):
        step = data.draw(st.dictionaries(st.integers(0, 3), texts, max_size=3))
        table.replace_documents([_worded(number, found, str(version)) for number, found in step.items()])
        if data.draw(st.booleans()):
            table.drop_documents([document_id(data.draw(st.integers(0, 3)))])
        if data.draw(st.booleans()):
            table.optimise()
        word = data.draw(st.sampled_from(WORDS))
        expected = {chunk.id for chunk in table.chunks() if word in chunk.text.split()}
        assert {chunk.id for chunk, _ in table.matching(word, "english", 99)} == expected


# ── any sequence of writes ───────────────────────────────────────────────────────────────────────────────────────

BATCHES = st.dictionaries(st.integers(0, 4), st.lists(st.integers(0, 5), max_size=4), max_size=3)
STEPS = st.lists(st.one_of(BATCHES, st.sets(st.integers(0, 5), max_size=3)), max_size=6)


@pytest.fixture(scope="module")
def folders() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", [name for name in plugins.names("stores") if name != "memory"])
@settings(max_examples=15, deadline=None)
@given(
    steps=STEPS,
    k=st.integers(1, 12),
    which=st.integers(0, 5),
    pages=st.none() | st.tuples(st.integers(1, 3), st.integers(2, 5)),
)
def test_any_sequence_of_writes_leaves_what_memory_holds(
    folders: Path,
    name: str,
    steps: list[dict[int, list[int]] | set[int]],
    k: int,
    which: int,
    pages: tuple[int, int] | None,
) -> None:
    info = TableInfo(f"t{uuid.uuid4().hex}", DIMENSION)
    subject, oracle = (plugins.build("stores", n).connection(folders).create(info) for n in (name, "memory"))
    for version, step in enumerate(steps):
        for table in (subject, oracle):
            if isinstance(step, dict):
                table.replace_documents([rows(n, which, str(version)) for n, which in step.items()])
            else:
                table.drop_documents([document_id(n) for n in step])
    where = Filter(tuple(map(document_id, range(3))), pages) if pages else None
    for table in (subject, oracle):
        assert table.states() == oracle.states()
        assert table.row_count() == oracle.row_count()
        assert table.chunks() == oracle.chunks()
        assert table.vectors()[0] == oracle.vectors()[0]
        assert np.array_equal(table.vectors()[1], oracle.vectors()[1])
        found, expected = (t.nearest(directions()[which], k, where) for t in (table, oracle))
        assert [chunk for chunk, _ in found] == [chunk for chunk, _ in expected]
        assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_many_random_vectors_rank_as_in_memory(store: VectorStore, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    info = TableInfo(f"t{uuid.uuid4().hex}", 64)
    tables = [connected(s, tmp_path).create(info) for s in (store, plugins.build("stores", "memory"))]
    for number in range(5):
        made = rng.normal(size=(200, 64)).astype(np.float32)
        batch = [rows_with(made / np.linalg.norm(made, axis=1, keepdims=True), number)]
        for table in tables:
            table.replace_documents(batch)
    question = rng.normal(size=64).astype(np.float32)
    question /= np.linalg.norm(question)
    found, expected = (table.nearest(question, 50) for table in tables)
    assert _ids(found) == _ids(expected)
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-5)
