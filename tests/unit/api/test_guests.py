"""server.api.guests: guests' links are made by who teaches, kept to time and room, and open no REST."""

from __future__ import annotations

from typing import Any

import pytest

from server.api import keys
from server.api.tokens import TokenKind
from server.protocol.messages import Role
from tests.unit.api.conftest import Campus, Opener

LINKS = "/api/v1/rooms/main/guest-links"


async def made(campus: Campus, **body: object) -> dict[str, Any]:
    async with campus.browser.post(LINKS, json=body, **campus.bearer(TokenKind.STUDIO, "main")) as reply:
        assert reply.status == 201, await reply.text()
        return dict(await reply.json())


def token_of(link: dict[str, Any]) -> str:
    return str(link["url"]).partition("#token=")[2]


async def enter(campus: Campus, token: str, name: str = "李教研") -> tuple[int, dict[str, Any]]:
    async with campus.browser.post("/api/v1/lobby", json={"link": token, "name": name}) as reply:
        return reply.status, dict(await reply.json())


async def hello(campus: Campus, token: str) -> dict[str, Any]:
    """What a page with this token is told first."""
    async with campus.browser.ws_connect("/ws") as line:
        await line.send_json({"type": "hello", "token": token})
        return dict(await line.receive_json(timeout=20))


async def test_a_link_opens_the_lobby_and_nothing_else(campus: Campus) -> None:
    lesson = await campus.start_lesson()
    link = await made(campus, hours=2, label="区教研室")
    assert link["picture"].startswith("<svg")
    status, passed = await enter(campus, token_of(link))
    assert (status, passed["room_name"]["en"]) == (201, "Recording room")
    welcome = await hello(campus, passed["token"])
    assert (welcome["type"], welcome["role"], welcome["name"]["zh"]) == ("welcome", Role.GUEST, "李教研")
    headers = {"Authorization": f"Bearer {passed['token']}"}
    for path in (
        f"lessons/{lesson}/hls",
        f"lessons/{lesson}/replay",
        "library",
        "lessons",
        "rooms",
        "people",
    ):
        async with campus.browser.get(f"/api/v1/{path}", headers=headers) as reply:
            assert reply.status == 404, path
    assert (await hello(campus, token_of(link)))["type"] == "refused", "the link itself is no page"


async def test_a_revoked_link_and_one_of_another_room_or_lesson_open_nothing(campus: Campus) -> None:
    lesson = await campus.start_lesson()
    link = await made(campus, lesson=lesson)
    _, passed = await enter(campus, token_of(link))
    room = campus.bearer(TokenKind.STUDIO, "main")
    async with campus.browser.get(LINKS, **room) as reply:
        (row,) = await reply.json()
    assert (row["number"], row["lesson"], row["good"]) == (link["number"], lesson, True)
    async with campus.browser.ws_connect("/ws") as line:
        await line.send_json({"type": "hello", "token": passed["token"]})
        assert (await line.receive_json(timeout=20))["type"] == "welcome"
        async with campus.browser.delete(f"{LINKS}/{link['number']}", **room) as reply:
            assert reply.status == 204
        said = [await line.receive_json(timeout=20)]
        while said[-1]["type"] != "refused":
            said.append(await line.receive_json(timeout=20))
        assert said[-1]["code"] == "link_over"
    assert (await hello(campus, passed["token"]))["code"] == "link_over"
    status, problem = await enter(campus, token_of(link))
    assert (status, problem["code"]) == (404, "link_over")
    async with campus.browser.delete(f"{LINKS}/{link['number']}", **room) as reply:
        assert reply.status == 404
    for body in ({"lesson": "L0000000009"}, {"lesson": "no lesson"}):
        async with campus.browser.post(LINKS, json=body, **room) as reply:
            assert reply.status == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [({"hours": 0}, "bad_hours"), ({"hours": 400}, "bad_hours"), ({"hours": "x"}, "bad_body")],
)
async def test_a_time_that_cannot_be_is_refused_in_words(
    campus: Campus, body: dict[str, object], code: str
) -> None:
    async with campus.browser.post(LINKS, json=body, **campus.bearer(TokenKind.STUDIO, "main")) as reply:
        problem = await reply.json()
    assert problem["code"] == code
    assert problem["words"]["zh"]


async def test_only_who_teaches_there_invites_and_each_step_is_in_the_audit_log(open_campus: Opener) -> None:
    campus = await open_campus()
    for headers in ({}, campus.bearer(TokenKind.ROOM, "shahe"), campus.bearer(TokenKind.STUDIO, "shahe")):
        async with campus.browser.post(LINKS, json={}, **headers) as reply:
            assert reply.status == 404
    link = await made(campus)
    for name in ("", " \u200b "):
        assert (await enter(campus, token_of(link), name))[1]["code"] == "bad_name"
    assert (await enter(campus, "nonsense"))[0] == 404
    await enter(campus, token_of(link))
    log = [(row.action, row.thing) for row in await campus.app[keys.STORE].audit_log.rows()]
    assert {("invite_guest", "main"), ("enter_lobby", "main")} <= set(log)
    again = await open_campus()
    assert again.app[keys.GUEST_LINKS].good(link["number"]) is not None, "a restart keeps links"
