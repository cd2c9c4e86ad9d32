"""Where uploads live: one name may stand for several documents, and a new version must find the one it replaces.

A file on disk has a path. An upload has only its name, which is its place as long as one document has that name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count as numbers_from
from itertools import islice
from pathlib import Path, PurePosixPath

from workbench.errors import WorkbenchError
from workbench.files import shown_name
from workbench.records import content_digest
from workbench.workspace.documents import DocumentList


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """The address of an upload, and the name that its document is listed under.

    >>> UploadPlace("report.pdf", 1).uri, UploadPlace("report.pdf", 2).uri
    ('upload:report.pdf', 'upload:report.pdf#2')
    >>> UploadPlace("report.pdf", 2).name
    'report (2).pdf'
    """

    file_name: str
    number: int
    """1 for the first document of this name."""

    @property
    def uri(self) -> str:
        """The address, which decides the document's id; no file that can be read here ends in ``#2``."""
        return f"upload:{self.file_name}" + (f"#{self.number}" if self.number > 1 else "")

    @property
    def name(self) -> str:
        """The name in lists."""
        path = PurePosixPath(self.file_name)
        return self.file_name if self.number == 1 else f"{path.stem} ({self.number}){path.suffix}"


def place_upload(
    documents: DocumentList, file_name: str, content_hash: str, beside: Collection[str] = ()
) -> UploadPlace:
    """Return the place of an upload that came alone.

    If a document of its name has the same content, it is that document. If one document has its name, it is a new
    version of that. If several have it, nobody can tell whose version it is, and it becomes a document of its own.
    ``beside`` are the hashes of the other contents that came under its name at once: it is no version of those.
    """
    taken = _taken(documents, file_name)
    if set(beside) - {content_hash}:
        return UploadPlace(file_name, _numbers(taken, [content_hash, *beside])[content_hash])
    same = [number for number, content in taken.items() if content == content_hash]
    if same:
        number = min(same)
    elif len(taken) == 1:
        number = next(iter(taken))
    else:
        number = _free_numbers(taken, 1)[0]
    return UploadPlace(file_name, number)


def place_batch(
    documents: DocumentList,
    files: Sequence[tuple[str, Path | bytes, str | None]],
    read: Callable[[Path | bytes], bytes],
    beside: Mapping[int, Collection[str]],
) -> list[UploadPlace | None]:
    """Return the places of the uploads in a batch that share a name with another; None for all other files.

    Files of one batch are no versions of each other. A file whose content is known is the document that has it. If one
    file and one document of the name are left then, the file is its new version; otherwise each becomes a document of
    its own. ``beside`` are hashes by index: contents that came with a file under its name, and are not in ``files``.
    """
    places: list[UploadPlace | None] = [None] * len(files)
    by_name: dict[str, list[int]] = {}
    for index, (name, _, uri) in enumerate(files):
        if uri is None:
            by_name.setdefault(shown_name(name), []).append(index)
    for file_name, indexes in by_name.items():
        contents: dict[int, str] = {}
        others = [content for index in indexes for content in beside.get(index, ())]
        for index in indexes if len(indexes) > 1 or others else ():
            # One that cannot be read becomes no document.
            with suppress(WorkbenchError):
                contents[index] = content_digest(read(files[index][1]))
        different = list(dict.fromkeys([*contents.values(), *others]))
        if len(different) > 1:
            numbers = _numbers(_taken(documents, file_name), different)
            for index, content in contents.items():
                places[index] = UploadPlace(file_name, numbers[content])
    return places


def _numbers(taken: dict[int, str], contents: Sequence[str]) -> dict[str, int]:
    """Return content → number of its document, of different contents under one name."""
    numbers = {
        content: number for number, content in sorted(taken.items(), reverse=True) if content in contents
    }
    new = [content for content in contents if content not in numbers]
    left = [number for number in taken if number not in numbers.values()]
    if len(new) == len(left) == 1:
        return numbers | {new[0]: left[0]}
    return numbers | dict(zip(new, _free_numbers(taken, len(new)), strict=True))


def _free_numbers(taken: Collection[int], count: int) -> list[int]:
    """Return the first numbers that no document of a name has."""
    return list(islice((number for number in numbers_from(1) if number not in taken), count))


def _taken(documents: DocumentList, file_name: str) -> dict[int, str]:
    """Return number → content hash of the documents of one upload name."""
    base = UploadPlace(file_name, 1).uri
    found: dict[int, str] = {}
    for uri, content in documents.upload_contents(base).items():
        number = uri.removeprefix(base).removeprefix("#") or "1"
        if number.isdecimal():
            found[int(number)] = content
    return found
