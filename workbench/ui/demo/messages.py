"""What visitors of a demo may tell the server over their WebSocket: what a search box needs, and nothing for operators.

Streamlit answers everybody who asks for the names of uncommitted files of the repository that the script lies in, and
empties the caches of all visitors when one of them says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Message, Receive

OPEN_MESSAGES = ("rerun_script", "stop_script", "app_heartbeat")
UNREADABLE = 1007
"""The WebSocket status of what is no message of its protocol (RFC 6455, 7.4.1)."""


def only_questions(receive: Receive) -> Receive:
    """Return a ``receive`` that skips messages of other kinds; one that cannot be read ends the visit."""

    async def received() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            kind = _kind(message.get("bytes"))
            if kind is None:
                return {"type": "websocket.disconnect", "code": UNREADABLE}
            if kind in OPEN_MESSAGES:
                return message

    return received


def _kind(data: bytes | None) -> str | None:
    """Return what kind of message this is, "" for one of none; None for what is no message."""
    # Late: importing Streamlit reads its options, from the folder that a server changes to first.
    from google.protobuf.message import DecodeError
    from streamlit.proto.BackMsg_pb2 import BackMsg

    if data is None:
        return None
    try:
        return BackMsg.FromString(data).WhichOneof("type") or ""
    except DecodeError:
        return None
