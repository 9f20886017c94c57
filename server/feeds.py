"""Booked lessons as an iCalendar feed (RFC 5545), for phones and mail programs. The only home of
icalendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from server.protocol.timetable import BookedLesson, Given

REFRESH = timedelta(hours=1)


def feed(name: str, lessons: Iterable[BookedLesson], now: int, *, english: bool) -> bytes:
    """The calendar. A lesson keeps its UID when it is moved, and its SEQUENCE rises, so that readers move
    it too."""
    calendar = Calendar()
    calendar.add("prodid", "-//Lianke//Timetable//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for lesson in lessons:
        calendar.add_component(_event(lesson, now, english=english))
    return bytes(calendar.to_ical())


def _event(lesson: BookedLesson, now: int, *, english: bool) -> Event:
    event = Event()
    event.add("uid", f"{lesson.lesson}@lianke")
    event.add("dtstamp", _moment(now))
    event.add("dtstart", _moment(lesson.starts_at))
    event.add("dtend", _moment(lesson.ends_at))
    event.add("summary", lesson.title.en if english else lesson.title.zh)
    rooms = [lesson.main_room, *lesson.rooms]
    event.add("location", ", ".join(each.name.en if english else each.name.zh for each in rooms))
    if lesson.teacher is not None:
        event.add("description", lesson.teacher.name.en if english else lesson.teacher.name.zh)
    event.add("sequence", lesson.version)
    event.add("status", "CANCELLED" if lesson.given is Given.CANCELLED else "CONFIRMED")
    return event


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)
