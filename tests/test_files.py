"""Files written whole or not at all, names without tricks."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ServiceError
from workbench.files import LONGEST_NAME_CHARACTERS, shown_name, write_atomically, writing


@given(st.text(max_size=400))
def test_a_shown_name_is_one_short_visible_component(name: str) -> None:
    found = shown_name(name)
    assert 0 < len(found) <= LONGEST_NAME_CHARACTERS
    assert "/" not in found
    assert "\\" not in found
    assert found not in (".", "..")
    assert not any(c in found for c in "\x00\n\r\u202e\u2066")


def test_a_long_name_keeps_its_ending() -> None:
    assert shown_name("a" * 300 + ".pdf").endswith("….pdf")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "a"
    write_atomically(target, b"old")
    with pytest.raises(TypeError):
        write_atomically(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "is full"), (errno.EROFS, "cannot be written"), (errno.EIO, "cannot be used")],
)
def test_the_disks_refusals_become_sentences(number: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=words), writing(tmp_path):
        raise OSError(number, "refused")
