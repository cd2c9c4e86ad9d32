"""Which paths are wanted: ``*`` and ``?`` inside a name, ``**`` across folders, upper and lower case alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_PART = re.compile(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)
_NOTHING_NEW = frozenset({("**/", "**/"), ("**", "**/"), ("**", "**"), ("**", "*")})
_MOST_STEPS = 20_000


def wanted(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Return what says of a path with ``/`` whether one of ``include`` fits it (all, if empty) and none of ``exclude``.

    A pattern without ``/`` is held against the name alone.

    >>> fits = wanted(["*.pdf", "notes/**"], ["**/old/**"])
    >>> [fits(path) for path in ("a/b.PDF", "notes/x.md", "a/old/b.pdf", "x.md")]
    [True, True, False, False]
    """
    inside = [_Automaton(pattern) for pattern in include]
    outside = [_Automaton(pattern) for pattern in exclude]

    def fits(path: str) -> bool:
        return (not inside or any(one.fits(path) for one in inside)) and not any(
            one.fits(path) for one in outside
        )

    return fits


class _Automaton:
    """One pattern; it reads each character of a path once, however many stars the pattern has.

    A regular expression would go back to every star for every other one: exponential time for ``**/**/**/x``. Here
    all places in the pattern that a path may have reached are followed at once, as the bits of one number.
    """

    def __init__(self, pattern: str) -> None:
        whole = pattern.removeprefix("./")
        whole = whole.removeprefix("/") if "/" in whole.removeprefix("/") else f"**/{whole.removeprefix('/')}"
        self._places: dict[str, list[int]] = {}
        """Letter → the places that it moves on by one."""
        any_in_name: list[int] = []
        stay_in_name: list[int] = []
        stay: list[int] = []
        skip_one: list[int] = []
        skip_two: list[int] = []
        place = 0
        for part in _simplified(_PART.findall(whole)):
            if part == "**/":
                # Nothing at all, or anything up to a slash: a place before it, and one inside.
                skip_one.append(place)
                skip_two.append(place)
                place += 1
                stay.append(place)
                self._places.setdefault("/", []).append(place)
            elif part == "**":
                skip_one.append(place)
                stay.append(place)
            elif part == "*":
                skip_one.append(place)
                stay_in_name.append(place)
            elif part == "?":
                any_in_name.append(place)
            else:
                self._places.setdefault(part.casefold(), []).append(place)
            place += 1
        self._end = 1 << place
        self._any_in_name, self._stay_in_name, self._stay = map(_bits, (any_in_name, stay_in_name, stay))
        self._skip_one, self._skip_two = map(_bits, (skip_one, skip_two))
        self._start = self._with_skipped(1)
        self._moves: dict[str, int] = {}
        self._steps: dict[tuple[int, str], int] = {}

    def fits(self, path: str) -> bool:
        """Say whether the whole path fits."""
        reached, steps = self._start, self._steps
        for letter in path:
            following = steps.get((reached, letter))
            if following is None:
                # Most steps come again and again; a store without a bound would grow with every path.
                if len(steps) >= _MOST_STEPS:
                    steps.clear()
                following = steps[reached, letter] = self._step(reached, letter)
            if not following:
                return False
            reached = following
        return bool(reached & self._end)

    def _step(self, reached: int, letter: str) -> int:
        folded = letter.casefold()
        moving = self._moves.get(folded, 0)
        if not moving and folded in self._places:
            moving = self._moves[folded] = _bits(self._places[folded])
        staying = self._stay
        if letter != "/":
            moving |= self._any_in_name
            staying |= self._stay_in_name
        return self._with_skipped((reached & moving) << 1 | reached & staying)

    def _with_skipped(self, reached: int) -> int:
        """Return the places with those behind stars that may stand for nothing."""
        while True:
            more = reached | (reached & self._skip_one) << 1 | (reached & self._skip_two) << 2
            if more == reached:
                return reached
            reached = more


def _simplified(parts: list[str]) -> list[str]:
    """Return the parts without those that a neighbour holds already: ``**/**/`` says no more than ``**/``."""
    kept: list[str] = []
    for part in parts:
        before = kept[-1] if kept else ""
        if (before, part) in _NOTHING_NEW:
            continue
        if part == "**" and before in ("*", "**/"):
            kept.pop()
        kept.append(part)
    return kept


def _bits(places: list[int]) -> int:
    """Return the number with these bits, built at once: adding bit by bit copies it each time."""
    found = bytearray(places[-1] // 8 + 1 if places else 0)
    for place in places:
        found[place // 8] |= 1 << place % 8
    return int.from_bytes(found, "little")
