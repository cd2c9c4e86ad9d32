"""PDFs as they arrive: whole, without their end, and cut off in the middle."""

from tests.documents.raw_pdf import paged_pdf, stream, text_lines

CUT_OFF = "the file ends in the middle of one of its parts"
"""What the parser says of a PDF that ends inside a page."""


def one_line_pages(*lines: str) -> bytes:
    """A whole PDF with a page for each line."""
    return paged_pdf([stream(text_lines([line])) for line in lines])


def tram_pdf(colour: str) -> bytes:
    """A whole PDF of ten pages that name a colour."""
    return paged_pdf([stream(text_lines([f"Tram {number} stops at {colour}."] * 20)) for number in range(10)])


def without_last_page(pdf: bytes) -> bytes:
    """The file up to the middle of what its last page draws."""
    return pdf[: pdf.rfind(b" Tm\n")]


def half(pdf: bytes) -> bytes:
    """The first half of a file."""
    return pdf[: len(pdf) // 2]


def without_end(pdf: bytes, mark: bytes) -> bytes:
    """A file without its last ``mark`` (``%%EOF``, ``startxref``, ``trailer`` or ``xref``) and what follows it."""
    return pdf[: pdf.rfind(mark)]
