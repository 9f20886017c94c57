"""The main room's box in a drill: a sender of our own or a real device, set up as the room's camera."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from server.drill.lessonkit.media import Camera, Voice
from server.drill.own_server import LOOPBACK, free_port
from server.drill.senders.file import as_ts, looped
from server.drill.senders.lesson import LessonSender
from server.drill.senders.rtsp_relay import rtsp_relay
from server.errors import UserFault
from server.ingest.address import parse
from server.protocol.parameters import Source
from server.protocol.sources import NewRoomSource, RoomSource

RTSP, RTMP = "rtsp", "rtmp"
LOGIN = ("viewer", "drill")


class BoxRefused(Exception):
    """The server did not take the source."""


@dataclass(frozen=True, slots=True)
class OperatorDoor:
    """REST of the drill's own server, as this machine's operator."""

    http: aiohttp.ClientSession
    url: str
    token: str

    async def put_source(self, room: str, body: NewRoomSource) -> RoomSource:
        """Set the room's camera. BoxRefused."""
        place = f"{self.url}/api/v1/rooms/{room}/sources/{Source.CAMERA}"
        fields = msgspec.to_builtins(body)
        async with self.http.put(
            place, json=fields, headers={"Authorization": f"Bearer {self.token}"}
        ) as answer:
            if answer.status != 200:
                raise BoxRefused(f"the source was refused: {await answer.text()}")
            return msgspec.json.decode(await answer.read(), type=RoomSource)


def operator_door(http: aiohttp.ClientSession, url: str, run_directory: Path) -> OperatorDoor:
    return OperatorDoor(http, url, (run_directory / "operator.token").read_text().strip())


def networks_of(source: str) -> str:
    """The configuration that lets this source be opened, as TOML: loopback, or a real device's own address.
    BoxRefused where there is no such device."""
    if source == RTSP or Path(source).is_file():
        return f'[ingest]\nnetworks = ["{LOOPBACK}/32"]\n'
    if source == RTMP:
        return f'[ingest]\nrtmp_listen = "{LOOPBACK}"\nrtmp_port = {free_port(socket.SOCK_STREAM)}\n'
    try:
        address = parse(source)
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except UserFault as fault:
        raise BoxRefused(fault.words.en) from None
    except OSError as error:
        raise BoxRefused(f"no such host: {error}") from None
    networks = sorted({str(ipaddress.ip_network(str(each[4][0]).partition("%")[0])) for each in found})
    return "[ingest]\nnetworks = [" + ", ".join(f'"{each}"' for each in networks) + "]\n"


@asynccontextmanager
async def box(
    source: str, door: OperatorDoor, room: str, camera: Camera, voice: Voice, size: tuple[int, int]
) -> AsyncIterator[dict[int, float] | None]:
    """The room's camera is `source` until the end of the block: "rtsp" (FFmpeg and an RTSP server), "rtmp"
    (FFmpeg pushes), a file that goes round and round, or an address. Gives when each numbered picture was
    sent; None where the pictures are not ours. NoSender, BoxRefused."""
    sender = LessonSender(camera, voice, *size)
    if source == RTMP:
        made = await door.put_source(room, NewRoomSource("", sound=True, push=True))
        async with sender.sending(("-f", "flv", f"{made.push_url}/{made.key}")):
            yield sender.sent_at
        return
    if (film := Path(source)).is_file():
        port = free_port(socket.SOCK_DGRAM)
        async with looped(film, as_ts(LOOPBACK, port)):
            await door.put_source(room, NewRoomSource(f"udp://{LOOPBACK}:{port}", sound=True))
            yield None
        return
    if source != RTSP:
        await door.put_source(room, NewRoomSource(source, sound=True))
        yield None
        return
    async with rtsp_relay(LOGIN) as served, sender.sending(served.output):
        await door.put_source(room, NewRoomSource(served.url, sound=True))
        yield sender.sent_at
