"""``${env:NAME}``: what may stand in a config, what it becomes, and that its value shows nowhere."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from tests.sync.shelf import made_config, new_books
from workbench import plugins, secrets
from workbench.config import check_environment, parsed, written
from workbench.contracts import Plugin
from workbench.contracts.plugin import holds_secret
from workbench.errors import ConfigError, ServiceError, SettingsError, WorkbenchError
from workbench.redaction import redacted
from workbench.sync import Pipeline
from workbench.sync.isolation import isolated
from workbench.workspace import Workspace

SECRET = "s3cr3t/of the+day"
CONFIG = "name: a\nchunker: {name: fixed_size, size_tokens: 9}\nembedder: {name: hashing}\n"


class Database(Plugin):
    """Settings as a store on a server has them."""

    dsn: str = ""
    password: str = ""
    service_account_file: str = ""
    page_token: str = Field("", json_schema_extra={"secret": False})
    pin: str = Field("", json_schema_extra={"secret": True})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"password": SECRET}, "password: write a secret as ${env:NAME}, never as text"),
        ({"password": 123456}, "password: write a secret as ${env:NAME}, never as text"),
        ({"password": "${env:A}${env:B}"}, "password: write a secret"),
        ({"pin": SECRET}, "pin: write a secret"),
        ({"dsn": f"postgresql://joe:{quote(SECRET)}@db/library"}, "dsn: a password stands in it"),
        ({"dsn": "postgresql://joe:a/b#c?d@db/library"}, "dsn: a password stands in it"),
        ({"dsn": f"postgresql://db/library?password={quote(SECRET)}"}, "dsn: a password stands in it"),
        ({"dsn": f"host=db user=joe password='{SECRET}'"}, "dsn: a password stands in it (password)"),
        ({"dsn": f"https://db/?x=1&api_key={quote(SECRET)}"}, "dsn: a password stands in it"),
        ({"dsn": f"https://db/#access_token={quote(SECRET)}"}, "dsn: a password stands in it"),
    ],
)
def test_a_secret_as_text_is_refused_and_not_repeated(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Database(**settings)
    ((_, sentence),) = plugins.findings(caught.value)
    assert said in sentence
    assert SECRET not in sentence
    assert quote(SECRET) not in sentence
    assert "123456" not in sentence


@pytest.mark.parametrize(
    "settings",
    [
        {"password": "${env:PGPASSWORD}", "pin": ""},
        {"service_account_file": "keys/account.json", "page_token": "abc"},
        {"dsn": "postgresql://joe@db:5432/library?sslmode=require"},
        {"dsn": "postgresql://joe:${env:PGPASSWORD}@db/library"},
        {"dsn": "postgresql://db:5432/library?user=joe@server"},
        {"dsn": "https://db.corp:8080/@joe"},
        {"dsn": "host=db user=joe password=${env:PGPASSWORD}"},
        {"dsn": "${env:DATABASE_URL}"},
    ],
)
def test_references_paths_and_addresses_without_a_password_are_taken(settings: dict[str, Any]) -> None:
    assert Database(**settings).model_dump(exclude_unset=True) == settings


def test_the_way_to_write_an_address_is_said() -> None:
    with pytest.raises(
        ValidationError, match=r"write it as \$\{env:NAME\} in its place, or the whole address"
    ):
        Database(dsn="postgresql://joe:hunter2@db/library")


def test_every_setting_that_sounds_secret_is_one_or_says_that_it_is_none() -> None:
    """A plug-in's author decides; a name that only sounds like a secret has to be marked."""
    for family in plugins.FAMILIES:
        for name in plugins.names(family):
            for setting, field in plugins.plugin_class(family, name).model_fields.items():
                if secrets.sounds_secret(setting):
                    assert isinstance(field.json_schema_extra, dict), (name, setting)
                    assert isinstance(field.json_schema_extra.get("secret"), bool), (name, setting)
                    assert holds_secret(setting, field) == field.json_schema_extra["secret"]


def test_a_value_is_looked_up_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Database(password="${env:WB_TEST_PASSWORD}")
    monkeypatch.setenv("WB_TEST_PASSWORD", SECRET)
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.identity())
    assert secrets.value_of(settings.password) == SECRET
    assert secrets.value_of("Bearer ${env:WB_TEST_PASSWORD}") == f"Bearer {SECRET}"


def test_a_value_in_an_address_is_encoded_as_the_address_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_TEST_PASSWORD", "p@ss'w\\rd/:%")
    assert (
        secrets.address_of("postgresql://joe:${env:WB_TEST_PASSWORD}@db/x")
        == "postgresql://joe:p%40ss%27w%5Crd%2F%3A%25@db/x"
    )
    assert secrets.address_of("user=joe password=${env:WB_TEST_PASSWORD}") == (
        r"user=joe password='p@ss\'w\\rd/:%'"
    )
    monkeypatch.setenv("WB_TEST_DSN", "postgresql://joe:inner-word@db/x")
    assert secrets.address_of("${env:WB_TEST_DSN}") == "postgresql://joe:inner-word@db/x"
    assert redacted("no entry for joe with inner-word") == "no entry for joe with ${env:WB_TEST_DSN}"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("WB_TEST_MISSING", raising=False)
    if value is not None:
        monkeypatch.setenv("WB_TEST_MISSING", value)
    with pytest.raises(SettingsError, match="variable WB_TEST_MISSING is not set where this program runs"):
        secrets.value_of("${env:WB_TEST_MISSING}")


def test_all_missing_variables_are_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shelf's name stands for any setting: what it refers to must be there before the source is asked."""
    monkeypatch.delenv("WB_TEST_ONE", raising=False)
    monkeypatch.delenv("WB_TEST_TWO", raising=False)
    books = new_books()
    config = made_config(books)
    source = config.sources[0].model_copy(update={"shelf": "${env:WB_TEST_ONE}-${env:WB_TEST_TWO}"})
    config = type(config)(**{**vars(config), "sources": (source,)})
    said = "variables WB_TEST_ONE, WB_TEST_TWO are not set where this program runs: set them"
    workspace = Workspace(tmp_path)
    pipeline = Pipeline(workspace, config)
    for start in (
        lambda: check_environment(config),
        lambda: list(pipeline.sync()),
        lambda: pipeline.plan(),
        lambda: workspace.tables.build(config),
    ):
        with pytest.raises(SettingsError, match=said):
            start()
    assert pipeline.ledger.runs.recent("library") == []
    assert workspace.tables.rows() == []


def test_a_reference_goes_through_a_config_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_TEST_PASSWORD", SECRET)
    text = CONFIG + "sources: [{name: s3, bucket: notices, profile: '${env:WB_TEST_PASSWORD}'}]\n"
    config = parsed(text)
    assert "${env:WB_TEST_PASSWORD}" in written(config)
    assert SECRET not in written(config)
    assert written(parsed(written(config))) == written(config)


def test_a_secret_under_an_unknown_key_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(CONFIG + f"store: {{name: lancedb, api_key: '{SECRET}'}}\n")
    assert "store.api_key: write a secret as ${env:NAME}" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_an_error_that_repeats_a_value_shows_the_reference_instead(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WB_TEST_PASSWORD", SECRET)
    value = secrets.value_of("${env:WB_TEST_PASSWORD}")
    for spelled in (value, quote(value, safe="")):
        assert (
            str(ServiceError(f"login with {spelled} failed")) == "login with ${env:WB_TEST_PASSWORD} failed"
        )
    with caplog.at_level(logging.DEBUG), pytest.raises(WorkbenchError) as caught, isolated("a store", "x"):
        raise RuntimeError(f"login with {value} failed")
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text
    assert "RuntimeError" in caplog.text


@given(st.text(min_size=4, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_text_shows_a_hidden_value(value: str, before: str, after: str) -> None:
    assume("\x00" not in value and value.strip() and not any(0xD800 <= ord(c) <= 0xDFFF for c in value))
    from workbench import redaction

    known = dict(redaction._shown_as)
    try:
        redaction.hide(value, "▢")
        assert value not in redacted(before + value + after) or value in before + "▢" + after
    finally:
        redaction._shown_as.clear()
        redaction._shown_as.update(known)
