"""What embedding a table took, summed over its builds, kept under ``builds/``: a rebuild from the cache forgets nothing."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from workbench.files import write_atomically, writing
from workbench.ingest.metering import Meter


class BuildCosts:
    """One JSON file per table and model. Dropping a table leaves it: the same table built again costs the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changing = threading.Lock()

    def of(self, table_name: str, model_id: str) -> Meter:
        """Return tokens and seconds embedded for this table by this model, zeros where nothing is known."""
        try:
            body = json.loads(self._path(table_name).read_bytes())
            if body["model_id"] == model_id:
                return Meter(int(body["tokens"]), float(body["seconds"]))
        except (OSError, ValueError, TypeError, KeyError):
            pass
        return Meter()

    def add(self, table_name: str, model_id: str, spent: Meter) -> None:
        """Add what one build embedded; nothing is written where all came from the cache."""
        if not spent.tokens:
            return
        with self._changing:
            before = self.of(table_name, model_id)
            body = {
                "model_id": model_id,
                "tokens": before.tokens + spent.tokens,
                "seconds": before.seconds + spent.seconds,
            }
            with writing(self._folder):
                write_atomically(self._path(table_name), json.dumps(body).encode())

    def _path(self, table_name: str) -> Path:
        return self._folder / f"{table_name}.json"
