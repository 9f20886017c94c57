"""Booked lessons as pages see them: ids with their names. For the timetable, a person's day and the feeds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from aiohttp import web

from server.api.keys import LIVE, STORE
from server.protocol.messages import LessonState, Words
from server.protocol.timetable import (
    BookedLesson,
    BookingChange,
    ClashView,
    Given,
    NamedPerson,
    NamedRoom,
)
from server.store.planning import BookedClash
from server.store.timetable_records import Booked, Names, title_of

DAY_MS = 86_400_000


class Views:
    """Makes `BookedLesson` of rows; `rooms` and `names` cover what they mention."""

    def __init__(self, names: Names, rooms: dict[str, Words], opened: frozenset[str]) -> None:
        self.names = names
        self._rooms = rooms
        self._opened = opened

    def room(self, room: str) -> NamedRoom:
        return NamedRoom(room, self._rooms.get(room, Words(room, room)))

    def lesson(self, booked: Booked) -> BookedLesson:
        teacher = None
        if booked.teacher:
            name = self.names.teachers.get(booked.teacher, Words(booked.teacher, booked.teacher))
            teacher = NamedPerson(booked.teacher, name)
        given = self._given(booked)
        return BookedLesson(
            lesson=booked.lesson,
            title=title_of(booked, self.names),
            day=booked.day.isoformat(),
            first=booked.first,
            last=booked.last,
            starts_at=booked.starts_at,
            ends_at=booked.ends_at,
            main_room=self.room(booked.main_room),
            rooms=[self.room(room) for room in booked.rooms],
            teacher=teacher,
            subject=booked.subject,
            grade=booked.grade,
            template=booked.template,
            change=booked.change,
            given=given,
            version=booked.version,
            series=booked.series,
            replay=f"/replay/{booked.lesson}" if given is Given.GIVEN else None,
        )

    def clash(self, clash: BookedClash) -> ClashView:
        """The clash in words."""
        teacher = clash.resource == "teacher"
        if teacher:
            name = self.names.teachers.get(clash.name, Words(clash.name, clash.name))
        else:
            name = self._rooms.get(clash.name, Words(clash.name, clash.name))
        first, second = title_of(clash.first, self.names), title_of(clash.second, self.names)
        day = clash.first.day.isoformat()
        main = self.room(clash.first.main_room).name, self.room(clash.second.main_room).name
        zh = f"{day}：{'教师' if teacher else '教室'}“{name.zh}”同时有两节课："
        zh += f"“{first.zh}”（{main[0].zh}）和“{second.zh}”（{main[1].zh}）。"
        en = f'{day}: {"teacher" if teacher else "room"} "{name.en}" has two lessons at one time: '
        en += f'"{first.en}" ({main[0].en}) and "{second.en}" ({main[1].en}).'
        lessons = [each.lesson for each in (clash.first, clash.second) if each.lesson]
        return ClashView(clash.resource.value, name, lessons, Words(zh=zh, en=en))

    def _given(self, booked: Booked) -> Given:
        if booked.change is BookingChange.CANCELLED:
            return Given.CANCELLED
        if booked.state in (LessonState.LIVE, LessonState.CLOSING):
            return Given.LIVE
        if booked.state is LessonState.ENDED:
            return Given.GIVEN if booked.started_at is not None else Given.MISSED
        return Given.OPEN if booked.lesson in self._opened else Given.AHEAD


async def views_of(request: web.Request, lessons: Iterable[Booked]) -> Views:
    """For these rows."""
    store = request.app[STORE]
    organisation = await store.county.load()
    today = store.county.today()
    rooms = {
        room: organisation.units[room].name(today)
        for booked in lessons
        for room in (booked.main_room, *booked.rooms)
        if room in organisation.units
    }
    names = await store.naming.names(booked.teacher for booked in lessons)
    return Views(names, rooms, opened_of(request))


def opened_of(request: web.Request) -> frozenset[str]:
    """Booked lessons that are open now."""
    return frozenset(room.lesson.id for room in request.app[LIVE].lessons if room.lesson.booked)


def day_span(request: web.Request, day: date, days: int = 1) -> tuple[int, int]:
    """A day of the county, or several, as milliseconds since 1970."""
    zone = request.app[STORE].county.zone
    begin = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=days), time(), zone)
    return int(begin.timestamp() * 1000), int(end.timestamp() * 1000)
