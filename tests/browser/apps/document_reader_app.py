"""A document of which pages fell short, as the Documents page shows it.

``?short=2,3`` names the pages that fell short, ``?incomplete=1`` cuts the file off.
"""

from dataclasses import replace

import streamlit as st

from tests.parsers.made_pdfs import drawn, paragraph, pdf
from workbench.records import Box, OmittedText, PageLetters
from workbench.ui.documents.reader import draw_document
from workbench.ui.session.workspace import workspace

PAGES = 30
ROWS = [
    ("Item", "Journeys", "Share"),
    ("Trams <b>", "118", "27 %"),
    ("Buses", "2,046", "61 %"),
    ("Ferries and the lift", "41", "12 %"),
]


def page_content(number: int) -> bytes:
    """Return a page with a header, headings, prose in two columns, and a table."""
    left = [f"In year {n} the cars of page {number} ran for as long" for n in range(1, 19)]
    right = [f"and part {n} of the crew said that they would stay" for n in range(1, 19)]
    return (
        drawn("Norden Vale Tramways | Annual report", 60, 805, 8)
        + paragraph(*left, left=60, top=770)
        + paragraph(*right, left=320, top=770)
        + paragraph(
            "The council wished to know what the trams and the buses carry on the days on which the",
            "market is held, and whether the ferry is of any help. A count was made on six of them, by",
            "hand, and nobody was counted twice.",
            top=500,
        )
        + drawn("Trams, buses, ferries", 60, 435, 12, bold=True)
        + b"".join(
            drawn(cell, at, 412 - 16 * row)
            for row, cells in enumerate(ROWS)
            for at, cell in zip((60, 220, 300), cells, strict=True)
        )
        + drawn(f"Page {number}", 280, 40, 8)
    )


st.set_page_config(page_title="A document", layout="wide")
if not workspace().documents():
    workspace().add("annual-report.pdf", pdf(*(page_content(number) for number in range(1, PAGES + 1))))
row = workspace().documents()[0]
# The page puts its own parameters into the address, in place of these.
asked = st.session_state.setdefault("asked", dict(st.query_params))
short = [int(number) for number in asked.get("short", "").split(",") if number]
parsed = workspace().parsed(row.id)
header = Box(1, 58, 28, 200, 40)
draw_document(
    row,
    replace(
        parsed,
        letters=tuple(
            PageLetters(page.number, 812 if page.number in short else 1014, 1014)
            for page in parsed.document.pages
        ),
        omitted=tuple(
            OmittedText(replace(box, page=page), text, reason)
            for page in range(1, PAGES + 1)
            for box, text, reason in (
                (Box(1, 330, 600, 470, 660), "Fold <b> here. Vale", "a picture of text"),
                (Box(1, 58, 815, 110, 828), "Draft 3 <i>", "drawn twice"),
            )
        ),
        incomplete="the file was cut off" if "incomplete" in asked else "",
        warnings=("page 2 has text over a picture",),
    ),
)
