"""Pairing over real sockets: six digits, the key's proof, a wiped browser, a stolen token, revoking."""

from __future__ import annotations

import asyncio
import re

import msgspec
import pytest

from server.api import keys
from server.api.tokens import TokenKind
from server.protocol import messages as m
from server.protocol.devices import HearChecked, Heard, Standing
from tests.fakes.paired_screen import Screen, heard, paired
from tests.unit.api.conftest import Campus, Opener


@pytest.fixture
def it_person(campus: Campus) -> dict[str, dict[str, str]]:
    return campus.bearer(TokenKind.OPERATOR)


async def test_six_digits_make_a_screen_a_room_and_its_key_is_asked_each_time(
    campus: Campus, it_person: dict[str, dict[str, str]]
) -> None:
    screen = await paired(campus.browser, "shahe", **it_person)
    socket, welcome = await screen.enter()
    assert isinstance(welcome, m.Welcome)
    assert (welcome.role, welcome.room) == (m.Role.ROOM, "shahe")

    rows = (await (await campus.browser.get("/api/v1/devices?q=沙河", **it_person)).json())["rooms"]
    assert rows[0]["online_since"] is not None
    assert rows[0]["browser"] == "test browser"
    seat = {"headers": {"Authorization": f"Bearer {welcome.seat}"}}
    assert (await campus.browser.get("/api/v1/network", **seat)).status == 200
    await socket.close()


async def test_a_stolen_token_opens_nothing_without_the_key(
    campus: Campus, it_person: dict[str, dict[str, str]]
) -> None:
    screen = await paired(campus.browser, "shahe", **it_person)
    thief = Screen(campus.browser)
    _, said = await thief.enter(screen.token)
    assert isinstance(said, m.Refused)
    assert said.code == "bad_token"
    stolen = {"headers": {"Authorization": f"Bearer {screen.token}"}}
    assert (await campus.browser.get("/api/v1/network", **stolen)).status == 404


async def test_a_rooms_plain_token_opens_nothing_outside_the_demo(
    campus: Campus, open_campus: Opener
) -> None:
    _, said = await Screen(campus.browser).enter(campus.token(TokenKind.ROOM, room="shahe"))
    assert isinstance(said, m.Refused)
    demo = await open_campus(demo={"enabled": True})
    _, said = await Screen(demo.browser).enter(demo.token(TokenKind.ROOM, room="shahe"))
    assert isinstance(said, m.Welcome)


async def test_a_wiped_browser_is_the_same_device_by_its_launcher_and_the_old_key_is_over(
    campus: Campus, it_person: dict[str, dict[str, str]]
) -> None:
    first = await paired(campus.browser, "shahe", **it_person)
    reply = await campus.browser.get(f"/api/v1/devices/{first.pairing['device']}/launcher/linux", **it_person)
    found = re.search(r"device=(\w+)&restore=(\w+)", await reply.text())
    assert found is not None
    wiped = Screen(campus.browser)
    assert await wiped.restore(found[1], "0" * 32) == 404
    assert await wiped.restore(found[1], found[2]) == 200
    socket, said = await wiped.enter()
    assert isinstance(said, m.Welcome)
    assert isinstance((await first.enter())[1], m.Refused)
    actions = [row.action for row in await campus.app[keys.STORE].audit_log.rows()]
    assert "rebind_device" in actions

    stand = (await (await campus.browser.get("/api/v1/devices?state=fault", **it_person)).json())["rooms"]
    assert stand == [], "a wiped machine is nothing to look at"
    second = Screen(campus.browser)
    assert await second.restore(found[1], found[2]) == 200, "while the first is at work"
    stand = (await (await campus.browser.get("/api/v1/devices?state=fault", **it_person)).json())["rooms"]
    assert stand[0]["moved_at"] is not None
    await socket.close()

    renewed = await campus.browser.post(f"/api/v1/devices/{found[1]}/launcher", **it_person)
    assert renewed.status == 204
    assert await wiped.restore(found[1], found[2]) == 404, "an earlier file is over"


async def test_a_revoked_device_is_hung_up_and_stays_out(
    campus: Campus, it_person: dict[str, dict[str, str]]
) -> None:
    screen = await paired(campus.browser, "shahe", **it_person)
    socket, welcome = await screen.enter()
    assert isinstance(welcome, m.Welcome)
    reply = await campus.browser.delete(f"/api/v1/devices/{screen.pairing['device']}", **it_person)
    assert reply.status == 204
    said = await heard(socket)
    while not isinstance(said, m.Refused):
        said = await heard(socket)
    assert isinstance((await screen.enter())[1], m.Refused)
    seat = {"headers": {"Authorization": f"Bearer {welcome.seat}"}}
    assert (await campus.browser.get("/api/v1/network", **seat)).status == 404


async def test_digits_are_slowed_used_once_and_asked_of_nobody_else(
    campus: Campus, it_person: dict[str, dict[str, str]]
) -> None:
    screen = Screen(campus.browser)
    code = await screen.ask()
    assert await screen.ask() == code, "a reload shows the same digits"
    path = "/api/v1/rooms/shahe/devices"
    assert (await campus.browser.post(path, json={"code": code})).status == 404, "not for anyone"
    assert (await campus.browser.post(path, json={"code": code}, **it_person)).status == 201
    statuses = [(await campus.browser.post(path, json={"code": code}, **it_person)).status for _ in range(8)]
    assert statuses[0] == 403
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pairings", {"key": "A" * 87}),
        ("pairings", {"key": "short"}),
        ("pairings", {"key": "A" * 87, "browser": "x" * 300}),
        ("devices/restore", {"device": "D1", "secret": "x", "key": "A" * 87}),
        ("rooms/shahe/devices", {"code": "12345"}),
        ("rooms/shahe/devices", {"code": "１２３４５６"}),
        ("rooms/shahe/devices", {"code": "123456", "label": "x" * 61}),
    ],
)
async def test_what_is_no_key_code_or_name_is_refused_in_words(
    campus: Campus, it_person: dict[str, dict[str, str]], path: str, body: dict[str, str]
) -> None:
    reply = await campus.browser.post(f"/api/v1/{path}", json=body, **it_person)
    assert reply.status == 400
    assert set((await reply.json())["words"]) == {"zh", "en"}


async def test_what_a_room_tells_of_its_machine_becomes_an_alarm_before_and_in_its_lesson(
    open_campus: Opener,
) -> None:
    demo = await open_campus(demo={"enabled": True}, data={"least_free_bytes": 1 << 60})
    screen = await paired(demo.browser, "shahe")
    socket, _ = await screen.enter()
    lesson = await demo.start_lesson()
    said = Standing(cameras=0, microphones=1, speakers=1, clock_off_ms=-240_000)
    await socket.send_str(msgspec.json.encode(said).decode())
    await socket.send_str(msgspec.json.encode(HearChecked(Heard.NOT_HEARD, 0, 3.0)).decode())

    async def alarms(room: str = "shahe") -> dict[str, dict[str, str]]:
        told = await (await demo.browser.get("/api/v1/alarms")).json()
        return {one["kind"]: one for one in told["alarms"] if one["room"] == room}

    async def come_to_be(*kinds: str) -> dict[str, dict[str, str]]:
        async with asyncio.timeout(15):
            while set(found := await alarms()) != set(kinds):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    found = await come_to_be("camera_gone", "clock_wrong", "not_heard")
    assert set(await alarms("yefan")) == {"no_device"}
    assert float((await alarms(""))["disk_low"]["values"]["gigabytes"]) > 0  # type: ignore[index]
    assert found["camera_gone"]["lesson"] == lesson
    assert found["clock_wrong"]["values"] == {"minutes": "4", "side": "slow"}
    operator = demo.bearer(TokenKind.OPERATOR)
    asked = await demo.browser.get(f"/api/v1/lessons/{lesson}/readiness", **operator)
    ready = await asked.json()
    assert {one["kind"] for one in ready["alarms"] if one["room"] == "shahe"} == set(found)
    assert next(one for one in ready["rooms"] if one["room"] == "shahe")["cameras"] == 0
    card = (await (await demo.browser.get("/api/v1/my-day")).json())["next"]
    assert card["lesson"]["lesson"] == lesson
    told = next(one for one in card["readiness"] if one["room"] == "shahe")
    assert {one["kind"] for one in told["alarms"]} == set(found), "the teacher reads it before the bell too"
    assert told["hear"]["result"] == "not_heard"
    await socket.close()
    off = await come_to_be("room_off")
    assert off["room_off"]["lesson"] == lesson
