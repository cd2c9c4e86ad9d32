"""Configs that make sense to begin with, each with one line on what it is good for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.config import Config
from workbench.ui.session.state import Draft


@dataclass(frozen=True)
class Preset:
    """A chunker with its settings under a readable label. ``slug`` is its name in links."""

    slug: str
    label: str
    reason: str
    chunker: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def draft(self) -> Draft:
        """Return a new draft with these settings; everything else has its default."""
        return Draft({"chunker": {"name": self.chunker, **self.settings}})


PRESETS = (
    Preset(
        "spacy-200",
        "Sentences ≤ 200 (spaCy)",
        "whole sentences as a grammar model sees them",
        "spacy_sentences",
        {"size_tokens": 200, "overlap_sentences": 0},
    ),
    Preset(
        "nltk-200",
        "Sentences ≤ 200 (NLTK)",
        "whole sentences by punctuation; much faster than spaCy",
        "nltk_sentences",
        {"size_tokens": 200, "overlap_sentences": 0},
    ),
    Preset(
        "fixed-200",
        "Fixed 200 tokens",
        "the simplest baseline: cuts wherever 200 tokens are full",
        "fixed_size",
        {"size_tokens": 200, "overlap_tokens": 0},
    ),
    Preset(
        "fixed-256-32",
        "Fixed 256 tokens, overlap 32",
        "a usual default; its last tokens lie beyond the default model's window",
        "fixed_size",
        {"size_tokens": 256, "overlap_tokens": 32},
    ),
    Preset(
        "spacy-250-1",
        "Sentences ≤ 250 + overlap 1 (spaCy)",
        "each chunk repeats the last sentence of the one before",
        "spacy_sentences",
        {"size_tokens": 250, "overlap_sentences": 1},
    ),
    Preset(
        "nltk-120-1",
        "Sentences ≤ 120 + overlap 1 (NLTK)",
        "short chunks, for questions with one precise answer",
        "nltk_sentences",
        {"size_tokens": 120, "overlap_sentences": 1},
    ),
    Preset(
        "headings-300",
        "Headings ≤ 300",
        "one chunk per section, long sections divided; for manuals and policies",
        "headings",
        {"size_tokens": 300},
    ),
    Preset(
        "recursive-200",
        "Recursive ≤ 200",
        "paragraphs first, then lines, then sentences, until a piece fits",
        "recursive",
        {"size_tokens": 200},
    ),
    Preset(
        "semantic-250",
        "Semantic ≤ 250",
        "breaks where the subject changes; embeds every sentence first, so it is slow on long texts",
        "semantic",
        {"size_tokens": 250},
    ),
)
DEFAULT_COMPARISON = ("spacy-200", "nltk-200", "fixed-200")


def preset(slug: str) -> Preset | None:
    """Return the preset with this name in links, or None."""
    return next((found for found in PRESETS if found.slug == slug), None)


def default_drafts() -> list[Draft]:
    """Return what a newcomer compares first."""
    return [found.draft() for found in PRESETS if found.slug in DEFAULT_COMPARISON]


def link_of(draft: Draft) -> str:
    """Return a draft as one parameter of a link: a preset's name where it is one, else its settings."""
    text = draft.link()
    return next((found.slug for found in PRESETS if found.draft().link() == text), text)


def draft_of(link: str) -> Draft | None:
    """Return the draft that a link names, or None when it cannot be read."""
    found = preset(link)
    return found.draft() if found else Draft.from_link(link)


def free_name(name: str, config: Config, saved: list[Config]) -> str:
    """Return ``name``, or with a number behind it when a saved config with other settings has it already.

    Two configs with the same settings share their name and their table.
    """
    taken = {other.name: other.fingerprint for other in saved}
    candidate, number = name, 2
    while taken.get(candidate, config.fingerprint) != config.fingerprint:
        candidate = f"{name[:76]} {number}"
        number += 1
    return candidate
