"""What one sync is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one sync is asked for beside the config."""

    confirmed: bool = False
    """Delete although too much is missing at once."""
    retry_all: bool = False
    """Try every failed document again, due or not."""
    stored: bool = False
    """Ask no source: bring the table to what is kept here."""
    wait_s: float = 0.0
    """How long to wait for another sync of the pipeline."""
