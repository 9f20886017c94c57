"""The network self-test: a picture there and back by one road, bytes by HTTPS, for whoever joins lessons."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from aiohttp import web

from server.api.guarding import answer, body_of
from server.api.keys import CLOCK, CONFIG, LIVE
from server.api.rights import Action, require
from server.errors import UserFault
from server.live.connections import MediaLost
from server.live.network_test import BURST_BPS, BURST_MS, SECONDS
from server.protocol.parameters import IceServer, Road
from server.turn import ice_servers

MOST_BYTES = 2_000_000
NOISE = os.urandom(64 * 1024)  # nothing on the way can make it smaller


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An offer to send a picture, to be answered with the candidates of one road."""

    road: Road
    sdp: str


class Tried(msgspec.Struct, frozen=True):
    sdp: str
    trial: str


class Echo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An offer to receive that picture over the same road."""

    sdp: str


class Echoed(msgspec.Struct, frozen=True):
    sdp: str


class Burst(msgspec.Struct, frozen=True):
    """What is sent to the trial's receiver from now on, and for how long."""

    bitrate_bps: int = BURST_BPS
    milliseconds: int = BURST_MS


class Paths(msgspec.Struct, frozen=True):
    """What can be tried: TURN servers (none: no such road), and how a test is bounded."""

    ice_servers: list[IceServer]
    most_bytes: int = MOST_BYTES
    seconds: float = SECONDS


async def paths(request: web.Request) -> web.Response:
    require(request, Action.TEST_NETWORK)
    turn, now_ms = request.app[CONFIG].turn, request.app[CLOCK].wall_ms()
    return answer(Paths(ice_servers(turn, "test", now_ms)))


async def trial(request: web.Request) -> web.Response:
    """A peer that lives for some seconds and takes what it is sent."""
    require(request, Action.TEST_NETWORK)
    body = await body_of(request, Trial)
    with media_lost_in_words():
        sdp, name = await request.app[LIVE].network_tests.send(body.sdp, body.road)
    return answer(Tried(sdp, name))


async def echo(request: web.Request) -> web.Response:
    """A second peer that gets what the first one takes."""
    require(request, Action.TEST_NETWORK)
    body = await body_of(request, Echo)
    with media_lost_in_words():
        tests = request.app[LIVE].network_tests
        return answer(Echoed(await tests.receive(body.sdp, request.match_info["trial"])))


async def burst(request: web.Request) -> web.Response:
    """For a moment the second peer gets as much as its line carries."""
    require(request, Action.TEST_NETWORK)
    request.app[LIVE].network_tests.burst(request.match_info["trial"])
    return answer(Burst())


@contextmanager
def media_lost_in_words() -> Iterator[None]:
    try:
        yield
    except MediaLost as lost:
        raise UserFault(
            "media_busy", zh="媒体服务现在不可用。", en="The media server is not available now."
        ) from lost


async def download(request: web.Request) -> web.StreamResponse:
    """`?bytes=`: so many, at most MOST_BYTES."""
    require(request, Action.TEST_NETWORK)
    text = request.query.get("bytes", "0")
    left = min(int(text), MOST_BYTES) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = left
    await response.prepare(request)
    while left > 0:
        await response.write(NOISE[:left])
        left -= len(NOISE)
    return response


async def upload(request: web.Request) -> web.Response:
    """Read (a request's usual bound) and forgotten."""
    require(request, Action.TEST_NETWORK)
    await request.read()
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/network", paths),
        web.post("/api/v1/network/trials", trial),
        web.post("/api/v1/network/trials/{trial}/echo", echo),
        web.post("/api/v1/network/trials/{trial}/burst", burst),
        web.get("/api/v1/network/bytes", download),
        web.post("/api/v1/network/bytes", upload),
    ]
