"""Which lessons are open or on the air, and which of them a page belongs to now.

Owned by the service, on the event loop. A main room may have several: the one on the air, the one that is
over and still shown, the booked one that waits for its bell. Rules of time are `domain.schedule`'s.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.clock import Clock
from server.domain.admission import Identity, belongs
from server.domain.lesson import Lesson
from server.domain.schedule import ScheduleRules
from server.live.lesson_room import LessonRoom
from server.protocol.messages import LessonState, Role


class Lessons:
    """`current` is the lesson of a main room's studio."""

    def __init__(self, clock: Clock, rules: ScheduleRules) -> None:
        self._clock = clock
        self._rules = rules
        self._rooms: dict[str, LessonRoom] = {}
        self._current: dict[str, str] = {}  # main room -> lesson

    def __iter__(self) -> Iterator[LessonRoom]:
        return iter(list(self._rooms.values()))

    def __contains__(self, lesson: str) -> bool:
        return lesson in self._rooms

    def get(self, lesson: str) -> LessonRoom | None:
        return self._rooms.get(lesson)

    def add(self, room: LessonRoom, *, current: bool = True) -> None:
        """`current` False: it waits for its time, the studio is elsewhere."""
        self._rooms[room.lesson.id] = room
        if current:
            self._current[room.lesson.main_room] = room.lesson.id

    def forget(self, room: LessonRoom) -> None:
        lesson = room.lesson
        self._rooms.pop(lesson.id, None)
        if self._current.get(lesson.main_room) == lesson.id:
            del self._current[lesson.main_room]

    def current(self, main_room: str) -> LessonRoom | None:
        """The lesson of this studio: on the air before all, else the booked one that is near, else what it
        had. One that was missed is nobody's."""
        now = self._clock.wall_ms()
        held = self._rooms.get(self._current.get(main_room, ""))
        if held is not None and held.lesson.on_air:
            return held
        booked = self.waiting(main_room)
        if booked is not None and (held is None or self._gives_way(held.lesson, booked.lesson, now)):
            self._current[main_room] = booked.lesson.id
            return booked
        return None if held is not None and held.lesson.missed else held

    def waiting(self, main_room: str) -> LessonRoom | None:
        """The earliest booked lesson of this main room that is open and was not begun."""
        rooms = [
            room
            for room in self._rooms.values()
            if room.lesson.main_room == main_room
            and room.lesson.booked
            and not room.lesson.on_the_spot
            and room.lesson.state is LessonState.OPEN
        ]
        return min(rooms, key=lambda room: room.lesson.booked_from or 0, default=None)

    def make_current(self, room: LessonRoom) -> None:
        self._current[room.lesson.main_room] = room.lesson.id

    def of(self, identity: Identity) -> LessonRoom | None:
        """Where this page has its place now; None: nowhere (yet)."""
        if identity.lesson is not None:
            bound = self._rooms.get(identity.lesson)
            return bound if bound is not None and belongs(bound.lesson, identity) else None
        if identity.role in (Role.TEACHER, Role.WALL, Role.GUEST):
            return self.current(identity.room)
        mine = [room for room in self._rooms.values() if belongs(room.lesson, identity)]
        on_air = [room for room in mine if room.lesson.on_air]
        if on_air:
            return min(on_air, key=lambda room: room.lesson.started_at or 0)
        now = self._clock.wall_ms()
        waiting = [room for room in mine if room.lesson.state is LessonState.OPEN and self._joins(room, now)]
        over = [room for room in mine if room.lesson.state is LessonState.ENDED and not room.released]
        return next(iter(over or sorted(waiting, key=lambda room: room.lesson.booked_from or 0)), None)

    def joined(self) -> frozenset[str]:
        """Open lessons whose rooms may come in by now."""
        now = self._clock.wall_ms()
        opened = (room for room in self._rooms.values() if room.lesson.state is LessonState.OPEN)
        return frozenset(room.lesson.id for room in opened if self._joins(room, now))

    def _joins(self, room: LessonRoom, now: int) -> bool:
        booked_from = room.lesson.booked_from
        return booked_from is None or now >= booked_from - self._rules.join_before_ms

    def _gives_way(self, held: Lesson, booked: Lesson, now: int) -> bool:
        """A lesson that nobody began gives way at once; one that is over, when the next is near."""
        if held.id == booked.id or held.missed:
            return True
        if held.state is LessonState.OPEN:
            return not held.booked or held.on_the_spot or (booked.booked_from or 0) < (held.booked_from or 0)
        return now >= (booked.booked_from or 0) - self._rules.join_before_ms
