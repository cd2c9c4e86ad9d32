"""The bundled model, small models of other layouts, and what happens around loading and converting them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench import plugins
from workbench.contracts import EmbeddingModel
from workbench.embedders._conversion import NETWORK
from workbench.embedders._model_folder import BUNDLED_MODEL, ModelFolder, file_sha256, found_folder
from workbench.errors import Cancelled, SettingsError

BUNDLED = found_folder(BUNDLED_MODEL, None)
ORIGINAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TEXTS = [
    "Heat makes batteries age.",
    "",
    "   ",
    "電池は熱で劣化する 👩‍👩‍👧 Zürich e\u0301",
    "The committee postponed its decision until spring. " * 60,
    "x" * 400,
    "[SEP] is a word here, and so is [MASK]\x00.",
    "Table 4: capacity (mAh) by cycle, 1 to 500.",
]
EMBED = (
    "import sys, json, pathlib\n"
    "from workbench import plugins\n"
    "settings, folder = json.loads(sys.argv[1]), pathlib.Path(sys.argv[2])\n"
    "model = plugins.build('embedders', 'sentence_transformers', settings).embedding_model(folder)\n"
)


def _model(folder: Path, **settings: Any) -> EmbeddingModel:
    found: EmbeddingModel = plugins.build("embedders", "sentence_transformers", settings).embedding_model(
        folder
    )
    return found


def _program(code: str, folder: Path, settings: dict[str, Any], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", EMBED + code, json.dumps(settings), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def _said(process: subprocess.Popen[str]) -> Any:
    out, complaints = process.communicate()
    assert process.returncode == 0, complaints
    return json.loads(out)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the bundled model is converted, for every test that only needs it so."""
    folder = tmp_path_factory.mktemp("models")
    _model(folder, backend="openvino").vectors(["convert"])
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One transformer of two small layers with random weights, in several layouts."""
    import torch
    from transformers import BertConfig, BertModel

    root = tmp_path_factory.mktemp("small")
    torch.manual_seed(7)
    network = BertModel(
        BertConfig(
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=96,
            max_position_embeddings=64,
            initializer_range=0.3,
        )
    )
    for layout, pooling in {"mean": "mean", "cls": "cls", "max": "max", "dense": "mean", "bare": ""}.items():
        folder = root / layout
        network.save_pretrained(folder)
        shutil.copy(BUNDLED / "tokenizer.json", folder)
        shutil.copy(BUNDLED / "tokenizer_config.json", folder)
        if pooling:
            _write_layout(folder, pooling, dense=layout == "dense")
    return root


def _write_layout(folder: Path, pooling: str, dense: bool) -> None:
    kinds = ["Transformer", "Pooling", *(["Dense"] if dense else [])]
    paths = ["", "1_Pooling", "2_Dense"]
    listed = [
        {"idx": n, "name": str(n), "path": paths[n], "type": f"sentence_transformers.models.{kind}"}
        for n, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 32, "do_lower_case": false}')
    (folder / "1_Pooling").mkdir()
    mode = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}[pooling]
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 48, f"pooling_mode_{mode}": True})
    )
    if dense:
        from sentence_transformers.sentence_transformer.modules import Dense

        (folder / "2_Dense").mkdir()
        Dense(48, 20).save(str(folder / "2_Dense"))


# ── what is known without weights ────────────────────────────────────────────────────────────────────────────────


def test_the_bundled_weights_are_the_original_ones(tmp_path: Path) -> None:
    assert file_sha256(BUNDLED / "model.safetensors", tmp_path) == ORIGINAL_SHA256
    assert file_sha256(BUNDLED / "model.safetensors", tmp_path) == ORIGINAL_SHA256


def test_tokenizer_window_and_dimension_need_neither_torch_nor_weights(tmp_path: Path) -> None:
    code = (
        "model.seen_end('word ' * 1000)\n"
        "heavy = [m for m in ('torch', 'transformers', 'sentence_transformers', 'openvino') if m in sys.modules]\n"
        "print(json.dumps([model.dimension, model.window_tokens, model.title, heavy]))"
    )
    assert _said(_program(code, tmp_path, {})) == [384, 254, BUNDLED_MODEL, []]


def test_the_same_files_elsewhere_are_the_same_model_and_other_weights_are_not(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(BUNDLED, copy)
    here, there = _model(tmp_path), _model(tmp_path, model=str(copy))
    assert there.id == here.id
    assert there.key("text") == here.key("text")
    with (copy / "model.safetensors").open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    assert _model(tmp_path, model=str(copy)).id != here.id


def test_one_model_a_process_and_settings(tmp_path: Path) -> None:
    assert _model(tmp_path) is _model(tmp_path)
    assert _model(tmp_path) is not _model(tmp_path, max_tokens=100)


def test_a_model_that_is_not_here_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"not downloaded.*hf download BAAI/bge-small-en-v1.5"):
        _model(tmp_path, model="BAAI/bge-small-en-v1.5")
    with pytest.raises(SettingsError, match="hf download sentence-transformers/no-such-model"):
        _model(tmp_path, model="no-such-model")
    with pytest.raises(SettingsError, match=r"there is no folder \./nowhere"):
        _model(tmp_path, model="./nowhere")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_an_incomplete_folder_is_refused_by_the_name_of_what_is_missing(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(BUNDLED, copy)
    (copy / name).unlink()
    with pytest.raises(SettingsError, match=name):
        _model(tmp_path, model=str(copy))


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"max_tokens \(511\) must be at most 510"):
        _model(tmp_path, max_tokens=511)
    with pytest.raises(SettingsError, match="openvino runs on the CPU"):
        _model(tmp_path, backend="openvino", device="cuda")
    with pytest.raises(SettingsError, match="a folder has no revisions"):
        _model(tmp_path, model=str(BUNDLED), revision="main")
    assert _model(tmp_path, max_tokens=510).window_tokens == 510


@pytest.mark.slow
def test_a_fetched_model_is_found_by_name_and_revision(tmp_path: Path) -> None:
    commits = ["a" * 40, "b" * 40]
    stored = tmp_path / "hub" / "models--someone--model"
    for commit in commits:
        (stored / "snapshots").mkdir(parents=True, exist_ok=True)
        (stored / "snapshots" / commit).symlink_to(BUNDLED)
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text(commits[0])
    code = "print(json.dumps([model.id, model.title, model.window_tokens]))"
    hub = {"HF_HUB_CACHE": str(tmp_path / "hub")}
    named = {"model": "someone/model"}
    found = _said(_program(code, tmp_path, named, **hub))
    revised = _said(_program(code, tmp_path, {**named, "revision": commits[1]}, **hub))
    assert found == [_model(tmp_path).id, "someone/model", 254]
    assert revised[0] != found[0]
    refused = _program(code, tmp_path, {**named, "revision": "c" * 40}, **hub)
    assert "not on this machine" in refused.communicate()[1]


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_openvino_and_torch_give_what_sentence_transformers_gives(models: Path) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(BUNDLED), device="cpu")
    expected = plain.encode(TEXTS, normalize_embeddings=True)
    openvino = _model(models, backend="openvino").vectors(TEXTS)
    torch = _model(models, backend="torch", device="cpu").vectors(TEXTS)
    assert (openvino * expected).sum(1).min() >= 0.999
    assert (torch * expected).sum(1).min() >= 0.999
    assert (openvino * torch).sum(1).min() >= 0.999


@pytest.mark.slow
def test_what_is_beyond_the_models_window_is_said_and_has_no_effect(models: Path) -> None:
    model = _model(models, backend="openvino")
    text = "Zürich 電池 battery-ageing, 3.14! " * 60
    seen = model.seen_end(text)
    assert 0 < seen < len(text)
    rows = model.vectors([text, text[:seen], text[:seen] + " and something else altogether"])
    assert (rows @ rows[0]).min() >= 0.9999


@pytest.mark.slow
def test_a_warm_start_computes_without_torch_and_without_usage_reports(models: Path) -> None:
    code = (
        "model.vectors(['first'])\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'sentence_transformers', 'openvino_telemetry')"
        " if sys.modules.get(m)]))"
    )
    assert _said(_program(code, models, {})) == []


@pytest.mark.slow
def test_several_threads_may_embed_at_once(models: Path) -> None:
    model = _model(models, backend="openvino")
    expected = model.vectors(TEXTS)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(model.vectors(TEXTS))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all((rows * expected).sum(1).min() >= 0.9999 for rows in found)


@pytest.mark.slow
def test_a_gpu_is_used_or_missed_aloud(tmp_path: Path) -> None:
    import torch

    model = _model(tmp_path, backend="torch", device="cuda")
    if torch.cuda.is_available():
        cpu = _model(tmp_path, backend="torch", device="cpu").vectors(TEXTS)
        assert (model.vectors(TEXTS) * cpu).sum(1).min() >= 0.999
    else:
        with pytest.raises(SettingsError, match="finds no GPU"):
            model.vectors(TEXTS)


# ── layouts ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["mean", "cls", "max", "dense", "bare"])
def test_every_layout_gives_what_sentence_transformers_gives(
    small: Path, tmp_path: Path, layout: str
) -> None:
    from sentence_transformers import SentenceTransformer

    model = _model(tmp_path, model=str(small / layout))
    expected = SentenceTransformer(str(small / layout), device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert model.dimension == expected.shape[1] == (20 if layout == "dense" else 48)
    assert model.window_tokens == (62 if layout == "bare" else 30)
    assert (model.vectors(TEXTS) * expected).sum(1).min() >= 0.999
    converted = list(tmp_path.glob(f"openvino-*/{NETWORK}"))
    assert len(converted) == (1 if layout in ("mean", "cls", "bare") else 0)


@pytest.mark.slow
def test_layouts_over_the_same_weights_are_different_models(small: Path, tmp_path: Path) -> None:
    ids = {_model(tmp_path, model=str(small / layout)).id for layout in ("mean", "cls", "max", "dense")}
    assert len(ids) == 4


@pytest.mark.slow
def test_openvino_asked_for_a_layout_it_cannot_run_is_refused(small: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="only plain encoders"):
        _model(tmp_path, model=str(small / "dense"), backend="openvino").vectors(["text"])


@pytest.mark.slow
def test_damaged_weights_are_named(small: Path, tmp_path: Path) -> None:
    copy = tmp_path / "damaged"
    shutil.copytree(small / "mean", copy)
    (copy / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(SettingsError, match="damaged cannot be loaded"):
        _model(tmp_path, model=str(copy), backend="torch").vectors(["text"])


# ── converting ───────────────────────────────────────────────────────────────────────────────────────────────────


def _conversions(folder: Path) -> tuple[int, int]:
    return len(list(folder.glob("openvino-*"))), len(list(folder.glob("partial-*")))


@pytest.mark.slow
def test_two_processes_that_convert_at_once_leave_one_whole_model(small: Path, tmp_path: Path) -> None:
    settings = {"model": str(small / "mean"), "backend": "openvino"}
    both = [
        _program("print(json.dumps(model.vectors(['a'])[0].tolist()))", tmp_path, settings) for _ in range(2)
    ]
    first, second = (_said(process) for process in both)
    assert np.dot(first, second) >= 0.9999
    assert _conversions(tmp_path) == (1, 0)


@pytest.mark.slow
def test_a_conversion_that_was_killed_or_damaged_is_never_used(small: Path, tmp_path: Path) -> None:
    settings = {"model": str(small / "mean"), "backend": "openvino"}
    killed = _program("model.vectors(['a'], tick=lambda d, t: (print('x', flush=True)))", tmp_path, settings)
    assert killed.stdout is not None
    while not list(tmp_path.glob("partial-*")):
        assert killed.stdout.readline() == "x\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert _conversions(tmp_path)[0] == 0

    expected = _model(tmp_path, model=settings["model"], backend="torch").vectors(TEXTS)
    code = f"print(json.dumps(model.vectors({TEXTS!r}).tolist()))"
    assert (np.array(_said(_program(code, tmp_path, settings))) * expected).sum(1).min() >= 0.999
    network = next(tmp_path.glob("openvino-*/*.bin"))
    network.write_bytes(network.read_bytes()[:-100])
    assert (np.array(_said(_program(code, tmp_path, settings))) * expected).sum(1).min() >= 0.999
    assert _conversions(tmp_path)[0] == 1


@pytest.mark.slow
def test_converting_can_be_cancelled_and_leaves_nothing(small: Path, tmp_path: Path) -> None:
    calls = 0

    def stop(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Cancelled("stopped")

    model = _model(tmp_path, model=str(small / "cls"), backend="openvino")
    with pytest.raises(Cancelled):
        model.vectors(["text"], tick=stop)
    assert _conversions(tmp_path) == (0, 0)


@pytest.mark.slow
def test_a_models_folder_that_cannot_be_written_costs_speed_and_no_answer(
    small: Path, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "a file"
    in_the_way.write_text("not a folder")
    assert _model(in_the_way, model=str(small / "max")).vectors(["text"]).shape == (1, 48)
    # Other settings: the engine of an equal model may be loaded already, and then nothing has to be written.
    copy = tmp_path / "other weights"
    shutil.copytree(small / "mean", copy)
    about = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**about, "layer_norm_eps": 1e-11}))
    assert ModelFolder(copy).pooling == "mean"
    assert _model(in_the_way, model=str(copy)).vectors(["text"]).shape == (1, 48)
