"""What is true of every embedder. Its subjects are found by listing the folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.embedders.kept import Kept
from workbench import plugins
from workbench.analysis import TextAnalysis
from workbench.contracts import Embedder, EmbeddingModel, NothingKept, Passage
from workbench.errors import Cancelled

NEED_NO_WEIGHTS = {"hashing"}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "sentence_transformers": [{"backend": "openvino"}, {"backend": "torch", "device": "cpu"}],
    "late_chunking": [{"backend": "openvino"}, {"backend": "torch", "device": "cpu"}],
}
# One other value for each setting that is part of a model's identity. Which folder and which revision a model is
# read from needs files to show: tests/embedders has that.
OTHER_VALUES: dict[str, Any] = {
    "dimension": 32,
    "max_tokens": 7,
    "passage_prefix": "passage: ",
    "query_prefix": "query: ",
    "language": "german",
    "stride_tokens": 5,
}
SHOWN_ELSEWHERE = {"model", "revision"}
SAME_VECTORS: dict[str, Any] = {"backend": "torch", "device": "cpu", "batch_tokens": 512}

TEXTS = [
    "The cat sat on the mat.",
    "Batteries lose capacity with every cycle, and heat makes it worse. " * 5,
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "x",
    "電池は使うたびに容量が減る。",
    "The committee postponed its decision. " * 40,
    "1 + 1 = 2",
    "Results are given in Table 4; see also the appendix.",
]


def _subjects() -> list[Any]:
    return [
        pytest.param(
            (name, settings),
            id=" ".join([name, *map(str, settings.values())]),
            marks=() if name in NEED_NO_WEIGHTS else pytest.mark.slow,
        )
        for name in plugins.names("embedders")
        for settings in VARIANTS.get(name, [{}])
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(params=_subjects(), scope="module")
def subject(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    found: tuple[str, dict[str, Any]] = request.param
    return found


@pytest.fixture(scope="module")
def model(subject: tuple[str, dict[str, Any]], folder: Path) -> EmbeddingModel:
    return _model(subject, folder)


def _model(subject: tuple[str, dict[str, Any]], folder: Path, **other: Any) -> EmbeddingModel:
    name, settings = subject
    embedder: Embedder = plugins.build("embedders", name, {**settings, **other})
    return embedder.embedding_model(folder)


def _fields(subject: tuple[str, dict[str, Any]]) -> dict[str, bool]:
    """Setting → whether it is part of the identity."""
    cls = plugins.plugin_class("embedders", subject[0])
    return {
        key: not (isinstance(f.json_schema_extra, dict) and f.json_schema_extra.get("identity") is False)
        for key, f in cls.model_fields.items()
    }


def test_vectors_are_rows_of_length_one(model: EmbeddingModel) -> None:
    rows = model.vectors(TEXTS)
    assert rows.shape == (len(TEXTS), model.dimension)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_the_same_texts_give_the_same_vectors(model: EmbeddingModel) -> None:
    assert np.array_equal(model.vectors(TEXTS), model.vectors(TEXTS))


def test_rows_come_in_the_order_of_the_texts(model: EmbeddingModel) -> None:
    forward, backward = model.vectors(TEXTS), model.vectors(TEXTS[::-1])[::-1]
    assert (forward * backward).sum(1).min() >= 0.9999
    assert np.argmax(forward @ backward.T, axis=1).tolist() == list(range(len(TEXTS)))


def test_how_texts_are_split_into_calls_does_not_matter(model: EmbeddingModel) -> None:
    together = model.vectors(TEXTS)
    alone = np.concatenate([model.vectors([text]) for text in TEXTS])
    assert (together * alone).sum(1).min() >= 0.9999


def test_equal_texts_of_one_call_get_equal_vectors(model: EmbeddingModel) -> None:
    rows = model.vectors(["twice", *TEXTS, "twice"])
    assert np.array_equal(rows[0], rows[-1])


def test_no_texts_give_no_rows(model: EmbeddingModel) -> None:
    assert model.vectors([]).shape == (0, model.dimension)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "🙂",
        "👩‍👩‍👧‍👦🇩🇪",
        "\x00\x01\x07\x7f\x9f",
        "\ufeff\u200b\u202e",
        "\ud800 a lone surrogate",
        "word " * 20_000,
        "x" * 100_000,
        "電" * 100_000,
    ],
    ids=[
        "empty", "blanks", "emoji", "joined emoji", "control characters", "invisible", "surrogate", "100 kB", "one word",
        "ideographs",
    ],
)  # fmt: skip
def test_unusual_texts_get_a_vector_too(model: EmbeddingModel, text: str) -> None:
    rows = model.vectors([text, "an ordinary text"])
    assert rows.shape == (2, model.dimension)
    assert model.vectors([text], query=True).shape == (1, model.dimension)
    assert 0 <= model.seen_end(text) <= len(text)
    offsets = model.tokenizer.offsets(text)
    assert offsets.dtype == np.int64
    assert offsets.shape == (len(offsets), 2)
    assert (offsets >= 0).all()
    assert (offsets <= len(text)).all()
    assert (np.diff(offsets, axis=0) >= 0).all()
    assert (offsets[:, 0] < offsets[:, 1]).all()


def test_tick_is_told_the_beginning_and_the_end(model: EmbeddingModel) -> None:
    seen: list[tuple[int, int]] = []
    model.vectors([*TEXTS, TEXTS[0]], tick=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, len(TEXTS) + 1)
    assert seen[-1] == (len(TEXTS) + 1, len(TEXTS) + 1)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_tick_can_cancel_and_the_model_stays_usable(model: EmbeddingModel) -> None:
    many = [f"{text} {number}" for number in range(40) for text in TEXTS]

    def stop(done: int, total: int) -> None:
        if done > 0:
            raise Cancelled("stopped")

    before = model.vectors(TEXTS)
    with pytest.raises(Cancelled):
        model.vectors(many, tick=stop)
    assert np.array_equal(model.vectors(TEXTS), before)


def test_the_part_beyond_the_window_does_not_change_the_vector(
    subject: tuple[str, dict[str, Any]], folder: Path
) -> None:
    model = _model(subject, folder, max_tokens=7)
    if model.window_tokens is None:
        return  # it reads everything, which a test below shows
    text = "Seven words are read, and then comes the rest that nobody reads."
    seen = model.seen_end(text)
    assert text[:seen] == "Seven words are read, and then"
    assert len(model.tokenizer.offsets(text[:seen])) == model.window_tokens
    rows = model.vectors([text, text[:seen], text[: seen - 5]])
    assert rows[0] @ rows[1] >= 0.9999
    assert rows[0] @ rows[2] < 0.9999


def test_a_text_within_the_window_is_seen_to_its_end(model: EmbeddingModel) -> None:
    assert model.seen_end("short ") == len("short ")


def test_the_id_holds_every_setting_that_changes_vectors(
    subject: tuple[str, dict[str, Any]], folder: Path
) -> None:
    fields = {key for key, identity in _fields(subject).items() if identity}
    assert fields <= OTHER_VALUES.keys() | SHOWN_ELSEWHERE, (
        "give the new setting another value in OTHER_VALUES"
    )
    ids = {_model(subject, folder).id}
    for key in fields - SHOWN_ELSEWHERE:
        ids.add(_model(subject, folder, **{key: OTHER_VALUES[key]}).id)
    assert len(ids) == 1 + len(fields - SHOWN_ELSEWHERE)


def test_the_id_does_not_hold_how_it_is_computed(subject: tuple[str, dict[str, Any]], folder: Path) -> None:
    fields = {key for key, identity in _fields(subject).items() if not identity}
    assert fields <= SAME_VECTORS.keys(), "give the new setting another value in SAME_VECTORS"
    same = {_model(subject, folder, **{key: SAME_VECTORS[key]}).id for key in fields if key != "device"}
    assert same <= {_model(subject, folder).id}


def test_prefixes_are_given_to_the_model(subject: tuple[str, dict[str, Any]], folder: Path) -> None:
    if "passage_prefix" not in _fields(subject):
        return
    plain = _model(subject, folder)
    prefixed = _model(subject, folder, passage_prefix="passage: ", query_prefix="query: ")
    text = "how batteries age"
    alone, bare = prefixed.text_model, plain.text_model
    assert np.allclose(alone.vectors([text]), bare.vectors([f"passage: {text}"]), atol=1e-6)
    assert (prefixed.vectors([text]) * plain.vectors([text])).sum() < 0.9999
    assert np.allclose(prefixed.vectors([text], query=True), bare.vectors([f"query: {text}"]), atol=1e-6)
    assert prefixed.key(text) != plain.key(text)


def test_another_process_computes_the_same_vectors(
    subject: tuple[str, dict[str, Any]], model: EmbeddingModel, folder: Path
) -> None:
    program = (
        "import sys, json, pathlib; from workbench import plugins;"
        "m = plugins.build('embedders', sys.argv[1], json.loads(sys.argv[2])).embedding_model(pathlib.Path(sys.argv[3]));"
        "print(json.dumps([m.id, m.vectors(['The cat sat on the mat.'])[0].tolist()]))"
    )

    said = subprocess.run(
        [sys.executable, "-c", program, subject[0], json.dumps(subject[1]), str(folder)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    their_id, their_row = json.loads(said)
    assert their_id == model.id
    assert np.array(their_row) @ model.vectors(TEXTS[:1])[0] >= 0.9999


# ── passages: ranges of a document ───────────────────────────────────────────────────────────────────────────────

DOCUMENT = "\n\n".join([*TEXTS, "Trams run on rails. Their wheels are made of steel, and so are the rails."])
RANGES = [(0, 23), (0, 200), (24, 300), (150, 420), (300, 900), (400, len(DOCUMENT))]


def _passages(model: EmbeddingModel, text: str = DOCUMENT) -> list[Passage]:
    analysis = TextAnalysis(text, model.tokenizer)
    return [Passage(analysis, start, end) for start, end in RANGES]


def test_passages_get_the_same_rows_of_length_one_each_time(model: EmbeddingModel) -> None:
    rows = model.passage_vectors(_passages(model), NothingKept())
    assert rows.shape == (len(RANGES), model.dimension)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(model.passage_vectors(_passages(model), NothingKept()), rows)
    assert model.passage_vectors([], NothingKept()).shape == (0, model.dimension)


def test_a_passage_does_not_depend_on_the_other_passages(model: EmbeddingModel) -> None:
    together = model.passage_vectors(_passages(model), NothingKept())
    alone = [model.passage_vectors([passage], NothingKept())[0] for passage in _passages(model)]
    assert (together * np.array(alone)).sum(1).min() >= 0.9999


def test_passages_of_several_documents_come_in_order(model: EmbeddingModel) -> None:
    first, second = _passages(model), _passages(model, DOCUMENT[::-1])
    mixed = [passage for pair in zip(first, second, strict=True) for passage in pair]
    rows = model.passage_vectors(mixed, NothingKept())
    assert (rows[::2] * model.passage_vectors(first, NothingKept())).sum(1).min() >= 0.9999
    assert (rows[1::2] * model.passage_vectors(second, NothingKept())).sum(1).min() >= 0.9999


def test_what_a_passage_depends_on_is_in_its_key(model: EmbeddingModel) -> None:
    near, far = _passages(model)[0], _passages(model, DOCUMENT + " More.")[0]
    assert near.text == far.text
    keys = {model.passage_key(near), model.passage_key(far)}
    assert len(keys) == (1 if model.text_model is model else 2)
    assert len({model.passage_key(passage) for passage in _passages(model)}) == len(RANGES)


def test_what_was_read_for_one_chunking_is_not_read_for_another(
    model: EmbeddingModel, request: pytest.FixtureRequest
) -> None:
    if model.text_model is model:
        return
    kept = Kept()
    # A text that no other test has read, nor this one with another backend.
    analysis = TextAnalysis(f"{DOCUMENT} {request.node.name}", model.tokenizer)
    assert model.unread([Passage(analysis, 0, len(DOCUMENT))], kept) != []
    model.passage_vectors([Passage(analysis, 0, len(DOCUMENT))], kept)
    for size in (300, 450, 700, 1100):
        cuts = [Passage(analysis, at, min(at + size, len(DOCUMENT))) for at in range(0, len(DOCUMENT), size)]
        # Only a passage without a whole sentence may need a reading of its own.
        assert all(len(piece.text) <= 300 for piece in model.unread(cuts, kept))
        model.passage_vectors(cuts, kept)
        assert model.unread(cuts, kept) == []


def test_reading_passages_can_be_cancelled(model: EmbeddingModel) -> None:
    text = " ".join(f"Sentence {number} says something about line {number}." for number in range(400))
    analysis = TextAnalysis(text, model.tokenizer)
    many = [Passage(analysis, at, at + 200) for at in range(0, len(text) - 200, 200)]

    def stop(done: int, total: int) -> None:
        if done > 0:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        model.passage_vectors(many, NothingKept(), stop)


def test_a_model_without_a_window_reads_a_document_to_its_end(model: EmbeddingModel) -> None:
    if model.window_tokens is not None:
        return
    text = "word " * 3_000
    ends = [text + "tram", text + "battery"]
    assert model.seen_end(ends[0]) == len(ends[0])
    rows = np.concatenate(
        [
            model.passage_vectors(
                [Passage(TextAnalysis(end, model.tokenizer), 14_900, len(end))], NothingKept()
            )
            for end in ends
        ]
    )
    assert rows[0] @ rows[1] < 0.9999
