"""What the REST API says of cameras and encoders (pure; docs/api.md). TypeScript types are made from here."""

from __future__ import annotations

from typing import Annotated

import msgspec

from server.protocol.parameters import Source
from server.protocol.words import Words


class RoomSource(msgspec.Struct, frozen=True):
    """A camera or encoder of a room; `address` without its password. `state` is the ingest's word ("" where
    it is not wanted now), `words` what IT should do, `transcoded` why its picture is not copied, or "".
    `low_address`: its sub stream's. `push`: an encoder comes to `push_url` ("" where the server takes no
    pushes) by RTMP, or by WHIP (`whip`), and `pushing` now; its `key` is shown once, when it was made.
    `low_words`: what is wrong with its sub stream. `knocked_at`: ms since 1970 when it last came by WHIP
    while no lesson was prepared, or 0. `source` "voice": a separate sound encoder."""

    room: str
    source: Source
    address: str
    udp: bool
    sound: bool
    with_lesson: bool
    state: str = ""
    words: Words | None = None
    transcoded: str = ""
    low_address: str = ""
    push: bool = False
    whip: bool = False
    pushing: bool = False
    push_url: str = ""
    key: str = ""
    low_words: Words | None = None
    knocked_at: int = 0


class NewRoomSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT rooms/{room}/sources/{source}`. `address` "" keeps what is there, with its sub stream;
    else `low_address` is its sub stream's, or "". `push`: an encoder comes with a key of its own, by RTMP or
    (`whip`) by WHIP; `new_key` makes another one."""

    address: str
    udp: bool = False
    sound: bool = False
    with_lesson: bool = True
    low_address: str = ""
    push: bool = False
    whip: bool = False
    new_key: bool = False


class ProbeSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST rooms/{room}/probe`: an address to try, or `source` of one that is configured."""

    address: str = ""
    source: Source | None = None
    udp: bool = False


class AskedCamera(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST rooms/{room}/find`: which streams has this camera? `address`: host, host:port or http://."""

    address: Annotated[str, msgspec.Meta(max_length=256)]
    user: Annotated[str, msgspec.Meta(max_length=64)] = ""
    password: Annotated[str, msgspec.Meta(max_length=128)] = ""

    def __repr__(self) -> str:
        return f"AskedCamera({self.address})"


class AskedNetwork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST rooms/{room}/discover`: which cameras answer there? `network` as "192.168.1.0/24", asked
    address by address; "": by multicast alone, where the server itself stands."""

    network: Annotated[str, msgspec.Meta(max_length=43)] = ""


class FoundCamera(msgspec.Struct, frozen=True):
    """A camera that answered: host and port, and what it calls itself."""

    address: str
    name: str = ""
    model: str = ""


class FoundCameras(msgspec.Struct, frozen=True):
    """Who answered; `problem`: "" or a stable code, with what to do."""

    cameras: list[FoundCamera]
    problem: str = ""
    words: Words | None = None


class StreamOffer(msgspec.Struct, frozen=True):
    """A stream that a camera says it has; `address` without password, `keyframe_every_s` 0: not told."""

    name: str
    address: str
    codec: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    keyframe_every_s: float = 0.0
    sound: bool = False


class Offered(msgspec.Struct, frozen=True):
    """What a camera said of itself; `problem`: "" or a stable code, with what to do."""

    device: str
    streams: list[StreamOffer]
    problem: str = ""
    words: Words | None = None


class ProbePoint(msgspec.Struct, frozen=True):
    """One point of a verdict; `fitness` is good, note, transcode or unfit."""

    code: str
    fitness: str
    words: Words


class SourceStand(msgspec.Struct, frozen=True):
    """A camera or encoder that starts with a lesson, as it was found some minutes before. `at` None: not
    looked at yet; `words`: what is wrong, since `since`, and what to do; None: it is well. `points`: what
    else a look found, such as that its picture will be transcoded, and which setting to change."""

    source: Source
    at: int | None = None
    since: int = 0
    words: Words | None = None
    points: list[ProbePoint] = []


class ProbeReport(msgspec.Struct, frozen=True):
    """What a page shows of a probe; the whole is `server.ingest.facts.Report`. `snapshot_jpeg`: base64;
    `told`: what was measured, in words, line by line."""

    fitness: str
    points: list[ProbePoint]
    snapshot_jpeg: str | None = None
    told: list[Words] = []


SourceResource = RoomSource | ProbeReport | Offered | FoundCameras
SourceBody = NewRoomSource | ProbeSource | AskedCamera | AskedNetwork
