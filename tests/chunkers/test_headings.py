"""Sections as a reader sees them."""

from __future__ import annotations

from pathlib import Path

from workbench import plugins
from workbench.analysis import TextAnalysis
from workbench.records import Document, Heading, Page


def test_a_heading_right_below_another_one_stays_with_it() -> None:
    text = "Rules\n\nSpeed\n\nDrive slowly.\n\nBrakes\n\nTest them daily."
    marks = [Heading(text.index(word), text.index(word) + len(word), level) for word, level in
             (("Rules", 1), ("Speed", 2), ("Brakes", 2))]  # fmt: skip
    document = Document("d", text, (Page(1, 0, len(text)),), "", "", tuple(marks))
    tokenizer = plugins.build("embedders", "hashing").embedding_model(Path()).tokenizer
    chunks = plugins.build("chunkers", "headings").chunks(document, TextAnalysis(text, tokenizer, marks))
    assert [chunk.text for chunk in chunks] == [
        "Rules\n\nSpeed\n\nDrive slowly.",
        "Brakes\n\nTest them daily.",
    ]
