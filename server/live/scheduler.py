"""The clock over the timetable: opens booked lessons, starts them at the bell, marks missed ones.

A shell around `domain.schedule`. It holds what is booked within a day as the store has it, looks at the clock
once a second, and does what is due then; every step is true whenever it is asked, so it may be stopped and
started at any moment. The rows are changed elsewhere (`store.timetable`), which then calls `changed`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from server.clock import Clock
from server.domain import lesson as lessons
from server.domain import schedule
from server.domain.lesson import Lesson
from server.domain.schedule import Booking, ScheduleRules, Step
from server.live.lesson_room import LessonRoom
from server.live.lessons import Lessons
from server.live.ports import LessonStore
from server.protocol import messages as m
from server.protocol.messages import LessonState, Role

logger = logging.getLogger(__name__)

LOOK_S = 1.0
SHORTEST_S = 0.02
AGAIN_MS = 200
AHEAD_MS = 26 * 3_600_000
READ_EVERY_MS = 600_000
FAILED_PAUSE_S = 5.0


class ScheduleHost(Protocol):
    """What the scheduler needs of the service that keeps all lessons."""

    lessons: Lessons

    def open_booked(self, lesson: Lesson) -> None: ...

    def start_booked(self, lesson: str) -> None: ...

    def withdraw(self, lesson: str) -> None: ...

    def reassign(self) -> None: ...


class Scheduler:
    """`turn` is one look at the clock; `run` looks until cancelled."""

    def __init__(self, store: LessonStore, host: ScheduleHost, clock: Clock, rules: ScheduleRules) -> None:
        self._store = store
        self._host = host
        self._clock = clock
        self._rules = rules
        self._book: dict[str, Lesson] = {}
        self._bookings: dict[str, Booking] = {}
        self._read_at: int | None = None
        self._joined: frozenset[str] = frozenset()
        self._woken = asyncio.Event()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            try:
                pause_s = self._pause_s(await self.turn())
            except Exception:  # the unit boundary of the clock: the next look may do better
                logger.exception("the timetable's clock: a look failed")
                self._read_at, pause_s = None, FAILED_PAUSE_S
            try:
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    def changed(self) -> None:
        """Rows of the timetable are others now."""
        self._read_at = None
        self._woken.set()

    def _pause_s(self, moment: int | None) -> float:
        wait_ms = moment - self._clock.wall_ms() if moment is not None else LOOK_S * 1000
        return min(LOOK_S, max(SHORTEST_S, wait_ms / 1000))

    async def turn(self) -> int | None:
        """Do everything that is due now. When something is due next, as far as is known now."""
        now = self._clock.wall_ms()
        if self._read_at is None or not 0 <= now - self._read_at < READ_EVERY_MS:
            await self._read(now)
        self._look()
        acted = False
        for due in schedule.due(self._bookings.values(), now, self._rules):
            if due.lesson in self._book or due.lesson in self._host.lessons:
                acted = True
                await self._do(due.step, due.lesson, now)
        joined = self._host.lessons.joined()
        if joined != self._joined:
            self._joined = joined
            self._host.reassign()
        if acted:
            return now + AGAIN_MS
        return schedule.deadline(self._bookings.values(), now, self._rules)

    def next_of(self, room: str) -> m.Lesson:
        """What a room without a lesson is told: which one comes next."""
        found = schedule.next_for(self._bookings.values(), room, self._clock.wall_ms())
        lesson = self._book.get(found.lesson) if found is not None else None
        if lesson is None:
            return m.Lesson(lesson=None)
        return m.Lesson(
            lesson=None,
            next_title=lesson.title,
            next_teacher=lesson.teacher,
            next_at=lesson.booked_from,
        )

    def needed_at(self, lesson: str) -> int | None:
        """When the first of its rooms is booked by another lesson; None: not in sight."""
        own = self._bookings.get(lesson)
        if own is None:
            return None
        return schedule.free_until(self._bookings.values(), own, self._clock.wall_ms())

    async def _read(self, now: int) -> None:
        """The rows of the coming day, and those whose time went by unseen. What is open and no longer
        there, or elsewhere now, is opened anew."""
        self._read_at = now
        before, self._book = self._book, {each.id: each for each in await self._store.planned(now + AHEAD_MS)}
        for lesson in before.values():
            room = self._host.lessons.get(lesson.id)
            if (
                room is not None
                and room.lesson.state is LessonState.OPEN
                and self._book.get(lesson.id) != lesson
            ):
                self._host.withdraw(lesson.id)

    def _look(self) -> None:
        """Every lesson as it is: the rows', and over them what lives."""
        found = {each.id: Booking.of(each) for each in self._book.values()}
        for room in self._host.lessons:
            if not (room.lesson.booked or room.lesson.on_air):
                found.pop(room.lesson.id, None)
                continue
            found[room.lesson.id] = Booking.of(room.lesson, studio_here=_studio_here(room))
        self._bookings = found

    async def _do(self, step: Step, name: str, now: int) -> None:
        match step:
            case Step.OPEN:
                if name not in self._host.lessons:
                    self._host.open_booked(self._book[name])
            case Step.START if name in self._book:  # what was booked on the spot has no bell to start by
                self._host.start_booked(name)
            case Step.START:
                pass
            case Step.MISS:
                self._host.withdraw(name)
                lesson = self._book.pop(name, None)
                if lesson is not None:
                    logger.info("lesson %s was missed", name)
                    await self._store.save_missed(lessons.miss(lesson, max(now, lesson.booked_until or now)))


def _studio_here(room: LessonRoom) -> bool:
    return bool(room.attendance.pages(Role.TEACHER))
