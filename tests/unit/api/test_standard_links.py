"""The TURN servers that a WHIP or WHEP client is told (RFC 9725, 4.6)."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.api.keys import CLOCK, CONFIG
from server.api.standard import created
from server.clock import SystemClock
from server.config import build
from server.live.inbox import Opened
from server.turn import credential

OPENED = Opened("s3ss10n", '"etag"', "v=0\r\n")


def answer(turn: dict[str, object]) -> web.Response:
    app = web.Application()
    app[CONFIG], app[CLOCK] = build({"turn": turn}, {}), SystemClock()
    return created(make_mocked_request("POST", "/whip/L1", app=app), OPENED)


def test_each_turn_url_is_a_link_with_the_sessions_credentials() -> None:
    urls = ["turns:turn.example:443?transport=tcp", "turn:turn.example:3478"]
    links = answer({"urls": urls, "secret": "s" * 32}).headers.getall("Link")
    assert [link.split(">")[0][1:] for link in links] == urls
    for link in links:
        fields = dict(part.strip().split("=", 1) for part in link.split(";")[1:])
        name = fields["username"].strip('"')
        assert name.endswith(":s3ss10n")
        assert fields["credential"].strip('"') == credential("s" * 32, name)
        assert fields["rel"] == '"ice-server"'
        assert fields["credential-type"] == '"password"'


def test_without_turn_there_is_no_link() -> None:
    made = answer({})
    assert "Link" not in made.headers
    assert made.headers["Location"] == "/whip/L1/s3ss10n"
