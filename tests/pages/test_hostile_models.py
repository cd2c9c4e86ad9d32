"""Pages and commands beside saved configs whose models are broken or hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.embedders.test_hostile_model_folders import BROKEN, HOSTILE, RAN, write_folder
from workbench.__main__ import WRONG_USAGE, main
from workbench.config import parsed
from workbench.ui.session.jobs import jobs
from workbench.workspace import Workspace

pytestmark = pytest.mark.slow

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"
CASES = ("pickled weights", "code of its own", "a tokenizer without a model", "a step without a type", "steps nested without end")  # fmt: skip


def config(folder: Path, name: str, case: str) -> str:
    """Write the folder of a model and return a config that names it."""
    model = folder / name / "model"
    write_folder(model)
    {**BROKEN, **HOSTILE}[case][0](model)
    return (
        f"version: 1\nname: {name}\nchunker: {{name: nltk_sentences, size_tokens: 30}}\n"
        f"embedder: {{name: sentence_transformers, model: {model}}}\n"
    )


@pytest.mark.parametrize("case", CASES)
def test_commands_say_so_in_one_line_and_end_with_2(
    tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Workspace(tmp_path / "w")
    here.add("a.txt", b"The tram was late. Half of the fare is refunded.")
    path = tmp_path / "x.yaml"
    path.write_text(config(tmp_path, "x", case))
    for words in (["build", str(path)], ["chunks", str(path), "a.txt"]):
        assert main(["--workspace", str(here.folder), *words]) == WRONG_USAGE
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
    assert not (tmp_path / "x" / RAN).exists()


def test_every_page_lives_beside_such_models(here: Workspace, tmp_path: Path) -> None:
    here.add("a.txt", b"The tram was late. Half of the fare is refunded.")
    for number, case in enumerate(CASES):
        here.save_config(parsed(config(tmp_path, f"c{number}", case)))
    for page in ("chunks", "tables", "search", "map", "questions", "evaluate", "sweep", "export", "sources"):
        app = AppTest.from_file(str(APP), default_timeout=120).run()
        app.switch_page(f"../../pages/{page}.py").run()
        while jobs().active():
            app.run()
        assert not app.exception
        assert not any("This is a bug" in error.value for error in app.error), page
    assert not list(tmp_path.glob(f"*/{RAN}"))
