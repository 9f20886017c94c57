"""The links of a lesson: who makes them, what they open, and that an ended one opens nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import msgspec
import pytest

from server.api import keys
from server.api.broadcast import qr_picture
from server.api.rights import Action, Thing, allows
from server.api.roles import Actor, ActorRole
from server.api.tokens import TokenKind
from server.protocol import messages as m

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

LESSON = Thing("L0000000001", "main", frozenset({"shahe"}), links=frozenset({7}))


async def make(campus: Campus, lesson: str, kind: str) -> dict[str, object]:
    """The answer to a studio that asks for a link."""
    studio = campus.bearer(TokenKind.STUDIO, room="main")
    async with campus.browser.post(
        f"/api/v1/lessons/{lesson}/{kind}-link", json={"label": "教研室"}, **studio
    ) as reply:
        assert reply.status == 201, await reply.text()
        return dict(await reply.json())


def token_of(link: dict[str, object]) -> str:
    return str(link["url"]).partition("#token=")[2]


async def hello(campus: Campus, token: str) -> tuple[m.FromServer, aiohttp.ClientWebSocketResponse]:
    """The first answer to a page that says hello with this token."""
    socket = await campus.browser.ws_connect("/ws")
    await socket.send_str(msgspec.json.encode(m.Hello(token=token)).decode())
    told: m.FromServer = msgspec.json.decode(await socket.receive_str(timeout=10), type=m.FromServer)
    return told, socket


async def test_a_link_opens_the_lesson_until_it_is_made_anew_or_ended(campus: Campus) -> None:
    lesson = await campus.start_lesson()
    first = token_of(await make(campus, lesson, "watch"))
    welcome, socket = await hello(campus, first)
    assert isinstance(welcome, m.Welcome)
    assert welcome.role is m.Role.WATCHER
    second = token_of(await make(campus, lesson, "watch"))
    async for message in socket:
        told = msgspec.json.decode(message.data, type=m.FromServer)
        if isinstance(told, m.Refused):
            assert (told.code, told.fatal) == ("link_over", True)
    refused, _ = await hello(campus, first)
    assert isinstance(refused, m.Refused)
    assert refused.code == "link_over"
    studio = campus.bearer(TokenKind.STUDIO, room="main")
    async with campus.browser.delete(f"/api/v1/lessons/{lesson}/watch-link", **studio) as reply:
        assert reply.status == 204
    for token in (first, second):
        told, _ = await hello(campus, token)
        assert isinstance(told, m.Refused)
        headers = {"Authorization": f"Bearer {token}"}
        async with campus.browser.get(f"/api/v1/lessons/{lesson}/hls", headers=headers) as reply:
            assert reply.status == 404


async def test_a_remote_conducts_and_does_not_start_a_viewer_asks_and_does_neither(campus: Campus) -> None:
    lesson = await campus.start_lesson()
    for kind, refused in (("remote", [m.Start(), m.Stage("camera2")]), ("watch", [m.CallOn(None), m.End()])):
        welcome, socket = await hello(campus, token_of(await make(campus, lesson, kind)))
        assert isinstance(welcome, m.Welcome)
        for message in refused:
            await socket.send_str(msgspec.json.encode(message).decode())
            while True:
                told = msgspec.json.decode(await socket.receive_str(timeout=10), type=m.FromServer)
                if isinstance(told, m.Refused):
                    assert told.code == "not_found"
                    break
        await socket.close()


@pytest.mark.parametrize("kind", ["watch", "remote"])
@pytest.mark.parametrize("who", [TokenKind.ROOM, TokenKind.OBSERVER, TokenKind.WATCH, TokenKind.OPERATOR])
async def test_only_the_studio_and_the_admin_hand_links_out(
    campus: Campus, kind: str, who: TokenKind
) -> None:
    lesson = await campus.start_lesson()
    bearer = campus.bearer(who, room="shahe", lesson=lesson)
    for method in ("POST", "DELETE"):
        path = f"/api/v1/lessons/{lesson}/{kind}-link"
        async with campus.browser.request(method, path, json={}, **bearer) as reply:
            assert reply.status == 404
    async with campus.browser.post("/api/v1/rooms/main/wall", **bearer) as reply:
        assert reply.status == 404


async def test_the_wall_receives_and_may_not_speak(campus: Campus) -> None:
    await campus.start_lesson()
    studio = campus.bearer(TokenKind.STUDIO, room="main")
    async with campus.browser.post("/api/v1/rooms/main/wall", **studio) as reply:
        assert reply.status == 201
        token = (await reply.json())["token"]
    welcome, _ = await hello(campus, token)
    assert isinstance(welcome, m.Welcome)
    assert welcome.role is m.Role.WALL
    wall = Actor(ActorRole.WALL, room="main")
    assert allows(wall, Action.RECEIVE, LESSON)
    assert not any(allows(wall, action, LESSON) for action in (Action.SEND, Action.CONDUCT, Action.TEACH))


def test_what_a_link_opens_ends_with_its_number() -> None:
    viewer, phone = (
        Actor(role, lesson=LESSON.lesson, link=7) for role in (ActorRole.WATCHER, ActorRole.REMOTE)
    )
    assert allows(viewer, Action.RECEIVE, LESSON)
    assert allows(phone, Action.CONDUCT, LESSON)
    older = Actor(ActorRole.REMOTE, lesson=LESSON.lesson, link=6)
    assert not allows(older, Action.CONDUCT, LESSON)
    assert not allows(phone, Action.TEACH, LESSON)
    assert not allows(viewer, Action.CONDUCT, LESSON)


async def test_the_label_is_bounded_and_a_local_address_is_called_unreachable(campus: Campus) -> None:
    lesson = await campus.start_lesson()
    studio = campus.bearer(TokenKind.STUDIO, room="main")
    path = f"/api/v1/lessons/{lesson}/watch-link"
    async with campus.browser.post(path, json={"label": "x" * 500 + "\n\u202e"}, **studio) as reply:
        link = await reply.json()
    assert link["reachable"] is False
    found = campus.app[keys.LIVE].room(lesson).lesson.watch_pass
    assert found is not None
    assert found.label == "x" * 40
    async with campus.browser.post(path, json={"else": 1}, **studio) as reply:
        assert reply.status == 400


def test_the_code_is_a_whole_picture() -> None:
    picture = qr_picture("https://lianke.example/remote#token=" + "a" * 300)
    assert picture.startswith("<svg")
    assert "</svg>" in picture
    assert "#fff" in picture
