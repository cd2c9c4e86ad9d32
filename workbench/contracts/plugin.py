"""Settings of a plug-in, and how long work reports its progress."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

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


class Plugin(BaseModel, ABC):
    """Settings of one plug-in. ``VERSION`` rises whenever the same settings would give another answer.

    A field marked ``json_schema_extra={"identity": False}`` (a device, a batch size, an address) never changes
    the answer and stays out of every key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    VERSION: ClassVar[int] = 1
    packages: ClassVar[tuple[str, ...]] = ()
    """Installed packages that decide the answer: another version of one may give another."""
    label: ClassVar[str] = ""
    """A short human name, such as ``Sentences (spaCy)``."""

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
