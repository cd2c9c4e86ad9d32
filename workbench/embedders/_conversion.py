"""Turns a plain encoder into an OpenVINO model once. Runs as a program of its own: torch stays out of the app."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from workbench.contracts import Tick
from workbench.embedders._batches import padded
from workbench.embedders._model_folder import ModelFolder
from workbench.errors import ServiceError, WorkbenchError
from workbench.files import touch
from workbench.records import digest

RECIPE = 1
"""Rises when a conversion would come out differently: older ones are then left aside."""
ABOUT = "about.json"
NETWORK = "network.xml"
SECONDS_A_TICK = 0.25
STALE_SECONDS = 6 * 3600


def converted(
    source: ModelFolder, content_id: str, folder: Path, tick: Tick, output: str = "text"
) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the converted model and what is known about it, converting it when there is none.

    Its ``output`` is one row for each text, or one for each of its tokens.

    Safe when several processes do so at once: each works in a folder of its own, and the first to rename it wins.
    A conversion that was stopped halfway is never seen. Raises ``ServiceError`` when it cannot be done.
    """
    target = (
        folder
        / f"openvino-{digest(['openvino', RECIPE, content_id, *([output] if output != 'text' else [])])[:20]}"
    )
    about = _about(target)
    if about is None:
        shutil.rmtree(target, ignore_errors=True)
        _convert(source, target, tick, output)
        about = _about(target)
        if about is None:
            raise ServiceError(f"the converted model in {target} cannot be read; is the disk full?")
    # What was used longest ago is the first to go when models take too much of the disk.
    touch(target / ABOUT)
    return target, about


def _about(target: Path) -> dict[str, Any] | None:
    try:
        about = json.loads((target / ABOUT).read_text("utf-8"))
        whole = all((target / name).stat().st_size == size for name, size in about["size_bytes"].items())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return about if whole else None


def _convert(source: ModelFolder, target: Path, tick: Tick, output: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        partial = target.parent / f"partial-{uuid.uuid4().hex}"
        partial.mkdir()
    except OSError as error:
        raise ServiceError(f"{target.parent} cannot be written: {error.strerror}") from error
    root = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
    }
    try:
        with tempfile.TemporaryFile() as messages:
            worker = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__, str(source.path), str(partial), output],
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=messages,
                env=environment,
            )
            try:
                while worker.poll() is None:
                    tick(0, 0)
                    try:
                        worker.wait(SECONDS_A_TICK)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                worker.kill()
                worker.wait()
            messages.seek(0)
            said = messages.read().decode("utf-8", "replace").strip().splitlines()
        if worker.returncode != 0:
            raise ServiceError(
                f"the model in {source.path} could not be converted: {said[-1] if said else 'no message'}"
            )
        try:
            partial.replace(target)
        except OSError as error:
            # Another process was faster, which is as good; anything else is told.
            if _about(target) is None:
                raise ServiceError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(folder: Path) -> None:
    for left in folder.glob("partial-*"):
        if left.stat().st_mtime < time.time() - STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def write_conversion(source: ModelFolder, target: Path, output: str = "text") -> None:
    """Write the network and ``about.json``, which holds the lowest cosine to PyTorch for each arithmetic."""
    import torch

    from workbench.embedders._openvino import has_bfloat16, network, openvino
    from workbench.embedders._torch import ENCODERS, lowest_cosine, probe_ids

    ov = openvino()
    module = ENCODERS[output](source)
    ids, mask = padded(probe_ids(source), source.pad_id, source.longest_tokens)
    example = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    with torch.inference_mode():
        exact = module(**example).numpy()
        made = ov.convert_model(module, example_input=example)
    ov.save_model(made, target / NETWORK, compress_to_fp16=True)

    lowest: dict[str, float] = {}
    for precision in ("f32", "bf16") if has_bfloat16() else ("f32",):
        compiled = network(target / NETWORK, precision)
        # One at a time and all together: the shapes must not be frozen to those of the example.
        cosines = [lowest_cosine(exact, compiled([ids, mask])[0], mask)]
        for i, n in enumerate(mask.sum(1)):
            alone = compiled([ids[i : i + 1, :n], mask[i : i + 1, :n]])[0]
            known = exact[i : i + 1] if exact.ndim == 2 else exact[i : i + 1, :n]
            cosines.append(lowest_cosine(known, alone, mask[i : i + 1, :n]))
        lowest[precision] = min(cosines)
    files = [file for file in target.iterdir() if file.is_file()]
    about = {"lowest_cosine": lowest, "size_bytes": {file.name: file.stat().st_size for file in files}}
    for file in files:
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
    (target / ABOUT).write_text(json.dumps(about), "utf-8")


if __name__ == "__main__":
    try:
        write_conversion(ModelFolder(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3])
    except WorkbenchError as error:
        sys.exit(str(error))
