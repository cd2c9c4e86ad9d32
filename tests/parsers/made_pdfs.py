"""PDFs that the tests of the parser set themselves, word for word at known places."""

from __future__ import annotations

from tests.documents.raw_pdf import HELVETICA, escaped, paged_pdf, stream

BOLD = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>"


def drawn(
    text: str, left: float, top: float, size: float = 10, *, bold: bool = False, rise: float = 0
) -> bytes:
    """Page content that draws `text` with its baseline `top` points above the page's lower edge."""
    font = b"F2" if bold else b"F1"
    return b"BT /%b %g Tf 1 0 0 1 %g %g Tm %g Ts (%b) Tj ET\n" % (
        font,
        size,
        left,
        top,
        rise,
        escaped(text.encode("cp1252")),
    )


def pdf(*pages: bytes, rotate: int = 0, size: tuple[int, int] = (595, 842)) -> bytes:
    """A PDF of these page contents in Helvetica (F1) and its bold (F2)."""
    return paged_pdf(
        [stream(page) for page in pages],
        page_entries=[b"/Rotate %d" % rotate] * len(pages),
        fonts=b"/F1 " + HELVETICA + b"/F2 " + BOLD,
        size=size,
    )


def paragraph(
    *lines: str, left: float = 60, top: float = 700, size: float = 10, leading: float = 13
) -> bytes:
    """Lines below each other."""
    return b"".join(drawn(line, left, top - leading * i, size) for i, line in enumerate(lines))


def report_pdf() -> bytes:
    """Two pages with what reports are made of: title, headings, list, table, note, and text across the page end."""
    first = (
        drawn("On the Care of Trams", 60, 780, 20, bold=True)
        + drawn("1 Daily work", 60, 740, 14, bold=True)
        + paragraph(
            "Every morning the cars are swept, and the sand boxes are filled before the first",
            "journey begins. A mechanic listens to the brakes while another looks at the doors, as",
            "the handbook demands.",
            top=715,
        )
        + paragraph(
            "In winter the points are heated for an hour. Salt is never used because it eats the con-",
            "tacts; warm brine is kept for the steepest curve alone, and its use is written down each",
            "time.",
            top=667,
        )
        + drawn("2 What is carried", 60, 615, 14, bold=True)
        + paragraph("• a lamp and two flags", "• the key for the points", "• chalk", top=592)
        + b"".join(
            drawn(cell, left, 540 - 13 * row)
            for row, cells in enumerate(
                [("Car", "Sand", "Year"), ("41", "12 kg", "1998"), ("42", "9 kg", "2003")]
            )
            for left, cell in zip((60, 200, 340), cells, strict=True)
        )
        + paragraph(
            "The crews have asked for a second lamp since the tunnel under the castle was opened to",
            "traffic. The board has agreed, and from the first of May every car that goes through the",
            top=480,
        )
    )
    second = (
        paragraph("tunnel carries two. Spare ones are kept in the signal box.", top=760)
        + drawn("3 Notes", 60, 720, 14, bold=True)
        + paragraph("The chalk is white.", top=700)
    )
    return pdf(first, second)


def flattened_text_page() -> bytes:
    """A line, and one more pressed to no width: its 27 letters are in the file, and nobody can see them."""
    hidden = b"BT /F1 10 Tf 0 0 0 1 60 680 Tm (Nobody can see these words at all.) Tj ET\n"
    return drawn("The tram leaves at nine.", 60, 700) + hidden
