"""A copy of each pipeline's releases beside the ledger: what is published is known although the ledger is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.files import write_atomically
from workbench.ingest.entries import Release
from workbench.records import digest


@dataclass(frozen=True, slots=True)
class ReleaseCopy:
    """The releases of one pipeline, newest first, and which of them is published."""

    pipeline: str
    releases: tuple[Release, ...]
    published_id: int | None
    since_utc: str


class ReleaseCopies:
    """One JSON file per pipeline, written after the ledger: a copy that cannot be written stops nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(
        self, pipeline: str, releases: Sequence[Release], published_id: int | None, since_utc: str
    ) -> None:
        """Write the copy of a pipeline."""
        body = {
            "pipeline": pipeline,
            "releases": [asdict(release) for release in releases],
            "published_id": published_id,
            "since_utc": since_utc,
        }
        with suppress(OSError):
            write_atomically(
                self._folder / f"{digest(['pipeline', pipeline])[:16]}.json", json.dumps(body).encode()
            )

    @property
    def is_kept(self) -> bool:
        """Whether copies are kept here: then a pipeline without one has published nothing."""
        return self._folder.is_dir()

    def begin(self) -> None:
        """Keep copies from now on."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)

    def all(self) -> Iterator[ReleaseCopy]:
        """Yield every copy that can be read."""
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):
                body = json.loads(path.read_bytes())
                releases = tuple(Release(**one) for one in body["releases"])
                yield ReleaseCopy(body["pipeline"], releases, body["published_id"], body["since_utc"])
