"""The shipped nginx configuration before a live lesson: a cache for all, and nothing for the unlisted."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from urllib.parse import urlsplit

import aiohttp
import pytest

from server.drill.own_server import OwnServer, free_port
from tests.fakes import nginx as debians
from tests.peers.lessons import holding, start, view

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(debians.there() is None, reason="needs Debian's nginx"),
]


async def playlist_of(http: aiohttp.ClientSession, url: str, lesson: str, token: str) -> str:
    """The path of the picture's playlist, signed for this session's visit, once there is one."""
    async with asyncio.timeout(20):
        while True:
            headers = {"Authorization": f"Bearer {token}"}
            async with http.get(f"{url}/api/v1/lessons/{lesson}/hls", headers=headers) as answer:
                if answer.status == 200:
                    tracks = (await answer.json())["tracks"]
                    pictures = [track["playlist"] for track in tracks if track["kind"] == "video"]
                    if pictures:
                        return str(pictures[0])
            await asyncio.sleep(0.2)


async def test_many_readers_are_one_request_to_campus_each_is_listed_and_the_unlisted_get_nothing(
    installation: OwnServer,
) -> None:
    async with (
        holding(installation) as held,
        debians.nginx(urlsplit(installation.url).netloc, free_port(socket.SOCK_STREAM)) as front,
    ):
        studio, _ = await start(held, rooms=1)
        lesson = view(studio).id
        bearer = {"Authorization": f"Bearer {held.demo.studio.token}"}
        link_url = f"{front.url}/api/v1/lessons/{lesson}/watch-link"
        async with held.http.post(link_url, json={"label": "教研室"}, headers=bearer) as made:
            assert made.status == 201
            token = (await made.json())["url"].partition("#token=")[2]
        sessions = [aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) for _ in range(10)]
        try:
            paths = [await playlist_of(one, front.url, lesson, token) for one in sessions]
            assert len({path.split("/")[2] for path in paths}) == 10, "each has a signature of its own"
            bodies = await asyncio.gather(
                *(text_of(one, front.url + path) for one, path in zip(sessions, paths, strict=True))
            )
            assert all(body.startswith("#EXTM3U") for body in bodies)
            await studio.until(lambda: view(studio).watched == 10, 3)
            assert "教研室" in view(studio).watchers[0].zh
            kept = Counter(line.split()[0] for line in front.accesses() if line.endswith(".m3u8"))
            assert kept["MISS"] + kept["EXPIRED"] + kept["UPDATING"] <= 4, kept
            async with sessions[0].get(front.url + paths[1]) as stolen:
                assert stolen.status == 404, "another visit's signature"
            async with held.http.delete(link_url, headers=bearer) as ended:
                assert ended.status == 204
            async with asyncio.timeout(10):
                while (await status_of(sessions[0], front.url + paths[0])) == 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            assert await status_of(sessions[0], installation.url + paths[0]) == 404, "nor behind the cache"
            await studio.until(lambda: view(studio).watched == 0, 3)
        finally:
            for one in sessions:
                await one.close()


async def text_of(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def status_of(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status
