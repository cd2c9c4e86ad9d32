"""The JavaScript and CSS that lie beside the components."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def source(*names: str) -> str:
    """Return files of this folder as one text, in the order given."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
