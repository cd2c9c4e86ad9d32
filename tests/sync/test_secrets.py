"""A secret stands neither in a config nor in anything that a sync says or keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.config import parsed
from workbench.errors import ConfigError
from workbench.sync import Pipeline
from workbench.workspace import Workspace

SECRET = "hunter2-or-the-like"
CONFIG = """\
name: shelf
parser: {{name: plain_text}}
chunker: {{name: fixed_size, size_tokens: 9}}
embedder: {{name: hashing}}
sources: [{source}]
"""


def refused(source: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parsed(CONFIG.format(source=source))
    return str(caught.value)


@pytest.mark.parametrize("key", ["secret_access_key", "password", "api_token", "Token", "client_secret"])
def test_a_secret_as_text_in_a_source_is_refused_without_repeating_it(key: str) -> None:
    said = refused(f"{{name: s3, bucket: notices, {key}: {SECRET}}}")
    assert "write a secret as ${env:NAME}, never as text" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "source",
    [
        f"{{name: sitemap, url: 'https://joe:{SECRET}@example.org/sitemap.xml'}}",
        f"{{name: sitemap, url: 'https://example.org/sitemap.xml?access_token={SECRET}'}}",
        f"{{name: s3, bucket: notices, endpoint_url: 'https://joe:{SECRET}@example.org'}}",
    ],
)
def test_a_secret_in_an_address_is_refused_without_repeating_it(source: str) -> None:
    assert SECRET not in refused(source)


def test_a_secret_of_the_environment_reaches_neither_events_nor_anything_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("WORKBENCH_ALLOW_HOSTS", "127.0.0.1:9")
    config = parsed(
        CONFIG.format(source="{name: s3, bucket: notices, endpoint_url: 'http://127.0.0.1:9', region: a}")
    )
    events = list(Pipeline(Workspace(tmp_path), config, tmp_path).sync())
    said = json.dumps([event.as_dict() for event in events])
    assert "cannot be reached" in said
    assert SECRET not in said
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path
