"""Booked lessons and the clock: what opens, starts or is missed, and where each room belongs now (pure).

Times are milliseconds since 1970. The scheduler asks `due` after every change and at `deadline`; each effect
is true whenever it is asked, so a restart at any moment neither loses a lesson nor starts one twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from server.domain.lesson import Lesson
from server.protocol.messages import LessonState

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class ScheduleRules:
    """How early what happens; all configurable. `starts_itself`: at the bell, where the studio is open
    then; who opens it later than `itself_within_ms` is not put on the air without a touch."""

    open_before_ms: int = 15 * MINUTE_MS
    join_before_ms: int = 3 * MINUTE_MS
    starts_itself: bool = True
    itself_within_ms: int = 2 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Booking:
    """A lesson of the timetable, as far as the clock needs it. `studio_here`: its studio page is open."""

    lesson: str
    main_room: str
    rooms: tuple[str, ...]
    starts_at: int
    ends_at: int
    state: LessonState = LessonState.PLANNED
    studio_here: bool = False

    @classmethod
    def of(cls, lesson: Lesson, *, studio_here: bool = False) -> Booking:
        """A booked lesson as the clock sees it; one on the air ends when its bell says so."""
        ends_at = (lesson.ends_at if lesson.on_air else None) or lesson.booked_until or 0
        starts_at = lesson.booked_from if lesson.booked_from is not None else lesson.started_at or 0
        return cls(lesson.id, lesson.main_room, lesson.rooms, starts_at, ends_at, lesson.state, studio_here)

    @property
    def over(self) -> bool:
        return self.state is LessonState.ENDED


class Step(StrEnum):
    """What the scheduler does with a lesson."""

    OPEN = "open"  # the studio may prepare, rooms may come
    START = "start"  # the bell rang and the teacher is there
    MISS = "miss"  # its time is over and it never began


@dataclass(frozen=True, slots=True)
class Due:
    step: Step
    lesson: str


def due(bookings: Iterable[Booking], now: int, rules: ScheduleRules) -> list[Due]:
    """What must happen now, the earliest lesson first. Done and asked again, it is no longer due."""
    found = []
    for booking in sorted(bookings, key=lambda each: (each.starts_at, each.lesson)):
        step = _step(booking, now, rules)
        if step is not None:
            found.append(Due(step, booking.lesson))
    return found


def deadline(bookings: Iterable[Booking], now: int, rules: ScheduleRules) -> int | None:
    """When something becomes due next, if nothing else changes; None: nothing ever."""
    moments = (
        moment
        for booking in bookings
        if booking.state in (LessonState.PLANNED, LessonState.OPEN)
        for moment in (
            booking.starts_at - rules.open_before_ms,
            booking.starts_at - rules.join_before_ms,
            booking.starts_at,
            booking.ends_at,
        )
        if moment > now
    )
    return min(moments, default=None)


def started_by_touch(
    bookings: Iterable[Booking], main_room: str, now: int, rules: ScheduleRules
) -> Booking | None:
    """The booked lesson that Start in this main room begins, early or late; None: an ad hoc one."""
    own = [
        booking
        for booking in bookings
        if booking.main_room == main_room
        and booking.state in (LessonState.PLANNED, LessonState.OPEN)
        and booking.starts_at - rules.open_before_ms <= now < booking.ends_at
    ]
    return min(own, key=lambda each: (each.starts_at, each.lesson), default=None)


def belongs_to(bookings: Iterable[Booking], room: str, now: int, rules: ScheduleRules) -> Booking | None:
    """The lesson in which a receiving room has its place now: what goes on before what only begins."""
    here = [
        booking
        for booking in bookings
        if room in booking.rooms
        and not booking.over
        and (_on_air(booking) or booking.starts_at - rules.join_before_ms <= now < booking.ends_at)
    ]
    return min(here, key=lambda each: (not _on_air(each), each.starts_at, each.lesson), default=None)


def next_for(bookings: Iterable[Booking], room: str, now: int) -> Booking | None:
    """The room's next lesson that has not begun, in whichever role."""
    ahead = [
        booking
        for booking in bookings
        if room in (booking.main_room, *booking.rooms) and booking.starts_at > now and not booking.over
    ]
    return min(ahead, key=lambda each: (each.starts_at, each.lesson), default=None)


def free_until(bookings: Iterable[Booking], lesson: Booking, now: int) -> int | None:
    """When the first of the lesson's rooms is booked by another lesson; None: not in sight. It may be
    extended until then and not beyond."""
    rooms = {lesson.main_room, *lesson.rooms}
    return min(
        (
            other.starts_at
            for other in bookings
            if other.lesson != lesson.lesson
            and not other.over
            and other.ends_at > now
            and other.starts_at >= lesson.starts_at
            and rooms & {other.main_room, *other.rooms}
        ),
        default=None,
    )


def _step(booking: Booking, now: int, rules: ScheduleRules) -> Step | None:
    if booking.state not in (LessonState.PLANNED, LessonState.OPEN):
        return None
    if now >= booking.ends_at:
        return Step.MISS
    if now < booking.starts_at - rules.open_before_ms:
        return None
    if booking.state is LessonState.PLANNED:
        return Step.OPEN
    at_the_bell = booking.starts_at <= now < booking.starts_at + rules.itself_within_ms
    return Step.START if rules.starts_itself and booking.studio_here and at_the_bell else None


def _on_air(booking: Booking) -> bool:
    return booking.state in (LessonState.LIVE, LessonState.CLOSING)
