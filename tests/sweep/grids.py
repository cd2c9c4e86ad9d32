"""Sweeps of every shape, for laws that hold of all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from workbench import plugins
from workbench.config import Config
from workbench.sweep import Budget, Factors, Sweep
from workbench.sweep.grid import MEASURES


def chunker(name: str, **settings: object) -> object:
    return plugins.build("chunkers", name, settings)


numbers = st.lists(st.integers(1, 5000), max_size=4).map(tuple)
overlaps = st.lists(st.integers(0, 20), max_size=4).map(tuple)
chunkers = st.sampled_from(
    [
        chunker("nltk_sentences"),
        chunker("nltk_sentences", overlap_sentences=2),
        chunker("fixed_size", unit="characters", size_characters=500),
        chunker("fixed_size", size_tokens=64, overlap_tokens=8),
        chunker("headings", join_small=True),
        chunker("recursive"),
        chunker("semantic", threshold_percentile=80.0),
    ]
)
sweeps = st.builds(
    Sweep,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,30}", fullmatch=True),
    base=st.builds(
        Config,
        name=st.just("base"),
        chunker=chunkers,
        embedder=st.just(plugins.build("embedders", "hashing")),
    ),
    factors=st.builds(
        Factors,
        parsers=st.lists(
            st.sampled_from(
                [plugins.build("parsers", "pdf"), plugins.build("parsers", "pdf", {"join_hyphens": False})]
            ),
            max_size=2,
        ).map(tuple),
        chunkers=st.lists(chunkers, max_size=4).map(tuple),
        size_tokens=numbers,
        overlap_tokens=overlaps,
        overlap_sentences=overlaps,
        embedders=st.lists(
            st.integers(8, 12).map(lambda d: plugins.build("embedders", "hashing", {"dimension": d})),
            max_size=2,
        ).map(tuple),
        retrievers=st.lists(
            st.integers(1, 9).map(lambda k: plugins.build("retrievers", "nearest", {"top_k": k})), max_size=2
        ).map(tuple),
    ),
    mode=st.sampled_from(["full", "one_at_a_time"]),
    measure=st.sampled_from(MEASURES),
    screening=st.booleans(),
    finalists=st.integers(1, 9),
    budget=st.builds(
        Budget,
        configurations=st.none() | st.integers(1, 50),
        minutes=st.none() | st.floats(0.01, 9999, allow_nan=False),
    ),
    comment=st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40),
)
