"""A small pipeline in a workspace of its own, and what a user does on the pages that run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.contracts.source_places import settle
from workbench import plugins
from workbench.config import Config
from workbench.sections import Evaluate
from workbench.ui.session.jobs import jobs

APP = Path(__file__).parent.parent.parent / "workbench" / "ui" / "main.py"


def trams(folders: Sequence[Path], questions: Path | None = None, dimension: int = 1024) -> Config:
    """Return a config that cuts small and embeds in an instant; with few dimensions it finds little."""
    return Config(
        "trams",
        plugins.build("chunkers", "nltk_sentences", {"size_tokens": 30}),
        plugins.build("embedders", "hashing", {"dimension": dimension}),
        sources=tuple(plugins.build("sources", "pdf_folder", {"path": str(folder)}) for folder in folders),
        evaluate=Evaluate(questions=str(questions), metric="recall@1", minimum=0.9) if questions else None,
    )


def timetable(table: Path, dimension: int = 1024) -> Config:
    """Return the same config for the rows of a table."""
    settings = {"path": str(table), "id_column": "id", "text_columns": ["text"]}
    return replace(trams([], dimension=dimension), sources=(plugins.build("sources", "csv_file", settings),))


def fill(folder: Path, count: int) -> None:
    """Write so many documents of one sentence each."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        path = folder / f"{number}.md"
        path.write_text(_sentence(number))
        settle(path)


def ask(file: Path, count: int) -> Path:
    """Write one question per document, in the words of its sentence."""
    rows = [f'{_words(n)}?,"[{{""content"": ""{_sentence(n)}""}}]",{n}\n' for n in range(count)]
    file.write_text("question,references,corpus_id\n" + "".join(rows))
    return file


def _words(number: int) -> str:
    names = [
        "larch",
        "oak",
        "elm",
        "ash",
        "birch",
        "lime",
        "alder",
        "beech",
        "rowan",
        "hazel",
        "maple",
        "yew",
    ]
    return f"{names[number % 12]} depot {names[(number * 5 + 1) % 12]} lane"


def _sentence(number: int) -> str:
    return f"Tram {number} leaves {_words(number)} at nine."


def page(name: str) -> AppTest:
    """Open a page."""
    app = AppTest.from_file(str(APP), default_timeout=60).run().switch_page(f"../../pages/{name}.py").run()
    assert not app.exception
    return app


def when_idle(app: AppTest) -> AppTest:
    """Run the page until no job is left."""
    while jobs().active():
        app.run()
    app.run()
    assert not app.exception
    return app


def button(app: AppTest, label: str) -> AppTest:
    """Press a button."""
    app = next(b for b in app.button if b.label == label).click().run()
    assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    """Return the labels of the buttons that can be pressed."""
    return [b.label for b in app.button if not b.disabled]


def metrics(app: AppTest) -> dict[str, str]:
    """Return the figures on cards."""
    return {metric.label: metric.value for metric in app.metric}


def said(app: AppTest) -> str:
    """Return every sentence on the page, without the signs that keep it from becoming markup."""
    shown = "\n".join(
        block.value
        for block in (*app.markdown, *app.caption, *app.success, *app.warning, *app.error, *app.info)
    )
    return shown.replace("\\", "").replace("\u2060", "")
