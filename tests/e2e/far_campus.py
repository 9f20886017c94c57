"""A whole installation with HTTPS and a teacher, for a network of its own (test_ladder.py starts it there).

    python -m tests.e2e.far_campus CONFIG CA ROOM

Serves until its standard input ends; once the lesson is live it prints one line of JSON with the lesson. A
line of its input is the digits on a screen, which becomes the room.
The teacher is a WHIP client with numbered pictures (H.264) and a voice.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription

from server import running
from server.config import load
from tests.peers.aiortc_peers import connection, publish


async def ready(http: aiohttp.ClientSession) -> None:
    while True:
        try:
            async with http.get("/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)


async def teach(http: aiohttp.ClientSession, pc: RTCPeerConnection, doors: dict[str, Any]) -> None:
    publish(pc, "H264")
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Authorization": f"Bearer {doors['whip_token']}", "Content-Type": "application/sdp"}
    async with http.post(doors["whip"], data=pc.localDescription.sdp, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        await pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))


async def main(file: Path, ca: Path, room: str) -> None:
    config = load(file)
    command = (sys.executable, "-m", "server", "serve", "--config", str(file))
    log = file.with_suffix(".log").open("ab")
    server = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        url = config.own_url
        tls = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca))
        async with aiohttp.ClientSession(url, connector=tls) as http, connection() as pc:
            async with asyncio.timeout(60):
                await ready(http)
            token = await asyncio.to_thread(Path(running.of(config).token_file).read_text)
            operator = {"Authorization": f"Bearer {token}"}
            async with http.post("/api/v1/lessons", json={"room": "main"}, headers=operator) as answer:
                doors = await answer.json()
            await teach(http, pc, doors)
            print(json.dumps({"lesson": doors["lesson"]}), flush=True)
            while digits := await asyncio.to_thread(sys.stdin.readline):
                body, path = {"code": digits.strip()}, f"/api/v1/rooms/{room}/devices"
                async with http.post(path, json=body, headers=operator) as answer:
                    assert answer.status == 201, await answer.text()
    finally:
        server.terminate()
        await server.wait()
        log.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
