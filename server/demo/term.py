"""This term's timetable of the sample county: 30 lessons a week in each teaching room, 20 weeks (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from server.demo.county import County
from server.domain.posts import PostRole
from server.protocol.messages import Words

NAME = Words(zh="本学期", en="This term")
WEEKS = 20
WEEKS_GONE = 8
SCHOOL_DAYS = 5
A_DAY = 6
TEACHERS_A_ROOM = 4
GRADES = ("三年级", "四年级", "五年级", "六年级")


@dataclass(frozen=True, slots=True)
class TermLesson:
    """A lesson to be; `period` counts from 1, `subject` is a place in a list that goes round."""

    lesson: str
    day: date
    period: int
    main_room: str
    rooms: tuple[str, ...]
    teacher: str
    subject: int
    grade: str


def first_monday(today: date) -> date:
    """The term has been on for some weeks."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS_GONE)


def term_lessons(county: County, today: date, weeks: int) -> Iterator[TermLesson]:
    """From today on, of this week and those after it, `weeks` in all; what was before is in the archive.
    Nobody is in two places at once."""
    monday = first_monday(today)
    teaching = [one.id for one in county.people if one.posts[0].role is PostRole.TEACHER]
    number = 0
    for week in range(WEEKS_GONE, min(WEEKS, WEEKS_GONE + weeks)):
        for place, (main, rooms) in enumerate(county.taught.items()):
            for slot in range(SCHOOL_DAYS * A_DAY):
                day = monday + timedelta(weeks=week, days=slot // A_DAY)
                if day < today:
                    continue
                number += 1
                teacher = teaching[place * TEACHERS_A_ROOM + slot % TEACHERS_A_ROOM]
                grade = GRADES[slot % len(GRADES)]
                name, period = f"T{number:08d}", slot % A_DAY + 1
                yield TermLesson(name, day, period, main, rooms, teacher, place + slot, grade)
