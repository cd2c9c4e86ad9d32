"""Set a source text on PDF pages: columns, tables, footnotes, running headers, page numbers and an outline."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfmetrics import Font, registerFontFamily
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph
from source_text import Block, Source

MILLIMETRE = 72 / 25.4


@dataclass(frozen=True)
class Format:
    """Page size, margins and type of one kind of document; lengths in points."""

    size: tuple[float, float]
    margin: float
    type_size: float
    family: str = "Text"
    gap: float = 16.0


FORMATS = {
    "a4": Format((210 * MILLIMETRE, 297 * MILLIMETRE), 62, 10.5),
    "sheet": Format((210 * MILLIMETRE, 297 * MILLIMETRE), 62, 10, family="Plain"),
    "paper": Format((210 * MILLIMETRE, 297 * MILLIMETRE), 52, 9.5),
    "pocket": Format((105 * MILLIMETRE, 148 * MILLIMETRE), 30, 10),
    "leaflet": Format((148 * MILLIMETRE, 210 * MILLIMETRE), 42, 10, family="Plain"),
}


def register_fonts() -> None:
    """Make the standard faces known with an encoding of our own: Windows' plus the ligatures fi and fl."""
    encoding = pdfmetrics.Encoding("ligatures", "WinAnsiEncoding")
    encoding[1], encoding[2] = "fi", "fl"
    pdfmetrics.registerEncoding(encoding)
    codecs.register(_ligature_codec)
    for family, faces in {
        "Text": ("Times-Roman", "Times-Bold", "Times-Italic", "Times-BoldItalic"),
        "Plain": ("Helvetica", "Helvetica-Bold", "Helvetica-Oblique", "Helvetica-BoldOblique"),
    }.items():
        names = [family, f"{family}-Bold", f"{family}-Italic", f"{family}-BoldItalic"]
        for name, face in zip(names, faces, strict=True):
            pdfmetrics.registerFont(Font(name, face, "ligatures"))
        registerFontFamily(family, *names)


def _ligature_codec(name: str) -> codecs.CodecInfo | None:
    if name != "ligatures":
        return None
    table = [bytes([code]).decode("cp1252", "replace") for code in range(256)]
    table[1], table[2] = "\ufb01", "\ufb02"
    decoding = "".join(table)
    encoding = {ord(letter): code for code, letter in enumerate(table) if letter != "\ufffd"}
    return codecs.CodecInfo(
        lambda text, errors="strict": codecs.charmap_encode(text, errors, encoding),
        lambda data, errors="strict": codecs.charmap_decode(data, errors, decoding),
        name=name,
    )


def with_ligatures(markup: str) -> str:
    """`markup` with fi and fl as one letter each, outside its tags."""
    pieces = re.split(r"(<[^>]*>)", markup)
    return "".join(
        piece if piece.startswith("<") else piece.replace("fi", "\ufb01").replace("fl", "\ufb02")
        for piece in pieces
    )


@dataclass
class Setter:
    """The state of the page being set. `total_pages` is what the footer says, known after a first run."""

    source: Source
    canvas: Canvas
    total_pages: int = 0
    page: int = 0
    column: int = 0
    columns: int = 1
    top: float = 0.0
    y: float = 0.0
    section: str = ""
    notes: list[Paragraph] = field(default_factory=list)
    contents: list[tuple[int, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.format = FORMATS[self.source.settings["format"]]
        self.ligatures = self.source.settings.get("ligatures") == "yes"

    # ── measures ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def width(self) -> float:
        """The width of one column."""
        whole = self.format.size[0] - 2 * self.format.margin
        return (whole - self.format.gap * (self.columns - 1)) / self.columns

    @property
    def left(self) -> float:
        """The left edge of the column in use."""
        return self.format.margin + self.column * (self.width + self.format.gap)

    @property
    def bottom(self) -> float:
        """The lower edge of the text, without footnotes."""
        return self.format.margin * 0.92

    def notes_height(self, notes: list[Paragraph]) -> float:
        """The height that `notes` take at the foot of a column, with the rule above them."""
        return sum(note.wrap(self.width, 1e6)[1] for note in notes) + (9 if notes else 0)

    def style(self, kind: str) -> ParagraphStyle:
        """The style of a block."""
        family, size = self.format.family, self.format.type_size
        base = {"fontName": family, "fontSize": size, "leading": size * 1.32, "hyphenationLang": "en_GB"}
        base |= {"alignment": 4, "hyphenationMinWordLength": 7, "embeddedHyphenation": 1}
        heading = {"fontName": f"{family}-Bold", "alignment": 0, "hyphenationLang": "", "spaceBefore": size}
        special: dict[str, dict[str, object]] = {
            "title": heading | {"fontSize": size * 2.1, "leading": size * 2.5},
            "subtitle": heading
            | {"fontName": f"{family}-Italic", "fontSize": size * 1.2, "leading": size * 1.6},
            "h1": heading | {"fontSize": size * 1.55, "leading": size * 1.9, "spaceBefore": size * 1.5},
            "h2": heading | {"fontSize": size * 1.15, "leading": size * 1.5},
            "h3": heading | {"fontName": f"{family}-BoldItalic"},
            "item": {"leftIndent": size * 1.6, "bulletIndent": size * 0.3, "spaceBefore": size * 0.15},
            "note": {"fontSize": size * 0.8, "leading": size, "alignment": 0, "hyphenationLang": ""},
            "cell": {"fontSize": size * 0.88, "leading": size * 1.1, "alignment": 0, "hyphenationLang": ""},
            "caption": {"fontName": f"{family}-Italic", "fontSize": size * 0.92, "alignment": 0},
        }
        return ParagraphStyle(kind, **(base | {"spaceBefore": size * 0.55} | special.get(kind, {})))

    def paragraph(self, kind: str, markup: str, bullet: str | None = None) -> Paragraph:
        """A paragraph in the style `kind`, with ligatures where the document asks for them."""
        if self.ligatures and kind in {"text", "item", "note"}:
            markup = with_ligatures(markup)
        return Paragraph(markup, self.style(kind), bulletText=bullet)

    # ── pages and columns ────────────────────────────────────────────────────────────────────────────────────

    def new_page(self) -> None:
        """Finish the page in use and begin the next."""
        self.end_page()
        self.page += 1
        self.column = 0
        self.top = self.y = self.format.size[1] - self.format.margin * 1.05
        if self.page > 1 or self.source.settings.get("cover") != "yes":
            self.draw_running_lines()

    def end_page(self) -> None:
        """Draw the notes of the last column and hand the page over."""
        if self.page:
            self.draw_notes()
            self.canvas.showPage()

    def new_column(self) -> None:
        """Go on at the top of the next column, or of the next page after the last one."""
        if self.column + 1 < self.columns:
            self.draw_notes()
            self.column += 1
            self.y = self.top
        else:
            self.new_page()

    def draw_notes(self) -> None:
        """Draw the footnotes of this column, lowest on the page."""
        if self.notes:
            y = self.bottom + self.notes_height(self.notes) - 5
            self.canvas.setLineWidth(0.4)
            self.canvas.line(self.left, y, self.left + 60, y)
            y -= 4
            for note in self.notes:
                y -= note.wrap(self.width, 1e6)[1]
                note.drawOn(self.canvas, self.left, y)
        self.notes = []

    def draw_running_lines(self) -> None:
        """Draw the header and the footer."""
        margin, (width, height) = self.format.margin, self.format.size
        size = self.format.type_size * 0.8
        self.canvas.setFont(self.format.family, size)
        self.canvas.drawString(margin, height - margin * 0.66, self.source.settings["header"])
        self.canvas.setLineWidth(0.4)
        self.canvas.line(margin, height - margin * 0.76, width - margin, height - margin * 0.76)
        footer = self.source.settings["footer"].format(page=self.page, pages=self.total_pages)
        self.canvas.drawCentredString(width / 2, margin * 0.5, footer)

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────────────────

    def set(self, block: Block) -> None:
        """Set one block where there is room for it."""
        if block.kind == "command":
            self.obey(block.text)
        elif block.kind == "table":
            self.set_table(block)
        elif block.kind in {"h1", "h2", "h3"}:
            self.set_heading(block)
        else:
            self.set_paragraph(block)

    def obey(self, command: str) -> None:
        """Carry out `page`, `column`, `contents`, `space N` or `columns N`."""
        word, _, argument = command.partition(" ")
        if word == "page":
            self.new_page()
        elif word == "column":
            self.new_column()
        elif word == "space":
            self.y -= float(argument)
        elif word == "columns":
            self.draw_notes()
            self.columns, self.column, self.top = int(argument), 0, self.y - 10
            self.y = self.top
        elif word == "contents":
            self.set_contents()
        else:
            raise ValueError(f"unknown command !{command} in {self.source.name}")

    def set_heading(self, block: Block) -> None:
        level = int(block.kind[1])
        if level == 1 and self.source.settings.get("chapters") == "new page":
            self.new_page()
        heading = self.paragraph(block.kind, block.text)
        height = heading.wrap(self.width, 1e6)[1] + heading.style.spaceBefore
        if self.y - height - 5.5 * self.format.type_size < self.bottom + self.notes_height(self.notes):
            self.new_column()
        if self.y < self.top:
            self.y -= heading.style.spaceBefore
        self.draw(heading)
        plain = re.sub(r"<[^>]*>", "", block.text)
        key = f"heading-{len(self.contents)}"
        self.canvas.bookmarkHorizontal(key, 0, self.y + heading.height)
        self.canvas.addOutlineEntry(plain.replace("&amp;", "&"), key, level - 1)
        self.contents.append((level, plain, self.page))

    def set_paragraph(self, block: Block) -> None:
        paragraph = self.paragraph(block.kind, block.text, block.bullet)
        notes = [self.paragraph("note", note) for note in block.notes]
        first = True
        # A caption stays with the first rows of its table.
        if block.kind == "caption" and self.y - 75 < self.bottom + self.notes_height(self.notes):
            self.new_column()
        while True:
            before = paragraph.style.spaceBefore if first and self.y < self.top else 0
            room = self.y - before - self.bottom - self.notes_height([*self.notes, *notes])
            height = paragraph.wrap(self.width, 1e6)[1]
            if height <= room:
                self.y -= before
                self.draw(paragraph)
                self.notes += notes
                return
            # A paragraph with notes stays in one piece, so that a note is always on the page of its mark.
            lines = int(room / paragraph.style.leading)
            total = round(height / paragraph.style.leading)
            parts = (
                []
                if notes or lines < 2
                else paragraph.split(self.width, min(lines, total - 2) * paragraph.style.leading + 0.1)
            )
            if len(parts) == 2:
                self.y -= before
                parts[0].wrap(self.width, 1e6)
                self.draw(parts[0])
                paragraph, first = parts[1], False
            elif self.y == self.top:
                raise ValueError(f"a block of {self.source.name} is larger than a page: {block.text[:60]}")
            self.new_column()

    def set_table(self, block: Block) -> None:
        pad = 3.0
        widths = [self.width * share for share in block.shares]
        rows = []
        for index, row in enumerate(block.rows):
            cells = [self.paragraph("cell", f"<b>{cell}</b>" if index == 0 else cell) for cell in row]
            rows.append(
                (
                    cells,
                    max(cell.wrap(w - 2 * pad, 1e6)[1] for cell, w in zip(cells, widths, strict=True))
                    + 2 * pad,
                )
            )
        self.y -= 8
        if self.y - rows[0][1] - rows[1][1] < self.bottom + self.notes_height(self.notes):
            self.new_column()
        for index, (cells, height) in enumerate(rows):
            if self.y - height < self.bottom + self.notes_height(self.notes):
                self.new_column()
                if index:
                    self.draw_row(rows[0][0], rows[0][1], widths, pad, head=True)
            self.draw_row(cells, height, widths, pad, head=index == 0)
        self.y -= 4

    def draw_row(
        self, cells: list[Paragraph], height: float, widths: list[float], pad: float, *, head: bool
    ) -> None:
        x = self.left
        if head:
            self.canvas.setFillGray(0.92)
            self.canvas.rect(x, self.y - height, self.width, height, stroke=0, fill=1)
            self.canvas.setFillGray(0)
        for cell, width in zip(cells, widths, strict=True):
            cell_height = cell.wrap(width - 2 * pad, 1e6)[1]
            cell.drawOn(self.canvas, x + pad, self.y - pad - cell_height)
            x += width
        self.y -= height
        self.canvas.setLineWidth(0.8 if head else 0.3)
        self.canvas.line(self.left, self.y, self.left + self.width, self.y)

    def set_contents(self) -> None:
        """Set the table of contents that the first run has found."""
        size = self.format.type_size
        for level, text, page in self.source.contents:
            if level > 2:
                continue
            if self.y - size * 1.3 < self.bottom:
                self.new_column()
            self.y -= size * 1.3
            self.canvas.setFont(f"{self.format.family}-Bold" if level == 1 else self.format.family, size)
            self.canvas.drawString(self.left + (level - 1) * size, self.y, text.replace("&amp;", "&"))
            self.canvas.drawRightString(self.left + self.width, self.y, str(page))

    def draw(self, paragraph: Paragraph) -> None:
        """Draw a wrapped paragraph and move below it."""
        self.y -= paragraph.height
        paragraph.drawOn(self.canvas, self.left, self.y)


def write_pdf(source: Source, path: Path) -> int:
    """Write the PDF of `source` and return its number of pages; the same source gives the same bytes."""
    register_fonts()
    total = 0
    # The contents and "page 3 of 9" need page numbers; the contents can move them once, so there are three runs.
    for _ in range(3):
        canvas = Canvas(
            str(path), pagesize=FORMATS[source.settings["format"]].size, invariant=1, pageCompression=1
        )
        canvas.setTitle(source.settings["title"])
        canvas.setAuthor(source.settings["author"])
        canvas.setSubject(source.settings.get("subtitle", ""))
        setter = Setter(source, canvas, total_pages=total)
        setter.new_page()
        for block in opening(source):
            setter.set(block)
        for block in source.blocks:
            setter.set(block)
        setter.end_page()
        total = setter.page
        source.contents = setter.contents
    canvas.save()
    return total


def opening(source: Source) -> Iterator[Block]:
    """The title and the subtitle as blocks."""
    if source.settings.get("cover") == "yes":
        yield Block("command", "space 90")
    yield Block("title", source.settings["title"])
    if "subtitle" in source.settings:
        yield Block("subtitle", source.settings["subtitle"])
