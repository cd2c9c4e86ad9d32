"""What each chunker makes of three texts, kept word for word so that a change is seen and reviewed as a diff.

A change of the output is a change of the chunker: raise its ``VERSION`` (or that of ``workbench.outline`` or
``workbench.sentences``, if the change is there), write the files anew and review them:

    python -m tests.chunkers.test_golden
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.chunkers.texts import ShortTokens, arbitrary_vectors
from workbench import plugins
from workbench.analysis import TextAnalysis
from workbench.records import Document, Heading

FOLDER = Path(__file__).parents[1] / "golden" / "chunkers"
COMMAND = "python -m tests.chunkers.test_golden"
TEXTS = ("handbook.md", "wrapped_report.txt", "many_scripts.txt")
SETTINGS: dict[str, list[dict[str, Any]]] = {
    "fixed_size": [
        {"size_tokens": 60, "overlap_tokens": 10},
        {"unit": "characters", "size_characters": 200, "overlap_characters": 20},
    ],
    "headings": [{"size_tokens": 120}, {"size_tokens": 120, "join_small": True, "deepest_level": 2}],
    "langchain_character": [{"size_tokens": 60}],
    "langchain_recursive": [{"size_tokens": 60, "overlap_tokens": 10}],
    "nltk_sentences": [
        {"size_tokens": 60, "overlap_sentences": 1},
        {"size_tokens": 60, "cross_paragraphs": False},
    ],
    "recursive": [{"size_tokens": 60, "overlap_tokens": 10}, {"size_tokens": 120, "fill_percent": 0}],
    "semantic": [{"size_tokens": 60, "threshold_percentile": 70.0}],
    "spacy_sentences": [{"mode": "rules", "size_tokens": 60}],
}
TRAINED = [{"mode": "parser", "size_tokens": 60}, {"mode": "senter", "size_tokens": 60}]


def document(name: str) -> Document:
    text = (FOLDER / name).read_text("utf-8")
    headings = [Heading(m.start(), m.end(), len(m[1])) for m in re.finditer(r"^(#+) .*$", text, re.MULTILINE)]
    return Document(name, text, (), name, name, tuple(headings))


def outcome(chunker: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of one chunker with one choice of settings: ranges, and their first words to read."""
    built = plugins.build("chunkers", chunker, values)
    found: dict[str, Any] = {"settings": values, "version": built.VERSION}
    for name in TEXTS:
        text = document(name)
        analysis = TextAnalysis(text.text, ShortTokens(), text.headings, sentence_vectors=arbitrary_vectors)
        found[name] = [
            f"{chunk.start}-{chunk.end} {chunk.token_count} {chunk.text[:48]!r}"
            for chunk in built.chunks(text, analysis)
        ]
    return found


def kept(chunker: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{chunker}.json").read_text("utf-8"))  # type: ignore[no-any-return]


def compare(chunker: str, settings: list[dict[str, Any]], before: list[dict[str, Any]]) -> None:
    for values, expected in zip(settings, before, strict=True):
        found = outcome(chunker, values)
        if found != expected and found["version"] == expected["version"]:
            changed = [name for name in TEXTS if found[name] != expected[name]]
            pytest.fail(
                f"{chunker} with {values} cuts {', '.join(changed)} in another way than before: if that is meant, "
                f"raise VERSION and run {COMMAND}"
            )
        assert found == expected, f"{chunker} has a new VERSION: run {COMMAND} and review the diff"


def test_every_chunker_has_golden_output() -> None:
    assert set(SETTINGS) == set(plugins.names("chunkers"))


@pytest.mark.parametrize("chunker", SETTINGS)
def test_chunks_are_as_they_were(chunker: str) -> None:
    compare(chunker, SETTINGS[chunker], kept(chunker))


@pytest.mark.slow
def test_chunks_of_trained_sentence_splitters_are_as_they_were() -> None:
    compare("spacy_sentences", TRAINED, kept("spacy_sentences_trained"))


def write() -> None:
    """Write all golden files anew."""
    wanted = {**SETTINGS, "spacy_sentences_trained": TRAINED}
    for name, settings in wanted.items():
        outcomes = [outcome(name.removesuffix("_trained"), values) for values in settings]
        (FOLDER / f"{name}.json").write_text(
            json.dumps(outcomes, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
        )


if __name__ == "__main__":
    write()
