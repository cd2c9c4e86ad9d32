"""What is true of every source. Subjects are found by listing the folder; each has a real place to read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contracts.source_places import PLACES, SourcePlace, place_of
from workbench import plugins
from workbench.contracts import SourceConnection
from workbench.errors import Cancelled, ContractError, InputError
from workbench.pipeline import parser_for
from workbench.records import SourceItem

NAMES = plugins.names("sources")
SLOW = {"s3"}
TEXTS = {"a": "first words", "b": "second, “quoted” words\nand a line", "c": "third wörds"}


@pytest.fixture(params=[pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in NAMES])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SourcePlace]:
    with place_of(request.param, tmp_path, monkeypatch) as found:
        for name, text in TEXTS.items():
            found.put(name, text)
        yield found


@pytest.fixture
def connection(place: SourcePlace) -> Iterator[SourceConnection]:
    with place.source().connection(place.access()) as found:
        yield found


def items(connection: SourceConnection) -> dict[str, SourceItem]:
    listing = connection.items()
    found = {item.item_id: item for item in listing}
    assert (listing.complete, listing.finished, listing.failure) == (True, True, None)
    return found


def text_of(connection: SourceConnection, item: SourceItem) -> str:
    raw = connection.read(item)
    assert raw is not None
    parser = parser_for(raw.name, plugins.build("parsers", "pdf"))
    return parser.parsed(raw.data, raw.name, "id", raw.uri).document.text


def test_every_source_has_a_place_here() -> None:
    assert set(PLACES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_says_what_it_is(name: str) -> None:
    source = plugins.plugin_class("sources", name)
    assert source.label
    assert all(field.description for field in source.model_fields.values())


def test_settings_survive_yaml(place: SourcePlace) -> None:
    source = place.source()
    assert plugins.build("sources", source.name, source.model_dump(mode="json")) == source


def test_the_key_names_the_place_and_is_the_same_every_time(place: SourcePlace) -> None:
    assert place.source().key == place.source().key
    assert place.source().key.startswith(f"{place.source().name}:")


def test_a_listing_is_whole_and_tells_items_apart(connection: SourceConnection) -> None:
    found = items(connection)
    assert len(found) == 3
    assert all(item.path and item.uri for item in found.values())


def test_a_second_listing_without_changes_is_equal(place: SourcePlace, connection: SourceConnection) -> None:
    first = items(connection)
    with place.source().connection(place.access()) as other:
        again = items(other)
    assert {key: item.version for key, item in first.items()} == {
        key: item.version for key, item in again.items()
    }
    assert all(item.version for item in first.values())


def test_what_is_read_is_the_document_and_parses(connection: SourceConnection) -> None:
    texts = sorted(" ".join(text_of(connection, item).split()) for item in items(connection).values())
    assert texts == sorted(" ".join(text.split()) for text in TEXTS.values())


def test_reading_twice_gives_the_same_with_the_version_that_was_listed(connection: SourceConnection) -> None:
    for item in items(connection).values():
        raw = connection.read(item)
        assert raw is not None
        assert raw == connection.read(item)
        assert raw.version in ("", item.version)


def test_threads_may_read_at_once(connection: SourceConnection) -> None:
    found = list(items(connection).values()) * 4
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(connection.read, found))
    assert together == [connection.read(item) for item in found]


def test_an_item_is_read_in_a_later_run_by_its_id_alone(
    place: SourcePlace, connection: SourceConnection
) -> None:
    expected = {key: text_of(connection, item) for key, item in items(connection).items()}
    with place.source().connection(place.access()) as later:
        assert {key: text_of(later, SourceItem(key)) for key in expected} == expected


def test_a_changed_document_keeps_its_id_and_alone_changes_its_version(
    place: SourcePlace, connection: SourceConnection
) -> None:
    before = items(connection)
    place.put("b", "changed and longer than it was before")
    after = items(connection)
    assert after.keys() == before.keys()
    changed = [key for key in before if before[key].version != after[key].version]
    assert len(changed) == 1
    assert text_of(connection, after[changed[0]]) == "changed and longer than it was before"


def test_a_version_read_after_a_change_is_not_the_old_one(
    place: SourcePlace, connection: SourceConnection
) -> None:
    """The item was listed before the change and is read after it: the new bytes must not go by the old version."""
    before = items(connection)
    place.put("b", "changed and longer than it was before")
    item = next(item for key, item in items(connection).items() if item.version != before[key].version)
    raw = connection.read(before[item.item_id])
    assert raw is not None
    assert b"changed" in raw.data
    assert raw.version != before[item.item_id].version


def test_a_validator_tells_changed_from_unchanged(place: SourcePlace, connection: SourceConnection) -> None:
    for item in items(connection).values():
        raw = connection.read(item)
        assert raw is not None
        if raw.validator:
            assert connection.read(item, raw.validator) is None
    place.put("a", "changed and longer than it was before")
    stale = [connection.read(item, raw.validator) for item in items(connection).values()]
    assert any(found is not None and b"changed" in found.data for found in stale)


def test_a_document_taken_away_is_missing_from_a_complete_listing_and_gone_when_read(
    place: SourcePlace, connection: SourceConnection
) -> None:
    before = items(connection)
    place.remove("c")
    after = items(connection)
    (missing,) = before.keys() - after.keys()
    for lost in (before[missing], SourceItem(missing)):
        with pytest.raises(InputError) as caught:
            connection.read(lost)
        assert caught.value.status == "gone"


def test_an_empty_place_is_a_complete_listing_of_nothing(
    place: SourcePlace, connection: SourceConnection
) -> None:
    for name in TEXTS:
        place.remove(name)
    assert items(connection) == {}


def test_a_source_that_fails_gives_an_incomplete_listing_and_does_not_raise(
    place: SourcePlace, connection: SourceConnection
) -> None:
    place.break_down()
    listing = connection.items()
    list(listing)
    assert (listing.complete, listing.finished) == (False, False)
    assert listing.failure is not None
    assert "hunter" not in str(listing.failure)


def test_nothing_is_asked_before_a_listing_is_iterated(
    place: SourcePlace, connection: SourceConnection
) -> None:
    listing = connection.items()
    place.put("d", "fourth words")
    assert len(list(listing)) == 4


def test_a_listing_is_read_once(connection: SourceConnection) -> None:
    listing = connection.items()
    list(listing)
    with pytest.raises(ContractError):
        list(listing)


def test_a_listing_left_half_way_is_not_complete(connection: SourceConnection) -> None:
    listing = connection.items()
    next(iter(listing))
    assert (listing.complete, listing.finished) == (False, False)


def test_the_user_stops_a_listing(place: SourcePlace) -> None:
    with place.source().connection(place.access(lambda: True)) as connection:
        listing = connection.items()
        with pytest.raises(Cancelled):
            list(listing)
    assert not listing.complete


@pytest.mark.parametrize(
    "item_id", ["../../../etc/passwd", "/etc/passwd", "a\x00b", "http://169.254.169.254/", " "]
)
def test_an_id_that_was_never_listed_leads_nowhere(connection: SourceConnection, item_id: str) -> None:
    with pytest.raises(InputError) as caught:
        connection.read(SourceItem(item_id))
    assert caught.value.status in ("gone", "refused", "forbidden")
