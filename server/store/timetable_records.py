"""A booked lesson as the store gives and takes it, and the row of `lessons` that it will be. No database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from server.domain.lesson import Lesson
from server.protocol.messages import LessonState, Words
from server.protocol.timetable import BookingChange, Template


@dataclass(frozen=True, slots=True)
class Booked:
    """A lesson of one day with its place in the timetable. `slot`: of the line's day and period, None where
    no line has it; `state` and `started_at` are the lesson's."""

    lesson: str
    day: date
    first: int
    last: int
    starts_at: int
    ends_at: int
    main_room: str
    rooms: tuple[str, ...]
    teacher: str = ""
    subject: str = ""
    grade: str = ""
    title: str = ""
    template: Template = Template.SHARED
    series: str = ""
    change: BookingChange = BookingChange.NONE
    version: int = 1
    slot: str | None = None
    line: str | None = None
    term: str | None = None
    state: LessonState = LessonState.PLANNED
    started_at: int | None = None

    @property
    def planned(self) -> bool:
        return self.state is LessonState.PLANNED


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called: subjects by entry, teachers by person."""

    subjects: Mapping[str, Words] = field(default_factory=dict)
    teachers: Mapping[str, Words] = field(default_factory=dict)


BOOKING_COLUMNS = (
    "lesson", "slot", "line", "term", "day", "first", "last", "starts_at", "ends_at", "main_room", "teacher",
    "subject", "grade", "title", "template", "series", "change", "version",
)  # fmt: skip


def title_of(booked: Booked, names: Names) -> Words:
    """What the lesson is called: grade and subject, then its own title."""
    subject = names.subjects.get(booked.subject, Words(booked.subject, booked.subject))
    zh = " · ".join(filter(None, (booked.grade + subject.zh, booked.title)))
    en = " · ".join(filter(None, (", ".join(filter(None, (subject.en, booked.grade))), booked.title)))
    return Words(zh=zh or "课", en=en or "Lesson")


def planned_lesson(booked: Booked, names: Names, created_at: int) -> Lesson:
    """The lesson that it will be."""
    subject = names.subjects.get(booked.subject, Words(booked.subject, booked.subject))
    return Lesson(
        id=booked.lesson,
        title=title_of(booked, names),
        main_room=booked.main_room,
        rooms=booked.rooms,
        created_at=created_at,
        booked_from=booked.starts_at,
        booked_until=booked.ends_at,
        teacher=names.teachers.get(booked.teacher),
        taught_by=booked.teacher,
        subject=subject.zh,
        grade=booked.grade,
        template=booked.template,
    )


_KEPT = (
    "id", "title", "main_room", "rooms", "created_at", "booked_from", "booked_until", "teacher", "taught_by",
    "subject",
    "grade", "template",
)  # fmt: skip


def planned_row(booked: Booked, names: Names, created_at: int) -> dict[str, Any]:
    """The row of `lessons`. Its value has what the timetable says; the rest is decided when it opens."""
    lesson = planned_lesson(booked, names, created_at)
    value = {name: getattr(lesson, name) for name in _KEPT}
    return {
        "lesson": booked.lesson,
        "state": LessonState.PLANNED.value,
        "main_room": booked.main_room,
        "created_at": created_at,
        "started_at": None,
        "ended_at": None,
        "worker": None,
        "value": msgspec.json.encode(value).decode(),
    }


def booking_row(booked: Booked) -> dict[str, Any]:
    row = {name: getattr(booked, name) for name in BOOKING_COLUMNS}
    return {**row, "template": booked.template.value, "change": booked.change.value}


def room_rows(booked: Booked) -> list[dict[str, Any]]:
    return [
        {"lesson": booked.lesson, "room": room, "position": position, "starts_at": booked.starts_at}
        for position, room in enumerate(booked.rooms)
    ]
