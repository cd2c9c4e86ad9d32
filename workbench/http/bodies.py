"""Bytes within limits: read, and unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from workbench.errors import InputError

GZIP_MAGIC = b"\x1f\x8b"
_EITHER_HEADER = zlib.MAX_WBITS | 32
_NO_HEADER = -zlib.MAX_WBITS


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
    while data:
        part = zlib.decompressobj(_EITHER_HEADER if _has_header(data) else _NO_HEADER)
        try:
            whole += part.decompress(data, limit_bytes - len(whole) + 1)
        except zlib.error as error:
            raise InputError(f"{name} says that it is packed, but cannot be unpacked", "damaged") from error
        if len(whole) > limit_bytes:
            raise InputError(f"{name} unpacks to more than {megabytes(limit_bytes)}", "too_large")
        if not part.eof:
            raise InputError(f"{name} is packed, and its end is missing", "damaged")
        # Some servers pad the last part with zeros.
        data = part.unused_data.lstrip(b"\x00")
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
