"""The form of a sweep: what it shows of a grid makes the same configurations again."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given

from tests.sweep.grids import sweeps
from workbench import plugins
from workbench.config import Config
from workbench.errors import SettingsError
from workbench.sweep import Sweep, expansion
from workbench.sweep.expansion import same_key
from workbench.ui.sweep import grid_model
from workbench.ui.sweep.grid_model import choices, label, made, numbers, options


def keys(sweep: Sweep) -> list[str]:
    return sorted(same_key(config) for config in expansion(sweep).configs)


@given(sweeps)
def test_the_form_of_a_grid_makes_the_same_configurations(sweep: Sweep) -> None:
    shown = choices(sweep)
    try:
        again = made(shown, options([], [sweep]), sweep.base)
    except SettingsError as error:
        # One at a time starts from the base: where that cannot work the form says so.
        if sweep.mode == "full" or not re.search("must be below|size_tokens", str(error)):
            raise
        return
    assert keys(again) == keys(sweep)
    assert (again.measure, again.finalists, again.budget, again.screening) == (
        sweep.measure,
        sweep.finalists,
        sweep.budget,
        sweep.screening,
    )


def test_labels_tell_apart_what_settings_tell_apart() -> None:
    plain, stated = (plugins.build("chunkers", "fixed_size", s) for s in ({}, {"size_tokens": 250}))
    assert label("chunkers", plain) == "Fixed size"
    assert label("chunkers", stated) == "Fixed size · size tokens 250"
    assert (
        label("parsers", plugins.build("parsers", "pdf", {"join_hyphens": False})) == "PDF · join hyphens no"
    )
    assert label("retrievers", plugins.build("retrievers", "nearest", {"top_k": 9})) == label(
        "retrievers", plugins.build("retrievers", "nearest")
    )


@pytest.mark.parametrize("text", ["8, x", "1.5", "-1", "9999999"])
def test_what_is_no_number_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a whole number"):
        numbers(text, "size_tokens")
    with pytest.raises(SettingsError, match="50 at most"):
        numbers(" ".join(map(str, range(60))), "size_tokens")


def test_every_plugin_that_needs_no_settings_can_be_chosen() -> None:
    found = options([], [])
    assert set(found["chunkers"]) == {
        grid_model.label("chunkers", plugins.build("chunkers", name)) for name in plugins.names("chunkers")
    }
    assert len(found["parsers"]) == 3


def test_models_of_saved_configs_can_be_chosen() -> None:
    model = plugins.build("embedders", "hashing", {"dimension": 99})
    config = Config("mine", plugins.build("chunkers", "fixed_size"), model)
    assert "dimension 99" in " ".join(options([config], [])["embedders"])


def test_a_form_without_chunker_or_name_says_what_is_missing() -> None:
    config = Config("mine", plugins.build("chunkers", "fixed_size"), plugins.build("embedders", "hashing"))
    shown = choices(Sweep("mine", config))
    with pytest.raises(SettingsError, match="name"):
        made(replace(shown, name="<b>"), options([config], []), config)
    empty = tuple((factor, ()) for factor, _ in shown.plugins)
    with pytest.raises(SettingsError, match="choose at least one chunker"):
        made(replace(shown, plugins=empty), options([config], []), config)
