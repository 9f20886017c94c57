"""A finished recording as a player gets it: the replay's signed addresses, read into a folder."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
import msgspec

from recorder.archive.layout import MULTIVARIANT, playlist_file
from server.protocol.resources import Replay


class NoReplay(Exception):
    """The server has no replay of this lesson for us, or a file of it is missing."""


def cookie_jar() -> aiohttp.CookieJar:
    """Keeps the cookie that the signatures of a replay's files are bound to."""
    return aiohttp.CookieJar(unsafe=True)  # addresses are numbers here


async def fetch_recording(http: aiohttp.ClientSession, server: str, lesson: str, folder: Path) -> Replay:
    """Everything a player needs, under its own names, in `folder` (made). `http` keeps cookies. NoReplay."""
    replay = msgspec.json.decode(await _get(http, f"{server}/api/v1/lessons/{lesson}/replay"), type=Replay)
    if not replay.tracks:
        raise NoReplay(f"the replay of {lesson} holds no track")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    place = f"{server}{replay.tracks[0].playlist.rpartition('/')[0]}"
    await _save(http, place, MULTIVARIANT, folder)
    for track in replay.tracks:
        playlist = track.playlist.rpartition("/")[2]
        text = await _save(http, place, playlist, folder)
        if playlist != playlist_file(track.name):
            await _save(http, place, playlist_file(track.name), folder)
        for name in sorted(names_in(text.decode())):
            await _save(http, place, name, folder)
    return replay


def names_in(playlist: str) -> set[str]:
    """The files a media playlist plays: its segments' and its initialization sections'."""
    lines = {line for line in playlist.splitlines() if line and not line.startswith("#")}
    return lines | set(re.findall(r'#EXT-X-MAP:.*URI="([^"]+)"', playlist))


async def _get(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url) as answer:
        if answer.status != 200:
            raise NoReplay(f"{url.rpartition('/')[2]}: the server answered {answer.status}")
        return await answer.read()


async def _save(http: aiohttp.ClientSession, place: str, name: str, folder: Path) -> bytes:
    data = await _get(http, f"{place}/{name}")
    await asyncio.to_thread((folder / name).write_bytes, data)
    return data
