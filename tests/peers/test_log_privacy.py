"""A whole lesson and every kind of rubbish: the log holds no fault of ours and nobody's secret."""

from __future__ import annotations

import random
import re
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from server.drill.own_server import (
    SAMPLE_ROOMS,
    OwnServer,
    start_server,
    stop_server,
    url_of,
    write_config,
)
from server.protocol import messages as m
from server.protocol.messages import LessonState
from tests.peers.aiortc_peers import Pattern
from tests.peers.lessons import Holding, decodes, holding, start, view
from tests.peers.test_whip_whep import FRAGMENT, SDP, Doors, negotiate, peer, start_lesson

ADDRESS = re.compile(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|\[?::1\]?|(?:[0-9a-f]{1,4}:){4,}")
TOKEN = re.compile(rb"eyJ|Bearer|[A-Za-z0-9_-]{40,}")
FAULT = re.compile(rb"Traceback|Exception|Error\b| ERROR | CRITICAL |never retrieved|Unclosed")
CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host")
BODIES = [
    b"",
    b"\x00" * 1_000,
    b"v=0\r\n" * 10_000,
    b"v=0\r\no=- 1 1 IN IP4 203.0.113.7\r\ns=-\r\nt=0 0\r\n" + b"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 500,
    "v=0\r\ns=星光\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:秘密\r\n".encode(),
    b"a" * 300_000,
    b"\xff\xfe\xfd" * 100,
]


def _mangled(sdp: str) -> Iterator[bytes]:
    """A good offer with one thing wrong at a time."""
    chance = random.Random(8)
    lines = sdp.splitlines()
    for _ in range(60):
        cut = list(lines)
        at = chance.randrange(len(cut))
        cut[at] = chance.choice(
            ["", cut[at][: len(cut[at]) // 2], cut[at] + " 99999999999", cut[at] * 30, "a=x"]
        )
        yield "\r\n".join(cut).encode()


async def _bad_http(held: Holding, doors: Doors, sdp: str, session: str) -> None:
    """No answer is a fault of ours; what is a good offer after all ends with the lesson's end."""
    for url, rights in ((doors.whip, doors.publish), (doors.whep, doors.watch)):
        for body in [*BODIES, *_mangled(sdp)]:
            async with held.http.post(url, data=body, headers={**SDP, **rights}) as answer:
                assert answer.status in (201, 400, 409, 413, 422, 429, 503), (answer.status, body[:80])
    for body in BODIES:
        headers = {**doors.publish, "Content-Type": FRAGMENT, "If-Match": "*"}
        async with held.http.patch(held.server.url + session, data=body, headers=headers) as answer:
            assert answer.status in (400, 413)
    for token in ("", "Bearer", "Bearer x", f"Bearer {'A' * 5_000}", "Basic Zm9v", "Bearer \u00fc"):
        async with held.http.post(doors.whip, data=sdp, headers={**SDP, "Authorization": token}) as answer:
            assert answer.status == 404


async def _bad_socket(held: Holding, token: str) -> None:
    hello = f'{{"type":"hello","token":"{token}"}}'
    for first, then in (
        (hello, '{"type":"offer_up","offer":1,"sdp":"v=0","sources":{"0":"camera"}}'),
        (hello, '{"type":"answer_down","connection":"x","offer":1,"sdp":"m=video"}'),
        (hello, '{"type":"hand","up":"yes"}'),
        (hello, "\u0000"),
        ('{"type":"hello","token":"%s"}' % ("A" * 60_000), ""),
        ("[" * 60_000, ""),
    ):
        async with held.http.ws_connect(f"{held.server.url}/ws") as page:
            await page.send_str(first)
            if then:
                await page.send_str(then)
            async for told in page:
                if told.type is aiohttp.WSMsgType.TEXT and '"refused"' in told.data:
                    break
    async with held.http.ws_connect(f"{held.server.url}/ws") as page:
        await page.send_bytes(b"\x00\xff" * 100)
        await page.receive(timeout=5)


def _bad_datagrams(answer: str, ufrag: str) -> None:
    chance = random.Random(9)
    found = CANDIDATE.search(answer)
    assert found is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for first in (0, 1, 20, 22, 63, 64, 128, 144, 191, 200, 255):
            for size in (0, 1, 11, 12, 20, 200, 1_472, 9_000):
                stranger.sendto(bytes([first]) + chance.randbytes(size), (found[1], int(found[2])))
        stranger.sendto(
            b"\x00\x01\x00\x10\x21\x12\xa4\x42" + bytes(12) + ufrag.encode(), (found[1], int(found[2]))
        )


@pytest.fixture
async def talkative(tmp_path: Path) -> AsyncIterator[OwnServer]:
    """An installation that logs all it can."""
    config = write_config(tmp_path, SAMPLE_ROOMS, extra='[logs]\nlevel = "debug"')
    log = tmp_path / "server.log"
    process = await start_server(config, log)
    try:
        yield OwnServer(url_of(config), process.pid, tmp_path, config, log)
    finally:
        await stop_server(process)


async def test_no_line_of_a_lesson_with_rubbish_tells_a_fault_an_address_a_token_or_a_name(
    talkative: OwnServer,
) -> None:
    before = talkative.log.stat().st_size
    async with holding(talkative) as held, peer() as pc:
        studio, (room,) = await start(held, rooms=1)
        await studio.say(m.CallOn(room=held.demo.rooms[0].room))
        await room.say(m.Hand(up=True))
        await studio.until(lambda: view(studio).called is not None, 3)
        await _bad_socket(held, held.demo.rooms[1].token)
        await studio.say(m.End())
        await studio.until(lambda: view(studio).state is LessonState.ENDED, 5)

        doors = await start_lesson(held)
        pc.addTransceiver(Pattern(), direction="sendonly")
        session, _ = await negotiate(held.http, pc, doors.whip, doors.publish)
        await room.until(lambda: decodes(room), 15)
        _bad_datagrams(pc.remoteDescription.sdp, "nobody")
        await _bad_http(held, doors, pc.localDescription.sdp, session)
        secrets = [doors.publish["Authorization"], doors.watch["Authorization"], *_names(held)]
        secrets += re.findall(r"a=ice-(?:ufrag|pwd):(\S+)", pc.remoteDescription.sdp)
    lines = talkative.log.read_bytes()[before:].splitlines()
    assert lines
    for line in lines:
        assert not FAULT.search(line), line
        assert not ADDRESS.search(line), line
        assert not TOKEN.search(line), line
        for secret in secrets:
            assert secret.encode() not in line, line


def _names(held: Holding) -> list[str]:
    people = [held.demo.studio, *held.demo.rooms]
    return [text for who in people for text in (who.name.zh, who.name.en, who.token)]
