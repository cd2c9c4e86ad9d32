"""``${env:NAME}``: what may stand in a config, what it becomes, and that its value shows nowhere."""

from __future__ import annotations

import logging
import traceback
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
from workbench.redaction import redact
from workbench.sync import Pipeline
from workbench.sync.isolation import isolated
from workbench.workers import TaskFault, Workers
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
        {"dsn": "postgresql://${env:PGUSER}:${env:PGPASSWORD}@${env:PGHOST}:${env:PGPORT}/library"},
        {"dsn": "postgresql://one:5432,two:5432/library?user=joe@server"},
        {"dsn": "https://${env:WIKI_HOST}:${env:WIKI_PORT}/books?next=http://a:b@c"},
        {"dsn": "host=db options='-c a:b' user=joe@server"},
        {"dsn": "${env:DATABASE_URL}"},
    ],
)
def test_references_paths_and_addresses_without_a_password_are_taken(settings: dict[str, Any]) -> None:
    assert Database(**settings).model_dump(exclude_unset=True) == settings


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://joe:hunter2@[::1/library",
        "postgresql://joe:hunter2?w=1@db/library",
        "jdbc:sqlserver://db;user=joe;password=hunter2",
        "joe:hunter2@db:5432/library",
        "//joe:hunter2@db/",
        "https:/joe:hunter2@db/",
        r"https:\\joe:hunter2@db",
        "https://joe:hunter2/3@db/",
        "https://joe:hunter2#3@db/",
        "https://hunter2@db/",
        "https://db/?api-key=hunter2",
        "https://db/?X-Api-Key=hunter2",
        "https://db/?Subscription-Key=hunter2",
        "https://db/?accessKey=hunter2",
        "https://db/?user=joe&pass=hunter2",
        "https://db/?x=1;token=hunter2",
        "https://db/books;token=hunter2?x=1",
        "DefaultEndpointsProtocol=https;AccountName=joe;AccountKey=hunter2==;EndpointSuffix=db",
        "Endpoint=sb://db/;SharedAccessKey=hunter2",
    ],
)
def test_a_password_in_an_odd_spelling_of_an_address_is_refused_and_not_repeated(address: str) -> None:
    for value in (address, [address], {"at": address}):
        with pytest.raises(ValidationError) as caught:
            Database(dsn=value)  # type: ignore[arg-type]
        ((_, sentence),) = plugins.findings(caught.value)
        assert "or the whole address as ${env:NAME}" in sentence
        assert "hunter2" not in sentence
        assert "hunter2" not in str(caught.value)


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
    assert redact("no entry for joe with inner-word") == "no entry for joe with ${env:WB_TEST_DSN}"


def test_a_password_that_an_address_encodes_is_hidden_as_the_server_knows_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WB_TEST_ENCODED", "postgresql://joe:odd%2Fone%40home@db/x")
    secrets.address_of("${env:WB_TEST_ENCODED}")
    assert redact("no entry for odd/one@home") == "no entry for ${env:WB_TEST_ENCODED}"
    assert redact("no entry for odd%2Fone%40home") == "no entry for ${env:WB_TEST_ENCODED}"


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


@pytest.mark.parametrize("settings", [{"password": "hunter2"}, {"passwort": "hunter2"}])
def test_a_traceback_does_not_show_what_a_check_has_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Database(**settings)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def look_up_and_fail(reference: str) -> None:
    raise RuntimeError(f"login with {secrets.value_of(reference)} failed")


def test_a_bug_in_a_worker_process_does_not_tell_the_value_it_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WB_TEST_WORKERS_OWN", "known-to-the-worker-only")
    with Workers(1) as workers, pytest.raises(TaskFault) as caught:
        workers.result(look_up_and_fail, "${env:WB_TEST_WORKERS_OWN}")
    assert "login with ${env:WB_TEST_WORKERS_OWN} failed" in str(caught.value)
    assert "known-to-the-worker-only" not in str(caught.value)


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
        assert value not in redact(before + value + after) or value in before + "▢" + after
    finally:
        redaction._shown_as.clear()
        redaction._shown_as.update(known)
