"""Warnings about chunks that are longer than the model reads: the vector ignores what lies beyond."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.config import Config
from workbench.contracts import EmbeddingModel
from workbench.counts import counted

WHAT_TO_DO = "What lies beyond cannot be found by meaning: choose a smaller size, or a model that reads more."


def describe_unread_ends(name: str, beyond: int, chunk_count: int, window_tokens: int | None) -> str:
    """Return how many chunks of a config are longer than the model reads, and what to do; "" for none."""
    if not beyond:
        return ""
    return (
        f"{name}: {beyond:,} of {counted(chunk_count, 'chunk')} ({beyond / chunk_count:.0%}) "
        f"{'is' if beyond == 1 else 'are'} longer than the {window_tokens or 0:,} tokens that the model reads at once. "
        f"{WHAT_TO_DO}"
    )


def describe_long_chunks(name: str, token_counts: Sequence[int], model: EmbeddingModel) -> str:
    """Return ``describe_unread_ends`` for chunks of these lengths in tokens."""
    beyond = int(model.beyond_window(token_counts).sum())
    return describe_unread_ends(name, beyond, len(token_counts), model.window_tokens)


def describe_size_limit(config: Config, model: EmbeddingModel) -> str:
    """Return a warning if the config's size allows chunks that are longer than the model reads, else ""."""
    size = getattr(config.chunker, "size_tokens", None)
    if not isinstance(size, int) or "size_tokens" in config.chunker.unused():
        return ""
    if not model.beyond_window([size]).any():
        return ""
    return (
        f"{config.name}: chunks may have up to {size:,} tokens, and the model reads {model.window_tokens or 0:,} at once. "
        f"{WHAT_TO_DO}"
    )
