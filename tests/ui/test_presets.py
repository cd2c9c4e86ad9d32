"""Presets can be built, are found again in links, and drafts survive the way through a link."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench.embedders
from workbench import plugins
from workbench.config import NAME_PATTERN, Config
from workbench.errors import SettingsError
from workbench.records import Document, Page
from workbench.ui.session import presets
from workbench.ui.session.presets import PRESETS, draft_of, free_name, link_of
from workbench.ui.session.state import Draft
from workbench.ui.widgets.page_slices import LONGEST_WINDOW_CHARACTERS, passages


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
def test_every_preset_can_be_built_and_is_named_by_its_slug_in_links(preset: presets.Preset) -> None:
    draft = preset.draft()
    assert NAME_PATTERN.fullmatch(draft.config().name)
    assert link_of(draft) == preset.slug
    again = draft_of(preset.slug)
    assert again is not None
    assert again.config().fingerprint == draft.config().fingerprint


def test_presets_differ_and_the_default_comparison_is_made_of_them() -> None:
    assert len({preset.draft().config().fingerprint for preset in PRESETS}) == len(PRESETS)
    assert [link_of(draft) for draft in presets.default_drafts()] == list(presets.DEFAULT_COMPARISON)


@pytest.mark.parametrize("chunker", plugins.names("chunkers"))
def test_every_chunker_survives_the_way_through_a_link(chunker: str) -> None:
    draft = Draft({"chunker": {"name": chunker}, "embedder": {"name": "hashing"}}, "my own")
    again = draft_of(link_of(draft))
    assert again is not None
    assert again.config() == draft.config()


HOSTED = """
from pathlib import Path

from workbench.contracts import Embedder, EmbeddingModel


class Hosted(Embedder):
    api_key: str = ""
    base_url: str = ""

    def embedding_model(self, folder: Path) -> EmbeddingModel:
        raise NotImplementedError
"""


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[None]:
    """An embedder with a key and an address, put beside the real ones for as long as a test lasts."""

    def forget() -> None:
        plugins.names.cache_clear()
        plugins.plugin_class.cache_clear()
        sys.modules.pop("workbench.embedders.hosted", None)

    (tmp_path / "hosted.py").write_text(HOSTED)
    workbench.embedders.__path__.append(str(tmp_path))
    forget()
    yield
    workbench.embedders.__path__.remove(str(tmp_path))
    forget()


@pytest.mark.usefixtures("hosted")
def test_a_secret_that_was_typed_as_text_stands_in_no_link() -> None:
    def link(**settings: str) -> str:
        return link_of(Draft({"chunker": {"name": "fixed_size"}, "embedder": {"name": "hosted", **settings}}))

    assert "hunter2" not in link(api_key="hunter2", base_url="https://joe:hunter2@models.example/v1")
    assert "${env:KEY}" in link(api_key="${env:KEY}")
    assert "models.example" in link(base_url="https://models.example/v1")


def test_a_draft_of_a_config_gives_the_config_back() -> None:
    config = presets.PRESETS[3].draft().config()
    assert Draft.of(config).config() == config


def test_wrong_settings_stand_in_a_draft_until_they_are_put_right() -> None:
    draft = Draft({"chunker": {"name": "fixed_size", "size_tokens": 20, "overlap_tokens": 20}})
    with pytest.raises(SettingsError, match="must be below"):
        draft.config()
    assert draft.with_section("chunker", "fixed_size", {"size_tokens": 30}).config().name == "Fixed size 30"


def test_a_name_that_other_settings_have_gets_a_number() -> None:
    base, other = PRESETS[0].draft().config(), PRESETS[1].draft().config()
    saved = [Config("a", other.chunker, other.embedder), Config("a 2", other.chunker, other.embedder)]
    assert free_name("a", base, saved) == "a 3"
    assert free_name("a", other, saved) == "a"
    assert free_name("b", base, saved) == "b"


def test_passages_are_the_whole_text_in_order_and_none_is_too_long() -> None:
    text = ("word " * 1000 + "\n\n") * 30 + "x" * 70_000
    pages = (Page(1, 0, 10, 600, 800), Page(2, 10, 10, 600, 800), Page(3, 10, len(text), 600, 800))
    found = passages(Document("d", text, pages, "t", "u"))
    assert [p.start for p in found] == [0, *(p.end for p in found[:-1])]
    assert found[-1].end == len(text)
    assert all(p.end - p.start <= LONGEST_WINDOW_CHARACTERS for p in found)
    assert [p.page for p in found[:3]] == [1, 2, 3]
    assert found[0].label == "Page 1 of 3"


def test_a_short_text_without_pages_is_one_passage() -> None:
    (only,) = passages(Document("d", "abc", (Page(1, 0, 3),), "t", "u"))
    assert (only.start, only.end, only.page, only.label) == (0, 3, None, "Whole text")
