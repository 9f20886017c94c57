"""Whole weeks of a timetable, virtual clock: no lesson is lost or starts twice, whatever is restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import lesson as lessons
from server.domain.lesson import TRANSITIONS, Lesson
from server.domain.schedule import ScheduleRules
from server.live.scheduler import Scheduler
from server.protocol.messages import LessonState, Role, Words

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
MONDAY = 1_788_134_400_000
RULES = ScheduleRules()


@dataclass
class VirtualClock:
    ms: int = MONDAY

    def wall_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000


@dataclass
class Rows:
    """What survives a restart. Every change of a row must be one that the transition table allows."""

    lessons: dict[str, Lesson] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)

    def save(self, lesson: Lesson) -> None:
        before = self.lessons[lesson.id]
        if before.state is not lesson.state:
            assert lesson.state in reachable(before.state), (before.state, lesson.state)
        if before.started_at is None and lesson.started_at is not None:
            self.starts.append(lesson.id)
        if before.started_at is not None:
            assert lesson.started_at == before.started_at
        self.lessons[lesson.id] = lesson

    async def planned(self, until: int) -> list[Lesson]:
        rows = self.lessons.values()
        return [row for row in rows if row.state is LessonState.PLANNED and (row.booked_from or 0) < until]

    async def save_missed(self, lesson: Lesson) -> None:
        if self.lessons[lesson.id].state is LessonState.PLANNED:
            self.save(lesson)


def reachable(state: LessonState) -> set[LessonState]:
    """By any number of events: rows do not hold every state in between."""
    found: set[LessonState] = set()
    ahead = [state]
    while ahead:
        for after in TRANSITIONS[ahead.pop()].values():
            if after not in found:
                found.add(after)
                ahead.append(after)
    return found


@dataclass
class Room:
    """A lesson room by the domain's rules alone: what `LessonRoom` does with the clock, without media."""

    lesson: Lesson
    teachers: set[str]

    @property
    def attendance(self) -> Room:
        return self

    def pages(self, role: Role) -> list[str]:
        return [self.lesson.main_room] if self.lesson.main_room in self.teachers else []


class Rooms(dict[str, Room]):
    def __iter__(self) -> Iterator[Room]:  # type: ignore[override]
        return iter(list(self.values()))

    def __contains__(self, name: object) -> bool:
        return self.get(str(name)) is not None

    def joined(self) -> frozenset[str]:
        return frozenset()


@dataclass
class Campus:
    """The host of a scheduler. `restart` forgets everything but the rows."""

    clock: VirtualClock
    rows: Rows
    teachers: set[str] = field(default_factory=set)
    lessons: Rooms = field(default_factory=Rooms)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.lessons = Rooms()
        for row in self.rows.lessons.values():
            if row.on_air:
                found = lessons.found_again(row, self.clock.ms)
                self.rows.save(found)
                if found.on_air:
                    self.lessons[found.id] = Room(found, self.teachers)
        self.scheduler = Scheduler(self.rows, self, self.clock, RULES)  # type: ignore[arg-type]

    def open_booked(self, lesson: Lesson) -> None:
        self.lessons[lesson.id] = Room(lessons.open_lesson(lesson), self.teachers)

    def start_booked(self, name: str) -> None:
        room = self.lessons[name]
        busy = any(
            each.lesson.on_air and each.lesson.main_room == room.lesson.main_room for each in self.lessons
        )
        if not busy:
            self._become(room, lessons.start(room.lesson, self.clock.ms))

    def withdraw(self, name: str) -> None:
        room = self.lessons.get(name)
        if room is not None and not room.lesson.on_air and room.lesson.state is not LessonState.ENDED:
            room.lesson = lessons.miss(room.lesson, self.clock.ms)

    def reassign(self) -> None:
        pass

    def touch_start(self, main_room: str) -> None:
        for room in self.lessons:
            if room.lesson.main_room == main_room and room.lesson.state is LessonState.OPEN:
                self.start_booked(room.lesson.id)
                return

    def touch_end(self, main_room: str) -> None:
        for room in self.lessons:
            if room.lesson.main_room == main_room and room.lesson.on_air:
                self._become(room, lessons.end(room.lesson, self.clock.ms))

    def tick(self) -> None:
        for room in self.lessons:
            lesson, _ = lessons.tick(room.lesson, self.clock.ms)
            self._become(room, replace(lesson, needed_at=self.scheduler.needed_at(lesson.id)))

    def _become(self, room: Room, lesson: Lesson) -> None:
        room.lesson = lesson
        if lesson.started_at is not None:
            self.rows.save(lesson)

    def next_moment(self, due_at: int | None) -> int:
        """When something happens by itself; looks at the clock between are left out."""
        moments = [due_at, *(lessons.deadline(room.lesson) for room in self.lessons)]
        found = [each for each in moments if each is not None and each > self.clock.ms]
        return min(found, default=self.clock.ms + 60 * MINUTE)


@dataclass(frozen=True)
class Happening:
    at: int
    what: str
    room: str
    lasts: int


MAINS = ("m0", "m1")


@st.composite
def weeks(draw: st.DrawFn) -> tuple[list[Lesson], list[Happening]]:
    timetable = []
    for main in MAINS:
        for day in range(5):
            for period in draw(st.sets(st.integers(0, 5), max_size=4)):
                begins = MONDAY + day * DAY + (8 * 60 + period * draw(st.sampled_from((40, 50)))) * MINUTE
                timetable.append(
                    Lesson(
                        id=f"L{main}{day}{period}{len(timetable)}",
                        title=Words("课", "Lesson"),
                        main_room=main,
                        rooms=("a", "b"),
                        booked_from=begins,
                        booked_until=begins + 40 * MINUTE,
                    )
                )
    happenings = draw(
        st.lists(
            st.builds(
                Happening,
                st.integers(0, 5 * DAY // MINUTE).map(lambda minute: MONDAY + minute * MINUTE)
                | st.sampled_from([each.booked_from or 0 for each in timetable] or [MONDAY]),
                st.sampled_from(("comes", "comes", "goes", "start", "end", "restart", "restart")),
                st.sampled_from(MAINS),
                st.integers(0, 90).map(lambda minutes: minutes * MINUTE),
            ),
            max_size=25,
        )
    )
    return timetable, sorted(happenings, key=lambda each: each.at)


async def run_week(
    timetable: list[Lesson], happenings: list[Happening]
) -> tuple[Rows, list[tuple[str, int]]]:
    clock, rows = VirtualClock(), Rows({each.id: each for each in timetable})
    campus = Campus(clock, rows)
    began: list[tuple[str, int]] = []
    ahead = list(happenings)
    while clock.ms < MONDAY + 6 * DAY:
        count = len(rows.starts)
        due_at = await campus.scheduler.turn()
        campus.tick()
        until = campus.next_moment(due_at)
        while ahead and ahead[0].at <= clock.ms:
            each = ahead.pop(0)
            match each.what:
                case "comes":
                    campus.teachers.add(each.room)
                case "goes":
                    campus.teachers.discard(each.room)
                case "start":
                    campus.touch_start(each.room)
                case "end":
                    campus.touch_end(each.room)
                case "restart":
                    clock.ms += each.lasts
                    campus.restart()
                    until = clock.ms + 1
        began += [(name, clock.ms) for name in rows.starts[count:]]
        clock.ms = max(clock.ms + 1, min(until, ahead[0].at) if ahead else until)
    return rows, began


@settings(max_examples=40)
@given(weeks())
def test_no_lesson_of_a_week_is_lost_or_begun_twice_whatever_is_restarted_when(
    week: tuple[list[Lesson], list[Happening]],
) -> None:
    timetable, happenings = week
    rows, began = asyncio.run(run_week(timetable, happenings))
    assert len(rows.starts) == len(set(rows.starts))
    for name, at in began:
        lesson = rows.lessons[name]
        assert (lesson.booked_from or 0) - RULES.open_before_ms <= at
    for lesson in rows.lessons.values():
        assert lesson.state is LessonState.ENDED
        assert lesson.missed == (lesson.id not in rows.starts)
        if lesson.started_at is not None:
            assert lesson.started_at < (lesson.booked_until or 0)
    taught: dict[str, list[Lesson]] = {}
    for lesson in rows.lessons.values():
        if lesson.started_at is not None:
            taught.setdefault(lesson.main_room, []).append(lesson)
    for given_there in taught.values():
        given_there.sort(key=lambda each: each.started_at or 0)
        for first, second in pairwise(given_there):
            assert (first.ended_at or 0) <= (second.started_at or 0)


def test_where_the_studios_are_open_a_whole_week_is_given_at_its_bells() -> None:
    timetable = [
        Lesson(
            id=f"L{day}{period}",
            title=Words("课", "Lesson"),
            main_room="m0",
            rooms=("a",),
            booked_from=MONDAY + day * DAY + (8 * 60 + period * 50) * MINUTE,
            booked_until=MONDAY + day * DAY + (8 * 60 + period * 50 + 40) * MINUTE,
        )
        for day in range(5)
        for period in range(6)
    ]
    restarts = [
        Happening((each.booked_from or 0) - 30_000, "restart", "m0", MINUTE) for each in timetable[::7]
    ]
    rows, began = asyncio.run(run_week(timetable, [Happening(MONDAY, "comes", "m0", 0), *restarts]))
    assert [name for name, _ in began] == [each.id for each in timetable]
    for name, at in began:
        lesson = rows.lessons[name]
        assert 0 <= at - (lesson.booked_from or 0) <= 31_000
        assert lesson.ended_at == (lesson.booked_until or 0) + 60_000
