"""A grid made into configs: all that can work, each once, nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sweep.grids import sweeps
from workbench import plugins
from workbench.config import NAME_PATTERN, Config, parsed, written
from workbench.errors import SettingsError
from workbench.sweep import Factors, Sweep, expansion


def base(**settings: object) -> Config:
    chosen = plugins.build("chunkers", "fixed_size", {"size_tokens": 100, **settings})
    return Config("base", chosen, plugins.build("embedders", "hashing"))


def settings(config: Config) -> tuple[object, ...]:
    chunker = config.chunker
    overlap = getattr(chunker, "overlap_tokens", getattr(chunker, "overlap_sentences", None))
    return chunker.name, getattr(chunker, "size_tokens", None), overlap


def test_a_full_grid_by_hand() -> None:
    factors = Factors(
        chunkers=tuple(plugins.build("chunkers", n) for n in ("fixed_size", "nltk_sentences", "headings")),
        size_tokens=(16, 64),
        overlap_tokens=(0, 16),
        overlap_sentences=(0, 1, 2),
    )
    found = expansion(Sweep("g", base(), factors))
    assert [settings(c) for c in found.configs] == [
        ("fixed_size", 16, 0),
        ("fixed_size", 64, 0),
        ("fixed_size", 64, 16),
        *(("nltk_sentences", size, n) for size in (16, 64) for n in (0, 1, 2)),
        ("headings", 16, None),
        ("headings", 64, None),
    ]
    assert [d.name for d in found.dropped] == ["fixed_size 16 overlap 16"]
    assert "must be below size_tokens (16)" in found.dropped[0].reason
    assert found.merged == 0
    assert found.configs[2].name == "fixed_size 64 overlap 16"


def test_one_factor_at_a_time_by_hand() -> None:
    factors = Factors(
        chunkers=(plugins.build("chunkers", "nltk_sentences"), plugins.build("chunkers", "fixed_size")),
        size_tokens=(50, 100, 200),
        overlap_tokens=(0, 20, 100),
    )
    found = expansion(Sweep("g", base(overlap_tokens=10), factors, mode="one_at_a_time"))
    assert [settings(c) for c in found.configs] == [
        ("fixed_size", 100, 10),
        ("nltk_sentences", 100, 0),
        ("fixed_size", 50, 10),
        ("fixed_size", 200, 10),
        ("fixed_size", 100, 0),
        ("fixed_size", 100, 20),
    ]
    # The base comes again as its own chunker and as its own size; an overlap of 100 cannot be.
    assert found.merged == 2
    assert len(found.dropped) == 1


def test_a_chunker_that_states_its_size_keeps_it() -> None:
    stated = plugins.build("chunkers", "fixed_size", {"size_tokens": 77})
    found = expansion(Sweep("g", base(), Factors(chunkers=(stated,), size_tokens=(10, 20))))
    assert [settings(c) for c in found.configs] == [("fixed_size", 77, 0)]


def test_factors_without_values_stay_as_the_base_has_them() -> None:
    found = expansion(Sweep("g", base(overlap_tokens=7)))
    assert [settings(c) for c in found.configs] == [("fixed_size", 100, 7)]
    assert found.configs[0].fingerprint == base(overlap_tokens=7).fingerprint


def test_how_many_hits_are_shown_makes_no_other_configuration() -> None:
    retrievers = tuple(plugins.build("retrievers", "nearest", {"top_k": k}) for k in (3, 5))
    found = expansion(Sweep("g", base(), Factors(retrievers=retrievers)))
    assert len(found.configs) == 1
    assert found.merged == 1


def test_sizes_do_not_reach_a_chunker_that_counts_characters() -> None:
    letters = plugins.build("chunkers", "fixed_size", {"unit": "characters"})
    found = expansion(Sweep("g", base(), Factors(chunkers=(letters,), size_tokens=(50, 60, 70))))
    assert len(found.configs) == 1
    assert found.merged == 2


def test_names_tell_apart_what_is_varied() -> None:
    factors = Factors(
        parsers=tuple(plugins.build("parsers", "pdf", {"remove_repeated": b}) for b in (True, False)),
        embedders=tuple(plugins.build("embedders", "hashing", {"dimension": d}) for d in (16, 32)),
    )
    assert [c.name for c in expansion(Sweep("g", base(), factors)).configs] == [
        f"fixed_size 100 pdf remove_repeated {on} hashing dimension {d}"
        for on, d in itertools.product(("on", "off"), (16, 32))
    ]


def test_weights_of_one_and_of_nothing_are_named_as_numbers() -> None:
    weights = (0.0, 0.5, 1.0)
    factors = Factors(
        retrievers=tuple(plugins.build("retrievers", "fused", {"weight_keyword": w}) for w in weights)
    )
    assert [c.name for c in expansion(Sweep("g", base(), factors)).configs] == [
        f"fixed_size 100 fused weight_keyword {w}" for w in weights
    ]


def test_a_grid_that_nobody_can_run_is_refused_before_it_is_made() -> None:
    factors = Factors(size_tokens=tuple(range(8, 208)), overlap_tokens=tuple(range(200)))
    with pytest.raises(SettingsError, match="40,000 combinations are too many"):
        expansion(Sweep("g", base(), factors))


@given(sweeps)
def test_every_config_is_valid_named_and_there_once(sweep: Sweep) -> None:
    found = expansion(sweep)
    keys = [(c.fingerprint, {**c.retriever.identity(), "top_k": 0}) for c in found.configs]
    assert all(a != b for a, b in itertools.combinations(keys, 2))
    names = [c.name for c in found.configs]
    assert len(set(names)) == len(names)
    for config in found.configs:
        assert NAME_PATTERN.fullmatch(config.name)
        assert parsed(written(config)).fingerprint == config.fingerprint


@given(sweeps)
def test_what_is_dropped_could_not_be_built_and_nothing_is_lost(sweep: Sweep) -> None:
    found = expansion(sweep)
    factors = sweep.factors
    others = [factors.parsers, factors.embedders, factors.retrievers]
    if sweep.mode == "full":
        count = 0
        for entry in factors.chunkers or (None,):
            cls, stated = (
                (type(entry), entry.model_fields_set) if entry else (type(sweep.base.chunker), set())
            )
            here = 1
            for axis in ("size_tokens", "overlap_tokens", "overlap_sentences"):
                if axis in cls.model_fields and axis not in stated:
                    here *= max(1, len(getattr(factors, axis)))
            count += here
        for values in others:
            count *= max(1, len(values))
    else:
        known = [
            a
            for a in ("size_tokens", "overlap_tokens", "overlap_sentences")
            if a in type(sweep.base.chunker).model_fields
        ]
        count = 1 + sum(map(len, [*others, factors.chunkers, *(getattr(factors, a) for a in known)]))
    assert len(found.configs) + len(found.dropped) + found.merged == count
    assert all(one.reason for one in found.dropped)


@given(st.integers(8, 60), st.integers(0, 80))
def test_an_overlap_as_large_as_the_size_is_dropped_and_only_that(size: int, overlap: int) -> None:
    found = expansion(Sweep("g", base(), Factors(size_tokens=(size,), overlap_tokens=(overlap,))))
    assert (len(found.configs), len(found.dropped)) == ((1, 0) if overlap < size else (0, 1))
