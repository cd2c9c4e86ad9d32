"""Small files that take a reader's memory or time. Open them only in a worker that has limits."""

import zlib

from .raw_pdf import paged_pdf, repeated_deflate, stream, text_lines

_MEBIBYTE = 2**20


def form_nested_in_itself_pdf() -> bytes:
    """A page that draws a form XObject which draws itself."""
    form = stream(
        b"q 0.9 0 0 0.9 5 5 cm /X Do Q\n" + text_lines(["Round and round."]),
        b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</Font<</F1 4 0 R>>/XObject<</X 3 0 R>>>>",
    )
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    return paged_pdf([stream(b"/X Do\n")], extra_objects=[form, font], resources=b"/XObject<</X 3 0 R>>")


def exponential_forms_pdf(*, depth: int = 30) -> bytes:
    """A chain of `depth` form XObjects, each drawing the next twice: 2 ** (depth - 1) drawings of one word."""
    forms = []
    for level in range(depth):
        number = 3 + level
        if level == depth - 1:
            resources, content = b"/Font<</F1 %d 0 R>>" % (3 + depth), text_lines(["again"])
        else:
            resources = b"/XObject<</X %d 0 R>>" % (number + 1)
            content = b"q 1 0 0 1 1 1 cm /X Do Q q 1 0 0 1 2 2 cm /X Do Q\n"
        entries = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<<%b>>" % resources
        forms.append(stream(content, entries))
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    return paged_pdf([stream(b"/X Do\n")], extra_objects=[*forms, font], resources=b"/XObject<</X 3 0 R>>")


def unfolding_stream_pdf(*, size_bytes: int = 2**30, deflate_twice: bool = True) -> bytes:
    """A page whose content stream unfolds to `size_bytes` (whole MiB) of drawing that shows nothing.

    Packed twice the file is a few kB, packed once about a thousandth of `size_bytes`.
    """
    block = b"q Q\n" * (_MEBIBYTE // 4)
    data = repeated_deflate(block, size_bytes // _MEBIBYTE)
    filters = b"/Filter/FlateDecode"
    if deflate_twice:
        data, filters = zlib.compress(data, 9), b"/Filter[/FlateDecode/FlateDecode]"
    return paged_pdf([stream(data, filters)])


def crowded_page_pdf(character_count: int = 64_000_000, *, deflate_twice: bool = True) -> bytes:
    """One page with `character_count` letters on it, in lines of 100 drawn over each other."""
    line, lines_in_block = b"(" + b"tramway of " * 9 + b"x) Tj T*\n", 1000
    in_block = 100 * lines_in_block
    blocks, rest = divmod(character_count, in_block)
    lines, letters = divmod(rest, 100)
    # The position is set anew in each block, or the last lines would lie far below the page and be dropped.
    place = b"1 0 0 1 20 820 Tm 0.75 TL\n"
    tail = place + line * lines + b"(" + b"z" * letters + b") Tj\nET\n"
    data = repeated_deflate(place + line * lines_in_block, blocks, head=b"BT /F1 4 Tf\n", tail=tail)
    filters = b"/Filter/FlateDecode"
    if deflate_twice:
        data, filters = zlib.compress(data, 9), b"/Filter[/FlateDecode/FlateDecode]"
    return paged_pdf([stream(data, filters)])
