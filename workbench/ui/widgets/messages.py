"""Sentences for the user: errors, empty pages, and short explanations of terms.

What came from a file or a document is text, never markup: ``plain`` escapes it for Streamlit's Markdown.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from workbench.errors import WorkbenchError
from workbench.redaction import failure_text
from workbench.table_cells import one_line

logger = logging.getLogger(__name__)

BUG_SENTENCE = "Something went wrong inside the workbench. This is a bug; nothing you saved is lost, and the details are in the log."
LONGEST_MESSAGE = 2_000

# A character without width: Markdown's escapes are undone before links and :shortcodes: are looked for, so only a
# character in between keeps such a run of text from becoming one.
_JOINER = "\u2060"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_WOULD_BECOME_MORE = re.compile(
    r"(:(?=[\w/+-])|@(?=\w)|www(?=\.)|-(?=[->])|<(?=[-=])|>(?==)|~(?==))", re.IGNORECASE
)


def plain(text: str) -> str:
    r"""Return ``text`` so that Streamlit's Markdown shows it to the letter, on one line.

    No link, image, formula, colour, icon or emoji comes out of it; control characters and direction overrides go. Cells of
    a table stand apart.

    >>> plain("a*b*.pdf")
    'a\\*b\\*\\.pdf'
    """
    # Cc, Zl and Zp break lines, Cf turns the direction of the text around; joiners inside scripts and emoji stay.
    kept = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") and c != "\t" else c
        for c in text[:LONGEST_MESSAGE]
        if unicodedata.category(c) not in ("Cf", "Cs") or c in "\u200c\u200d"
    )
    guarded_text = _WOULD_BECOME_MORE.sub(lambda found: found.group() + _JOINER, one_line(kept))
    return _PUNCTUATION.sub(r"\\\1", guarded_text)


def shown_error(error: WorkbenchError) -> None:
    """Draw a foreseeable error: its sentence, as plain text, with its first letter raised."""
    st.error(plain(sentence(str(error))), icon=":material/error:")


def sentence(text: str) -> str:
    """Return an error's text with a capital first letter; names of files and settings stay as they are.

    >>> sentence("the disk is full"), sentence("a.pdf is empty")
    ('The disk is full', 'a.pdf is empty')
    """
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


@contextmanager
def guarded() -> Iterator[None]:
    """Turn what goes wrong inside into a message: a ``WorkbenchError`` as it is, a bug as a calm sentence and a log entry.

    Streamlit's own signals (stop, rerun, page switch) are no ``Exception`` and pass.
    """
    try:
        yield
    except WorkbenchError as error:
        shown_error(error)
    except Exception:  # noqa: BLE001, the log says where
        logger.error("a page failed\n%s", failure_text())
        st.error(BUG_SENTENCE, icon=":material/error:")


def empty_state(
    icon: str,
    title: str,
    text: str,
    link_page: str | Path | None = None,
    link_label: str = "",
) -> None:
    """Draw what a page shows while it has nothing to show: what is missing, and a link to where that is done.

    ``icon`` is a name of the bundled set, such as ``description``; ``link_page`` is what ``st.page_link`` takes.
    ``title`` and ``text`` are shown as plain text.
    """
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"## :gray[:material/{icon}:]", text_alignment="center", width="content", anchors=False)
        st.markdown(f"**{plain(title)}**", text_alignment="center", width="content")
        st.caption(plain(text), text_alignment="center", width="content")
        if link_page is not None:
            st.page_link(
                link_page, label=link_label or "Go there", icon=":material/arrow_forward:", width="content"
            )
        st.space("small")


_TERMS = {
    "document": "One file as one text. The text is read once; every place in it is counted in characters from its start.",
    "chunk": "A piece of a document. Search finds and shows chunks, so where a text is cut decides what can be found.",
    "chunker": "The rule by which a document is cut into chunks, with its settings.",
    "overlap": "Text that two neighbouring chunks share, so that a sentence at a cut is whole in at least one of them. "
    "It is drawn striped.",
    "token": "The unit in which a language model reads text: a short word, or part of a longer one. English has about "
    "four characters to a token.",
    "sentence": "What the chosen splitter takes for a sentence. Splitters differ at abbreviations, lists and headings.",
    "embedding": "A list of numbers a model computes from a text. Texts of similar meaning get similar numbers.",
    "embedder": "The model that turns text into numbers (an embedding), with its settings.",
    "model window": "The most tokens the model reads at once. What is longer is cut off: that part of the chunk cannot "
    "be found.",
    "cosine": "How alike two embeddings are: 1 for the same direction, around 0 for unrelated texts.",
    "score": "How well a hit fits the question, by this table's measure; higher is better. Scores of different tables "
    "cannot be compared, ranks can.",
    "top-k": "How many hits a search gives back. More hits find more and cost the reader, or the language model, more.",
    "hit": "A chunk that a search gave back, with its rank and score.",
    "keyword search": "Search by the words themselves (BM25): strong for names and rare terms, blind to synonyms.",
    "fused": "Ranks by meaning and by keywords together; usually better than either.",
    "exact search": "Every embedding is compared with the question. Slower on large tables, and misses nothing.",
    "index": "A shortcut that compares the question with part of the table only. Faster, and may miss hits; the recall "
    "shown says how many it still finds.",
    "recall": "The share of what should be found that was found.",
    "UMAP": "A way to draw embeddings on a plane: neighbours stay neighbours. Distances between far groups mean little.",
    "PCA": "The quickest way to draw embeddings on a plane. Coarser than UMAP.",
    "trustworthiness": "A picture in two dimensions cannot keep all neighbours of a space of hundreds. Trustworthiness is "
    "near 1 when what lies near on the picture is near in truth, and about 0.5 when the picture says nothing.",
    "density": "How many neighbours a chunk has nearby. Dense spots are often repeated or boilerplate text.",
    "fingerprint": "A short code computed from all settings that change the result. Same code, same chunks and numbers.",
    "table": "The chunks of one config with their embeddings, on disk as a LanceDB table; one config, one table.",
    "config": "Short for configuration: parser, chunker and embedder with all their settings: everything that decides what a table holds.",
    "cache": "Embeddings that were computed before. Chunks with the same text are never embedded twice.",
    "OCR": "Reading text from the picture of a page. The workbench does not do it: scanned pages have no text here.",
    "reading order": "The order in which columns, boxes and footnotes of a page are put into one text.",
    "cut inside a sentence": "Chunks that begin or end in the middle of a sentence. They are harder to understand alone.",
}


def term_help(term: str) -> str:
    """Return the explanation of a term for a "?" tooltip; raises ``KeyError`` for an unknown one.

    >>> term_help("token").split(":")[0]
    'The unit in which a language model reads text'
    """
    return _TERMS[term]


def terms() -> tuple[str, ...]:
    """Return all explained terms."""
    return tuple(_TERMS)
