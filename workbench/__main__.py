"""``python -m workbench``: the same functions as the browser, from a terminal.

Exit status: 0 done, 1 some items failed (each named), 2 wrong usage or config, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

# Models come inside packages: nothing may look for newer ones on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from workbench import pipeline
from workbench.config import Config, parsed
from workbench.errors import Cancelled, ConfigError, InputError, SettingsError, WorkbenchError
from workbench.evaluation import leaderboard
from workbench.evaluation.formats import imported_path
from workbench.evaluation.verdict import verdict
from workbench.experiment import on_common_questions
from workbench.records import Chunk
from workbench.workspace import AddResult, Workspace

DONE, SOME_FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


class Output:
    """Results on stdout (JSON lines or text), messages and progress on stderr."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._progress = sys.stderr.isatty() and not as_json
        self._shown = False

    def row(self, values: dict[str, Any], text: str) -> None:
        """Print one result."""
        self.clear()
        line = json.dumps(values, ensure_ascii=False) if self.as_json else _printable(text)
        # A file name need not be Unicode.
        line = line.encode("utf-8", "backslashreplace").decode()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def conclusion(self, text: str) -> None:
        """Print what follows from the results: below them for people, as a message beside JSON lines."""
        self.clear()
        (sys.stderr if self.as_json else sys.stdout).write(_printable(text) + "\n")

    def message(self, text: str) -> None:
        """Print a message for people."""
        self.clear()
        sys.stderr.write(_printable(text) + "\n")

    def progress(self, text: str) -> None:
        """Show progress on the terminal's last line."""
        if self._progress:
            sys.stderr.write("\r\x1b[2K" + _printable(text)[:110])
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Remove the progress line."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            self._shown = False


def _printable(text: str) -> str:
    # Document text may hold escape sequences that would rule the terminal.
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def read_config(path: str) -> Config:
    """Return the config in a file; every trouble is a ``SettingsError`` of one line."""
    try:
        return parsed(Path(path).read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise ConfigError(["this is not a text file in UTF-8"], path) from error
    except OSError as error:
        raise ConfigError([error.strerror or str(error)], path) from error


def files_under(paths: Sequence[str]) -> Iterator[Path]:
    """Yield files: those named, and in folders all of a kind that is read here, in the order of their names."""
    known = set(pipeline.suffixes())
    for name in paths:
        path = Path(name)
        if path.is_dir():
            found = (p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in known)
            yield from sorted(
                p for p in found if not any(part.startswith(".") for part in p.relative_to(path).parts)
            )
        else:
            yield path


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────


def add(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Parse files or folders into the workspace."""
    files = list(files_under(options.paths))
    if not files:
        out.message("no files of a kind that is read here: " + ", ".join(sorted(pipeline.suffixes())))
        return WRONG_USAGE
    failed = 0
    given = ((str(path), path, f"file:{path.resolve()}") for path in files)
    for number, (_, result) in enumerate(workspace.add_many(given), start=1):
        failed += not result.is_in
        _print_added(result, out)
        out.progress(f"{number} of {len(files)} files")
    out.clear()
    return SOME_FAILED if failed else DONE


def _print_added(result: AddResult, out: Output) -> None:
    out.row(
        {
            "path": result.path,
            "status": result.status,
            "document_id": result.document_id,
            "pages": result.pages,
            "characters": result.characters,
            "empty_pages": list(result.empty_pages),
            "message": result.message,
        },
        f"{result.status:15} {result.path}  {result.pages} pages, {result.characters:,} characters  {result.message}",
    )


def documents(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """List what is in the workspace."""
    for row in workspace.documents():
        out.row(
            {
                "document_id": row.id,
                "path": row.uri.removeprefix("file:"),
                "name": row.name,
                "title": row.title,
                "pages": row.page_count,
                "characters": row.character_count,
                "empty_pages": list(row.empty_pages),
                "warnings": list(row.warnings),
                "added_at_utc": row.added_at_utc,
            },
            f"{row.id[:8]}  {row.name:40.40}  {row.page_count:5} pages {row.character_count:10,} characters  "
            + "; ".join(row.warnings),
        )
    return DONE


def chunks(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Print the chunks with their offsets; no embedding, no store."""
    config = read_config(options.config)
    model = workspace.model(config.embedder)
    failed = 0
    if not options.paths:
        for row in workspace.documents():
            try:
                found = workspace.chunks(row.id, config)
            except WorkbenchError as error:
                failed += 1
                out.message(f"{row.name}: {error}")
                continue
            _print_chunks(found, row.uri.removeprefix("file:"), out)
        return SOME_FAILED if failed else DONE
    for path in files_under(options.paths):
        try:
            document = workspace.parsed_file(path, config.parser).document
            _print_chunks(
                pipeline.chunks(document, config, model, workspace.memo, workspace.vector_cache),
                str(path),
                out,
            )
        except WorkbenchError as error:
            failed += 1
            out.message(f"{path}: {error}")
    return SOME_FAILED if failed else DONE


def _print_chunks(found: list[Chunk], path: str, out: Output) -> None:
    for chunk in found:
        out.row(
            {"document_id": chunk.document_id, "path": path, "ordinal": chunk.ordinal, **_place(chunk)},
            f"{path} #{chunk.ordinal} {chunk.start}–{chunk.end} ({chunk.token_count} tokens)\n{chunk.text}\n",
        )


def _place(chunk: Chunk) -> dict[str, Any]:
    return {
        "start": chunk.start,
        "end": chunk.end,
        "page_start": chunk.page_start,
        "page_end": chunk.page_end,
        "token_count": chunk.token_count,
        "text": chunk.text,
    }


def build(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Chunk, embed what is new, write each config's table."""
    configs = [read_config(path) for path in options.configs]
    failed = 0
    for config in configs:

        def on_step(step: pipeline.BuildStep, name: str = config.name) -> None:
            out.progress(
                f"{name}: {step.documents_done} of {step.documents_total} documents, {step.chunks_done:,} chunks"
            )

        result = workspace.tables.build(config, on_step=on_step)
        failed += len(result.failed)
        for name, message in result.failed:
            out.message(f"{name}: {message}")
        out.row(
            {
                "config": config.name,
                "table": result.table,
                "documents": result.documents,
                "chunks_written": result.chunks,
                "embedded": result.embedded,
                "reused": result.reused,
                "seconds": round(result.seconds, 3),
                "failed": [{"name": name, "message": message} for name, message in result.failed],
            },
            f"{config.name}: {result.documents} documents, {result.chunks:,} chunks written "
            f"({result.embedded:,} embedded, {result.reused:,} from the cache) into {result.table} "
            f"in {result.seconds:.1f} s" + (f". {result.note}" if result.note else ""),
        )
    return SOME_FAILED if failed else DONE


def search(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Print the hits for a question with their score parts."""
    config = read_config(options.config)
    result = workspace.tables.search(config, options.question, options.k)
    paths = {row.id: row.uri.removeprefix("file:") for row in workspace.documents()}
    for hit in result.hits:
        path = paths.get(hit.chunk.document_id, "")
        place = _place(hit.chunk)
        del place["token_count"]
        out.row(
            {
                "rank": hit.rank,
                "score": hit.score,
                "parts": dict(hit.parts),
                "document_id": hit.chunk.document_id,
                "path": path,
                **place,
            },
            f"{hit.rank}. {hit.score:.4f}  {path}  page {hit.chunk.page_start}\n{hit.chunk.text}\n",
        )
    if not result.hits:
        out.message("no hits: the table is empty")
    return DONE


def evaluate(workspace: Workspace, options: argparse.Namespace, out: Output) -> int:
    """Score each config's built table on judged questions: metrics, intervals, paired tests, verdict."""
    configs = [read_config(path) for path in options.configs]
    for config in configs:
        workspace.tables.table(config)  # nothing is measured before every table is known to be there
    read = imported_path(options.questions, [workspace.document(row.id) for row in workspace.documents()])
    for remark in (*read.problems, *read.notes):
        out.message(f"{options.questions.name}, {remark}")
    missing = {row.name: row.missing_documents for row in workspace.tables.rows()}
    outcomes = []
    for config in configs:

        def tick(done: int, total: int, name: str = config.name) -> None:
            out.progress(f"{name}: {done} of {total} questions")

        if missing.get(config.table_name):
            out.message(f"{config.name}: {missing[config.table_name]} documents are not in its table")
        outcomes.append(workspace.evaluations.outcome(config, read.question_set, tick=tick))
        for reason in outcomes[-1].lost:
            out.message(f"{config.name}: {reason}")
    out.clear()
    scores = on_common_questions(outcomes)
    found = verdict(scores, options.measure)
    if not found.question_count:
        raise InputError(f"{options.questions} has no question with an answer in these documents", "empty")
    for row in leaderboard.rows(scores):
        out.row(
            asdict(row),
            f"{row.config:40.40} {row.measure:20} {row.value:10.4f}  [{row.low:.4f}, {row.high:.4f}]",
        )
    for compared in found.comparisons:
        out.conclusion(
            f"{compared.better} - {compared.other}: {compared.measure} {compared.difference.value:+.4f} "
            f"[{compared.difference.low:+.4f}, {compared.difference.high:+.4f}], p = {compared.p:.4f}, "
            f"corrected {compared.p_corrected:.4f}; {compared.wins} wins, {compared.ties} ties, "
            f"{compared.losses} losses"
        )
    out.conclusion(found.sentence)
    return SOME_FAILED if read.problems else DONE


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────


def k_value(text: str) -> int:
    """Return a number of hits from 1 to 1,000."""
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000")
    return int(text)


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--json", action="store_true", help="one JSON object a line on stdout", default=argparse.SUPPRESS
    )
    shared.add_argument("--workspace", type=Path, help="default: data/workspace", default=argparse.SUPPRESS)
    top = argparse.ArgumentParser(
        prog="python -m workbench", description=__doc__.splitlines()[0], parents=[shared]
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def command(function: Callable[[Workspace, argparse.Namespace, Output], int]) -> argparse.ArgumentParser:
        found = commands.add_parser(function.__name__, help=function.__doc__, parents=[shared])
        found.set_defaults(function=function)
        return found

    command(add).add_argument("paths", nargs="+", metavar="PATH")
    command(documents)
    found = command(chunks)
    found.add_argument("config", metavar="CONFIG.yaml")
    found.add_argument("paths", nargs="*", metavar="PATH")
    command(build).add_argument("configs", nargs="+", metavar="CONFIG.yaml")
    found = command(search)
    found.add_argument("config", metavar="CONFIG.yaml")
    found.add_argument("question")
    found.add_argument("--k", type=k_value, default=None)
    found = command(evaluate)
    found.add_argument("configs", nargs="+", metavar="CONFIG.yaml")
    found.add_argument("--questions", required=True, type=Path, metavar="FILE", help="CSV, JSONL or BEIR")
    found.add_argument("--measure", default="recall@5", help="what the verdict is about; default: recall@5")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = arguments().parse_args(argv)
    out = Output(getattr(options, "json", False))
    try:
        workspace = Workspace(getattr(options, "workspace", Path("data/workspace")))
        status: int = options.function(workspace, options, out)
        return status
    except (KeyboardInterrupt, Cancelled):
        out.message("interrupted; everything finished so far is kept")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (``… | head``): nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (SettingsError, InputError) as error:
        out.message(f"error: {error}")
        return WRONG_USAGE
    except WorkbenchError as error:
        out.message(f"error: {error}")
        return SOME_FAILED


if __name__ == "__main__":
    sys.exit(main())
