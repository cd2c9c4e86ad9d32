"""The tokenizer gives, piece by piece, what the tokenizers library gives for the whole."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from workbench.analysis import Tokens
from workbench.embedders._model_folder import BUNDLED_MODEL, found_folder
from workbench.embedders._tokenizer import LOOK_BACK_CHARACTERS, PIECE_CHARACTERS, HuggingFaceTokenizer

DEFINITION = (found_folder(BUNDLED_MODEL, None) / "tokenizer.json").read_text("utf-8")
BERT = HuggingFaceTokenizer(DEFINITION)

ODD_PARTS = [
    "word", "Ünïcödé", "e\u0301a\u0300", "\u0301", "İstanbul", "ﬁne", "ß", "한국어", "日本語", "नमस्ते", "กำลัง", "👩‍👩‍👧", "🇩🇪",
    "\u200b", "\u00ad", "\x00", "\x1c", "\x0b", "\x85", "\u2028", "\u3000", "\u00a0", " ", "  ", "\n", "\t", "\r\n", ".", "]", "[",
    "[CLS]", "[SEP]", "[MASK] ", "don't", "3.14", "a" * 150, "(x)", "#$%", "\ufffd", "\ufeff", "\u0130\u0307",
]  # fmt: skip


def _whole(definition: str, text: str) -> np.ndarray:
    library = Tokenizer.from_str(definition)
    library.no_truncation()
    library.no_padding()
    return np.array(library.encode(text, add_special_tokens=False).offsets, np.int64).reshape(-1, 2)


def _odd_text(seed: int, length: int) -> str:
    chosen = random.Random(seed)
    text = ""
    while len(text) < length:
        text += "".join(chosen.choice(ODD_PARTS) + chosen.choice(["", "", " "]) for _ in range(2_000))
    return text[:length]


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_a_long_text_give_what_the_whole_gives(seed: int) -> None:
    text = _odd_text(seed, 5 * PIECE_CHARACTERS + 77)
    assert len(list(BERT.pieces(text))) > 5
    assert "".join(BERT.pieces(text)) == text
    assert np.array_equal(BERT.offsets(text), _whole(DEFINITION, text))


@pytest.mark.parametrize("separator", [" ", "\n", ".", "電", "[SEP]", "\n[MASK]"])
def test_a_piece_may_end_at_any_place_where_bert_separates_words(separator: str) -> None:
    for shift in range(len(separator) + 2):
        filler = "abc" * ((PIECE_CHARACTERS - 50) // 3)
        text = filler + "d" * shift + separator + "tail" * 30 + separator + "e" * 1_000
        assert len(list(BERT.pieces(text))) == 2
        assert np.array_equal(BERT.offsets(text), _whole(DEFINITION, text))


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_ranges_lie_in_the_text_and_never_fall(text: str) -> None:
    found = BERT.offsets(text)
    assert (found[:, 0] < found[:, 1]).all()
    assert (np.diff(found, axis=0) >= 0).all()
    assert ((found >= 0) & (found <= len(text))).all()
    # Every character is in a token, or is one that Bert takes away.
    tokens = Tokens(found[:, 0].copy(), found[:, 1].copy())
    assert tokens.count(0, len(text)) == len(found)


def test_ranges_count_code_points_not_bytes() -> None:
    text = "👩 Zürich 電池"
    assert [text[a:b] for a, b in BERT.offsets(text)] == ["👩", "Zürich", "電", "池"]


def test_tokens_of_one_syllable_share_its_range() -> None:
    assert BERT.offsets("한 x").tolist() == [[0, 1], [0, 1], [0, 1], [2, 3]]


def test_a_run_without_any_place_to_cut_is_cut_all_the_same() -> None:
    text = "a" * (3 * PIECE_CHARACTERS)
    assert "".join(BERT.pieces(text)) == text
    assert max(len(piece) for piece in BERT.pieces(text)) == PIECE_CHARACTERS
    assert len(BERT.offsets(text)) == 3
    assert LOOK_BACK_CHARACTERS < PIECE_CHARACTERS


def _byte_level() -> str:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        [_odd_text(9, 20_000)],
        trainers.BpeTrainer(
            vocab_size=600, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        ),
    )
    return str(made.to_str())


def _unigram() -> str:
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator(
        [_odd_text(9, 20_000)],
        trainers.UnigramTrainer(
            vocab_size=400, show_progress=False, unk_token="<unk>", special_tokens=["<unk>"]
        ),
    )
    return str(made.to_str())


@pytest.mark.parametrize("definition", [_byte_level(), _unigram()], ids=["byte level", "unigram"])
def test_other_tokenizers_may_be_cut_at_single_blanks(definition: str) -> None:
    words = random.Random(1)
    text = " ".join(
        words.choice(["battery", "ages", "Zürich", "two  blanks", "end.", "\n", "x1"]) for _ in range(9_000)
    )
    tokenizer = HuggingFaceTokenizer(definition)
    assert len(list(tokenizer.pieces(text))) > 2
    found, whole = tokenizer.offsets(text), _whole(definition, text)
    assert len(found) == len(whole)
    assert np.array_equal(found[:, 1], np.maximum.accumulate(whole[:, 1]))


@pytest.mark.parametrize("window", [1, 7, 254])
@pytest.mark.parametrize("length", [10, 3_000, 3 * PIECE_CHARACTERS])
def test_the_models_input_is_the_librarys_own_truncation(window: int, length: int) -> None:
    text = _odd_text(4, length)
    library = Tokenizer.from_str(DEFINITION)
    library.no_padding()
    library.enable_truncation(window + 2)
    expected = library.encode(text)
    assert BERT.truncating(window).ids([text])[0].tolist() == expected.ids
    last = [end for (_, end), special in zip(expected.offsets, expected.special_tokens_mask, strict=True) if not special][-1]  # fmt: skip
    offsets = BERT.offsets(text)
    assert last == offsets[min(window, len(offsets)) - 1, 1]


def test_the_id_is_of_the_content_and_not_of_limits_or_layout() -> None:
    content = json.loads(DEFINITION)
    content["truncation"] = None
    content["padding"] = None
    assert HuggingFaceTokenizer(json.dumps(content, indent=2)).id == BERT.id
    content["normalizer"]["lowercase"] = False
    assert HuggingFaceTokenizer(json.dumps(content)).id != BERT.id


def test_a_lone_surrogate_is_no_token_and_no_error() -> None:
    assert BERT.offsets("a \ud800 b").tolist() == [[0, 1], [4, 5]]


def test_the_tokenizer_is_found_beside_the_model() -> None:
    assert Path(found_folder(BUNDLED_MODEL, None), "tokenizer.json").is_file()
    assert BERT.special_count == 2
