"""What is true of every chunker. Subjects are found by listing the folder."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chunkers.texts import (
    UNBROKEN,
    CountingMemo,
    ShortTokens,
    UnknownWords,
    analysis_of,
    arbitrary_vectors,
    document_of,
    texts,
    unbroken_texts,
)
from tests.work import steps
from workbench import outline, plugins, sentences
from workbench.analysis import Memo, TextAnalysis, Tokenizer
from workbench.chunkers._spacy import pipeline
from workbench.contracts import Chunker
from workbench.errors import SettingsError
from workbench.records import Chunk, Document, Heading, Page
from workbench.spans import difference

NAMES = plugins.names("chunkers")
CHARACTERS_A_TOKEN = 20
SMALL = {
    "size_tokens": st.integers(8, 40),
    "overlap_tokens": st.integers(0, 7),
    "size_characters": st.integers(8, 120),
    "overlap_characters": st.integers(0, 7),
    "overlap_sentences": st.integers(0, 3),
    "fill_percent": st.integers(0, 100),
    "deepest_level": st.integers(1, 6),
    "threshold_percentile": st.floats(0, 100),
    "window_sentences": st.integers(1, 4),
    "separator": st.sampled_from(("\n\n", "\n", " ", "e", "\u200d", "\n\n\n")),
    "separators": st.sampled_from((("\n\n", "\n", " "), (". ", ""), ("\u0301", "e", "\n"), ("",))),
}
# The trained modes are given fewer texts, in a test of their own.
QUICK_MODES = {"mode": ("rules",)}
LAWS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def settings_of(name: str, modes: dict[str, tuple[str, ...]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return settings that differ in every field, small enough to cut short texts often."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for field, info in plugins.plugin_class("chunkers", name).model_fields.items():
        if field in modes:
            fields[field] = st.sampled_from(modes[field])
        elif field in SMALL:
            fields[field] = SMALL[field]
        elif get_origin(info.annotation) is Literal:
            fields[field] = st.sampled_from(get_args(info.annotation))
        elif info.annotation is bool:
            fields[field] = st.booleans()
    return st.fixed_dictionaries(fields)


def budget(chunker: Chunker) -> tuple[str, int]:
    unit = getattr(chunker, "unit", "tokens")
    return unit, getattr(chunker, f"size_{unit}")


def overlaps(chunker: Chunker) -> bool:
    unit = getattr(chunker, "unit", "tokens")
    return bool(getattr(chunker, f"overlap_{unit}", 0) or getattr(chunker, "overlap_sentences", 0))


def size(chunk: Chunk, unit: str) -> int:
    return chunk.token_count if unit == "tokens" else chunk.end - chunk.start


def check_laws(
    chunker: Chunker, document: Document, tokenizer: Callable[[], Tokenizer] = ShortTokens
) -> None:
    text = document.text
    analysis = analysis_of(document, tokenizer=tokenizer())
    chunks = chunker.chunks(document, analysis)
    unit, limit = budget(chunker)

    # Exact and increasing.
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.token_count == analysis.tokens.count(chunk.start, chunk.end)
        assert (chunk.page_start, chunk.page_end) == (
            document.page_at(chunk.start),
            document.page_at(chunk.end - 1),
        )
    for one, two in itertools.pairwise(chunks):
        assert one.start < two.start
        assert one.end < two.end
        assert two.ordinal == one.ordinal + 1
    assert len({chunk.id for chunk in chunks}) == len(chunks)

    # Within the budget, and never far beyond what its tokens would be as words.
    assert all(size(chunk, unit) <= limit for chunk in chunks)
    longest = CHARACTERS_A_TOKEN * limit if unit == "tokens" else limit
    assert all(chunk.end - chunk.start <= longest for chunk in chunks)

    # Nothing but blanks is lost, and nothing repeated unless asked for.
    lost = difference([(0, len(text))], [(chunk.start, chunk.end) for chunk in chunks])
    assert all(text[start:end].isspace() for start, end in lost)
    if not overlaps(chunker):
        assert all(one.end <= two.start for one, two in itertools.pairwise(chunks))

    # No broken grapheme, except one that is above either by itself. Blanks at ends are trimmed off graphemes.
    places = {chunk.start for chunk in chunks} | {chunk.end for chunk in chunks}
    for grapheme in regex.finditer(r"\X", text):
        start, end = grapheme.span()
        own = analysis.tokens.count(start, end) if unit == "tokens" else end - start
        if (
            own <= limit
            and end - start <= longest
            and not any(character.isspace() for character in grapheme.group())
        ):
            assert not places.intersection(range(start + 1, end))

    # Same result for the same input.
    assert chunker.chunks(document, analysis) == chunks
    again = analysis_of(document, tokenizer=tokenizer())
    assert type(chunker)(**chunker.model_dump()).chunks(document, again) == chunks


@pytest.mark.parametrize("name", NAMES)
def test_every_law_holds(name: str) -> None:
    @LAWS
    @given(values=settings_of(name, QUICK_MODES), text=texts)
    def check(values: dict[str, Any], text: str) -> None:
        check_laws(plugins.build("chunkers", name, values), document_of(text))

    check()


@pytest.mark.parametrize("name", NAMES)
def test_every_law_holds_for_words_that_are_one_token_however_long(name: str) -> None:
    @settings(LAWS, max_examples=12)
    @given(values=settings_of(name, QUICK_MODES), text=unbroken_texts)
    def check(values: dict[str, Any], text: str) -> None:
        check_laws(plugins.build("chunkers", name, values), document_of(text), UnknownWords)

    check()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unbroken", UNBROKEN)
def test_no_chunk_is_above_twenty_characters_for_each_token_of_its_size(name: str, unbroken: str) -> None:
    document = document_of("a" + unbroken * (50_000 // len(unbroken)) + "b")
    chunks = quick(name, size_tokens=200).chunks(document, analysis_of(document, tokenizer=UnknownWords()))
    assert max(chunk.end - chunk.start for chunk in chunks) <= 4_000
    lost = difference([(0, len(document.text))], [(chunk.start, chunk.end) for chunk in chunks])
    assert all(document.text[start:end].isspace() for start, end in lost)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["parser", "senter"])
def test_every_law_holds_for_trained_sentence_splitters(mode: str) -> None:
    @settings(LAWS, max_examples=15)
    @given(values=settings_of("spacy_sentences", {"mode": (mode,)}), text=texts)
    def check(values: dict[str, Any], text: str) -> None:
        check_laws(plugins.build("chunkers", "spacy_sentences", values), document_of(text))

    check()


def quick(name: str, **values: Any) -> Chunker:
    if "mode" in plugins.plugin_class("chunkers", name).model_fields:
        values["mode"] = "rules"
    chunker: Chunker = plugins.build("chunkers", name, values)
    return chunker


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", " \n\n\t ", "\x00", "a", "\u0301", "\r\n"])
def test_a_text_of_nothing_or_next_to_nothing(name: str, text: str) -> None:
    chunks = quick(name).chunks(document_of(text), analysis_of(document_of(text)))
    assert [chunk.text for chunk in chunks] == ([text.strip()] if text.strip() else [])


HARD_ON_TIME = {
    "sentences": "The bus left at 8 a.m. and Dr. Ray saw it, too. ",
    "paragraphs": "One.\n\nTwo words.\n\n",
    "lines": "item\n",
    "blanks": " ",
    "line ends": "\n",
    "full stops": ". ",
    "dots": ".",
    "one word": "x",
    "marks": ")",
    "stacked accents": "\u0301",
    "joined emoji": "\N{WOMAN}\u200d",
    "flags": "\U0001f1e9",
    "ideographs": "漢",
    "brackets": "(",
    "quotes": "\"'",
    "an address": "https://example.org/a?b=c&",
    "short forms": "x's",
}


def steps_of(chunker: Chunker, document: Document) -> int:
    analysis = analysis_of(document)
    return steps(lambda: chunker.chunks(document, analysis))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", HARD_ON_TIME)
def test_four_times_the_text_takes_about_four_times_the_steps(name: str, kind: str) -> None:
    unit = HARD_ON_TIME[kind]
    chunker = quick(name, size_tokens=16)
    short, long = (document_of((unit * 4000)[:characters]) for characters in (1000, 4000))
    chunker.chunks(short, analysis_of(short))  # imports and loading are not part of the cutting
    assert steps_of(chunker, long) <= 4.6 * steps_of(chunker, short) + 500


@pytest.mark.slow
@pytest.mark.parametrize("kind", HARD_ON_TIME)
def test_what_spacy_searches_for_tokens_is_about_four_times_as_much_too(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = pipeline("rules")[0].tokenizer
    searched_characters = 0

    def counted(search: Callable[[str], Any]) -> Callable[[str], Any]:
        def count(text: str) -> Any:
            nonlocal searched_characters
            searched_characters += len(text)
            return search(text)

        return count

    for name in ("prefix_search", "suffix_search", "infix_finditer", "url_match"):
        monkeypatch.setattr(tokenizer, name, counted(getattr(tokenizer, name)))
    found = []
    for characters in (2000, 8000):
        searched_characters = 0
        document = document_of((HARD_ON_TIME[kind] * 8000)[:characters])
        quick("spacy_sentences").chunks(document, analysis_of(document))
        found.append(searched_characters)
    assert found[0] or kind in ("blanks", "line ends")
    assert found[1] <= 4.6 * found[0] + 500


@pytest.mark.parametrize("name", NAMES)
def test_eight_configurations_tokenise_and_split_once(name: str) -> None:
    document = document_of("Dr. Ray came. She saw a bus, and left.\n\n漢字。 Again! " * 30)
    tokenizer, memo = ShortTokens(), CountingMemo()
    for size_tokens in range(10, 90, 10):
        analysis = TextAnalysis(document.text, tokenizer, document.headings, memo, arbitrary_vectors)
        quick(name, size_tokens=size_tokens).chunks(document, analysis)
    assert tokenizer.calls == 1
    assert memo.computed
    assert set(memo.computed.values()) == {1}


@pytest.mark.parametrize("name", NAMES)
def test_measurements_read_from_disk_give_the_same_chunks(name: str, tmp_path: Any) -> None:
    document = document_of("Dr. Ray came. She saw a bus, and left.\n\n漢字。 Again! " * 30)
    chunker = quick(name, size_tokens=20)
    first = chunker.chunks(document, analysis_of(document, Memo(tmp_path)))
    again = analysis_of(document, Memo(tmp_path))
    assert chunker.chunks(document, again) == first
    assert isinstance(again.tokenizer, ShortTokens)
    assert again.tokenizer.calls == 0


@pytest.mark.parametrize("name", NAMES)
def test_settings_have_bounds_and_descriptions(name: str) -> None:
    found = plugins.plugin_class("chunkers", name)
    assert found.label
    assert found.__doc__
    for field, info in found.model_fields.items():
        assert info.description, field
        if info.annotation in (int, float):
            assert {type(bound).__name__ for bound in info.metadata} >= {"Ge", "Le"}, field
    assert found().model_dump() == found.model_validate(found().model_dump()).model_dump()


@pytest.mark.parametrize("name", NAMES)
def test_the_key_holds_all_that_decides_the_chunks_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(document: Document, embedder: str = "one", tokenizer: str = "tokens", **values: Any) -> str:
        counter = ShortTokens()
        counter.id = tokenizer
        found: Chunker = plugins.build("chunkers", name, values)
        return found.key(document, counter, embedder)

    text = "Head\n\nTwo words."
    plain = Document("d", text, (Page(1, 0, len(text)),), "t", "u")
    first = key(plain)
    assert key(replace(plain, id="e", title="other", uri="v", metadata={"a": "b"})) == first
    others = {
        key(replace(plain, text=text + "!")),
        key(replace(plain, pages=(Page(1, 0, 4), Page(2, 4, len(text))))),
        key(plain, tokenizer="other tokens"),
        key(plain, size_tokens=99),
    }
    assert len(others - {first}) == 4
    uses = plugins.plugin_class("chunkers", name).uses
    assert (key(replace(plain, headings=(Heading(0, 4, 1),))) != first) == ("headings" in uses)
    assert (key(plain, embedder="two") != first) == ("vectors" in uses)
    for module in (outline, sentences):
        with monkeypatch.context() as patched:
            patched.setattr(module, "VERSION", 99)
            assert key(plain) != first
    monkeypatch.setattr(plugins.plugin_class("chunkers", name), "VERSION", 99)
    assert key(plain) != first


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [0, -1, 10**9, "200", 1.5, True, None])
def test_an_impossible_size_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(SettingsError, match="size_tokens"):
        plugins.build("chunkers", name, {"size_tokens": wrong})


@pytest.mark.parametrize(
    "name", [n for n in NAMES if "overlap_tokens" in plugins.plugin_class("chunkers", n).model_fields]
)
def test_overlap_not_below_the_size_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"overlap_tokens \(300\) must be below size_tokens \(200\)"):
        plugins.build("chunkers", name, {"size_tokens": 200, "overlap_tokens": 300})
    with pytest.raises(
        SettingsError, match=r"overlap_characters \(50\) must be below size_characters \(50\)"
    ):
        plugins.build(
            "chunkers", name, {"unit": "characters", "size_characters": 50, "overlap_characters": 50}
        )
