"""My day and the iCalendar feeds: a person's and a room's lessons, for who they are of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from server.protocol.timetable import Given
from tests.unit.api.conftest import Desk


async def book(desk: Desk, teacher: str, room: str, first: int) -> Any:
    day = desk.store.county.today() + timedelta(days=1)
    body = {"main_room": "main", "rooms": [room], "subject": "english", "teacher": teacher, "title": "Unit 4",
            "day": day.isoformat(), "first": first, "last": first}  # fmt: skip
    status, made = await desk.ask("POST", "timetable/lessons", body)
    assert status == 201, made
    return made[0]


@pytest.fixture
async def booked(desk: Desk) -> tuple[Desk, dict[str, Any]]:
    """A lesson of Wang's tomorrow, and one of Li's."""
    await desk.be("boss")
    mine = await book(desk, "wang", "shahe", 1)
    await book(desk, "li", "yefan", 2)
    return desk, mine


async def feed(desk: Desk, url: str) -> tuple[int, Any]:
    """As a calendar program asks: without a cookie."""
    desk.campus.browser.cookie_jar.clear()
    path = "/" + url.split("/", 3)[3]
    async with desk.campus.browser.get(path) as reply:
        found = await reply.read()
        if reply.status != 200:
            return reply.status, None
        assert reply.content_type == "text/calendar"
        return 200, Calendar.from_ical(found)


async def test_my_day_tells_the_next_lesson_with_its_rooms_and_ones_own_calendar(
    booked: tuple[Desk, dict[str, Any]],
) -> None:
    desk, mine = booked
    await desk.be("wang")
    status, day = await desk.ask("GET", "my-day")
    assert status == 200
    assert day["next"]["lesson"]["lesson"] == mine["lesson"]
    assert day["next"]["lesson"]["given"] == Given.AHEAD
    (room,) = day["next"]["readiness"]
    assert (room["room"], room["state"], room["hear"]) == ("shahe", "away", None)
    assert {alarm["kind"] for alarm in room["alarms"]} <= {"no_device", "room_off"}
    assert (day["today"], day["day"], day["zone"]) == (
        [],
        desk.store.county.today().isoformat(),
        "Asia/Shanghai",
    )
    assert [room["room"] for room in day["teaches"]] == ["main"]
    assert day["calendar"].startswith("/calendar/person/wang/1.")
    desk.campus.browser.cookie_jar.clear()
    assert (await desk.ask("GET", "my-day"))[0] == 404


async def test_a_persons_feed_has_that_persons_lessons_until_another_address_is_asked_for(
    booked: tuple[Desk, dict[str, Any]],
) -> None:
    desk, mine = booked
    await desk.be("wang")
    _, link = await desk.ask("GET", "calendar-link")
    status, calendar = await feed(desk, link["url"])
    assert status == 200
    (event,) = calendar.walk("VEVENT")
    assert event["uid"] == f"{mine['lesson']}@lianke"
    assert int(event["dtstart"].dt.timestamp() * 1000) == mine["starts_at"]
    assert int(event["dtend"].dt.timestamp() * 1000) == mine["ends_at"]
    assert "Unit 4" in event["summary"]
    assert (event["status"], event["sequence"]) == ("CONFIRMED", mine["version"])
    assert (await feed(desk, link["url"].replace("/wang/", "/boss/")))[0] == 404
    await desk.be("wang")
    _, fresh = await desk.ask("POST", "calendar-link")
    assert (await feed(desk, link["url"]))[0] == 404
    assert (await feed(desk, fresh["url"]))[0] == 200


async def test_a_rooms_feed_has_what_is_taught_and_heard_there_and_what_was_cancelled(
    booked: tuple[Desk, dict[str, Any]],
) -> None:
    desk, mine = booked
    await desk.be("wang")
    assert (await desk.ask("GET", "calendar-link?room=main"))[0] == 404
    await desk.be("boss")
    _, main = await desk.ask("GET", "calendar-link?room=main")
    _, shahe = await desk.ask("GET", "calendar-link?room=shahe")
    assert (await desk.ask("GET", "calendar-link?room=nowhere"))[0] == 404
    body = {"version": mine["version"], "cancelled": True}
    assert (await desk.ask("PATCH", f"timetable/lessons/{mine['lesson']}", body))[0] == 200
    _, calendar = await feed(desk, main["url"] + "?language=en")
    assert sorted(event["status"] for event in calendar.walk("VEVENT")) == ["CANCELLED", "CONFIRMED"]
    _, calendar = await feed(desk, shahe["url"])
    (event,) = calendar.walk("VEVENT")
    assert (event["uid"], event["status"]) == (f"{mine['lesson']}@lianke", "CANCELLED")
