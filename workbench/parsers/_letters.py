"""Letters as they are kept: composed, without ligatures, soft hyphens and characters that cannot be seen."""

from __future__ import annotations

import re
import unicodedata

# Letters that only say how others are drawn: Latin ligatures, Hebrew and Arabic presentation forms.
_DRAWN = re.compile("[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufb4f\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc]")
# Controls, soft hyphen, zero width space and byte-order mark, direction overrides, private and impossible characters.
# Joiners (200c, 200d) stay: Persian and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff0-\uffff\ud800-\udfff\ue000-\uf8ff]"
)
_BLANKS = re.compile("[\\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")

_BEFORE_MARK = re.compile("(?:[^\\W\\d_]{3}|[.,;:!?)\\]\"'”’»]|(?<![\\w.,])(?:1[0-9]|20)[0-9]{2})$")

_CJK = "\u2e80-\u2fdf\u3001-\u303f\u3041-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60"
_CJK_LETTER = re.compile(f"[{_CJK}\U00020000-\U0003ffff]")
_RTL_LETTER = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def cleaned(text: str) -> str:
    """Return ``text`` in NFC with ligatures spelled out, blanks as single spaces and unseen characters removed.

    >>> cleaned("of\\ufb01cial\\u00ad\\x00 e\\u0301")
    'official é'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _DRAWN.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return unicodedata.normalize("NFC", _UNSEEN.sub("", _BLANKS.sub(" ", text)))


def before_mark(text: str) -> bool:
    """Say whether a raised number after ``text`` is a footnote mark: after a word, punctuation or a year.

    A word has three letters or more, so that ``km²`` and ``R²`` keep theirs.

    >>> before_mark("opened in 1911"), before_mark("R"), before_mark("10")
    (True, False, False)
    """
    return _BEFORE_MARK.search(text[-5:]) is not None


def is_cjk(letter: str) -> bool:
    """Say whether a letter belongs to a script that is written without blanks between words."""
    return letter > "\u2e7f" and _CJK_LETTER.match(letter) is not None


def has_cjk(text: str) -> bool:
    """Say whether any such letter is in ``text``."""
    return not text.isascii() and _CJK_LETTER.search(text) is not None


def rtl_count(text: str) -> int:
    """Return how many letters of right-to-left scripts are in ``text``."""
    return 0 if text.isascii() else len(_RTL_LETTER.findall(text))


def pieces(word: str) -> list[tuple[int, int]]:
    """Return the ranges in ``word`` that are boxed alone: each CJK letter, and what lies between.

    >>> pieces("A4电车")
    [(0, 2), (2, 3), (3, 4)]
    """
    result: list[tuple[int, int]] = []
    start = 0
    for i, letter in enumerate(word):
        if is_cjk(letter):
            if start < i:
                result.append((start, i))
            result.append((i, i + 1))
            start = i + 1
    if start < len(word):
        result.append((start, len(word)))
    return result
