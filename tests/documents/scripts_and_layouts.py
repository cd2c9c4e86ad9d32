"""PDFs that read well but test the order, the script or the letters of the text."""

import re

import pymupdf

from .raw_pdf import HELVETICA, paged_pdf, stream, text_lines

HEBREW_LINES = ("החשמלית יוצאת בשעה תשע", "הכרטיס תקף לשעתיים")
ARABIC_LINES = ("يغادر الترام في الساعة التاسعة", "التذكرة صالحة لمدة ساعتين")
CHINESE_LINE = "电车九点出发,车票两小时内有效。"
JAPANESE_LINE = "路面電車は九時に出発します。"
KOREAN_LINE = "전차는 아홉 시에 출발합니다."


def hebrew_pdf() -> bytes:
    """A page of Hebrew, `HEBREW_LINES`, shaped right to left with an embedded font."""
    return _set_in_html("".join(f"<p dir='rtl'>{line}</p>" for line in HEBREW_LINES))


def arabic_pdf() -> bytes:
    """A page of Arabic, `ARABIC_LINES`, with its letters laid from left to right as they look, as most writers do.

    The font is named but not embedded: the text is right, the picture is a stand-in.
    """
    shown = b"".join(b"<%b> Tj T*\n" % line[::-1].encode("utf-16-be").hex().encode() for line in ARABIC_LINES)
    letters = sorted(set("".join(ARABIC_LINES)))
    return _mapped_font_pdf(shown, {ord(letter): ord(letter) for letter in letters})


def hebrew_by_chromium_pdf() -> bytes:
    """A row of a table in Hebrew, as Chromium prints it: words lie from left to right, and the letters of each are said to be reversed."""
    width, at, shown = 8.4, 0, b""
    for word in re.findall(" +|[^ ]+", "1200      " + " ".join(HEBREW_LINES[0].split()[::-1])):
        is_hebrew = not word.isascii()
        code = word[:: -1 if is_hebrew else 1].encode("utf-16-be").hex().encode()
        letters = b"/F1 14 Tf <%b> Tj" % code
        if is_hebrew:
            letters = b"/ReversedChars BMC %b EMC" % letters
        elif word.isspace():
            letters = b"/F2 14 Tf (%b) Tj" % word.encode()
        shown += b"ET BT 1 0 0 1 %g 700 Tm %b\n" % (72 + width * at, letters)
        at += len(word)
    return _mapped_font_pdf(shown, {ord(letter): ord(letter) for letter in {*HEBREW_LINES[0], *"012"}})


def chinese_japanese_korean_pdf() -> bytes:
    """A page with a line each of Chinese, Japanese and Korean, which have no or few blanks."""
    return _set_in_html("".join(f"<p>{line}</p>" for line in (CHINESE_LINE, JAPANESE_LINE, KOREAN_LINE)))


def control_characters_pdf() -> bytes:
    """A page with the text ``safe`` SOH BEL ESC ``sound`` and a letter that the font maps to a lone surrogate.

    The title holds a NUL and an ESC; MuPDF gives no NUL from a page.
    """
    text = "safe\x01\x07\x1bsound".encode("utf-16-be").hex().encode()
    letters = {code: code for code in (1, 7, 0x1B, *range(0x20, 0x7F))}
    pdf = _mapped_font_pdf(b"<%b0200> Tj\n" % text, {**letters, 0x200: 0xD800})
    with pymupdf.open("pdf", pdf) as document:
        information = document.get_new_xref()
        document.update_object(information, "<</Title <FEFF00540000001B0069>>>")
        document.xref_set_key(-1, "Info", f"{information} 0 R")
        return bytes(document.tobytes(no_new_id=True))


def control_characters_text() -> bytes:
    """Plain text in UTF-8 with NUL, control characters, a byte-order mark inside, and all kinds of line ends."""
    text = "one\x00two\x07three\x1b[31mfour\r\nfive\rsix\u2028seven\x85eight\ufeffnine\u200bten\n"
    return text.encode()


def rotated_pages_pdf() -> bytes:
    """Four pages, turned by 0, 90, 180 and 270 degrees; each says by how much."""
    turns = (0, 90, 180, 270)
    return paged_pdf(
        [stream(text_lines([f"This page is turned by {turn} degrees.", "Second line."])) for turn in turns],
        page_entries=[b"/Rotate %d" % turn for turn in turns],
    )


def ligatures_and_hyphens_pdf() -> bytes:
    """A page with the glyphs fi and fl, and words cut at line ends: official, safety, re-entry, floor, classified.

    Of the three hyphens at line ends two came from the typesetter; the one in ``re-entry`` belongs to the word.
    """
    font = (
        b"<</Type/Font/Subtype/Type1/BaseFont/Times-Roman"
        b"/Encoding<</BaseEncoding/WinAnsiEncoding/Differences[128/fi/fl]>>>>"
    )
    lines = (
        b"The of\x80cial notice asks for sa-",
        b"fety on the \x81oor, and every re-",
        b"entry is classi-",
    )
    lines = (*lines, b"\x80ed as a risk.")
    shown = b"".join(b"(%b) Tj T*\n" % line for line in lines)
    content = b"BT /F1 12 Tf 16 TL 1 0 0 1 72 770 Tm\n%bET\n" % shown
    return paged_pdf([stream(content)], fonts=b"/F1 " + font)


def two_columns_pdf(*, lines: int = 30, interleaved: bool = True) -> bytes:
    """A page with a heading over two columns: ``left line 1.`` … to be read before ``right line 1.`` …

    Interleaved, the file draws line by line across both columns, so that its own order is the wrong one.
    """
    left = [f"left line {number} of the first column." for number in range(1, lines + 1)]
    right = [f"right line {number} of the second column." for number in range(1, lines + 1)]
    content = text_lines(["A heading over both columns of this page"], top=800, size=18)
    if interleaved:
        for index in range(lines):
            top = 760 - 16 * index
            content += text_lines([left[index]], left=60, top=top, size=10)
            content += text_lines([right[index]], left=320, top=top, size=10)
    else:
        content += text_lines(left, left=60, top=760, size=10) + text_lines(right, left=320, top=760, size=10)
    return paged_pdf([stream(content)])


def repeated_headers_pdf(*, pages: int = 6) -> bytes:
    """Pages of different text between the header ``Norden Vale Tramways – Rule Book`` and ``Page 3 of 6``."""
    subjects = (
        "doors",
        "brakes",
        "signals",
        "wires",
        "depots",
        "stops",
        "tickets",
        "weather",
        "bridges",
        "radios",
    )
    contents = []
    for page in range(1, pages + 1):
        subject = subjects[(page - 1) % len(subjects)]
        body = [f"Chapter {page} is about {subject}.", f"Staff look after the {subject} every day."]
        contents.append(
            stream(
                text_lines(["Norden Vale Tramways – Rule Book"], top=810, size=9)
                + text_lines(body, top=700)
                + text_lines([f"Page {page} of {pages}"], top=30, left=270, size=9)
            )
        )
    return paged_pdf(contents)


def set_apart_pdf(words: list[str], *, a_font_each: bool = False) -> bytes:
    """A line of words without blanks, only set apart by 0.3 of the type size, as TeX sets them.

    With `a_font_each` words in ASCII are in Helvetica and the others in the font that says which letters it draws.
    """
    letters = sorted({letter for word in words for letter in word})
    codes = {letter: 0x100 + n for n, letter in enumerate(letters)}
    shown = b""
    for word in words:
        if a_font_each and word.isascii():
            shown += b"/F2 14 Tf [(%b) -300] TJ\n" % word.encode()
        else:
            code = "".join(f"{codes[letter]:04X}" for letter in word).encode()
            shown += b"/F1 14 Tf [<%b> -300] TJ\n" % code
    unicodes = {code: int(letter.encode("utf-16-be").hex(), 16) for letter, code in codes.items()}
    return _mapped_font_pdf(shown, unicodes)


def _mapped_font_pdf(shown: bytes, characters: dict[int, int]) -> bytes:
    """One page that shows two-byte codes through a font whose ToUnicode table is `characters`."""
    pairs = b"\n".join(b"<%04X> <%04X>" % pair for pair in characters.items())
    to_unicode = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        b"%d beginbfchar\n%b\nendbfchar\nendcmap end end" % (len(characters), pairs)
    )
    descriptor = (
        b"<</Type/FontDescriptor/FontName/Named/Flags 4/FontBBox[0 -200 1000 900]/Ascent 900/Descent -200"
        b"/CapHeight 700/ItalicAngle 0/StemV 80>>"
    )
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/Named/Encoding/Identity-H/ToUnicode 4 0 R/DescendantFonts["
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Named/DW 600/FontDescriptor %b"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>]>>" % descriptor
    )
    content = b"BT /F1 14 Tf 22 TL 1 0 0 1 72 770 Tm\n%bET\n" % shown
    return paged_pdf(
        [stream(content)], extra_objects=[font, stream(to_unicode)], fonts=b"/F1 3 0 R/F2 " + HELVETICA
    )


def _set_in_html(html: str) -> bytes:
    """One page set by MuPDF's own engine, with the parts of its built-in fonts that it uses."""
    with pymupdf.open() as document:
        document.new_page().insert_htmlbox((50, 50, 545, 792), html)
        document.subset_fonts()
        return bytes(document.tobytes(deflate=True, garbage=3, no_new_id=True))
