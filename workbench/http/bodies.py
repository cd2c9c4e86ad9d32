"""Bytes within limits: read, and unpacked."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from workbench.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
_EITHER_HEADER = zlib.MAX_WBITS | 32
_NO_HEADER = -zlib.MAX_WBITS
_ZEROS = re.compile(rb"\0*")
_BLOCK_BYTES = 1 << 16
MOST_PARTS = 10_000


def joined(pieces: Iterable[bytes], limit_bytes: int, name: str) -> bytes:
    """Return all pieces as one; raises ``InputError`` (too_large) as soon as they pass the limit."""
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if len(whole) > limit_bytes:
            raise InputError(f"{name} is larger than {megabytes(limit_bytes)}", "too_large")
    return bytes(whole)


def unpacked(data: bytes, limit_bytes: int, name: str) -> bytes:
    """Return what gzip or deflate holds, however many parts it has; never unpacks more than the limit allows.

    Raises ``InputError``: too_large, or damaged.
    """
    whole = bytearray()
    at = parts = 0
    while at < len(data):
        parts += 1
        if parts > MOST_PARTS:
            raise InputError(f"{name} is packed in more than {MOST_PARTS:,} parts", "too_large")
        part = zlib.decompressobj(_EITHER_HEADER if _has_header(data[at : at + 2]) else _NO_HEADER)
        while not part.eof:
            # By blocks: what is behind the end of a part is copied each time.
            block = data[at : at + _BLOCK_BYTES]
            if not block:
                raise InputError(f"{name} is packed, and its end is missing", "damaged")
            try:
                whole += part.decompress(block, limit_bytes - len(whole) + 1)
            except zlib.error as error:
                raise InputError(
                    f"{name} says that it is packed, but cannot be unpacked", "damaged"
                ) from error
            if len(whole) > limit_bytes:
                raise InputError(f"{name} unpacks to more than {megabytes(limit_bytes)}", "too_large")
            at += len(block) - len(part.unused_data)
        # Some servers pad the last part with zeros.
        if (zeros := _ZEROS.match(data, at)) is not None:
            at = zeros.end()
    return bytes(whole)


def _has_header(data: bytes) -> bool:
    """Say whether gzip or zlib begins here; some servers send bare deflate."""
    if data.startswith(GZIP_MAGIC):
        return True
    return len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def megabytes(size_bytes: int) -> str:
    """Return a size for people.

    >>> megabytes(50_000_000)
    '50 MB'
    """
    return f"{size_bytes / 1e6:,.0f} MB" if size_bytes >= 1e6 else f"{size_bytes:,} bytes"
