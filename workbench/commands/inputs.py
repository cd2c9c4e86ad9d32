"""What commands are given: config files, folders, numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from workbench.config import Config, parsed, read_config_file
from workbench.errors import ConfigError
from workbench.records import Chunk
from workbench.sync import Pipeline
from workbench.workspace import Workspace


def read_config(path: str) -> Config:
    """Return the config in a file; every trouble is a ``SettingsError`` of one line."""
    return parsed(read_config_file(Path(path), path, takes_pipe=True), path)


def read_pipeline(workspace: Workspace, path: str, needs_sources: bool = False) -> Pipeline:
    """Return the pipeline of the config in a file; relative paths in it start at the file's folder."""
    config = read_config(path)
    if needs_sources and not config.sources:
        raise ConfigError(
            ["it names no sources, so there is nothing to sync: add “sources: [{name: pdf_folder, …}]”"], path
        )
    return Pipeline(workspace, config, Path(path).resolve().parent)


def k_value(text: str) -> int:
    """Return a number of hits from 1 to 1,000."""
    if not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000")
    return int(text)


def count_value(text: str) -> int:
    """Return a whole number from 1 to 1,000,000,000."""
    if not text.isdecimal() or len(text) > 10 or not 1 <= int(text) <= 1_000_000_000:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a whole number from 1 to 1000000000")
    return int(text)


def seconds(text: str) -> float:
    """Return a time to wait, a day at most."""
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number of seconds from 0 to 86400")
    return found


def place(chunk: Chunk) -> dict[str, Any]:
    """Return what the commands say of a chunk."""
    return {
        "start": chunk.start,
        "end": chunk.end,
        "page_start": chunk.page_start,
        "page_end": chunk.page_end,
        "token_count": chunk.token_count,
        "text": chunk.text,
    }
