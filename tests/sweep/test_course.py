"""The run of a sweep: what is measured in which order, what is taken as known, what a budget leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import plugins
from workbench.config import Config
from workbench.errors import Cancelled, InputError, WorkbenchError
from workbench.evaluation.scoring import Scores
from workbench.experiment import Outcome
from workbench.sweep import Budget, Ending, Failure, Measured, Progress, Sweep, course, screening_config
from workbench.sweep.course import Kind, Share

BASE = Config(
    "base", plugins.build("chunkers", "fixed_size"), plugins.build("embedders", "sentence_transformers")
)


def configs(count: int, embedder: str = "sentence_transformers") -> list[Config]:
    model = plugins.build("embedders", embedder)
    return [
        Config(f"{embedder} {n}", plugins.build("chunkers", "fixed_size", {"size_tokens": 10 + n}), model)
        for n in range(count)
    ]


def outcome(name: str, recall: float) -> Outcome:
    values = {"recall@5": np.array([recall]), "tokens_shown@5": np.array([50.0])}
    return Outcome(Scores(name, ("q",), values), {}, 3, 100)


@dataclass
class Bench:
    """Gives every config the recall in its size; later ones are better."""

    results: dict[tuple[str, Kind], Outcome] = field(default_factory=dict)
    made: list[tuple[str, Kind]] = field(default_factory=list)
    broken: frozenset[str] = frozenset()
    seconds_each: float = 0.0
    now: float = 0.0

    def kept(self, config: Config, kind: Kind) -> Outcome | None:
        return self.results.get((config.name, kind))

    def measured(self, config: Config, kind: Kind, share: Share) -> Outcome:
        for part in (0.5, 1.0):
            self.now += self.seconds_each / 2
            share(part)
        if config.name in self.broken:
            raise InputError("it does not work")
        found = outcome(config.name, float(config.chunker.model_dump()["size_tokens"]) / 100)
        self.results[config.name, kind] = found
        self.made.append((config.name, kind))
        return found


def ran(bench: Bench, found: Sequence[Config], **settings: Any) -> list[Any]:
    sweep = Sweep("s", BASE, **settings)
    return list(course(sweep, found, bench, clock=lambda: bench.now))


def ending(events: Sequence[Any]) -> Ending:
    assert [e for e in events if isinstance(e, Ending)] == [events[-1]]
    last: Ending = events[-1]
    return last


def test_all_are_screened_then_the_best_are_confirmed_the_best_first() -> None:
    bench = Bench()
    events = ran(bench, configs(5), finalists=2)
    name = "sentence_transformers"
    assert bench.made == [
        *((f"{name} {n}", "screened") for n in range(5)),
        (f"{name} 4", "confirmed"),
        (f"{name} 3", "confirmed"),
    ]
    assert ending(events) == Ending(())
    assert not ending(events).sentence


def test_without_screening_all_are_confirmed() -> None:
    bench = Bench()
    ran(bench, configs(3), screening=False, finalists=1)
    assert [kind for _, kind in bench.made] == ["confirmed"] * 3


def test_an_embedder_without_a_cheap_way_is_confirmed_beside_the_finalists() -> None:
    bench = Bench()
    ran(bench, [*configs(2, "hashing"), *configs(3)], finalists=1)
    confirmed = [name for name, kind in bench.made if kind == "confirmed"]
    assert confirmed == ["sentence_transformers 2", "hashing 0", "hashing 1"]


def test_what_is_known_is_taken_and_said_to_be() -> None:
    bench = Bench()
    ran(bench, configs(4), finalists=2)
    bench.made.clear()
    events = ran(bench, configs(4), finalists=2)
    assert bench.made == []
    assert [e.was_known for e in events if isinstance(e, Measured)] == [True] * 6


def test_one_that_fails_is_named_and_the_others_go_on() -> None:
    bench = Bench(broken=frozenset({"sentence_transformers 2"}))
    events = ran(bench, configs(3), finalists=1)
    assert [(e.config.name, e.kind, e.message) for e in events if isinstance(e, Failure)] == [
        ("sentence_transformers 2", "screened", "it does not work")
    ]
    assert bench.made[-1] == ("sentence_transformers 1", "confirmed")


def test_a_budget_of_configurations_leaves_out_the_rest_and_confirms_among_those_measured() -> None:
    bench = Bench()
    events = ran(bench, configs(5), finalists=1, budget=Budget(configurations=2))
    assert [name[-1] + kind for name, kind in bench.made] == ["0screened", "1screened", "1confirmed"]
    last = ending(events)
    assert [(one.config.name[-1], one.kind) for one in last.left_out] == [(n, "screened") for n in "234"]
    assert last.sentence.startswith(
        "The budget of 2 configurations is spent: 3 configurations were not screened ("
    )
    # The next run has the same budget again.
    ran(bench, configs(5), finalists=1, budget=Budget(configurations=2))
    assert sum(kind == "screened" for _, kind in bench.made) == 4


def test_a_budget_of_minutes_stops_in_the_middle_of_a_configuration() -> None:
    bench = Bench(seconds_each=40.0)
    events = ran(bench, configs(3), finalists=1, budget=Budget(minutes=1))
    assert [name[-1] for name, _ in bench.made] == ["0"]
    last = ending(events)
    assert last.budget == "1 minute"
    assert [(one.config.name[-1], one.kind) for one in last.left_out] == [
        ("1", "screened"),
        ("2", "screened"),
        ("0", "confirmed"),
    ]
    assert "2 configurations were not screened and 1 configuration was not confirmed" in last.sentence


@given(
    st.integers(0, 4),
    st.integers(0, 3),
    st.integers(1, 4),
    st.none() | st.integers(1, 4),
    st.none() | st.floats(0.1, 4),
    st.booleans(),
)
def test_every_configuration_is_measured_failed_or_left_out_and_runs_come_to_the_same_end(
    screenable: int, straight: int, finalists: int, most: int | None, minutes: float | None, screening: bool
) -> None:
    found = [*configs(screenable), *configs(straight, "hashing")]
    budget = Budget(most, minutes)
    bench, free = Bench(seconds_each=4.0), Bench(seconds_each=4.0)
    ran(free, found, finalists=finalists, screening=screening)
    for _ in range(60):
        last = ending(ran(bench, found, finalists=finalists, screening=screening, budget=budget))
        if not last.left_out:
            break
    # Earlier runs may have confirmed the best of few: nothing that a free run finds is missing.
    assert set(free.made) <= set(bench.made)
    assert len(set(bench.made)) == len(bench.made)


def test_a_cancelled_run_keeps_what_it_yielded_and_the_next_goes_on() -> None:
    bench = Bench()
    seen: list[object] = []

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        seen.extend(course(Sweep("s", BASE), configs(4), bench, stop))
    assert len(seen) == len(bench.made) == 2
    ran(bench, configs(4))
    assert len(set(bench.made)) == len(bench.made) == 8


def test_progress_never_goes_back_ends_at_one_and_tells_the_time_left() -> None:
    bench, seen = Bench(seconds_each=10.0), []
    sweep = Sweep("s", BASE, finalists=2)
    list(course(sweep, configs(5), bench, seen.append, lambda: bench.now))
    shares = [p.fraction for p in seen]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(1.0)
    assert seen[0].seconds_left is None
    assert seen[-1].seconds_left == pytest.approx(0.0)
    assert seen[0].sentence == "screening 0 of 5: sentence_transformers 0"
    assert any("left" in p.sentence for p in seen)


def test_screening_keeps_everything_but_the_embedder_and_the_store() -> None:
    settings = {"model": "m", "passage_prefix": "p: ", "query_prefix": "q: ", "max_tokens": 99}
    config = replace(BASE, embedder=plugins.build("embedders", "sentence_transformers", settings))
    cheap = screening_config(config)
    assert cheap is not None
    assert (cheap.embedder.name, cheap.store.name) == ("sentence_pool", "memory")
    assert {k: v for k, v in cheap.embedder.model_dump().items() if k in settings} == settings
    assert (cheap.name, cheap.chunker, cheap.parser, cheap.retriever) == (
        config.name,
        config.chunker,
        config.parser,
        config.retriever,
    )
    assert screening_config(replace(BASE, embedder=plugins.build("embedders", "hashing"))) is None


def test_a_bug_is_not_swallowed() -> None:
    class Broken(Bench):
        def measured(self, config: Config, kind: Kind, share: Share) -> Outcome:
            raise ZeroDivisionError

    assert not issubclass(ZeroDivisionError, WorkbenchError)
    with pytest.raises(ZeroDivisionError):
        ran(Broken(), configs(1))
