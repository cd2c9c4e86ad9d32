"""Keys that a service refuses for real: the source is named, and what to do, and no secret is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guarded_bucket import REFUSALS, GuardedBucket, guarded_bucket
from workbench.__main__ import DONE, SOME_FAILED, main
from workbench.contracts import SourceAccess, SourceConnection
from workbench.errors import InputError
from workbench.plugins import build
from workbench.records import SourceItem

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bucket() -> Iterator[GuardedBucket]:
    with pytest.MonkeyPatch.context() as patch, guarded_bucket(patch) as made:
        yield made


def opened(bucket: GuardedBucket) -> SourceConnection:
    settings = {"bucket": "library", "endpoint_url": bucket.url}
    connection: SourceConnection = build("sources", "s3", settings).connection(SourceAccess())
    return connection


def without_secrets(said: str, bucket: GuardedBucket) -> None:
    for keys in (bucket.reader, bucket.stranger, *map(bucket.wrong_keys, REFUSALS)):
        assert keys.secret not in said
        assert keys.id not in said
    assert "Signature=" not in said


def test_keys_with_the_rights_read_the_bucket(bucket: GuardedBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.reader.put(monkeypatch)
    with opened(bucket) as connection:
        (item,) = connection.items()
        raw = connection.read(item)
    assert raw is not None
    assert raw.data == b"The tram stops at red."


@pytest.mark.parametrize("refusal", REFUSALS)
def test_keys_that_are_refused_list_and_read_nothing_and_the_message_says_what_to_do(
    bucket: GuardedBucket, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    bucket.wrong_keys(refusal).put(monkeypatch)
    with opened(bucket) as connection:
        listing = connection.items()
        assert list(listing) == []
        with pytest.raises(InputError) as caught:
            connection.read(SourceItem("tram.txt"))
    assert isinstance(listing.failure, InputError)
    assert caught.value.status == listing.failure.status == "forbidden"
    assert not listing.complete
    for said, name in ((str(listing.failure), "s3://library"), (str(caught.value), "s3://library/tram.txt")):
        assert said.startswith(f"{name} ")
        assert f"({refusal}): {REFUSALS[refusal]}" in said
        without_secrets(said, bucket)


def test_on_the_command_line_refused_keys_end_nothing_and_mended_ones_go_on(
    bucket: GuardedBucket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "name: bucket\nparser: {name: plain_text}\nchunker: {name: nltk_sentences, size_tokens: 8}\n"
        "embedder: {name: hashing, dimension: 64}\n"
        f"sources: [{{name: s3, bucket: library, endpoint_url: '{bucket.url}'}}]\n"
    )

    def run(command: str) -> tuple[int, list[dict[str, object]], str]:
        status = main([command, str(config), "--json", "--workspace", str(tmp_path / "workspace")])
        printed = capsys.readouterr()
        without_secrets(printed.out + printed.err + caplog.text, bucket)
        return status, [json.loads(line) for line in printed.out.splitlines()], printed.err

    bucket.reader.put(monkeypatch)
    assert run("sync")[0] == DONE
    for refusal, advice in REFUSALS.items():
        bucket.wrong_keys(refusal).put(monkeypatch)
        for command in ("plan", "sync"):
            status, _, said = run(command)
            assert status == SOME_FAILED
            assert f"s3:s3://{bucket.url.removeprefix('http://')}/library/" in said
            assert f"({refusal}): {advice}" in said
            assert "Traceback" not in said
    bucket.reader.put(monkeypatch)
    status, rows, _ = run("sync")
    assert (status, rows[-1]["status"]) == (DONE, "done")
    figures = rows[-1]["figures"]
    assert isinstance(figures, dict)
    assert (figures["kept"], figures["removed"]) == (1, 0)
