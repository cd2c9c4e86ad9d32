"""A strip of a page image around a passage, with the passage marked."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw

Rectangle = tuple[float, float, float, float]
MARGIN_POINTS = 26
SIDE_POINTS = 18
LEAST_POINTS, LEAST_SHARE = 90, 0.55
"""A strip is at least so high, and holds so much of the page's width: a word alone would fill the screen."""
MARK = (255, 226, 120)
SOFT_MARK = (228, 236, 248)


def page_crop(
    image: bytes,
    width: float,
    height: float,
    passage: Sequence[Rectangle],
    sentence: Sequence[Rectangle] = (),
) -> bytes:
    """Return the strip of a page that holds ``passage`` as WebP, the passage softly and ``sentence`` strongly marked.

    Rectangles are in points of the page, which is ``width`` × ``height`` points large. The ink stays on top of the
    marks, as under a felt pen. A page without rectangles is returned whole.
    """
    with Image.open(io.BytesIO(image)) as opened:
        page = opened.convert("RGB")
    across, down = page.width / width, page.height / height
    paper = Image.new("RGB", page.size, (255, 255, 255))
    pen = ImageDraw.Draw(paper)
    for rectangles, colour in ((passage, SOFT_MARK), (sentence, MARK)):
        for x0, y0, x1, y1 in rectangles:
            pen.rectangle((x0 * across - 2, y0 * down - 1, x1 * across + 2, y1 * down + 1), fill=colour)
    marked = ImageChops.multiply(page, paper)
    if passage:
        top = min(box[1] for box in passage) - MARGIN_POINTS
        bottom = max(max(box[3] for box in passage) + MARGIN_POINTS, top + LEAST_POINTS)
        left = min(box[0] for box in passage) - SIDE_POINTS
        right = max(max(box[2] for box in passage) + SIDE_POINTS, left + LEAST_SHARE * width)
        marked = marked.crop(
            (
                round(max(0.0, left) * across),
                round(max(0.0, top) * down),
                round(min(width, right) * across),
                round(min(height, bottom) * down),
            )
        )
    out = io.BytesIO()
    marked.save(out, "WEBP", quality=82)
    return out.getvalue()
