"""`python -m server.drill.acting`: the rooms of a rehearsal, until standard input ends or time is over.

One JSON line `Cast`, then a `Cue` a line. The rooms come by the pages' own door, with passes for this one
lesson, and send made pictures; so the teacher sees what a real point would show.
"""

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import msgspec
from aiortc.rtcdtlstransport import RTCCertificate

from server.drill.acting.room import ActingRoom
from server.drill.classroom import Turned
from server.protocol.rehearsing import Cast, Cue

MOST_ROOMS = 6
LONGEST_S = 3_600.0
MAX_LINE = 1 << 16
NICE = 5


async def play() -> None:
    """Until standard input ends."""
    reader = asyncio.StreamReader(limit=MAX_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    cast = msgspec.json.decode(await reader.readline(), type=Cast)
    certificate = RTCCertificate.generateCertificate()
    # Campus is on this machine, and its certificate is for its name in the county.
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
        rooms = {
            actor.room: ActingRoom(http, cast.url, actor.token, number, certificate)
            for number, actor in enumerate(cast.rooms[:MOST_ROOMS], 1)
        }
        tasks = [group.create_task(room.run(), name=name) for name, room in rooms.items()]
        while line := await reader.readline():
            cue = msgspec.json.decode(line, type=Cue)
            if cue.room in rooms:
                await rooms[cue.room].act(cue.act)
        for task in tasks:
            task.cancel()


async def _bounded() -> None:
    async with asyncio.timeout(LONGEST_S):
        await play()


def main() -> int:
    os.nice(NICE)
    failed: list[BaseException] = []
    try:
        asyncio.run(_bounded())
    except* (Turned, TimeoutError, aiohttp.ClientError, msgspec.DecodeError) as group:
        failed += group.exceptions
    for error in failed:
        print(error, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
