"""Contents that somebody needs outlive cleaning, whatever order their hashes have; the others go."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.sync.kept import Kept

hashes = st.sets(st.sampled_from([f"{number:02x}" for number in range(0, 256, 17)]))


@settings(max_examples=30)
@given(hashes, hashes)
def test_cleaning_drops_exactly_what_nobody_wants(there: set[str], wanted: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder) / "kept.db")
        kept.keep_contents({one: one.encode() for one in there})
        assert kept.clean(lambda: iter(sorted(wanted)), lambda: iter([])) == len(there - wanted)
        left = kept.contents(sorted(there | wanted))
    assert left == {one: one.encode() for one in there & wanted}
