"""Secrets in settings: ``${env:NAME}`` stands for a variable of the environment, and becomes its value last of all.

A config, a table, a ledger and a link hold the reference. The value is looked up when a connection is made, handed to
the client that needs it, and kept nowhere; what an error says of it is replaced by the reference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from workbench.errors import SettingsError
from workbench.redaction import hide

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
WEB_SCHEMES = ("http", "https")
WRITE_A_REFERENCE = "write a secret as ${env:NAME}, never as text"
ADDRESSES = frozenset({"dsn", "url", "uri", "connection_string", "endpoint_url", "address"})
_SECRET_WORDS = (
    "apikey",
    "password",
    "passphrase",
    "passwd",
    "pwd",
    "secret",
    "credential",
    "tokenvalue",
    "accesskey",
    "accountkey",
    "subscriptionkey",
    "privatekey",
    "signature",
)
"""As parts of a name without its separators: ``api_key``, ``api-key`` and ``apiKey`` are one."""
_IN_ADDRESSES = frozenset({"key", "sig", "auth", "pass", "pw", "jwt", "bearer", "authorization"})
"""Names that hold a secret behind the ``?`` of an address; a setting of such a name may be anything."""
_PLACES = ("_file", "_path", "_folder")
_SEPARATORS = re.compile(r"[-_.]")
_REFERENCE_MARK = "\ue000"
"""Stands for a reference while an address is taken apart: its colon and braces would be taken for the address's own."""
_QUERY = re.compile(r"\?[A-Za-z_]+=")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s;&]*)")


def sounds_secret(name: str) -> bool:
    """Say whether a setting of this name holds a secret: ``access_token`` does, ``size_tokens`` and a file do not."""
    lower = name.lower()
    if lower.endswith(_PLACES):
        return False
    bare = _SEPARATORS.sub("", lower)
    return bare.endswith("token") or any(word in bare for word in _SECRET_WORDS)


def is_reference(value: Any) -> bool:
    """Say whether a setting is one ``${env:NAME}`` and nothing else."""
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


def is_address(name: str) -> bool:
    """Say whether a setting of this name holds an address, in which a password may hide."""
    return name.lower() in ADDRESSES or name.lower().endswith(("_url", "_uri", "_dsn"))


def password_in(address: str) -> str:
    """Return why an address may not stand in a config, "" where it may; the sentence repeats nothing of it.

    >>> password_in("postgresql://joe:${env:PGPASSWORD}@db.corp/library")
    ''
    """
    advice = "write it as ${env:NAME} in its place, or the whole address as ${env:NAME}"
    marked = REFERENCE.sub(_REFERENCE_MARK, address)
    if not _is_readable(marked):
        return f"it cannot be read as an address; if a password stands in it, {advice}"
    for name, value in _passwords(marked):
        if value not in ("", _REFERENCE_MARK):
            return f"a password stands in it ({name}): {advice}"
    return ""


def _is_readable(address: str) -> bool:
    """Return whether it is known which part of an address is what; a web address ends its host with a number at most."""
    if "://" not in address:
        return True
    try:
        parts = urlsplit(address)
        if parts.scheme in WEB_SCHEMES and _REFERENCE_MARK not in parts.netloc:
            _ = parts.port
    except ValueError:
        return False
    return True


def _passwords(address: str) -> Iterator[tuple[str, str]]:
    """Yield (where, value) for each place of an address or of ``key=value`` pairs that holds a secret."""
    for name, value in _ASSIGNMENT.findall(address):
        if sounds_secret(name):
            yield name, value.strip("'").partition("#")[0] if "://" in address else value.strip("'")
    if "://" not in address:
        before = address.rpartition("@")[0]
        if "=" not in before:
            yield "before the @", before.partition(":")[2]
        return
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    places = [parts.netloc]
    if parts.scheme not in WEB_SCHEMES:
        # A password of a database is often written with its / and # as they are, which end the place for others; and
        # what looks like a query belongs to it, where an @ follows before any /.
        rest = address.partition("://")[2]
        places = [_QUERY.split(rest, maxsplit=1)[0], rest.partition("/")[0]]
    for place in places:
        user, _, password = place.rpartition("@")[0].partition(":")
        yield "before the @", password
        if sounds_secret(user) or (parts.scheme in WEB_SCHEMES and not password):
            # Services of the web take a token as a user without a password.
            yield "before the @", user
    for query in (parts.query, parts.fragment):
        for name, value in parse_qsl(query, keep_blank_values=True):
            if sounds_secret(name) or name.lower() in _IN_ADDRESSES:
                yield "behind the ?", value


def texts(values: Any) -> Iterator[str]:
    """Yield every text in settings, in the order in which they stand there."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from texts(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from texts(value)


def references(values: Any) -> Iterator[str]:
    """Yield the names of the variables that settings refer to, in the order in which they stand there."""
    for text in texts(values):
        yield from REFERENCE.findall(text)


def missing(values: Any) -> list[str]:
    """Return the names of the variables that settings refer to and that are not set, each once."""
    return [name for name in dict.fromkeys(references(values)) if not os.environ.get(name)]


def value_of(text: str) -> str:
    """Return a secret setting with each ``${env:NAME}`` replaced by its value, to be used and not kept.

    Raises ``SettingsError`` that names a variable which is not set.
    """
    return REFERENCE.sub(lambda found: _value(found[1]), text)


def address_of(text: str) -> str:
    """Return an address with the values of its references: encoded inside a web address, quoted in ``key=value``.

    Raises ``SettingsError`` that names a variable which is not set.
    """
    if is_reference(text):
        whole = value_of(text)
        for _, password in _passwords(whole):
            for spelled in filter(None, (password, unquote(password))):
                hide(spelled, text)
        return whole
    if "://" in text:
        return REFERENCE.sub(lambda found: quote(_value(found[1]), safe=""), text)
    return REFERENCE.sub(lambda found: _quoted(_value(found[1])), text)


def _value(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SettingsError(not_set([name]))
    hide(value, f"${{env:{name}}}")
    return value


def not_set(names: list[str]) -> str:
    """Return the sentence about variables that are missing."""
    if len(names) == 1:
        return (
            f"the environment variable {names[0]} is not set where this program runs: set it and start again"
        )
    listed = ", ".join(names)
    return f"the environment variables {listed} are not set where this program runs: set them and start again"


def _quoted(value: str) -> str:
    """Return a value for a ``key=value`` address, as PostgreSQL's libpq reads it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
