"""Settings of a plug-in, and how long work reports its progress."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo

from workbench.secrets import (
    WRITE_A_REFERENCE,
    is_address,
    is_reference,
    password_in,
    sounds_secret,
    texts,
)

Tick = Callable[[int, int], None]
"""Called with (done, total) while work goes on; may raise ``Cancelled``."""


def no_tick(done: int, total: int) -> None:
    """Report progress to nobody."""


@cache
def installed(package: str) -> str:
    """Return the version of an installed package, "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def holds_secret(name: str, field: FieldInfo) -> bool:
    """Say whether a setting holds a secret: its mark decides, and without one its name."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and isinstance(extra.get("secret"), bool):
        return bool(extra["secret"])
    return str in (field.annotation, *get_args(field.annotation)) and sounds_secret(name)


def secret_problem(name: str, field: FieldInfo, value: Any) -> str:
    """Return why this value may not stand in a setting, "" where it may. The sentence never repeats the value."""
    if holds_secret(name, field):
        return "" if value in ("", None) or is_reference(value) else WRITE_A_REFERENCE
    extra = field.json_schema_extra
    if is_address(name) and not (isinstance(extra, dict) and extra.get("public_address")):
        # A list where a text belongs is refused later, by a sentence that repeats it.
        return next(filter(None, map(password_in, texts(value))), "")
    return ""


class Plugin(BaseModel, ABC):
    """Settings of one plug-in. ``VERSION`` rises whenever the same settings would give another answer.

    A field marked ``json_schema_extra={"identity": False}`` (a device, a batch size, an address) never changes
    the answer and stays out of every key. One marked ``{"secret": True}`` holds ``${env:NAME}`` and nothing else: use
    ``workbench.secrets.value_of`` where the connection is made. Addresses hold no password; a plug-in that shows an address
    marks it ``{"public_address": True}`` and refuses secrets in it itself, references included.
    """

    # What a check refuses may be a secret in the wrong place, and tracebacks hold the errors of checks.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    VERSION: ClassVar[int] = 1
    packages: ClassVar[tuple[str, ...]] = ()
    """Installed packages that decide the answer: another version of one may give another."""
    label: ClassVar[str] = ""
    """A short human name, such as ``Sentences (spaCy)``."""

    @model_validator(mode="before")
    @classmethod
    def _hold_no_secret(cls, values: Any) -> Any:
        if isinstance(values, dict):
            for name, value in values.items():
                field = cls.model_fields.get(name)
                if field is not None and (problem := secret_problem(name, field, value)):
                    raise ValueError(f"{name}: {problem}")
        return values

    @property
    def name(self) -> str:
        """The plug-in's file name, which is also its YAML name."""
        return type(self).__module__.rpartition(".")[2]

    def package_versions(self) -> list[list[str]]:
        """Return name and installed version of each of ``packages``, for keys of what is kept on this machine."""
        return [[package, installed(package)] for package in self.packages]

    def unused(self) -> frozenset[str]:
        """Return the settings without any effect beside the others: no key and no YAML holds them."""
        return frozenset()

    def identity(self) -> dict[str, Any]:
        """Return name, version and every setting that can change the answer."""
        fields = type(self).model_fields
        kept = {
            key: value
            for key, value in self.model_dump(mode="json", exclude=set(self.unused())).items()
            if not (
                isinstance(fields[key].json_schema_extra, dict)
                and fields[key].json_schema_extra.get("identity") is False  # type: ignore[union-attr]
            )
        }
        return {"name": self.name, "version": self.VERSION, **kept}
