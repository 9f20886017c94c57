"""Booked lessons on the live service: opened, joined, begun, ended by the clock; rooms called into others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.config import Config, Data, Media
from server.domain.admission import Identity
from server.domain.lesson import Lesson
from server.live.ports import Classroom
from server.live.service import LiveService
from server.protocol import messages as m
from server.protocol.inviting import AnswerCall, CallableRooms, Calling, CallRooms, CallState
from server.protocol.messages import LessonState, Role, Words
from server.protocol.timetable import Template
from tests.fakes.live_ports import HandClock, KeptRows, ListeningPage

MINUTE = 60_000
NOON = 1_800_000_000_000
MAINS, ROOMS = ("main", "north"), ("luoping", "shahe")


class Rows(KeptRows):
    async def classrooms(self) -> list[Classroom]:
        return [Classroom(room, Words(room, room), room in MAINS) for room in (*MAINS, *ROOMS)]


def booked(name: str = "L0000000001", main: str = "main", begins: int = NOON, **changed: object) -> Lesson:
    values: dict[str, object] = {
        "id": name,
        "title": Words("英语", "English"),
        "main_room": main,
        "rooms": ROOMS,
        "booked_from": begins,
        "booked_until": begins + 40 * MINUTE,
        "teacher": Words("李老师", "Ms Li"),
    }
    return Lesson(**{**values, **changed})  # type: ignore[arg-type]


@dataclass
class Day:
    """A day of the service; `at` moves the clock and lets everybody look at it."""

    live: LiveService
    rows: Rows
    clock: HandClock
    pages: list[ListeningPage] = field(default_factory=list)

    async def at(self, ms: int) -> None:
        self.clock.ms = ms
        for _ in range(3):
            await self.live.scheduler.turn()
            await asyncio.sleep(0.01)

    async def enter(self, role: Role, room: str) -> ListeningPage:
        said = m.Hello(token="t")
        identity = Identity(role, room, Words(room, room))
        session, resumed = self.live.admit(identity, said)
        page = ListeningPage(role, room, session=session)
        self.live.enter(page, said, resumed=resumed)
        await self.until(lambda: page.last(m.Lesson))
        return page

    async def until(self, fact: object) -> None:
        async with asyncio.timeout(15):
            while not fact():  # type: ignore[operator]  # noqa: ASYNC110 - lessons are tasks of their own
                await asyncio.sleep(0.01)

    async def until_state(self, page: ListeningPage, state: LessonState) -> None:
        await self.until(lambda: (told := lesson_of(page)) is not None and told.state is state)


def lesson_of(page: ListeningPage) -> m.LessonView | None:
    told = page.last(m.Lesson)
    assert isinstance(told, m.Lesson)
    return told.lesson


def notices(page: ListeningPage) -> list[str]:
    return [each.id for each in page.heard if isinstance(each, m.Notice)]


@asynccontextmanager
async def day(path: Path, *timetable: Lesson) -> AsyncIterator[Day]:
    rows, clock = Rows({each.id: each for each in timetable}), HandClock(NOON - 60 * MINUTE)
    config = Config(data=Data(directory=str(path), run_directory=str(path)), media=Media(workers=1))
    live = LiveService(config, rows, clock)
    task = asyncio.create_task(live.run())
    await live.ready.wait()
    try:
        yield Day(live, rows, clock)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_booked_lesson_opens_joins_starts_and_ends_by_the_clock(tmp_path: Path) -> None:
    async with day(tmp_path, booked()) as today:
        room = await today.enter(Role.ROOM, "shahe")
        told = room.last(m.Lesson)
        assert isinstance(told, m.Lesson)
        assert (told.lesson, told.next_at, told.next_teacher) == (None, NOON, Words("李老师", "Ms Li"))
        studio = await today.enter(Role.TEACHER, "main")
        own = lesson_of(studio)
        assert own is not None
        assert own.booked_from is None
        await today.at(NOON - 15 * MINUTE)
        await today.until(lambda: (told := lesson_of(studio)) is not None and told.id == "L0000000001")
        assert lesson_of(room) is None
        await today.at(NOON - 3 * MINUTE)
        await today.until(lambda: lesson_of(room))
        await today.at(NOON - 1)
        assert lesson_of(studio).state is LessonState.OPEN  # type: ignore[union-attr]
        await today.at(NOON)
        await today.until_state(room, LessonState.LIVE)
        assert lesson_of(room).ends_at == NOON + 40 * MINUTE  # type: ignore[union-attr]
        await today.at(NOON + 38 * MINUTE)
        await today.until(lambda: "bell_soon" in notices(room) and "bell_soon" in notices(studio))
        await today.at(NOON + 40 * MINUTE)
        await today.until_state(room, LessonState.CLOSING)
        today.live.said(studio, m.Extend(minutes=5))
        await today.until_state(room, LessonState.LIVE)
        await today.at(NOON + 45 * MINUTE)
        await today.until_state(room, LessonState.CLOSING)
        await today.at(NOON + 46 * MINUTE)
        await today.until_state(studio, LessonState.ENDED)
        await today.at(NOON + 47 * MINUTE)
        await today.until(lambda: lesson_of(room) is None)


async def test_a_lesson_that_nobody_booked_is_theirs_who_pressed_start(tmp_path: Path) -> None:
    async with day(tmp_path, booked(taught_by="zhao")) as today:
        studio = await today.enter(Role.TEACHER, "north")
        studio.person = "wang"
        today.live.said(studio, m.Start())
        await today.until_state(studio, LessonState.LIVE)
        assert today.rows.lessons[studio.lesson.id].taught_by == "wang"
        await today.at(NOON - 10 * MINUTE)
        substitute = await today.enter(Role.TEACHER, "main")
        substitute.person = "wang"
        today.live.said(substitute, m.Start())
        await today.until_state(substitute, LessonState.LIVE)
        assert today.rows.lessons["L0000000001"].taught_by == "zhao"


async def test_a_lesson_is_extended_only_until_one_of_its_rooms_is_booked_by_others(tmp_path: Path) -> None:
    after = booked("L0000000002", "north", NOON + 43 * MINUTE, rooms=("shahe",))
    async with day(tmp_path, booked(), after) as today:
        await today.at(NOON - 5 * MINUTE)
        studio = await today.enter(Role.TEACHER, "main")
        await today.at(NOON)
        await today.until_state(studio, LessonState.LIVE)
        today.live.said(studio, m.Extend(minutes=5))
        await today.until(lambda: lesson_of(studio).ends_at == NOON + 43 * MINUTE)  # type: ignore[union-attr]
        today.live.said(studio, m.Extend(minutes=5))
        await today.until(lambda: studio.last(m.Refused))
        refused = studio.last(m.Refused)
        assert isinstance(refused, m.Refused)
        assert refused.code == "rooms_needed"


async def test_start_takes_the_lesson_booked_near_and_a_late_studio_is_not_on_the_air_unasked(
    tmp_path: Path,
) -> None:
    async with day(tmp_path, booked()) as today:
        await today.at(NOON + 10 * MINUTE)
        studio = await today.enter(Role.TEACHER, "main")
        await today.at(NOON + 10 * MINUTE + 1)
        view = lesson_of(studio)
        assert view is not None
        assert (view.id, view.state) == ("L0000000001", LessonState.OPEN)
        today.live.said(studio, m.Start())
        await today.until_state(studio, LessonState.LIVE)
        assert lesson_of(studio).ends_at == NOON + 40 * MINUTE  # type: ignore[union-attr]


async def test_a_lesson_that_nobody_began_is_missed_and_its_rooms_are_free(tmp_path: Path) -> None:
    async with day(tmp_path, booked()) as today:
        await today.at(NOON)
        room = await today.enter(Role.ROOM, "shahe")
        assert lesson_of(room) is not None
        await today.at(NOON + 40 * MINUTE)
        await today.until(lambda: today.rows.lessons["L0000000001"].missed)
        await today.until(lambda: lesson_of(room) is None or lesson_of(room).state is LessonState.ENDED)  # type: ignore[union-attr]


async def test_what_the_timetable_moves_or_drops_is_closed_and_opened_anew(tmp_path: Path) -> None:
    async with day(tmp_path, booked()) as today:
        await today.at(NOON - 10 * MINUTE)
        studio = await today.enter(Role.TEACHER, "main")
        assert lesson_of(studio).id == "L0000000001"  # type: ignore[union-attr]
        today.rows.lessons["L0000000001"] = booked(begins=NOON + 120 * MINUTE)
        today.live.scheduler.changed()
        await today.at(NOON - 9 * MINUTE)
        await today.until(lambda: lesson_of(studio).id != "L0000000001")  # type: ignore[union-attr]
        await today.at(NOON + 106 * MINUTE)
        await today.until(lambda: lesson_of(studio).id == "L0000000001")  # type: ignore[union-attr]


async def test_after_a_restart_in_the_lesson_it_goes_on_and_the_next_one_still_starts(tmp_path: Path) -> None:
    rows: Rows
    async with day(tmp_path, booked(), booked("L0000000002", begins=NOON + 50 * MINUTE)) as today:
        await today.at(NOON - 5 * MINUTE)
        studio = await today.enter(Role.TEACHER, "main")
        await today.at(NOON)
        await today.until_state(studio, LessonState.LIVE)
        rows = today.rows
    async with day(tmp_path, *rows.lessons.values()) as today:
        today.clock.ms = NOON + MINUTE
        studio = await today.enter(Role.TEACHER, "main")
        view = lesson_of(studio)
        assert view is not None
        assert (view.id, view.state, view.started_at) == ("L0000000001", LessonState.LIVE, NOON)
        await today.at(NOON + 40 * MINUTE)
        await today.until_state(studio, LessonState.CLOSING)
        await today.at(NOON + 41 * MINUTE)
        await today.until_state(studio, LessonState.ENDED)
        await today.at(NOON + 48 * MINUTE)
        await today.until(lambda: lesson_of(studio).id == "L0000000002")  # type: ignore[union-attr]
        await today.at(NOON + 50 * MINUTE)
        await today.until_state(studio, LessonState.LIVE)


async def test_an_unbooked_lesson_asks_and_a_room_comes_only_by_a_touch_there(tmp_path: Path) -> None:
    async with day(tmp_path) as today:
        shahe, luoping = [await today.enter(Role.ROOM, room) for room in ("shahe", "luoping")]
        studio = await today.enter(Role.TEACHER, "main")
        await today.until(lambda: studio.last(CallableRooms))
        today.live.said(studio, m.Start())
        await today.until_state(studio, LessonState.LIVE)
        assert lesson_of(shahe) is None
        today.live.said(studio, CallRooms(rooms=["shahe", "luoping"]))
        for page in (shahe, luoping):
            await today.until(lambda page=page: page.last(Calling))
        called = shahe.last(Calling)
        assert isinstance(called, Calling)
        assert called.invited is not None
        assert lesson_of(shahe) is None
        today.live.said(shahe, AnswerCall(lesson=called.invited.lesson, accepted=True))
        await today.until_state(shahe, LessonState.LIVE)
        await today.until(lambda: [seat.room for seat in lesson_of(studio).seats] == ["shahe"])  # type: ignore[union-attr]
        today.clock.ms += 60_000
        await today.until(lambda: states(studio)["luoping"] is CallState.EXPIRED)
        late = luoping.last(Calling)
        assert isinstance(late, Calling)
        today.live.said(luoping, AnswerCall(lesson=called.invited.lesson, accepted=True))
        await asyncio.sleep(0.05)
        assert lesson_of(luoping) is None


def states(studio: ListeningPage) -> dict[str, CallState]:
    told = studio.last(CallableRooms)
    assert isinstance(told, CallableRooms)
    return {each.room: each.state for each in told.rooms}


async def test_a_room_that_may_not_be_called_from_here_is_refused_in_words(tmp_path: Path) -> None:
    async with day(tmp_path) as today:
        studio = await today.enter(Role.TEACHER, "main")
        today.live.said(studio, CallRooms(rooms=["north"]))
        await today.until(lambda: studio.last(m.Refused))
        refused = studio.last(m.Refused)
        assert isinstance(refused, m.Refused)
        assert refused.code == "room_not_allowed"


@pytest.mark.parametrize(
    ("template", "recorded"), [(Template.SHARED, True), (Template.CLASS_MEETING, False)], ids=str
)
async def test_the_template_says_what_is_recorded_and_whose_voice_is_open(
    template: Template, recorded: bool, tmp_path: Path
) -> None:
    async with day(tmp_path, booked(template=template)) as today:
        await today.at(NOON - 5 * MINUTE)
        studio = await today.enter(Role.TEACHER, "main")
        today.live.said(studio, m.Start())
        await today.until_state(studio, LessonState.LIVE)
        view = lesson_of(studio)
        assert view is not None
        assert bool(view.records) == recorded
        assert all(seat.heard for seat in view.seats) == (template is Template.CLASS_MEETING)
