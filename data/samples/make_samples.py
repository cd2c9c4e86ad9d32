"""Make the sample PDFs from their sources: ``python data/samples/make_samples.py [FOLDER]``.

The same sources give the same bytes. Run ``place_questions.py`` after a change, since offsets move. The samples in
Markdown, HTML and plain text are written by hand and lie beside the PDFs.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from page_layout import write_pdf  # noqa: E402
from source_text import source_from  # noqa: E402


def make(folder: Path, names: list[str] | None = None) -> dict[str, int]:
    """Write the PDFs (all, or those named) into `folder`; return the number of pages of each."""
    paths = sorted((HERE / "sources").glob("*.source"))
    return {
        path.stem: write_pdf(source_from(path), folder / f"{path.stem}.pdf")
        for path in paths
        if names is None or path.stem in names
    }


if __name__ == "__main__":
    for name, pages in make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE).items():
        print(f"{name}.pdf: {pages} pages")
