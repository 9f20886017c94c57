"""What the REST API says of cameras and encoders (pure; docs/api.md). TypeScript types are made from here."""

from __future__ import annotations

import msgspec

from server.protocol.messages import Words
from server.protocol.parameters import Source


class RoomSource(msgspec.Struct, frozen=True):
    """A camera or encoder of a room; `address` without its password. `state` is the ingest's word ("" where
    it is not wanted now), `words` what IT should do, `transcoded` why its picture is not copied, or ""."""

    room: str
    source: Source
    address: str
    udp: bool
    sound: bool
    with_lesson: bool
    state: str = ""
    words: Words | None = None
    transcoded: str = ""


class NewRoomSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT rooms/{room}/sources/{source}`. `address` "" keeps the one that is there."""

    address: str
    udp: bool = False
    sound: bool = False
    with_lesson: bool = True


class ProbeSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST rooms/{room}/probe`: an address to try, or `source` of one that is configured."""

    address: str = ""
    source: Source | None = None
    udp: bool = False


SourceResource = RoomSource
SourceBody = NewRoomSource | ProbeSource
