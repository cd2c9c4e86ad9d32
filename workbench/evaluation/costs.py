"""What a configuration costs beside what it finds: chunks, space, embedding, money, time of a search.

Text shown per question is a measure of its own (``tokens_shown@k``), as is the time of every search (``seconds``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """One table's costs. Tokens are those of the model's tokenizer, summed over the chunks, overlaps again each time."""

    chunks: int
    size_bytes: int
    tokens: int
    tokens_embedded: int = 0
    """How many tokens the model really read while this table was built, all its builds together."""
    seconds_measured: float = 0.0
    """How long that took, loading the model aside; sentences that a chunker or retriever embeds are not in it."""
    tokens_per_second: float | None = None
    """The model's speed as it was measured elsewhere on this machine, for a table that came from the cache whole."""
    usd_per_million_tokens: float | None = None

    @property
    def from_cache(self) -> float:
        """The share of the table's tokens, 0 to 1, whose vectors were known before this table was first built."""
        return max(0.0, 1 - self.tokens_embedded / self.tokens) if self.tokens else 0.0

    @property
    def embedding_seconds(self) -> float | None:
        """How long the model takes for all of the table: its tokens at the speed measured while building it.

        None where everything came from the cache and the model's speed is not known.
        """
        if not self.tokens:
            return 0.0
        if self.tokens_embedded:
            return self.seconds_measured * self.tokens / self.tokens_embedded
        return self.tokens / self.tokens_per_second if self.tokens_per_second else None

    @property
    def usd(self) -> float | None:
        """The price of embedding all of the table once: tokens · price; None for a model that runs here."""
        if self.usd_per_million_tokens is None:
            return None
        return self.tokens * self.usd_per_million_tokens / 1e6

    @property
    def figures(self) -> dict[str, float]:
        """Every known cost by its name in tables for programs; what is not known is left out."""
        found = {
            "chunks": float(self.chunks),
            "index_bytes": float(self.size_bytes),
            "embedding_tokens": float(self.tokens),
            "embedding_seconds": self.embedding_seconds,
            "embedding_from_cache": self.from_cache,
            "embedding_usd": self.usd,
        }
        return {name: value for name, value in found.items() if value is not None}


def size_text(size_bytes: int) -> str:
    """Return a size for people.

    >>> size_text(1_200), size_text(9_437_184)
    ('1 kB', '9.0 MB')
    """
    return f"{size_bytes / 2**20:,.1f} MB" if size_bytes >= 2**20 / 10 else f"{size_bytes / 2**10:,.0f} kB"


def embedding_text(costs: Costs) -> str:
    """Return the time of embedding for people; what was not measured on this very table is called about.

    >>> embedding_text(Costs(3, 9, 1000, 1000, 2.5)), embedding_text(Costs(3, 9, 1000, 0, 0.0, 500.0))
    ('2.5 s', 'about 2.0 s, from the cache')
    >>> embedding_text(Costs(3, 9, 1000, 750, 1.5)), embedding_text(Costs(3, 9, 1000))
    ('about 2.0 s, 25 % from the cache', 'from the cache')
    """
    seconds, share = costs.embedding_seconds, costs.from_cache
    if seconds is None:
        return "from the cache"
    shown = f"{seconds:,.1f} s" if seconds >= 0.05 or not seconds else "below 0.1 s"
    if share < 0.005:
        return shown
    from_cache = "from the cache" if share == 1 else f"{min(99, round(100 * share))} % from the cache"
    return f"{shown if shown.startswith('below') else f'about {shown}'}, {from_cache}"


def money_text(costs: Costs) -> str:
    """Return the price of embedding in dollars, the price of a million tokens beside it; a dash for a local model.

    >>> money_text(Costs(3, 9, 250_000, usd_per_million_tokens=0.02)), money_text(Costs(3, 9, 10))
    ('$0.0050 ($0.02 a million tokens)', '–')
    """
    if costs.usd is None:
        return "–"
    return f"${costs.usd:,.4f} (${costs.usd_per_million_tokens:g} a million tokens)"
