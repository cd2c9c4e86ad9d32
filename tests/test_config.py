"""The YAML: what is written is read, what is wrong is named with its line, what is secret is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stores.plugged_in import plugged_in
from workbench import config as configs
from workbench import plugins
from workbench.config import Config, parsed, written
from workbench.errors import ConfigError, SettingsError

MINIMAL = """\
version: 1
name: handbook-250
chunker: {name: nltk_sentences, size_tokens: 250, overlap_sentences: 1}
embedder: {name: hashing}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parsed(text, "x.yaml")
    return caught.value.problems


def test_a_minimal_config_has_defaults_for_the_rest() -> None:
    found = parsed(MINIMAL)
    assert (found.parser.name, found.store.name, found.retriever.name) == ("pdf", "lancedb", "nearest")


def test_export_import_export_gives_the_same_bytes() -> None:
    first = written(parsed("# measured on 3 documents\n#\n#   indented: yes\n" + MINIMAL))
    assert written(parsed(first)) == first
    assert first.startswith("# measured on 3 documents\n#\n#   indented: yes\nversion: 1\n")


@given(
    st.integers(16, 1000),
    st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=60),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,30}", fullmatch=True),
)
def test_every_config_survives_the_round_trip(size: int, prefix: str, name: str) -> None:
    first = Config(
        name=name,
        chunker=plugins.build("chunkers", "nltk_sentences", {"size_tokens": size}),
        embedder=plugins.build("embedders", "hashing"),
        comment=prefix,
    )
    second = parsed(written(first))
    assert (second.name, second.chunker, second.fingerprint) == (first.name, first.chunker, first.fingerprint)
    assert written(second) == written(first)


def test_settings_of_a_unit_that_is_not_in_use_are_read_but_not_written() -> None:
    text = MINIMAL.split("chunker:")[0] + (
        "chunker: {name: fixed_size, unit: characters, size_characters: 500, size_tokens: 99}\n"
        "embedder: {name: hashing}\n"
    )
    first = parsed(text)
    assert "size_characters: 500" in written(first)
    assert "_tokens" not in written(first).partition("embedder:")[0]
    assert parsed(written(first)).fingerprint == first.fingerprint
    assert written(parsed(written(first))) == written(first)


def test_names_that_yaml_would_take_for_numbers_stay_names() -> None:
    for name in ("1", "1e3", "true", "null", "2024-01-01", "0x1f"):
        first = Config(name, plugins.build("chunkers", "fixed_size"), plugins.build("embedders", "hashing"))
        assert parsed(written(first)).name == name


def test_several_problems_are_named_at_once_with_their_lines() -> None:
    found = problems(
        "version: 1\nname: a\nchunkr: {name: fixed_size}\nchunker:\n  name: nltk_sentences\n  size_tokens: -5\n"
        "  sise: 3\nembedder: {name: hashng}\n"
    )
    assert [p.partition(":")[0] for p in found] == [
        "line 3, chunkr",
        "line 6, chunker.size_tokens",
        "line 7, chunker.sise",
        "line 8, embedder.name",
    ]
    assert "did you mean chunker" in found[0]
    assert "did you mean hashing" in found[3]


def test_a_setting_written_without_its_last_letter_is_a_slip_and_no_secret() -> None:
    (found,) = problems(MINIMAL.replace("size_tokens: 250", "size_token: 250"))
    assert "chunker.size_token" in found
    assert "did you mean size_tokens" in found
    (found,) = problems(MINIMAL.replace("size_tokens: 250", "access_token: 250"))
    assert "never as text" in found


def test_a_missing_section_and_a_wrong_version_are_named() -> None:
    found = problems("version: 7\nname: a\n")
    assert found[:2] == ["chunker is missing", "embedder is missing"]
    assert "line 1, version: 7 is not known" in found[2]


def test_a_key_that_stands_twice_is_refused() -> None:
    assert problems(MINIMAL + "name: other\n") == ["line 5, name: this key stands here twice"]


@pytest.mark.parametrize(
    "text", ["", "[]", "just words", "- a\n- b", "name: [", "\t- x", "{a: 1}\n---\n{b: 2}"]
)
def test_what_is_no_config_gets_a_sentence(text: str) -> None:
    assert problems(text)


def test_aliases_are_refused_because_they_unfold_without_end() -> None:
    bomb = "a: &a [x,x]\nb: &b [*a,*a]\nname: *b\n"
    assert "aliases" in problems(bomb)[0]


def test_a_secret_as_text_is_refused_and_not_repeated() -> None:
    found = problems(MINIMAL.replace("{name: hashing}", "{name: hashing, api_key: sk-12345}"))
    assert any("${env:NAME}" in p for p in found)
    assert not any("sk-12345" in p.split("write a secret")[0] for p in found if "write a secret" in p)


def test_a_date_or_an_exotic_tag_is_only_text() -> None:
    assert "size_tokens" in problems(MINIMAL.replace("250, o", "2024-01-01, o"))[0]
    assert parsed(MINIMAL.replace("name: handbook-250", "name: !!python/object:os.system x")).name == "x"


def test_the_fingerprint_holds_what_decides_the_rows_and_nothing_else() -> None:
    base = parsed(MINIMAL)
    renamed = parsed(MINIMAL.replace("handbook-250", "other"))
    searched = parsed(MINIMAL + "retriever: {name: nearest, top_k: 9}\n")
    cut = parsed(MINIMAL.replace("250,", "251,"))
    assert base.fingerprint == renamed.fingerprint == searched.fingerprint != cut.fingerprint
    assert base.table_name == f"nltk_sentences__hashing__{base.fingerprint[:12]}"


def test_every_setting_that_is_part_of_the_identity_changes_the_fingerprint() -> None:
    for name in plugins.names("chunkers"):
        plugin = plugins.build("chunkers", name)
        for field, value in plugin.model_dump().items():
            if isinstance(value, bool):
                other = plugin.model_copy(update={field: not value})
                assert other.identity() != plugin.identity(), (name, field)


def test_a_name_that_could_break_out_of_the_file_is_refused() -> None:
    for name in ("a\nb: 1", "", "../x", "x" * 81):
        with pytest.raises(SettingsError):
            Config(name, plugins.build("chunkers", "fixed_size"), plugins.build("embedders", "hashing"))


def test_an_absurdly_long_file_is_refused_unread() -> None:
    assert "too many" in problems("#" * (configs.LARGEST_CONFIG_CHARACTERS + 1))[0]


@pytest.mark.parametrize(
    "value", ["0x_", "0b_", "!!int abc", "!!float abc", "!!bool maybe", "9" * 5000, "{[1]: 2}"]
)
def test_a_value_that_is_not_what_it_says_is_a_problem_with_its_line(value: str) -> None:
    assert any(
        p.startswith("line ") for p in problems(MINIMAL.replace("size_tokens: 250", f"size_tokens: {value}"))
    )


@pytest.mark.parametrize("deep", ["[" * 3000, "[" * 300 + "1" + "]" * 300, "{a: " * 60 + "1" + "}" * 60])
def test_endless_nesting_is_refused(deep: str) -> None:
    found = problems(MINIMAL.replace("size_tokens: 250", f"size_tokens: {deep}"))
    assert any("nested far too deep" in problem for problem in found)


def test_a_key_that_is_a_list_is_named_by_its_line() -> None:
    assert problems(MINIMAL.replace("size_tokens: 250", "[a, b]: 3")) == [
        "line 3, chunker: a key must be a word"
    ]


def test_a_comment_survives_a_byte_order_mark_and_the_names_of_odd_files() -> None:
    config = parsed("\ufeff# measured\n" + MINIMAL)
    assert config.comment == "measured"
    odd = written(replace(config, comment="on q\udcff\x07.csv"))
    assert odd.startswith("# on q\ufffd\ufffd.csv\n")
    assert written(parsed(odd)) == odd


# ── the sections that only the pipeline reads ────────────────────────────────────────────────────────────────────

PIPELINE = """\
sources:
- {name: pdf_folder, path: in, include: ['*.pdf']}
- {name: pdf_folder, path: other}
deletes: {min_present_ratio: 0.8}
failures: {max_count: 3}
budget: {money: 5, price_per_million_tokens: 0.02}
evaluate: {questions: questions.csv}
release: {keep: 2}
schedule: {every_minutes: 30}
"""


def test_a_pipeline_is_written_as_it_was_read_and_only_what_was_given() -> None:
    found = parsed(MINIMAL + PIPELINE)
    assert [source.place() for source in found.sources] == ["in", "other"]
    assert (found.deletes.min_present_ratio, found.budget.minutes) == (0.8, None)  # type: ignore[union-attr]
    assert (found.evaluate.metric, found.release.keep) == ("recall@5", 2)  # type: ignore[union-attr]
    text = written(found)
    assert parsed(text) == found
    assert written(parsed(text)) == text
    assert "sources" not in written(parsed(MINIMAL))
    assert "budget" not in written(parsed(MINIMAL + "release: {keep: 2}\n"))


def test_a_pipeline_changes_no_table() -> None:
    assert parsed(MINIMAL + PIPELINE).table_name == parsed(MINIMAL).table_name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "deletes: {min_present: 1}",
            "line 5, deletes.min_present: min_present is not a setting here; did you mean min_present_ratio?",
        ),
        (
            "deletes: {min_present_ratio: 2}",
            "line 5, deletes.min_present_ratio: min_present_ratio (2): input should",
        ),
        (
            "evaluate: {questions: q.csv, metric: tokens_shown@5}",
            "line 5, evaluate.metric: metric ('tokens_shown@5') must be one of recall@1, ",
        ),
        ("evaluate: {metric: recall@5}", "line 5, evaluate.questions: questions is missing"),
        ("release: 3", "line 5, release: write it as release: {…} (known: keep)"),
        ("sources: in", "line 5, sources: write them as a list"),
        ("sources:\n- {name: pdf_folder}", "line 6, sources.0.path: path is missing"),
        ("sources:\n- {name: pdf_foldr, path: in}", "did you mean pdf_folder?"),
        (
            "sources:\n- {name: pdf_folder, path: in}\n- {name: pdf_folder, path: in}",
            "line 7, sources.1: pdf_folder:in stands here twice",
        ),
    ],
)
def test_what_is_wrong_in_a_pipeline_is_named_with_its_line(text: str, problem: str) -> None:
    (found,) = problems(MINIMAL + text + "\n")
    assert problem in found


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("0123", "0123 begins with 0: YAML reads it as octal, 83; write 123"),
        ("-0123", "-0123 begins with 0: YAML reads it as octal, -83; write -123"),
        ("0090", "0090 begins with 0: YAML reads it as text; write 90"),
        ("0x7B", "0x7B: YAML reads it as hexadecimal, 123; write 123"),
        ("0b1111011", "0b1111011: YAML reads it as binary, 123; write 123"),
        ("2:03", "2:03: YAML reads it as base 60, 123; write 123"),
    ],
)
def test_a_number_that_yaml_reads_as_another_one_is_refused_with_what_to_write(
    number: str, sentence: str
) -> None:
    chunker = f"chunker: {{name: nltk_sentences, size_tokens: {number}, overlap_sentences: 1}}"
    text = f"name: x\n{chunker}\nembedder: {{name: hashing}}\n"
    assert problems(text) == [f"line 2, chunker.size_tokens: {sentence}"]
    section = MINIMAL + f"failures:\n  max_count: {number}\n"
    assert problems(section) == [f"line 6, failures.max_count: {sentence}"]


def test_a_number_with_a_0_in_front_where_text_is_meant_is_to_be_quoted() -> None:
    text = MINIMAL + "sources:\n- {name: pdf_folder, path: 0123, include: [2024, 0777]}\n"
    found = problems(text)
    assert found[0] == (
        'line 6, sources.0.path: 0123 begins with 0: YAML reads it as octal, 83; write "0123"'
    )
    assert 'write "0777"' in found[1]
    assert parsed(text.replace("0123", '"0123"').replace("[2024, 0777]", '["0777", 08]')).sources


def test_decimal_numbers_are_read_however_they_are_written() -> None:
    for number, size in (("1_000", 1000), ("+250", 250), ("250", 250)):
        assert parsed(MINIMAL.replace("250, o", f"{number}, o")).chunker.model_dump()["size_tokens"] == size
    assert parsed(MINIMAL.replace("handbook-250", "0123")).name == "0123"


def test_a_secret_that_is_not_given_is_no_secret_as_text(tmp_path: Path) -> None:
    with plugged_in():
        store = plugins.build("stores", "one_place", {"address": str(tmp_path / "server.db")})
        config = replace(parsed(MINIMAL), store=store)
        assert parsed(written(config)).store == store
        with pytest.raises(ConfigError, match="write a secret as"):
            parsed(written(config).replace("api_key: ''", "api_key: abc"))


def test_a_secret_written_as_a_number_is_not_repeated() -> None:
    text = MINIMAL.replace("{name: hashing}", "{name: hashing, api_key: 0123}")
    assert not [problem for problem in problems(text) if "0123" in problem or "83" in problem]
