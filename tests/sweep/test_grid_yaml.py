"""The YAML of a sweep: what is written is read to the byte, what is wrong is named with its line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from tests.sweep.grids import sweeps
from workbench.errors import ConfigError, SettingsError
from workbench.sweep import Budget, Sweep, expansion, parsed, written

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples" / "sweeps"
MINIMAL = """\
version: 1
name: sizes
base:
  chunker: {name: nltk_sentences, size_tokens: 200}
  embedder: {name: hashing}
factors:
  chunkers: [nltk_sentences, {name: fixed_size, overlap_tokens: 16}]
  size_tokens: [100, 200]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(text, "x.yaml")
    return caught.value.problems


def test_a_minimal_sweep_has_defaults_for_the_rest() -> None:
    found = parsed(MINIMAL)
    assert (found.mode, found.measure, found.screening, found.finalists) == ("full", "recall@5", True, 5)
    assert found.budget == Budget(None, None)
    assert [c.name for c in found.factors.chunkers] == ["nltk_sentences", "fixed_size"]
    assert found.factors.chunkers[1].model_fields_set == {"overlap_tokens"}
    assert found.base.store.name == "lancedb"


def test_writing_reading_and_writing_again_gives_the_same_bytes() -> None:
    first = written(parsed("# why\n#\n#   indented\n" + MINIMAL))
    assert written(parsed(first)) == first
    assert first.startswith("# why\n#\n#   indented\nversion: 1\nname: sizes\nmode: full\n")
    assert "&id" not in first


@pytest.mark.slow
@given(sweeps)
def test_every_sweep_survives_the_round_trip_and_expands_to_the_same_configs(sweep: Sweep) -> None:
    text = written(sweep)
    again = parsed(text)
    assert written(again) == text
    before, after = expansion(sweep), expansion(again)
    assert [c.name for c in before.configs] == [c.name for c in after.configs]
    assert [c.fingerprint for c in before.configs] == [c.fingerprint for c in after.configs]
    assert before.dropped == after.dropped
    assert before.merged == after.merged


def test_several_problems_are_named_at_once_with_line_and_key() -> None:
    found = problems(
        "version: 1\nname: a\nmode: ful\nfinalists: 0\nscreening: perhaps\nmeasure: recal@5\n"
        "budget: {minutes: -1, configuration: 3}\n"
        "base:\n  chunker: {name: nltk_sentence}\n  embedder: {name: hashing, dimension: 1}\n"
        "factors:\n  chunkers:\n    - fixed_siz\n    - {name: recursive, fill: 3}\n  size_tokens: [100, big, true]\n"
        "  sizes: [1]\n  embedders: hashing\n"
    )
    assert [p.partition(": ")[0] for p in found] == [
        "line 3, mode",
        "line 6, measure",
        "line 5, screening",
        "line 4, finalists",
        "line 7, budget.configuration",
        "line 7, budget.minutes",
        "line 9, base.chunker.name",
        "line 10, base.embedder.dimension",
        "line 16, factors.sizes",
        "line 13, factors.chunkers[1].name",
        "line 14, factors.chunkers[2].fill",
        "line 15, factors.size_tokens[2]",
        "line 15, factors.size_tokens[3]",
        "line 17, factors.embedders",
    ]
    assert "did you mean full?" in found[0]
    assert "did you mean fixed_size?" in found[9]


@pytest.mark.parametrize(
    "text", ["", "[]", "a: &x 1\nb: *x", "name: a", "base: 3", "factors: {chunkers: {}}", "{" * 5000]
)
def test_what_is_no_sweep_is_refused_with_a_sentence(text: str) -> None:
    assert all(problems(text))


def test_secrets_are_refused_and_never_repeated() -> None:
    text = MINIMAL.replace("{name: hashing}", "{name: hashing, api_key: hunter2}")
    found = problems(text)
    assert any("line 5, base.embedder.api_key" in p for p in found)
    assert "hunter2" not in " ".join(found)


def test_what_cannot_be_a_sweep_cannot_be_made() -> None:
    base = parsed(MINIMAL).base
    with pytest.raises(SettingsError, match="finalists"):
        Sweep("a", base, finalists=0)
    with pytest.raises(SettingsError, match="measure"):
        Sweep("a", base, measure="taste")
    with pytest.raises(SettingsError, match="minutes"):
        Budget(minutes=0)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_sample_sweep_has_24_configurations(path: Path) -> None:
    found = expansion(parsed(path.read_text(encoding="utf-8"), path.name))
    assert len(found.configs) == 24
    assert found.merged == 0


def test_a_number_that_yaml_reads_as_another_one_is_refused_with_what_to_write() -> None:
    text = MINIMAL.replace("[100, 200]", "[100, 0200]") + "finalists: 010\n"
    assert sorted(problems(text)) == [
        "line 8, factors.size_tokens[2]: 0200 begins with 0: YAML reads it as octal, 128; write 200",
        "line 9, finalists: 010 begins with 0: YAML reads it as octal, 8; write 10",
    ]
