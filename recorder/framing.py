"""Length-prefixed msgpack messages over a stream: the framing of every control socket.

A frame is a 4-byte big-endian length and that many bytes of msgpack. The one module of this package
that knows no recording; campus and workers use it too, so that the framing exists once.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec

MAX_MESSAGE = 8 << 20  # a worker's welcome tells some 3 kB of each of its peers

T = TypeVar("T")


class BadFrame(Exception):
    """The other side sent a frame that is too long or does not decode: hang up."""


def encode_frame(message: object) -> bytes:
    """One frame. ValueError where the message is over MAX_MESSAGE."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_MESSAGE:
        raise ValueError(f"a message of {len(body)} bytes is over the limit of {MAX_MESSAGE}")
    return len(body).to_bytes(4, "big") + body


async def read_frame(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
    """The next message, or None at the end of the stream. BadFrame for what is none of ours."""
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > MAX_MESSAGE:
            raise BadFrame(f"a frame of {length} bytes")
        return decoder.decode(await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # the latter for a str that is not UTF-8
        raise BadFrame(str(error)) from error
