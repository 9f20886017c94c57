"""server.api.accounts and rooms: the first password, the cookie, codes, and slowness for who guesses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from server.api import keys
from server.api.identity import SESSION_COOKIE

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus

PASSWORD = "correct horse battery"
Open = Callable[..., Awaitable["Campus"]]


async def set_up(campus: Campus) -> None:
    async with campus.browser.post("/api/v1/setup", json={"password": PASSWORD}) as reply:
        assert reply.status == 200, await reply.text()


async def test_the_first_password_is_set_once_and_logs_in(campus: Campus) -> None:
    async with campus.browser.post("/api/v1/setup", json={"password": PASSWORD}) as reply:
        cookie = reply.headers["Set-Cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert (await (await campus.browser.get("/api/v1/me")).json())["admin"]
    async with campus.browser.get("/api/v1/rooms") as reply:
        assert [len(room["code"]) for room in await reply.json()] == [6, 6, 6]
    async with campus.browser.post("/api/v1/setup", json={"password": PASSWORD}) as reply:
        assert reply.status == 404
    found = await campus.app[keys.STORE].people.by_login("admin")
    assert found is not None
    assert found[1].startswith("$argon2id$")


async def test_a_short_first_password_is_refused_in_words(campus: Campus) -> None:
    async with campus.browser.post("/api/v1/setup", json={"password": "short"}) as reply:
        assert (await reply.json())["code"] == "weak_password"


async def test_from_another_machine_the_first_set_up_needs_the_code_of_the_log(campus: Campus) -> None:
    away = {"X-Forwarded-For": "192.0.2.9"}
    async with campus.browser.get("/api/v1/me", headers=away) as reply:
        assert (await reply.json())["needs_setup_code"]
    for code in (None, "000000"):
        body = {"password": PASSWORD, "code": code}
        async with campus.browser.post("/api/v1/setup", json=body, headers=away) as reply:
            assert (await reply.json())["code"] == "bad_password"
    body = {"password": PASSWORD, "code": campus.app[keys.SETUP_CODE]}
    async with campus.browser.post("/api/v1/setup", json=body, headers=away) as reply:
        assert reply.status == 200


async def test_logging_out_and_in_again(campus: Campus) -> None:
    await set_up(campus)
    async with campus.browser.post("/api/v1/logout") as reply:
        assert reply.status == 204
    assert not (await (await campus.browser.get("/api/v1/me")).json())["admin"]
    async with campus.browser.post("/api/v1/login", json={"password": "wrong password"}) as reply:
        assert reply.status == 403
    async with campus.browser.post("/api/v1/login", json={"password": PASSWORD}) as reply:
        assert reply.status == 200
    assert (await (await campus.browser.get("/api/v1/me")).json())["admin"]


async def test_another_sites_page_cannot_use_the_cookie(campus: Campus) -> None:
    await set_up(campus)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        async with campus.browser.post("/api/v1/lessons", json={"room": "main"}, headers=headers) as reply:
            assert reply.status == 404
        async with campus.browser.post("/api/v1/logout", headers=headers) as reply:
            assert reply.status == 404
    own = {"Origin": str(campus.server.make_url("")).rstrip("/")}
    async with campus.browser.post("/api/v1/lessons", json={"room": "main"}, headers=own) as reply:
        assert reply.status == 201


async def test_a_forged_cookie_is_nobody(campus: Campus) -> None:
    for cookie in ("x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "é" * 50):
        headers = {"Cookie": f"{SESSION_COOKIE}={cookie}"}
        async with campus.browser.get("/api/v1/me", headers=headers) as reply:
            assert not (await reply.json())["admin"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/v1/login", {"password": "wrong password"}), ("/api/v1/room-code", {"code": "x"})],
)
async def test_who_guesses_waits_and_is_told_how_long(
    open_campus: Open, path: str, body: dict[str, str]
) -> None:
    campus = await open_campus(security={"wrong_tries": 2, "wrong_tries_wait_s": 30.0})
    statuses = []
    for _ in range(3):
        async with campus.browser.post(path, json=body) as reply:
            statuses.append(reply.status)
    assert statuses == [403, 403, 429]
    assert 1 <= int(reply.headers["Retry-After"]) <= 30


async def test_behind_a_trusted_proxy_each_visitor_is_slowed_alone(open_campus: Open) -> None:
    campus = await open_campus(
        security={"wrong_tries": 1, "wrong_tries_wait_s": 30.0}, http={"trusted_proxies": ["127.0.0.1"]}
    )
    statuses = []
    for address in ("192.0.2.1", "192.0.2.1", "6.6.6.6, 192.0.2.1", "192.0.2.2"):
        headers = {"X-Forwarded-For": address}
        async with campus.browser.post("/api/v1/room-code", json={"code": "x"}, headers=headers) as reply:
            statuses.append(reply.status)
    assert statuses == [403, 429, 429, 403]


async def test_a_room_code_gives_that_rooms_token_and_outside_the_demo_a_studios_only(
    campus: Campus, open_campus: Open
) -> None:
    code = campus.app[keys.CODES].code_of("shahe")
    async with campus.browser.post("/api/v1/room-code", json={"code": code}) as reply:
        assert reply.status == 403, "a receiving room is a paired device"
    demo = await open_campus(demo={"enabled": True})
    for room, at in (("shahe", demo), ("main", demo), ("main", campus)):
        code = at.app[keys.CODES].code_of(room)
        async with at.browser.post("/api/v1/room-code", json={"code": code}) as reply:
            told = await reply.json()
        claims = at.app[keys.TOKENS].read(told["token"])
        assert (told["room"], claims.room, claims.lesson) == (room, room, None)
        assert claims.kind == ("studio" if room == "main" else "room")


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/v1/login", {"password": "wrong password"}), ("/api/v1/room-code", {"code": "x"})],
)
async def test_guessing_at_the_same_moment_gains_nothing(
    open_campus: Open, path: str, body: dict[str, str]
) -> None:
    campus = await open_campus(security={"wrong_tries": 3, "wrong_tries_wait_s": 30.0})

    async def guess() -> int:
        async with campus.browser.post(path, json=body) as reply:
            return reply.status

    statuses = await asyncio.gather(*(guess() for _ in range(30)))
    assert sorted(statuses) == [403] * 3 + [429] * 27


async def test_logging_out_ends_the_session_for_a_copy_of_its_cookie_too(campus: Campus) -> None:
    await set_up(campus)
    copied = {"Cookie": f"{SESSION_COOKIE}={next(iter(campus.browser.cookie_jar)).value}"}
    await campus.browser.post("/api/v1/logout")
    async with campus.browser.get("/api/v1/me", headers=copied) as reply:
        assert not (await reply.json())["admin"]
