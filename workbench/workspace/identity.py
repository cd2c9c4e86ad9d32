"""The id by which a server tells this workspace's tables from those of others."""

from __future__ import annotations

import os
import re
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

from workbench.errors import ServiceError
from workbench.files import writing

FILE = "workspace.id"
_ID = re.compile(r"w[0-9a-f]{12}")


def workspace_id(folder: Path) -> str:
    """Return the id of a workspace, made at its first use of a server and kept in ``workspace.id``.

    It is a file of its own, so that a lost ``workspace.db`` loses no tables. A copy of the folder has the same id: it
    is the same workspace to a server.
    """
    path = folder / FILE
    found = _read(path)
    if found is None:
        _make(path)
        found = _read(path)
    if found is None or not _ID.fullmatch(found):
        raise ServiceError(
            f"{path} does not hold the id of a workspace: put the file back as it was. Without it, this workspace's tables on "
            "servers are not found; delete it only if there are none"
        )
    return found


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ServiceError(f"{path} cannot be read: {error.strerror or error}") from error


def _make(path: Path) -> None:
    """Write a new id, unless another process was quicker: a link replaces nothing, and is there whole or not at all."""
    with writing(path):
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{FILE}.")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(f"w{uuid.uuid4().hex[:12]}\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink(missing_ok=True)
