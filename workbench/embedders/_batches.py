"""Inputs of like length together, in batches of a bounded number of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from workbench.embedders._tokenizer import TokenIds

LENGTH_STEP = 16
"""Lengths are filled up to multiples of this: few enough shapes for a runtime to keep, little to compute in vain."""

Rows = npt.NDArray[np.intp]


def batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[Rows]:
    """Yield the numbers of the inputs, longest first, so that no batch pads to more than ``batch_tokens``.

    An input longer than that is a batch of its own. The longest come first, so memory is at its highest at once.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    first = 0
    while first < len(order):
        size = max(1, batch_tokens // padded_length(lengths[order[first]]))
        yield order[first : first + size]
        first += size


def padded_length(length: int) -> int:
    """Return ``length`` filled up.

    >>> padded_length(17)
    32
    """
    return -(-max(1, length) // LENGTH_STEP) * LENGTH_STEP


def padded(sequences: Sequence[TokenIds], pad_id: int, longest: int | None) -> tuple[TokenIds, TokenIds]:
    """Return ids and mask, ``(n, length) int64``; never longer than ``longest``, the network's last position."""
    length = padded_length(max(len(s) for s in sequences))
    if longest is not None:
        length = min(length, longest)
    ids = np.full((len(sequences), length), pad_id, np.int64)
    mask = np.zeros((len(sequences), length), np.int64)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask
