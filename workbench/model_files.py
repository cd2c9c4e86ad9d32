"""What may be read of a model's folder: JSON within bounds, safetensors, and nothing that runs code or lies elsewhere.

Folders of models are passed around like documents, and the libraries that load them import what their settings name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import SettingsError

MAX_JSON_BYTES = 10_000_000
MAX_TOKENIZER_BYTES = 200_000_000
MAX_NESTING = 50
MAX_FILES = 10_000
STEP_KINDS = frozenset(
    {
        "Transformer",
        "Pooling",
        "Normalize",
        "Dense",
        "Dropout",
        "LayerNorm",
        "StaticEmbedding",
        "WeightedLayerPooling",
        "CNN",
        "LSTM",
    }
)
"""Steps of sentence-transformers that import nothing their settings name."""
SETTINGS_FILES = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "generation_config.json",
    "config_sentence_transformers.json",
    "sentence_*_config.json",
)
LOADING_FAILURES = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    ImportError,
)
"""What the libraries raise for a folder that holds no model, beside the error of safetensors; it has no common base."""
SAFE_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLED_WEIGHTS = "pytorch_model*.bin"


def local_path(model: str) -> Path:
    """Return a model's name as the path of a folder, ``~`` read as the home folder where there is one."""
    try:
        return Path(model).expanduser()
    except RuntimeError:
        return Path(model)


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; a name that no file can have is none, one that is shut is refused."""
    try:
        return path.is_dir()
    except PermissionError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except OSError:
        return False


def load_json(file: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Return what a JSON file holds; raises ``SettingsError`` for one that is too large, too deep or no JSON."""
    text = read_text(file, max_bytes)
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise SettingsError(f"{file} is nested too deeply to be read") from error
    except json.JSONDecodeError as error:
        raise SettingsError(f"{file} cannot be read as JSON: {error}") from error
    except ValueError as error:
        # Python reads no number of more than 4,300 digits.
        raise SettingsError(f"{file} cannot be read: it holds a number of thousands of digits") from error
    if not is_shallow(found):
        raise SettingsError(f"{file} is nested too deeply to be read: more than {MAX_NESTING} levels")
    return found


def read_text(file: Path, max_bytes: int) -> str:
    """Return the text of a file in UTF-8; raises ``SettingsError`` for one that is too large or no text."""
    with readable(file), file.open("rb") as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise SettingsError(f"{file} is too large to be read: more than {max_bytes // 10**6:,} MB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} cannot be read: it is no text in UTF-8") from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the disk's refusals into ``SettingsError`` sentences that name ``path``."""
    try:
        yield
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error


def is_shallow(value: Any, levels: int = MAX_NESTING) -> bool:
    """Return whether no list or mapping lies more than ``levels`` deep in another."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for one in layer for inner in _inside(one)]
        if not layer:
            return True
    return False


def _inside(value: Any) -> list[Any]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in found if isinstance(one, dict | list)]


def list_steps(folder: Path) -> list[tuple[str, str]]:
    """Return kind and folder of each step in ``modules.json``, such as ``("Pooling", "1_Pooling")``.

    A folder without that file is a transformer alone. Raises ``SettingsError`` for steps that are not to be run.
    """
    file = folder / "modules.json"
    if not _is_file(file):
        return [("Transformer", "")]
    listed = load_json(file)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise SettingsError(f"{file} must hold a list of steps, each with a type and a path")
    return [_step(file, one) for one in listed] or [("Transformer", "")]


def _step(file: Path, step: dict[str, Any]) -> tuple[str, str]:
    kind, path = step.get("type"), step.get("path", "")
    if not isinstance(kind, str) or not isinstance(path, str):
        raise SettingsError(
            f"{file} has a step without a type: each needs one, such as Transformer or Pooling"
        )
    namespace, _, name = kind.rpartition(".")
    if name not in STEP_KINDS or namespace.partition(".")[0] not in ("", "sentence_transformers"):
        raise SettingsError(
            f"{file} asks to run {kind!r:.100}, which is not among the steps that are run here:"
            f" {', '.join(sorted(STEP_KINDS))}"
        )
    if "\x00" in path or Path(path).is_absolute() or ".." in Path(path).parts:
        raise SettingsError(f"{file} has a step in {path!r:.100}, which is not inside the model's folder")
    return name, path


def check_model_folder(folder: Path) -> None:
    """Raise ``SettingsError``, one sentence, for a folder that would run code, or that reaches outside of itself."""
    with readable(folder):
        _check_links(folder)
        steps = list_steps(folder)
        for place in dict.fromkeys([folder, *(folder / path for _, path in steps)]):
            _check_weights(place)
            for file in (one for name in SETTINGS_FILES for one in sorted(place.glob(name))):
                _check_settings(file, load_json(file))
            if _is_file(place / "adapter_config.json"):
                raise SettingsError(
                    f"{place} holds an adapter, which takes its model from elsewhere: merge the two and save them as one"
                )


def _check_links(folder: Path) -> None:
    real = folder.resolve()
    homes = [real]
    # In the cache of Hugging Face every file is a link to one among the blobs of the same model.
    if real.parent.name == "snapshots":
        homes.append(real.parent.parent / "blobs")
    for count, path in enumerate(_all_files(folder), start=1):
        if count > MAX_FILES:
            raise SettingsError(f"{folder} holds more than {MAX_FILES:,} files: give the folder of one model")
        if path.is_symlink() and not any(path.resolve().is_relative_to(home) for home in homes):
            raise SettingsError(
                f"{path} is a link that leads out of the model's folder, so it is not read: put the file itself there"
            )


def _all_files(folder: Path) -> Iterator[Path]:
    """Yield all files and folders below, without going into linked folders."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


def _check_weights(place: Path) -> None:
    pickled = sorted(place.glob(PICKLED_WEIGHTS))
    if pickled and not any(_is_file(place / name) for name in SAFE_WEIGHTS):
        raise SettingsError(
            f"{pickled[0]} is a pickle, which can run code when it is loaded, so it is not loaded: save the model once as "
            "safetensors, with save_pretrained(), and give that folder"
        )


def _check_settings(file: Path, content: Any) -> None:
    for one in _mappings(content):
        if one.get("auto_map"):
            raise SettingsError(
                f"{file} names Python code of its own (auto_map), and code of a model is not run here: use a model that"
                " the library transformers knows itself"
            )
        if one.get("trust_remote_code"):
            raise SettingsError(f"{file} asks for trust_remote_code, and code of a model is not run here")
        activation = one.get("activation_function")
        if isinstance(activation, str) and "." in activation and not activation.startswith("torch.nn."):
            raise SettingsError(
                f"{file} asks to run {activation!r:.100} as activation_function: only those of torch.nn are run here"
            )


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    layer = [value]
    while layer:
        yield from (one for one in layer if isinstance(one, dict))
        layer = [inner for one in layer for inner in _inside(one)]


def _is_file(path: Path) -> bool:
    with readable(path):
        return path.is_file()
