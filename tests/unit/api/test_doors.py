"""Every door asks the rights table, and what is not one's own looks as if it were not there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer

from server.api import guarding, keys
from server.api.identity import ASKED
from server.api.tokens import TokenKind

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

PLACES = {
    "lesson": "L0000000001",
    "session": "abc",
    "room": "main",
    "file": "index.js",
    "expires": "1700000000",
    "signature": "A" * 27,
    "series": "s1",
    "source": "camera",
    "language": "zh",
    "upload": "u1",
    "ticket": "t1",
    "trial": "n1",
    "pairing": "p1",
    "device": "D1",
    "system": "linux",
    "form": "list",
    "kind": "pair",
    "name": "t1",
    "number": "1",
    "person": "p1",
    "school": "the-school",
    "term": "t1",
    "token": "x1",
    "unit": "main",
    "entry": "e1",
}
BODIES: dict[str, dict[str, str]] = {
    "/api/v1/setup": {"password": "long enough for all"},
    "/api/v1/login": {"password": "long enough for all"},
    "/api/v1/room-code": {"code": "000000"},
    "/api/v1/lessons": {"room": "main"},
    "/api/v1/rehearsals": {"room": "main"},
}
Open = Callable[..., Awaitable["Campus"]]


def doors(app: web.Application) -> list[tuple[str, str]]:
    """(method, path) of every route, with its places filled in."""
    found = []
    for route in app.router.routes():
        assert route.resource is not None
        info = route.resource.get_info()
        path = info.get("path") or info.get("formatter") or ""
        found.append((route.method, path.format(**PLACES)))
    return found


async def test_every_route_asks_the_rights_door(open_campus: Open) -> None:
    asked: dict[tuple[str, str], bool] = {}

    async def watch(request: web.Request, _response: web.StreamResponse) -> None:
        asked[request.method, request.path] = request.get(ASKED, False)

    campus = await open_campus(watch)
    everything = doors(campus.app)
    assert len(everything) > 30
    for method, path in everything:
        body = BODIES.get(path) if method == "POST" else None
        async with campus.browser.request(method, path, json=body):
            pass
    assert {door for door in everything if not asked[door]} == set()


async def test_a_handler_that_does_not_ask_sends_nothing(open_campus: Open) -> None:
    async def careless(_request: web.Request) -> web.Response:
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_get("/", careless)
    app.on_response_prepare.append(guarding.dress)
    async with TestServer(app) as server, ClientSession() as browser:
        try:
            async with browser.get(server.make_url("/")) as reply:
                assert reply.status == 500
                assert "secret" not in await reply.text()
        except ClientError:
            pass


GUARDED = [
    ("GET", "/api/v1/rooms"),
    ("GET", "/api/v1/lessons"),
    ("GET", "/api/v1/demo"),
    ("POST", "/api/v1/lessons"),
    ("POST", "/api/v1/lessons/{lesson}/end"),
    ("POST", "/api/v1/lessons/{lesson}/observe"),
    ("GET", "/api/v1/lessons/{lesson}/replay"),
    ("POST", "/whip/{lesson}"),
    ("POST", "/whep/{lesson}"),
    ("DELETE", "/whip/{lesson}/abc"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_a_stranger_cannot_tell_a_lesson_from_none(campus: Campus, method: str, path: str) -> None:
    lesson = await campus.start_lesson()
    answers = []
    for name in (lesson, "L0000000009"):
        body = BODIES.get(path) if method == "POST" else None
        async with campus.browser.request(method, path.format(lesson=name), json=body) as reply:
            answers.append((reply.status, await reply.text()))
            assert reply.content_type == "application/problem+json"
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("kind", list(TokenKind))
async def test_each_token_opens_its_own_doors_only(campus: Campus, kind: TokenKind) -> None:
    lesson = await campus.start_lesson()
    bearer = campus.bearer(kind, room="shahe", lesson="L0000000009")
    opens = set()
    for method, path in GUARDED:
        body = BODIES.get(path) if method == "POST" else None
        async with campus.browser.request(method, path.format(lesson=lesson), json=body, **bearer) as reply:
            if reply.status != 404:
                opens.add((method, path))
    expected = {
        TokenKind.OPERATOR: {
            ("GET", "/api/v1/rooms"),
            ("GET", "/api/v1/lessons"),
            ("POST", "/api/v1/lessons"),
            ("POST", "/api/v1/lessons/{lesson}/end"),
        }
    }
    assert opens == expected.get(kind, set())


async def test_an_operator_token_of_an_earlier_start_is_over(campus: Campus) -> None:
    old = campus.app[keys.TOKENS].issue(TokenKind.OPERATOR, lifetime_s=600, epoch=campus.app[keys.BOOT] + 1)
    async with campus.browser.get("/api/v1/rooms", headers={"Authorization": f"Bearer {old}"}) as reply:
        assert reply.status == 404


async def test_metrics_are_for_this_machine_and_not_through_a_proxy(campus: Campus) -> None:
    async with campus.browser.get("/metrics") as reply:
        assert reply.status == 200
        assert "lianke_lessons_live 0.0" in await reply.text()
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        async with campus.browser.get("/metrics", headers={header: "127.0.0.1"}) as reply:
            assert reply.status == 404


async def test_the_demo_is_for_who_sits_at_this_machine(demo: Campus) -> None:
    async with demo.browser.get("/api/v1/demo") as reply:
        told = await reply.json()
        assert told["studio"]["room"] == "main"
        assert [room["room"] for room in told["rooms"]] == ["shahe", "yefan"]
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Host": "lianke.example"}, {"Host": "[bad"}):
        async with demo.browser.get("/api/v1/demo", headers=headers) as reply:
            assert reply.status in (400, 404)


async def test_without_the_demo_this_machine_gets_no_tokens(campus: Campus) -> None:
    async with campus.browser.get("/api/v1/demo") as reply:
        assert reply.status == 404
    async with campus.browser.get("/api/v1/me") as reply:
        told = await reply.json()
        assert (told["admin"], told["needs_setup"], told["demo"]) == (False, True, False)


async def test_every_answer_carries_the_security_headers(campus: Campus) -> None:
    for path in ("/", "/api/v1/me", "/nowhere", "/api/v1/rooms"):
        async with campus.browser.get(path) as reply:
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'self'" in reply.headers["Content-Security-Policy"]
            assert reply.headers["Server"] == "Lianke"


async def test_a_crooked_host_gets_no_say_in_the_policy(campus: Campus) -> None:
    async with campus.browser.get("/api/v1/me", headers={"Host": "a; script-src *"}) as reply:
        assert "script-src" not in reply.headers.get("Content-Security-Policy", "")


async def test_a_lesson_is_started_listed_observed_and_ended(campus: Campus) -> None:
    operator = campus.bearer(TokenKind.OPERATOR)
    async with campus.browser.post("/api/v1/lessons", json={"room": "main"}, **operator) as reply:
        opened = await reply.json()
        assert reply.status == 201
    assert set(opened) == {"lesson", "whip", "whip_token", "whep", "whep_token", "studio"}
    base = str(campus.server.make_url("")).rstrip("/")
    assert opened["whip"] == f"{base}/whip/{opened['lesson']}"
    rows = await (await campus.browser.get("/api/v1/lessons", **operator)).json()
    assert [(row["lesson"], row["state"]) for row in rows] == [(opened["lesson"], "live")]
    for _ in range(2):
        async with campus.browser.post(
            f"/api/v1/lessons/{opened['lesson']}/end", json={}, **operator
        ) as reply:
            assert (await reply.json())["state"] == "ended"
    assert {row.action for row in await campus.app[keys.STORE].audit_log.rows()} == {
        "start_lesson",
        "end_lesson",
    }


async def test_a_second_lesson_in_the_same_room_is_told_in_words(campus: Campus) -> None:
    await campus.start_lesson()
    operator = campus.bearer(TokenKind.OPERATOR)
    async with campus.browser.post("/api/v1/lessons", json={"room": "main"}, **operator) as reply:
        told: dict[str, Any] = await reply.json()
        assert reply.status == 409
        assert told["words"]["zh"]
        assert told["words"]["en"]
