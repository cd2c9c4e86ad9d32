"""Find the passages of sources/questions.yaml in the parsed documents and write questions.csv.

``python data/samples/place_questions.py`` after ``make_samples.py`` or a change of a parser. Blanks, hyphens and ligatures
are ignored while searching; a passage that a page's footer or header cuts in two gives two ranges.
"""

import csv
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
LARGEST_GAP = 200
"""How many characters of footer, header and footnotes may stand between the two parts of a passage."""


@dataclass(frozen=True)
class Question:
    """A question with the ranges of its answer in one document."""

    question: str
    corpus_id: str
    kind: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...]


class Letters:
    """A text without blanks and hyphens, each letter with the place it came from."""

    def __init__(self, text: str) -> None:
        kept = [
            (letter, offset)
            for offset, character in enumerate(text)
            for letter in unicodedata.normalize("NFKC", character)
            if not letter.isspace() and letter not in "-\u00ad\u2010\u2011"
        ]
        self.letters = "".join(letter for letter, _ in kept)
        self.offsets = [offset for _, offset in kept]

    def ranges(self, passage: str) -> tuple[tuple[int, int], ...]:
        """The range of the text that reads like `passage`, or the two ranges around a page's end."""
        wanted = Letters(passage).letters
        found = [match.start() for match in re.finditer(re.escape(wanted), self.letters)]
        if len(found) == 1:
            return (self._range(found[0], len(wanted)),)
        if found:
            raise ValueError(f"occurs {len(found)} times: {passage}")
        for cut in range(len(wanted) - 4, 3, -1):
            first = self.letters.find(wanted[:cut])
            if first < 0:
                continue
            second = self.letters.find(wanted[cut:], first + cut, first + LARGEST_GAP + len(wanted))
            if second < 0:
                continue
            return self._range(first, cut), self._range(second, len(wanted) - cut)
        raise ValueError(f"not found: {passage}")

    def _range(self, start: int, length: int) -> tuple[int, int]:
        return self.offsets[start], self.offsets[start + length - 1] + 1


def parsed_text(path: Path) -> str:
    """The text of a document as the workbench parses it with default settings."""
    from workbench import pipeline, plugins

    parser = plugins.build("parsers", "pdf")
    own = pipeline.parser_for(path.name, parser)
    return own.parsed(path.read_bytes(), path.name, path.stem, path.name).document.text


def documents() -> dict[str, Path]:
    """The sample documents by their name without ending."""
    endings = {".pdf", ".html", ".md", ".txt"}
    return {path.stem: path for path in sorted(HERE.iterdir()) if path.suffix in endings}


def placed_questions(texts: dict[str, str]) -> Iterator[Question]:
    """All questions with their ranges in `texts`; raises ValueError that lists every passage that was not found once."""
    wrong = []
    for name, entries in yaml.safe_load((HERE / "sources" / "questions.yaml").read_text("utf-8")).items():
        letters = Letters(texts[name])
        for entry in entries:
            ranges: list[tuple[int, int]] = []
            for answer in entry["answers"]:
                try:
                    ranges += letters.ranges(answer)
                except ValueError as error:
                    wrong.append(f"{name}: {error}")
            yield Question(entry["question"], name, tuple(entry["kind"]), tuple(sorted(ranges)))
    if wrong:
        raise ValueError("\n".join(wrong))


def write_questions(path: Path, texts: dict[str, str]) -> int:
    """Write the questions with their references and return how many there are."""
    questions = list(placed_questions(texts))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["question", "references", "corpus_id"])
        for item in questions:
            text = texts[item.corpus_id]
            references = [
                {"content": text[start:end], "start_index": start, "end_index": end}
                for start, end in item.ranges
            ]
            writer.writerow([item.question, json.dumps(references, ensure_ascii=False), item.corpus_id])
    return len(questions)


if __name__ == "__main__":
    count = write_questions(
        HERE / "questions.csv", {name: parsed_text(path) for name, path in documents().items()}
    )
    print(f"questions.csv: {count} questions")
