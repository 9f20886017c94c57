"""AMF0 values of RTMP's commands (Adobe, "Action Message Format -- AMF 0"). Pure, bounded in every size."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Value = float | bool | str | None | dict[str, "Value"] | list["Value"]

MOST_TEXT = 4_096
MOST_PARTS = 256  # of one object or array
DEEPEST = 8
_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED = 0, 1, 2, 3, 5, 6
_ECMA_ARRAY, _END, _STRICT_ARRAY, _DATE, _LONG_STRING = 8, 9, 10, 11, 12


class BadAmf(ValueError):
    """Bytes that are no AMF0, or larger than anybody needs."""


def decode(data: bytes) -> list[Value]:
    """Every value of a message, in order. BadAmf."""
    values: list[Value] = []
    at = 0
    while at < len(data):
        if len(values) >= MOST_PARTS:
            raise BadAmf("too many values")
        value, at = _value(data, at, 0)
        values.append(value)
    return values


def encode(values: Sequence[Value]) -> bytes:
    """Values one after the other; lists are not needed and not known."""
    return b"".join(_encoded(value) for value in values)


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    kind, at = _take(data, at, 1)[0], at + 1
    match kind:
        case 0:  # number
            return struct.unpack("!d", _take(data, at, 8))[0], at + 8
        case 1:  # boolean
            return bool(_take(data, at, 1)[0]), at + 1
        case 2:  # string
            return _text(data, at, 2)
        case 12:  # long string
            return _text(data, at, 4)
        case 5 | 6:  # null, undefined
            return None, at
        case 11:  # date: milliseconds and a time zone nobody uses
            return struct.unpack("!d", _take(data, at, 8))[0], at + 10
        case 3:  # object
            return _object(data, at, depth)
        case 8:  # ECMA array: an object with a count that is only a hint
            return _object(data, at + 4, depth)
        case 10:  # strict array
            return _array(data, at, depth)
        case _:
            raise BadAmf(f"no value of kind {kind}")


def _object(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth >= DEEPEST:
        raise BadAmf("too deep")
    found: dict[str, Value] = {}
    while True:
        name, at = _text(data, at, 2)
        if not name and _take(data, at, 1)[0] == _END:
            return found, at + 1
        if len(found) >= MOST_PARTS:
            raise BadAmf("too many parts")
        found[name], at = _value(data, at, depth + 1)


def _array(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    count = int.from_bytes(_take(data, at, 4), "big")
    if depth >= DEEPEST or count > MOST_PARTS:
        raise BadAmf("too deep or too long")
    found: list[Value] = []
    at += 4
    for _ in range(count):
        value, at = _value(data, at, depth + 1)
        found.append(value)
    return found, at


def _text(data: bytes, at: int, size: int) -> tuple[str, int]:
    length = int.from_bytes(_take(data, at, size), "big")
    if length > MOST_TEXT:
        raise BadAmf("too long a text")
    return _take(data, at + size, length).decode("utf-8", "replace"), at + size + length


def _take(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) != size:
        raise BadAmf("cut short")
    return piece


def _encoded(value: Value) -> bytes:
    match value:
        case bool():
            return bytes([_BOOLEAN, value])
        case float() | int():
            return bytes([_NUMBER]) + struct.pack("!d", value)
        case str():
            return bytes([_STRING]) + _name(value)
        case dict():
            parts = b"".join(_name(name) + _encoded(part) for name, part in value.items())
            return bytes([_OBJECT]) + parts + b"\0\0" + bytes([_END])
        case _:
            return bytes([_NULL])


def _name(text: str) -> bytes:
    data = text.encode()[:0xFFFF]
    return struct.pack("!H", len(data)) + data
