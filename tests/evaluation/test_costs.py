"""What a configuration costs: each figure by hand, and in the rows for programs."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from workbench.evaluation import leaderboard
from workbench.evaluation.costs import Costs, embedding_text
from workbench.evaluation.scoring import Scores


def test_time_to_embed_is_that_of_the_whole_table_at_the_speed_of_its_own_builds() -> None:
    assert Costs(10, 1, 2_000, 2_000, 4.0).embedding_seconds == 4.0
    # 1,500 of 2,000 tokens took 3 s, the others were known: the whole takes 4 s.
    partly = Costs(10, 1, 2_000, 1_500, 3.0)
    assert partly.embedding_seconds == 4.0
    assert partly.from_cache == 0.25
    # Documents were deleted since: 3,000 tokens took 6 s, 2,000 are left.
    assert Costs(10, 1, 2_000, 3_000, 6.0).embedding_seconds == 4.0
    assert Costs(10, 1, 2_000, 3_000, 6.0).from_cache == 0.0


def test_a_table_from_the_cache_alone_never_says_that_it_took_no_time() -> None:
    cached = Costs(10, 1, 2_000, 0, 0.0, tokens_per_second=1_000.0)
    assert cached.embedding_seconds == 2.0
    assert cached.from_cache == 1.0
    assert embedding_text(cached) == "about 2.0 s, from the cache"
    unknown = Costs(10, 1, 2_000)
    assert unknown.embedding_seconds is None
    assert "embedding_seconds" not in unknown.figures
    assert embedding_text(unknown) == "from the cache"


def test_money_is_tokens_times_price_and_only_where_there_is_a_price() -> None:
    assert Costs(10, 1, 2_500_000, usd_per_million_tokens=0.02).usd == pytest.approx(0.05)
    assert Costs(10, 1, 2_500_000).usd is None
    assert "embedding_usd" not in Costs(10, 1, 2_500_000).figures
    assert Costs(10, 1, 2_500_000, usd_per_million_tokens=0.0).usd == 0.0


def test_an_empty_table_costs_nothing() -> None:
    empty = Costs(0, 100, 0)
    assert (empty.embedding_seconds, empty.from_cache) == (0.0, 0.0)


def test_costs_stand_beside_the_measures_in_csv_and_json() -> None:
    found = [Scores("a", ("q1", "q2"), {"recall@5": np.array([0.0, 1.0])})]
    costs = {"a": Costs(12, 3_400, 1_000, 1_000, 2.5, usd_per_million_tokens=0.1)}
    rows = [*leaderboard.rows(found), *leaderboard.cost_rows(found, costs)]
    read = list(csv.DictReader(io.StringIO(leaderboard.as_csv(rows).decode("utf-8-sig"))))
    values = {row["metric"]: float(row["value"]) for row in read}
    assert values == {
        "recall": 0.5,
        "chunks": 12,
        "index_bytes": 3_400,
        "embedding_tokens": 1_000,
        "embedding_seconds": 2.5,
        "embedding_from_cache": 0,
        "embedding_usd": pytest.approx(0.0001),
    }
    assert {row["questions"] for row in read} == {"2"}
