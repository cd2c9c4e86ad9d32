"""PDF files written object by object, for damage that no PDF library would agree to write."""

import zlib
from collections.abc import Sequence

HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
A4 = (595, 842)


def pdf_file(objects: Sequence[bytes], *, root: int = 1) -> bytes:
    """A whole PDF with a right cross-reference table; object 1 is the first of `objects`."""
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    offsets = []
    size = len(parts[0])
    for number, body in enumerate(objects, start=1):
        offsets.append(size)
        part = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        parts.append(part)
        size += len(part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    parts.append(
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, root, size)
    )
    return b"".join(parts)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object of `data` as it stands, with extra dictionary `entries`."""
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(data), entries, data)


def paged_pdf(
    contents: Sequence[bytes],
    *,
    page_entries: Sequence[bytes] | None = None,
    fonts: bytes = b"/F1 " + HELVETICA,
    size: tuple[int, int] = A4,
    extra_objects: Sequence[bytes] = (),
    resources: bytes = b"",
) -> bytes:
    """A PDF with one page for each of `contents`, which are stream objects.

    `extra_objects` get the numbers from 3 on, so that `resources` can refer to them.
    """
    first_page = 3 + len(extra_objects)
    kids = b" ".join(b"%d 0 R" % (first_page + 2 * index) for index in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/MediaBox[0 0 %d %d]/Resources<</Font<<%b>>%b>>/Kids[%b]>>"
        % (len(contents), *size, fonts, resources, kids),
        *extra_objects,
    ]
    for index, content in enumerate(contents):
        entries = page_entries[index] if page_entries else b""
        number = first_page + 2 * index + 1
        objects.append(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%b>>" % (number, entries))
        objects.append(content)
    return pdf_file(objects)


def text_lines(
    lines: Sequence[str], *, left: int = 72, top: int = 770, leading: int = 16, size: int = 12
) -> bytes:
    """Page content that draws `lines` of Latin-1 text one below the other."""
    shown = b"".join(b"(%b) Tj T*\n" % escaped(line.encode("cp1252")) for line in lines)
    return b"BT /F1 %d Tf %d TL 1 0 0 1 %d %d Tm\n%bET\n" % (size, leading, left, top, shown)


def escaped(text: bytes) -> bytes:
    """`text` made safe between the brackets of a PDF string."""
    return text.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def repeated_deflate(block: bytes, count: int, *, head: bytes = b"", tail: bytes = b"") -> bytes:
    """A zlib stream of `head`, then `block` `count` times, then `tail`, made without holding the whole.

    A full flush forgets the window, so the bytes of one compressed block may be repeated as they are.
    """
    compressor = zlib.compressobj(9)
    start = compressor.compress(head) + compressor.flush(zlib.Z_FULL_FLUSH)
    one = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    end = compressor.compress(tail) + compressor.flush(zlib.Z_FINISH)
    checksum = zlib.adler32(head)
    for _ in range(count):
        checksum = _joined_adler32(checksum, zlib.adler32(block), len(block))
    checksum = _joined_adler32(checksum, zlib.adler32(tail), len(tail))
    return start + one * count + end[:-4] + checksum.to_bytes(4, "big")


def _joined_adler32(left: int, right: int, right_length: int) -> int:
    """The Adler-32 of two texts joined, from the sums of each (RFC 1950, section 8.2)."""
    base = 65521
    left_a, left_b = left & 0xFFFF, left >> 16
    right_a, right_b = right & 0xFFFF, right >> 16
    a = (left_a + right_a - 1) % base
    b = (left_b + right_b + right_length * (left_a - 1)) % base
    return b << 16 | a
