"""Which page is in which lesson: rooms, observers, second lessons, what comes after the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from server.config import Config, Data, Demo, Media
from server.domain import lesson as lessons
from server.domain.admission import Identity
from server.domain.lesson import Lesson
from server.errors import Refused, UserFault
from server.live.ports import Classroom
from server.live.service import LiveService
from server.protocol import messages as m
from server.protocol.messages import LessonState, Role, Words
from server.protocol.session import CloseCode
from tests.fakes.live_ports import HandClock, KeptRows, ListeningPage

MAINS = ("main", "north")
ROOMS = ("luoping", "shahe")


class TwoMains(KeptRows):
    async def classrooms(self) -> list[Classroom]:
        return [Classroom(room, Words(room, room), room in MAINS) for room in (*MAINS, *ROOMS)]


@dataclass
class County:
    """The service without worker or recorder, and pages that come and go."""

    live: LiveService
    rows: KeptRows
    clock: HandClock
    pages: list[ListeningPage] = field(default_factory=list)

    async def enter(
        self, role: Role, room: str, *, lesson: str | None = None, **hello: object
    ) -> ListeningPage:
        identity = Identity(role, room, Words(room, room), lesson)
        said = m.Hello(token="t", **hello)  # type: ignore[arg-type]
        session, resumed = self.live.admit(identity, said)
        page = Known(role, room, session=session)
        page.known = identity
        self.live.enter(page, said, resumed=resumed)
        self.pages.append(page)
        await self.until(lambda: page.heard)
        return page

    async def until(self, fact: object) -> None:
        async with asyncio.timeout(5):
            while not fact():  # type: ignore[operator]  # noqa: ASYNC110 - lessons are tasks of their own
                await asyncio.sleep(0.005)


class Known(ListeningPage):
    """A page whose token may name a lesson."""

    known: Identity

    @property
    def identity(self) -> Identity:
        return self.known


@asynccontextmanager
async def county(path: Path, rows: KeptRows | None = None, *, demo: bool = False) -> AsyncIterator[County]:
    rows, clock = rows or TwoMains(), HandClock()
    config = Config(
        data=Data(directory=str(path), run_directory=str(path)),
        media=Media(workers=1),
        demo=Demo(enabled=demo),
    )
    live = LiveService(config, rows, clock)
    task = asyncio.create_task(live.run())
    await live.ready.wait()
    try:
        yield County(live, rows, clock)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def lesson_of(page: ListeningPage) -> m.LessonView | None:
    told = page.last(m.Lesson)
    assert isinstance(told, m.Lesson)
    return told.lesson


def is_live(page: ListeningPage) -> bool:
    told = lesson_of(page)
    return told is not None and told.state is LessonState.LIVE


async def test_a_room_of_the_sample_county_waits_and_joins_untouched(tmp_path: Path) -> None:
    async with county(tmp_path, demo=True) as at:
        room = await at.enter(Role.ROOM, "shahe")
        await at.until(lambda: room.last(m.Lesson))
        assert lesson_of(room) is None
        studio = await at.enter(Role.TEACHER, "main")
        await at.until(lambda: lesson_of(room) is not None)
        at.live.said(studio, m.Start())
        await at.until(lambda: is_live(room) and is_live(studio))


async def test_a_room_in_a_lesson_is_not_taken_by_another_and_goes_there_when_it_is_free(
    tmp_path: Path,
) -> None:
    async with county(tmp_path) as at:
        room = await at.enter(Role.ROOM, "shahe")
        first = await at.live.start_lesson("main")
        second = await at.live.start_lesson("north")
        await at.until(lambda: is_live(room))
        await asyncio.sleep(0.05)
        told = lesson_of(room)
        assert told is not None
        assert told.id == first
        await at.live.end_lesson(first)
        await at.until(lambda: (view := lesson_of(room)) is not None and view.id == second)


async def test_start_after_the_end_takes_everybody_along(tmp_path: Path) -> None:
    async with county(tmp_path, demo=True) as at:
        studio, room = await at.enter(Role.TEACHER, "main"), await at.enter(Role.ROOM, "shahe")
        at.live.said(studio, m.Start())
        await at.until(lambda: is_live(room))
        ended = lesson_of(room)
        at.live.said(studio, m.End())
        await at.until(lambda: not is_live(room))
        at.live.said(studio, m.Start())
        at.live.said(studio, m.Start())
        await at.until(lambda: is_live(room) and is_live(studio))
        again = lesson_of(studio)
        assert ended is not None
        assert again is not None
        assert again.id != ended.id
        assert set(at.rows.lessons) == {ended.id, again.id}


async def test_an_observer_sees_its_lesson_is_listed_and_no_other(tmp_path: Path) -> None:
    async with county(tmp_path) as at:
        lesson = await at.live.start_lesson("main")
        studio = await at.enter(Role.TEACHER, "main")
        watching = await at.enter(Role.OBSERVER, "", lesson=lesson)
        stranger = await at.enter(Role.OBSERVER, "", lesson="Lanother")
        await at.until(lambda: (view := lesson_of(studio)) is not None and view.watched_by)
        await at.until(lambda: is_live(watching))
        assert lesson_of(stranger) is None


async def test_sessions_are_resumed_replaced_asked_and_refused(tmp_path: Path) -> None:
    async with county(tmp_path) as at:
        room = await at.enter(Role.ROOM, "shahe")
        at.live.leave(room)
        back = await at.enter(Role.ROOM, "shahe", resume=room.session)
        assert back.session == room.session
        at.clock.ms += 120_000
        forged = await at.enter(Role.ROOM, "luoping", resume="x" * 20)
        assert forged.session != "x" * 20
        newer = await at.enter(Role.ROOM, "shahe")
        assert newer.session != back.session
        assert isinstance(back.hung_up, m.Refused)
        assert back.hung_up.code == "newer_page"
        studio = await at.enter(Role.TEACHER, "main")
        with pytest.raises(UserFault, match="other_studio"):
            await at.enter(Role.TEACHER, "main")
        await at.enter(Role.TEACHER, "main", takeover=True)
        assert isinstance(studio.hung_up, m.Refused)
        assert studio.hung_up.code == "taken_over"
        with pytest.raises(Refused, match="not_found"):
            await at.enter(Role.ROOM, "nowhere")


async def test_only_main_rooms_hold_lessons_and_one_at_a_time(tmp_path: Path) -> None:
    async with county(tmp_path) as at:
        for room in ("shahe", "nowhere"):
            with pytest.raises(Refused, match="not_found"):
                await at.live.start_lesson(room)
        lesson = await at.live.start_lesson("main", title=Words("数学", "Maths"), minutes=30)
        assert at.rows.lessons[lesson].title == Words("数学", "Maths")
        assert at.rows.lessons[lesson].ends_at == at.clock.ms + 30 * 60_000
        with pytest.raises(UserFault, match="already_on"):
            await at.live.start_lesson("main")
        await at.live.end_lesson(lesson)
        await at.live.end_lesson(lesson)
        await at.live.end_lesson("Lnever")


async def test_lessons_on_the_air_come_back_with_campus(tmp_path: Path) -> None:
    rows = TwoMains()
    async with county(tmp_path, rows) as at:
        lesson = await at.live.start_lesson("main")
    async with county(tmp_path, rows) as at:
        studio = await at.enter(Role.TEACHER, "main")
        await at.until(lambda: studio.last(m.Lesson) is not None and is_live(studio))
        told = lesson_of(studio)
        assert told is not None
        assert told.id == lesson
        at.live.hang_up_all(CloseCode.GOING_AWAY)
        assert studio.hung_up is CloseCode.GOING_AWAY


async def test_a_lesson_that_nobody_had_at_its_bell_is_over_and_the_studio_gets_a_new_one(
    tmp_path: Path,
) -> None:
    rows, now = TwoMains(), HandClock().ms
    long_ago = now - 3 * 3_600_000
    opened = lessons.open_lesson(Lesson("L1", Words("课", "Lesson"), "main", ROOMS, created_at=long_ago))
    rows.lessons["L1"] = replace(lessons.start(opened, long_ago), alive_at=long_ago + 600_000)
    async with county(tmp_path, rows) as at:
        assert rows.lessons["L1"].state is LessonState.ENDED
        assert rows.lessons["L1"].ended_at == long_ago + 600_000
        found = lesson_of(await at.enter(Role.TEACHER, "main"))
        assert found is not None
        assert (found.id != "L1", found.state) == (True, LessonState.OPEN)
