"""Bad and unusual input for every test: each function gives the bytes of one file.

Nothing here is opened on import, and the bombs must never be opened outside a worker with limits.
"""

import pymupdf

from .bombs import (
    crowded_page_pdf,
    exponential_forms_pdf,
    form_nested_in_itself_pdf,
    unfolding_stream_pdf,
)
from .half_files import CUT_OFF, half, one_line_pages, tram_pdf, without_end, without_last_page
from .raw_pdf import HELVETICA, paged_pdf, pdf_file, stream, text_lines
from .scripts_and_layouts import (
    arabic_pdf,
    chinese_japanese_korean_pdf,
    control_characters_pdf,
    control_characters_text,
    hebrew_by_chromium_pdf,
    hebrew_pdf,
    ligatures_and_hyphens_pdf,
    repeated_headers_pdf,
    rotated_pages_pdf,
    set_apart_pdf,
    two_columns_pdf,
)

__all__ = [
    "CUT_OFF",
    "NASTY_FILE_NAMES",
    "absurd_page_size_pdf",
    "arabic_pdf",
    "chinese_japanese_korean_pdf",
    "control_characters_pdf",
    "control_characters_text",
    "crowded_page_pdf",
    "empty_file",
    "empty_password_pdf",
    "exponential_forms_pdf",
    "form_nested_in_itself_pdf",
    "half",
    "hebrew_by_chromium_pdf",
    "hebrew_pdf",
    "html_named_pdf",
    "ligatures_and_hyphens_pdf",
    "n_pages_pdf",
    "one_line_pages",
    "page_that_fails_alone_pdf",
    "password_pdf",
    "plain_pdf",
    "repeated_headers_pdf",
    "rotated_pages_pdf",
    "scanned_pdf",
    "set_apart_pdf",
    "svg_named_pdf",
    "tram_pdf",
    "truncated_pdf",
    "two_columns_pdf",
    "unfolding_stream_pdf",
    "without_end",
    "without_last_page",
    "zero_page_pdf",
]

NASTY_FILE_NAMES: dict[str, str] = {
    "climbs_out": "../../x.pdf",
    "climbs_out_on_windows": "..\\..\\x.pdf",
    "absolute": "/etc/x.pdf",
    "300_characters": "n" * 296 + ".pdf",
    "right_to_left_override": "invoice\u202efdp.exe.pdf",
    "markup": "<img src=x onerror=alert(1)>.pdf",
    "control_characters": "line\nbreak\x07bell\x00nul.pdf",
    "only_dots": "..",
    "quotes": "it's; DROP TABLE documents --.pdf",
    "emoji_and_combining": "cafe\u0301 \U0001f469\u200d\U0001f692.pdf",
}
"""Names that a browser or an archive may send, by what is bad about them."""


def plain_pdf(text: str = "The tram leaves at nine.", *, pages: int = 1) -> bytes:
    """A healthy PDF with `text` on each of its `pages`."""
    return paged_pdf([stream(text_lines(text.split("\n")))] * pages)


def empty_file() -> bytes:
    """No bytes at all."""
    return b""


def truncated_pdf() -> bytes:
    """A PDF cut off in its first objects, as after a broken download: no page can be read."""
    return plain_pdf()[:90]


def password_pdf(password: str = "sesame") -> bytes:
    """A PDF (AES-256) that opens only with the user password `password`."""
    return _encrypted(user_password=password)


def empty_password_pdf() -> bytes:
    """An encrypted PDF (AES-256) whose user password is empty, so that anybody may read it."""
    return _encrypted(user_password="")


def zero_page_pdf() -> bytes:
    """A well-formed PDF whose page tree is empty."""
    return pdf_file([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>"])


def scanned_pdf(*, pages: int = 2) -> bytes:
    """A PDF of page pictures without any text, as from a scanner."""
    with pymupdf.open("pdf", plain_pdf("Only a picture of these words is kept.")) as original:
        picture = original[0].get_pixmap(dpi=72, colorspace=pymupdf.csGRAY).tobytes("png")
    with pymupdf.open() as scanned:
        for _ in range(pages):
            page = scanned.new_page()
            page.insert_image(page.rect, stream=picture)
        return bytes(scanned.tobytes(deflate=True, no_new_id=True))


def html_named_pdf() -> bytes:
    """An HTML page, to be saved under a name that ends in .pdf: what a log-in wall sends instead of the file."""
    return (
        b"<!DOCTYPE html><html><head><title>Log in</title></head><body><p>Please log in.</p></body></html>\n"
    )


def svg_named_pdf() -> bytes:
    """An SVG drawing, to be saved under a name that ends in .pdf; PyMuPDF would open it as a drawing."""
    return (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="200" height="100">'
        b'<text x="10" y="50">Not a PDF</text></svg>\n'
    )


def n_pages_pdf(count: int = 3000) -> bytes:
    """A PDF of `count` short pages; page 17 of 3000 says ``Page 17 of 3000.``"""
    return paged_pdf([stream(text_lines([f"Page {page} of {count}."])) for page in range(1, count + 1)])


def absurd_page_size_pdf() -> bytes:
    """One page of 20 million points (7 km) each way: its picture at normal size would take petabytes."""
    return paged_pdf(
        [stream(text_lines(["Small words on a very large page."]))], size=(20_000_000, 20_000_000)
    )


def page_that_fails_alone_pdf(*, pages: int = 5, failing: int = 3) -> bytes:
    """A PDF whose page number `failing` cannot be loaded, while page 4 reads ``Page 4 reads well.``

    In its place the page tree holds a branch that says it is its own child.
    """
    numbers = range(1, pages + 1)
    kids = b" ".join(b"%d 0 R" % (2 + 2 * page) for page in numbers)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Kids[%b]>>"
        % (pages, kids),
        HELVETICA,
    ]
    for page in numbers:
        own = 2 + 2 * page
        if page == failing:
            objects.append(b"<</Type/Pages/Parent 2 0 R/Count 1/Kids[%d 0 R]>>" % own)
        else:
            objects.append(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (own + 1))
        objects.append(stream(text_lines([f"Page {page} reads well."])))
    return pdf_file(objects)


def _encrypted(*, user_password: str) -> bytes:
    with pymupdf.open("pdf", plain_pdf("The vault opens at noon.")) as document:
        return bytes(
            document.tobytes(
                encryption=pymupdf.PDF_ENCRYPT_AES_256,
                user_pw=user_password,
                owner_pw="owner of the tests",
                permissions=int(pymupdf.PDF_PERM_ACCESSIBILITY),
            )
        )
