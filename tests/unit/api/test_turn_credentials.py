"""TURN credentials: what coturn computes, for a session and a time, told to that session alone."""

from __future__ import annotations

from server.api.tokens import TokenKind
from server.config import Turn
from server.protocol.parameters import IceServer
from server.turn import credential, ice_servers
from tests.unit.api.conftest import Opener

TURN = Turn(urls=["turns:a.cn:443?transport=tcp"], secret="north", credential_hours=2)


def test_credentials_name_their_session_and_end() -> None:
    (server,) = ice_servers(TURN, "s1", 1_000_000_000_000)
    assert server.urls == TURN.urls
    assert server.username == "1000007200:s1"
    # openssl: printf %s 1000007200:s1 | openssl dgst -sha1 -hmac north -binary | base64
    assert server.credential == credential("north", "1000007200:s1") == "387LGmyO4+gSbRCu+aNqIIqv6lA="
    assert ice_servers(Turn(), "s1", 0) == []


async def test_a_page_is_told_its_servers_when_it_is_welcomed(open_campus: Opener) -> None:
    campus = await open_campus(turn={"urls": TURN.urls, "secret": "north"}, demo={"enabled": True})
    async with campus.browser.ws_connect("/ws") as socket:
        await socket.send_json({"type": "hello", "token": campus.token(TokenKind.ROOM, "shahe")})
        welcome = await socket.receive_json(timeout=5)
    (server,) = welcome["ice_servers"]
    told = IceServer(**server)
    assert told.username.endswith(f":{welcome['session']}")
    assert told.credential == credential("north", told.username)
